"""Whether a watcher runs, judged by its last heartbeat."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from strikeloom.monitor.watch import FAILED, STOPPED
from strikeloom.ports.store import Heartbeat
from strikeloom.settings.monitor import MonitorSettings
from strikeloom.views.format import span


@dataclass(frozen=True, slots=True)
class Pulse:
    """State of the watcher in one sentence."""

    running: bool
    sentence: str


def pulse(heartbeat: Heartbeat | None, real_now: datetime, settings: MonitorSettings) -> Pulse:
    """Judge the last heartbeat.

    Parameters
    ----------
    real_now : datetime.datetime
        The machine's time, not the desk's.
    """
    if heartbeat is None:
        return Pulse(False, "Watcher has never run: strikeloom watch")
    age = (real_now - heartbeat.real_at).total_seconds()
    if heartbeat.note == STOPPED:
        return Pulse(False, f"Watcher stopped {span(age)} ago")
    if heartbeat.note.startswith(FAILED):
        return Pulse(False, f"Watcher {heartbeat.note}, {span(age)} ago")
    if age > max(settings.heartbeat_late_seconds, 2 * settings.interval_seconds):
        return Pulse(False, f"Watcher not running, last seen {span(age)} ago")
    return Pulse(True, f"Watching, {span(age)} ago: {heartbeat.note}")
