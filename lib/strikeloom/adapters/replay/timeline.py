"""Moments at which a recorded day has quotes."""

from __future__ import annotations

from datetime import date, datetime

from strikeloom.nse.sessions import session
from strikeloom.ports.history import History


def moments(history: History, day: date) -> list[datetime]:
    """Snapshots of a day, ascending: recorded quotes, else the session's open and close.

    Empty when nothing of the day is stored.
    """
    recorded = history.quote_times(day)
    if recorded:
        return recorded
    if day in history.days():
        hours = session(day)
        return [hours.open, hours.close]
    return []


def next_day_with_quotes(history: History, after: date) -> date | None:
    """First later trading day of which anything is stored, if it is the next one."""
    from strikeloom.nse.sessions import next_trading_day

    day = next_trading_day(after)
    return day if moments(history, day) else None
