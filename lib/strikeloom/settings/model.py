"""What every settings model shares: frozen, bounded, unknown keys refused."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class SettingsModel(BaseModel):
    """A frozen part of the settings; an unknown key or a value out of range is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)
