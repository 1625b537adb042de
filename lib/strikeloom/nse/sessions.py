"""Trading days, session hours and year fractions.

The calendar starts from ``exchange_calendars`` (XBOM, whose days are those of the NSE) and is
corrected by ``session_overrides.csv`` where it is wrong: sessions on weekends, Muhurat
sessions, late holidays. A day after its last known one is an error, not a guess.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

from strikeloom.errors import DataError
from strikeloom.nse.tables import in_force, rows

if TYPE_CHECKING:
    import numpy as np

IST = ZoneInfo("Asia/Kolkata")
MINUTES_PER_YEAR = 365 * 24 * 60
TRADING_DAYS_PER_YEAR = 250
FIRST_DAY = date(2007, 1, 1)

Basis = Literal["calendar", "trading"]


@dataclass(frozen=True, slots=True)
class Session:
    """Continuous trading of one day; aware datetimes, Asia/Kolkata."""

    open: datetime
    close: datetime

    @property
    def minutes(self) -> float:
        """Length in minutes."""
        return (self.close - self.open).total_seconds() / 60


@cache
def _overrides() -> dict[date, tuple[str, str, str]]:
    return {
        date.fromisoformat(r["effective_from"]): (r["session"], r["open"], r["close"])
        for r in rows("session_overrides")
    }


@cache
def _calendar() -> tuple[list[date], date]:
    """All trading days known, ascending, and the last day the calendar covers."""
    import exchange_calendars

    calendar = exchange_calendars.get_calendar("XBOM", start=FIRST_DAY.isoformat())
    days = {stamp.date() for stamp in calendar.sessions}
    for day, (kind, _, _) in _overrides().items():
        if kind == "open":
            days.add(day)
        else:
            days.discard(day)
    return sorted(days), calendar.last_session.date()


@cache
def _day_set() -> frozenset[date]:
    return frozenset(_calendar()[0])


def _known(day: date) -> None:
    last = _calendar()[1]
    if not FIRST_DAY <= day <= last:
        raise DataError(
            f"the trading calendar is known from {FIRST_DAY} to {last}, not for {day}; update "
            "exchange-calendars or add days to nse/data/session_overrides.csv",
            day=day.isoformat(),
        )


def is_trading_day(day: date) -> bool:
    """Whether the exchange has a continuous derivatives session that day."""
    _known(day)
    return day in _day_set()


def trading_days(first: date, last: date) -> list[date]:
    """Trading days from ``first`` to ``last`` inclusive, ascending."""
    _known(first)
    _known(last)
    return [day for day in _calendar()[0] if first <= day <= last]


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


def session(day: date) -> Session:
    """Hours of continuous trading. Does not ask whether the day is one (expiries are).

    Source: ``session_hours.csv``, ``session_overrides.csv``.
    """
    kind, opens, closes = _overrides().get(day, ("", "", ""))
    if kind != "open":
        row = in_force(rows("session_hours"), day, what="session hours")
        opens, closes = row["open"], row["close"]
    return Session(_at(day, opens), _at(day, closes))


def _at(day: date, text: str) -> datetime:
    return datetime.combine(day, time.fromisoformat(text), IST)


def years_to_expiry(now: datetime, expiry: date, *, basis: Basis = "calendar") -> float:
    """Time to the close of the expiry's session, in years; never negative.

    Parameters
    ----------
    now : datetime.datetime
        Aware.
    basis : {"calendar", "trading"}
        Calendar minutes over 365 days, or trading minutes over 250 sessions of the length of
        the day's own session (weekends and holidays cost no time).
    """
    close = session(expiry).close
    if now >= close:
        return 0.0
    if basis == "calendar":
        return (close - now).total_seconds() / 60 / MINUTES_PER_YEAR
    share = 0.0
    for day in trading_days(now.astimezone(IST).date(), expiry):
        hours = session(day)
        left = (min(hours.close, close) - max(hours.open, now)).total_seconds() / 60
        share += max(0.0, left) / hours.minutes
    return share / TRADING_DAYS_PER_YEAR


def years_array(now: datetime, expiries: np.ndarray, *, basis: Basis = "calendar") -> np.ndarray:
    """``years_to_expiry`` of an array.

    Parameters
    ----------
    expiries : ndarray of datetime64, shape (n,)
        Expiry dates; few are distinct, each is worked out once.

    Returns
    -------
    ndarray of float64, shape (n,)
    """
    import numpy as np

    distinct, place = np.unique(expiries.astype("datetime64[D]"), return_inverse=True)
    years = [years_to_expiry(now, day, basis=basis) for day in distinct.tolist()]
    return np.asarray(years, dtype=np.float64)[place]
