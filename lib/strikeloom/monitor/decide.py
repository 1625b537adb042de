"""All rules of a position's plan; the most urgent that fires wins, the others are kept."""

from __future__ import annotations

from collections.abc import Sequence

from strikeloom.domain.positions import ExitDecision, MarkedPosition
from strikeloom.settings.exit_rule import ExitRule


def decide(
    marked: MarkedPosition, plan: Sequence[ExitRule]
) -> tuple[ExitDecision | None, list[ExitDecision]]:
    """Winning decision, if any rule fires, and the decision of every rule in plan order.

    Of several firing rules the most urgent wins; among equally urgent ones the first.
    """
    decisions = [rule.decide(marked) for rule in plan]
    firing = [decision for decision in decisions if decision.fires]
    winner = max(firing, key=lambda decision: decision.urgency, default=None)
    return winner, decisions
