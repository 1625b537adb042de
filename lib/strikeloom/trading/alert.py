"""Alerts: stored and sent, but the same text not again within an hour."""

from __future__ import annotations

from datetime import timedelta

from strikeloom.ports.desk import Desk
from strikeloom.ports.store import Alert

#: Time of the desk after which a text is sent again: the failure lasts, or has returned.
_REPEAT = timedelta(hours=1)


def alert(desk: Desk, level: str, text: str) -> None:
    """Store and send an alert; ``level`` is ``info``, ``warning`` or ``critical``."""
    now = desk.clock.now()
    if any(known.text == text and now - known.at < _REPEAT for known in desk.store.alerts()):
        return
    desk.store.add_alert(Alert(now, level, text))
    desk.alerts.send(level, text)
