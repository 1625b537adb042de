"""All rules of a position's plan; the most urgent that fires wins, the others are kept."""

from __future__ import annotations

from collections.abc import Sequence

from strikeloom.domain.positions import ExitDecision, MarkedPosition
from strikeloom.monitor.exits.catalogue import ExitRule


def decide(
    marked: MarkedPosition, plan: Sequence[ExitRule]
) -> tuple[ExitDecision | None, list[ExitDecision]]:
    """Winning decision, if any fires, and what every rule said."""
    said = [rule.decide(marked) for rule in plan]
    firing = [decision for decision in said if decision.fires]
    winner = max(firing, key=lambda d: d.urgency, default=None)
    return winner, said
