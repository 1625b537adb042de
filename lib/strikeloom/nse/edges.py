"""Days at the edges of the calendar: what can be answered although a day is not known.

A range that reaches beyond the known calendar, or over a special session without hours, keeps the
answer for its other days. Beyond the calendar a weekday is expected to be a session: its holidays
are not known, so a count of sessions is then an upper limit.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from strikeloom.errors import UnknownSession
from strikeloom.nse.sessions import (
    FIRST_DAY,
    IST,
    calendar,
    is_trading_day,
    session,
    trading_days,
)

_SATURDAY = 5
CLOSED = "closed"
UNKNOWN = "hours unknown"


def known_days(first: date, last: date) -> list[date]:
    """Trading days of that part of a range which the calendar covers, ascending."""
    begin, end = max(first, FIRST_DAY), min(last, calendar().last)
    return trading_days(begin, end) if begin <= end else []


def is_known(day: date) -> bool:
    """Whether the calendar covers a day."""
    return FIRST_DAY <= day <= calendar().last


def is_expected(day: date) -> bool:
    """Whether a session is expected: a trading day, or any weekday that the calendar lacks."""
    return is_trading_day(day) if is_known(day) else day.weekday() < _SATURDAY


def expected_days(first: date, last: date) -> list[date]:
    """Days from ``first`` to ``last`` inclusive on which a session is expected, ascending."""
    span = (first + timedelta(days=n) for n in range((last - first).days + 1))
    return [day for day in span if is_expected(day)]


def expected_after(day: date) -> date:
    """First day after ``day`` on which a session is expected."""
    return _step(day, 1)


def expected_before(day: date) -> date:
    """Last day before ``day`` on which a session is expected."""
    return _step(day, -1)


def _step(day: date, direction: int) -> date:
    day += timedelta(days=direction)
    while not is_expected(day):
        day += timedelta(days=direction)
    return day


def beginning(day: date) -> datetime:
    """When a day's session begins; the beginning of the day where its hours are not on record."""
    try:
        return session(day).open
    except UnknownSession:
        return datetime.combine(day, time.min, IST)


def ending(day: date) -> datetime:
    """When a day's session ends; the last second of the day where its hours are not on record."""
    try:
        return session(day).close
    except UnknownSession:
        return datetime.combine(day, time(23, 59, 59), IST)


def is_open(now: datetime) -> bool:
    """Whether the market trades continuously at a moment; ``False`` where that is not known."""
    try:
        return is_trading_day(now.date()) and session(now.date()).open <= now <= ending(now.date())
    except UnknownSession:
        return False


def hours_text(day: date) -> tuple[str, str]:
    """Hours of a day as text, and the remedy where they are unknown (else empty)."""
    try:
        if not is_expected(day) or not is_trading_day(day):
            return CLOSED, ""
        hours = session(day)
    except UnknownSession as error:
        return UNKNOWN, str(error)
    return f"{hours.open:%H:%M} to {hours.close:%H:%M}", ""
