"""Refusals as outcomes: the rule, what was measured, what it asks, and what would pass."""

from __future__ import annotations

import math
from typing import Any

from strikeloom.domain.legs import Leg
from strikeloom.domain.outcomes import Ending, Outcome, Rule
from strikeloom.errors import NotBuildable
from strikeloom.strategy_creation.catalogue import TEMPLATES


def refusal(
    symbol: str, template: str, reason: NotBuildable, legs: tuple[Leg, ...] = (), **figures: Any
) -> Outcome:
    """Outcome of a structure that a rule stops.

    Parameters
    ----------
    **figures
        Other fields of the outcome.
    """
    facts = reason.facts
    return Outcome(
        symbol,
        template,
        Ending.REFUSED,
        Rule(facts["rule"]),
        str(reason),
        finite(facts.get("value")),
        finite(facts.get("threshold")),
        facts.get("remedy", ""),
        legs=legs,
        failed=facts.get("failed"),
        **figures,
    )


def refused_symbol(symbol: str, rule: Rule, reason: str) -> list[Outcome]:
    """Every structure of a symbol that cannot be looked at."""
    return [Outcome(symbol, name, Ending.REFUSED, rule, reason) for name in TEMPLATES]


def finite(value: float | None) -> float | None:
    """The value unless it is no number: what is unknown or unlimited is absent."""
    return None if value is None or not math.isfinite(value) else float(value)
