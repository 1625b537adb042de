"""Alerts: stored and sent, but not again while the same text is among the latest ones."""

from __future__ import annotations

from strikeloom.ports.desk import Desk
from strikeloom.ports.store import Alert


def alert(desk: Desk, level: str, text: str) -> None:
    """Store and send an alert; ``level`` is ``info``, ``warning`` or ``critical``."""
    if any(known.text == text for known in desk.store.alerts()):
        return
    desk.store.add_alert(Alert(desk.clock.now(), level, text))
    desk.alerts.send(level, text)
