"""``config/schedule.yaml``: what runs when on a trading day."""

from __future__ import annotations

from datetime import time
from typing import Literal

from pydantic import Field

from strikeloom.settings.model import SettingsModel


class Job(SettingsModel):
    """One scheduled stage run."""

    stage: Literal["iv-history", "strategy-creation", "allocation", "execution"]
    at: time
    parameters: dict[str, str | int | float | bool] = Field(default_factory=dict)


class ScheduleSettings(SettingsModel):
    """Jobs of a trading day, run in the order of their time."""

    jobs: list[Job]
