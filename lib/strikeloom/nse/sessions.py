"""Trading days, session hours and year fractions.

The calendar starts from the holidays of ``exchange_calendars`` (XBOM, whose days are those of
the NSE) and is corrected by ``session_overrides.csv`` where it is wrong: sessions on weekends,
Muhurat sessions, late holidays; and by the user's own lines (``nse.session_table``). A day beyond
the known calendar is an error, not a guess; ``nse.edges`` has what answers without it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

from strikeloom.errors import DataError, UnknownSession
from strikeloom.nse.session_table import own_sessions, session_table
from strikeloom.nse.tables import in_force, rows

if TYPE_CHECKING:
    import numpy as np

IST = ZoneInfo("Asia/Kolkata")
MINUTES_PER_YEAR = 365 * 24 * 60
#: Regular sessions in a year of trading time; the exchange held 244 to 252 in 2012 to 2025.
TRADING_DAYS_PER_YEAR = 250
#: Length of a special session whose hours are not on record, in trading time only: every
#: Muhurat session since 2016 lasted so long (``session_overrides.csv``).
UNKNOWN_SESSION_MINUTES = 60.0
#: Checked against the exchange's own files from here on.
FIRST_DAY = date(2012, 1, 1)
_SATURDAY = 5

Basis = Literal["calendar", "trading"]


@dataclass(frozen=True, slots=True)
class Session:
    """Continuous trading of one day, breaks included; aware datetimes, Asia/Kolkata."""

    open: datetime
    close: datetime

    @property
    def minutes(self) -> float:
        """Length in minutes."""
        return (self.close - self.open).total_seconds() / 60


@dataclass(frozen=True, slots=True)
class Calendar:
    """Trading days in order and as a set, and the last day whose holidays are known."""

    days: tuple[date, ...]
    among: frozenset[date]
    last: date


@cache
def calendar() -> Calendar:
    """Known trading days, and the last day that the calendar covers."""
    # only its holidays: building the library's calendar object takes a second
    from exchange_calendars.exchange_calendar_xbom import XBOMExchangeCalendar

    holidays = {stamp.date() for stamp in XBOMExchangeCalendar.precomputed_holidays()}
    kinds: dict[str, set[date]] = {"open": set(), "closed": set(), "complete": set()}
    for day, row in session_table().items():
        kinds[row["session"]].add(day)
    last = max({XBOMExchangeCalendar.bound_max().date(), *kinds["complete"]})
    span = (FIRST_DAY + timedelta(days=n) for n in range((last - FIRST_DAY).days + 1))
    weekdays = {day for day in span if day.weekday() < _SATURDAY}
    days = (weekdays - holidays - kinds["closed"]) | kinds["open"]
    return Calendar(tuple(sorted(days)), frozenset(days), last)


def _known(day: date) -> Calendar:
    known = calendar()
    if day < FIRST_DAY:
        raise UnknownSession(
            f"{day} is before {FIRST_DAY}, the first supported day", day=day.isoformat()
        )
    if day > known.last:
        raise UnknownSession(
            f"the trading calendar is known from {FIRST_DAY} to {known.last}, not for {day}; "
            "update strikeloom, or add the year's holidays (closed) and its last day (complete) "
            f"to {own_sessions()}",
            day=day.isoformat(),
        )
    return known


def is_trading_day(day: date) -> bool:
    """Whether the exchange has a continuous derivatives session that day.

    Raises
    ------
    UnknownSession
        When the day is outside the known calendar.
    """
    return day in _known(day).among


def trading_days(first: date, last: date) -> list[date]:
    """Trading days from ``first`` to ``last`` inclusive, ascending.

    Raises
    ------
    UnknownSession
        When either day is outside the known calendar.
    """
    _known(first)
    days = _known(last).days
    return list(days[bisect_left(days, first) : bisect_right(days, last)])


def next_trading_day(day: date) -> date:
    """First trading day after ``day``."""
    return _step(day, 1)


def previous_trading_day(day: date) -> date:
    """Last trading day before ``day``."""
    return _step(day, -1)


def _step(day: date, direction: int) -> date:
    while True:
        day += timedelta(days=direction)
        if is_trading_day(day):
            return day


def has_opened(at: datetime) -> bool:
    """Whether the session of a time's day has begun; true where its hours are not on record."""
    try:
        return at >= session(at.date()).open
    except DataError:
        return True


