"""``config/execution.yaml``: limit prices, slices, waits and the guards on every order."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from strikeloom.settings.model import SettingsModel


class GuardSettings(SettingsModel):
    """Limits no order may break. Money in rupees."""

    max_lots_per_order: int = Field(ge=1)
    max_order_value: int = Field(gt=0)
    max_future_value: int = Field(gt=0)
    max_orders_per_day: int = Field(ge=1)
    max_open_positions: int = Field(ge=1)
    max_price_distance_percent: float = Field(gt=0, le=100)
    max_entry_spread_percent: float = Field(gt=0, le=200)
    max_entry_spread_ticks: int = Field(ge=1, le=100)


class ExecutionSettings(SettingsModel):
    """Execution.

    Attributes
    ----------
    mark_plan : str
        Markets on which stage 04 marks the whole plan when nothing of the day is marked.
    """

    mark_plan: Literal["never", "synthetic", "always"]
    entry_slippage_percent: float = Field(ge=0, le=20)
    exit_slippage_percent: float = Field(ge=0, le=50)
    min_slippage_ticks: int = Field(ge=0, le=50)
    max_attempts: int = Field(ge=1, le=20)
    exit_retry_seconds: float = Field(ge=0, le=3600)
    rest_seconds: float = Field(ge=0, le=600)
    unknown_wait_seconds: float = Field(ge=0)
    orders_per_second: float = Field(gt=0, le=10)
    guards: GuardSettings
