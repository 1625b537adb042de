"""Moments at which a recorded day has quotes."""

from __future__ import annotations

from datetime import date, datetime

from strikeloom.errors import UnknownSession
from strikeloom.nse.edges import expected_days
from strikeloom.nse.sessions import session
from strikeloom.ports.history import History


def moments(history: History, day: date) -> list[datetime]:
    """Snapshot times of a day, ascending: of recorded quotes, else the session's open and close.

    Empty when nothing of the day is stored.

    Raises
    ------
    UnknownSession
        When the hours of a stored day are not on record.
    """
    recorded = history.quote_times(day)
    if recorded:
        return recorded
    if day in history.days():
        hours = session(day)
        return [hours.open, hours.close]
    return []


class Timeline:
    """Snapshot times of a history; each day that has any is read once."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._known: dict[date, tuple[datetime, ...]] = {}

    def moments(self, day: date) -> tuple[datetime, ...]:
        """Snapshots of a day, ascending; a day without any is read again next time.

        None where its hours are not on record: a replay passes over that day.
        """
        if day not in self._known:
            try:
                found = tuple(moments(self._history, day))
            except UnknownSession:
                return ()
            if not found:
                return ()
            self._known[day] = found
        return self._known[day]

    def between(self, after: datetime, until: datetime) -> list[datetime]:
        """Snapshots later than ``after``, up to ``until`` inclusive, ascending."""
        days = expected_days(after.date(), until.date())
        return [at for day in days for at in self.moments(day) if after < at <= until]