def session(day: date) -> Session:
    """Hours of continuous trading. Does not check that the day is a trading day.

    Source: ``session_hours.csv``, ``session_overrides.csv``, the user's ``sessions.csv``.

    Raises
    ------
    UnknownSession
        When the day is a special session whose hours are not on record.
    """
    row = session_table().get(day)
    if row is None or row["session"] != "open":
        row = in_force(rows("session_hours"), day, what="session hours")
    if not row["open"]:
        raise UnknownSession(
            f"the hours of the special session on {day} are not on record ({row['source']}); "
            f"add the line {day},open,HH:MM,HH:MM,CIRCULAR to {own_sessions()}",
            day=day.isoformat(),
        )
    return Session(_at(day, row["open"]), _at(day, row["close"]))


def _at(day: date, text: str) -> datetime:
    return datetime.combine(day, time.fromisoformat(text), IST)


def years_to_expiry(now: datetime, expiry: date, *, basis: Basis = "calendar") -> float:
    """Time to the close of the expiry's session, in years; never negative.

    Parameters
    ----------
    now : datetime.datetime
        Aware.
    basis : {"calendar", "trading"}
        ``calendar``: minutes until that close over those of 365 days. The exchange's
        volatility index is defined on it (NSE, "India VIX: computation methodology").
        ``trading``: minutes of sessions until that close, each date by its own length, in
        regular sessions of that date (375 minutes until July 2026, 385 since), over 250 of
        them. Nights, weekends and holidays count nothing, a Muhurat session an hour. Beyond
        the last day whose holidays are known, calendar time is used: options are listed
        years ahead, and one holiday more or less hardly matters that far away.

    Where the hours of the expiry's session are not on record, it ends when a regular one does.

    Raises
    ------
    UnknownSession
        In trading time, when today is outside the known calendar.
    """
    close = regular_session(expiry).close if _lacks_hours(expiry) else session(expiry).close
    if now >= close:
        return 0.0
    if basis == "calendar":
        return (close - now).total_seconds() / 60 / MINUTES_PER_YEAR
    today = now.astimezone(IST).date()
    last = min(expiry, _known(today).last)
    ahead = sum(_share(day) for day in trading_days(today, last) if day > today)
    return (ahead + _left(now, today)) / TRADING_DAYS_PER_YEAR + (expiry - last).days / 365


def regular_session(day: date) -> Session:
    """Hours of a regular session in force that day."""
    row = in_force(rows("session_hours"), day, what="session hours")
    return Session(_at(day, row["open"]), _at(day, row["close"]))


def _lacks_hours(day: date) -> bool:
    """Whether the day is a special session whose hours are not on record."""
    row = session_table().get(day)
    return row is not None and row["session"] == "open" and not row["open"]


@cache
def _share(day: date) -> float:
    """Length of a trading day's session over a regular one."""
    minutes = UNKNOWN_SESSION_MINUTES if _lacks_hours(day) else session(day).minutes
    return minutes / regular_session(day).minutes


def _left(now: datetime, today: date) -> float:
    """Remaining share of today's session, relative to a regular one; 0 on other days."""
    if not is_trading_day(today):
        return 0.0
    if _lacks_hours(today):
        return 0.0  # it may be over or still ahead
    hours = session(today)
    left = (hours.close - max(hours.open, now)).total_seconds() / 60
    return max(0.0, left) / regular_session(today).minutes


def years_array(now: datetime, expiries: np.ndarray, *, basis: Basis = "calendar") -> np.ndarray:
    """``years_to_expiry`` of an array.

    Parameters
    ----------
    expiries : ndarray of datetime64, shape (n,)
        Expiry dates; each distinct one is calculated once.

    Returns
    -------
    ndarray of float64, shape (n,)
    """
    import numpy as np

    distinct, place = np.unique(expiries.astype("datetime64[D]"), return_inverse=True)
    years = [years_to_expiry(now, day, basis=basis) for day in distinct.tolist()]
    return np.asarray(years, dtype=np.float64)[place]
