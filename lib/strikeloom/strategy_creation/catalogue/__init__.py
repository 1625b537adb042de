"""Strategies as data: one record each, by family. Adding one needs no other change."""

from strikeloom.domain.proposals import StrategyTemplate
from strikeloom.strategy_creation.catalogue.neutral import NEUTRAL
from strikeloom.strategy_creation.catalogue.single import SINGLE
from strikeloom.strategy_creation.catalogue.vertical import VERTICAL

#: All templates by name.
TEMPLATES: dict[str, StrategyTemplate] = {
    template.name: template for template in (*SINGLE, *VERTICAL, *NEUTRAL)
}

__all__ = ["TEMPLATES"]
