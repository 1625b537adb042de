"""``config/desk.yaml``: which market and mode a desk opens with, and where replays fill."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from strikeloom.settings.model import SettingsModel


class ReplaySettings(SettingsModel):
    """How recorded days become quotes."""

    width_factor: float = Field(gt=0, le=10)
    min_half_spread_ticks: int = Field(ge=1, le=100)
    depth_share_of_volume: float = Field(gt=0, le=1)


class QuoteAgeSettings(SettingsModel):
    """Age in real seconds up to which a quote may decide something, by mode."""

    replay: float = Field(gt=0, le=7200)
    simulate: float = Field(gt=0, le=300)
    paper: float = Field(gt=0, le=300)
    alert: float = Field(gt=0, le=300)
    live: float = Field(gt=0, le=120)


class LiveSettings(SettingsModel):
    """Whether a day can be armed for real orders, and what its entries may do. Rupees."""

    allowed: bool
    max_entry_orders: int = Field(ge=1, le=7000)
    max_entry_value: int = Field(gt=0)
    max_entry_value_per_day: int = Field(gt=0)
    max_clock_seconds: float = Field(gt=0, le=30)


class DeskSettings(SettingsModel):
    """One desk."""

    market: str
    mode: Literal["auto", "replay", "simulate", "paper", "alert", "live"]
    live: LiveSettings
    synthetic_seed: int = Field(ge=0, le=10**6)
    starting_cash: int = Field(gt=0)
    replay: ReplaySettings
    quote_age_seconds: QuoteAgeSettings
