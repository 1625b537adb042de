"""``config/schedule.yaml``: what runs when on a trading day."""

from __future__ import annotations

from datetime import time
from typing import Any, Literal

from pydantic import Field, field_validator

from strikeloom.settings.model import SettingsModel


class Job(SettingsModel):
    """One scheduled stage run."""

    stage: Literal["iv-history", "strategy-creation", "allocation", "execution"]
    at: time
    parameters: dict[str, Any] = Field(default_factory=dict)

    @field_validator("parameters")
    @classmethod
    def _have_values(cls, parameters: dict[str, Any]) -> dict[str, Any]:
        """Refuse an empty value; types are those of the notebook, checked before anything runs."""
        empty = [name for name, value in parameters.items() if value is None]
        if empty:
            raise ValueError(f"{', '.join(empty)} has no value; write one or leave the line out")
        return parameters


class ScheduleSettings(SettingsModel):
    """Jobs of a trading day, run in the order of their time."""

    jobs: list[Job]
