"""``config/chains.yaml``: collecting option chains from the broker."""

from __future__ import annotations

from pydantic import Field

from strikeloom.settings.model import SettingsModel


class ChainSettings(SettingsModel):
    """What is asked for, and how fast."""

    expiries: int = Field(ge=1, le=12)
    pause_seconds: float = Field(ge=0, le=60)
    attempts: int = Field(ge=1, le=10)
    give_up_after: int = Field(ge=1, le=100)
    fresh_minutes: float = Field(gt=0, le=1440)
