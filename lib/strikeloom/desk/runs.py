"""Names of runs."""

from __future__ import annotations

import secrets
from datetime import date, datetime

from strikeloom.domain.results import Stage


def new_run_id(day: date, stage: Stage, at: datetime) -> str:
    """Name of a run, which is its folder under ``runs/``: trade date, stage, time and a tag."""
    return f"{day}/{stage.value}/{at:%H%M%S}-{secrets.token_hex(3)}"
