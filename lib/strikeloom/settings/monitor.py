"""``config/monitor.yaml``: the watcher's pace and the page."""

from __future__ import annotations

from pydantic import Field

from strikeloom.settings.model import SettingsModel


class MonitorSettings(SettingsModel):
    """Watcher and page."""

    interval_seconds: float = Field(gt=0, le=3600)
    replay_pace_seconds: float = Field(ge=0, le=60)
    page_refresh_seconds: float = Field(ge=0.2, le=60)
    heartbeat_late_seconds: float = Field(gt=0)
    port: int = Field(ge=1024, le=65535)
