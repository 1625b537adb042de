"""``config/allocation.yaml``: how capital is divided."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from strikeloom.settings.model import SettingsModel


class TierShares(SettingsModel):
    """Shares of the capital; they sum to one."""

    income: float = Field(ge=0, le=1)
    momentum: float = Field(ge=0, le=1)
    volatility: float = Field(ge=0, le=1)

    @model_validator(mode="after")
    def _sum(self) -> TierShares:
        total = self.income + self.momentum + self.volatility
        if abs(total - 1) > 1e-9:
            raise ValueError(f"tier shares sum to {total:g}, expected 1")
        return self


class IndustryRow(SettingsModel):
    """Share and stance of one sector."""

    share: float = Field(ge=0, le=1)
    stance: Literal["LONG", "SHORT", "BOTH"]


class AllocationSettings(SettingsModel):
    """Allocation."""

    capital: int = Field(gt=0)
    monthly_target_percent: float = Field(gt=0, le=100)
    tiers: TierShares
    max_per_symbol: float = Field(gt=0, le=1)
    max_per_sector: float = Field(gt=0, le=1)
    max_loss_per_trade: float = Field(gt=0, le=1)
    max_positions: int = Field(ge=1)
    min_score: float = Field(ge=-100, le=100)
    industries: dict[str, IndustryRow]
