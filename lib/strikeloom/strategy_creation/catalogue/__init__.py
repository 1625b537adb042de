"""Strategies as data: one record each, a file a family. Adding one needs no other change."""

from strikeloom.domain.templates import StrategyTemplate
from strikeloom.strategy_creation.catalogue.advanced import ADVANCED
from strikeloom.strategy_creation.catalogue.directional import DIRECTIONAL
from strikeloom.strategy_creation.catalogue.income import INCOME
from strikeloom.strategy_creation.catalogue.neutral import NEUTRAL
from strikeloom.strategy_creation.catalogue.volatility import VOLATILITY

#: All templates by name.
TEMPLATES: dict[str, StrategyTemplate] = {
    template.name: template
    for template in (*DIRECTIONAL, *NEUTRAL, *VOLATILITY, *INCOME, *ADVANCED)
}

__all__ = ["TEMPLATES"]
