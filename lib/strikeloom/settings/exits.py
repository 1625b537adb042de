"""``config/exits.yaml``: exit plans as data, one list of rules a plan."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from strikeloom.settings.model import SettingsModel


class ProfitTargetRule(SettingsModel):
    """Leave at a share of the maximum profit, or of the premium paid when that is unlimited."""

    rule: Literal["profit_target"]
    percent: float = Field(gt=0, le=500)


class StopLossRule(SettingsModel):
    """Leave at a share of the maximum loss, or of the premium received when it is unlimited."""

    rule: Literal["stop_loss"]
    percent: float = Field(gt=0, le=500)


class DaysToExpiryRule(SettingsModel):
    """Leave so many calendar days before the nearest expiry."""

    rule: Literal["days_to_expiry"]
    days: int = Field(ge=0, le=365)


ExitRuleSettings = Annotated[
    ProfitTargetRule | StopLossRule | DaysToExpiryRule, Field(discriminator="rule")
]


class ExitSettings(SettingsModel):
    """Exit plans by name."""

    plans: dict[str, list[ExitRuleSettings]]
