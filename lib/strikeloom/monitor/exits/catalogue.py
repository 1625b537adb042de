"""Rules by their name in settings, and the plan of a strategy."""

from __future__ import annotations

from typing import Protocol

from strikeloom.domain.positions import ExitDecision, MarkedPosition
from strikeloom.errors import SettingsError
from strikeloom.monitor.exits.days_to_expiry import DaysToExpiry
from strikeloom.monitor.exits.profit_target import ProfitTarget
from strikeloom.monitor.exits.stop_loss import StopLoss
from strikeloom.settings.exits import (
    DaysToExpiryRule,
    ExitRuleSettings,
    ExitSettings,
    ProfitTargetRule,
)


class ExitRule(Protocol):
    """A frozen value with one pure method."""

    def decide(self, marked: MarkedPosition) -> ExitDecision:
        """What the rule says of a marked position."""
        ...


def rule_of(settings: ExitRuleSettings) -> ExitRule:
    """Rule of one line of ``config/exits.yaml``."""
    if isinstance(settings, ProfitTargetRule):
        return ProfitTarget(settings.percent)
    if isinstance(settings, DaysToExpiryRule):
        return DaysToExpiry(settings.days)
    return StopLoss(settings.percent)


def plan_of(settings: ExitSettings, name: str) -> tuple[ExitRule, ...]:
    """Rules of a plan.

    Raises
    ------
    SettingsError
        When the plan is not in ``config/exits.yaml``.
    """
    if name not in settings.plans:
        raise SettingsError(
            f"exit plan {name!r} is not in config/exits.yaml; known: {', '.join(settings.plans)}"
        )
    return tuple(rule_of(line) for line in settings.plans[name])
