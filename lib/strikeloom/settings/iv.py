"""``config/iv.yaml``: how volatility is read from prices and ranked in its history."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from strikeloom.settings.model import SettingsModel

#: Sessions of the longest window: ten years.
_LONGEST = 2520


class RegimeThresholds(SettingsModel):
    """Percentiles (0 to 100) at which the next regime begins."""

    normal: float = Field(gt=0, lt=100)
    elevated: float = Field(gt=0, lt=100)
    high: float = Field(gt=0, lt=100)

    @model_validator(mode="after")
    def _ascending(self) -> RegimeThresholds:
        if not self.normal < self.elevated < self.high:
            raise ValueError("regime thresholds must ascend: normal < elevated < high")
        return self


class IvSettings(SettingsModel):
    """Volatility history."""

    rate: float = Field(ge=0, le=0.25)
    year_basis: Literal["calendar", "trading"]
    rate_error: float = Field(gt=0, le=0.1)
    parity_error: float = Field(gt=0, le=0.05)
    min_days_to_expiry: int = Field(ge=0, le=60)
    tenor_min_days: float = Field(ge=0, le=20)
    min_strikes: int = Field(ge=1, le=20)
    windows: dict[int, int] = Field(min_length=1)
    regimes: RegimeThresholds

    @model_validator(mode="after")
    def _windows_hold_their_days(self) -> IvSettings:
        for sessions, needed in self.windows.items():
            if not 1 <= needed <= sessions <= _LONGEST:
                raise ValueError(
                    f"windows: {sessions} sessions cannot need {needed} days; windows count "
                    f"sessions, not months (21: 20 is about a month), at most {_LONGEST}, and need "
                    "1 day to all of them"
                )
        return self
