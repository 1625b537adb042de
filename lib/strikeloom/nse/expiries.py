"""Expiry dates by rule: the weekday in force, moved back over holidays.

Real contracts carry their expiry; never derive it. The rule is for the synthetic market and
for checks. Weekly contracts of a week in which the monthly ones end are the monthly ones.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta
from functools import cache

from strikeloom.errors import DataError, UnknownSession
from strikeloom.nse.edges import is_expected
from strikeloom.nse.sessions import regular_session, session
from strikeloom.nse.tables import Row, rows

_ALL = "*"


def expiry_weekday(day: date, symbol: str = "NIFTY", series: str = "monthly") -> int | None:
    """Monday is 0; ``None`` where no such series is listed. Source: ``expiry_weekday.csv``."""
    found: Row | None = None
    for row in rows("expiry_weekday"):
        begun = row["effective_from"] <= day.isoformat() and row["series"] == series
        later = found is None or row["effective_from"] >= found["effective_from"]
        if begun and later and row["symbol"] in (symbol, _ALL):
            found = row
    return int(found["weekday"]) if found and found["weekday"] else None


@cache
def _exceptions() -> dict[tuple[str, date], date]:
    return {
        (row["symbol"], date.fromisoformat(row["by_rule"])): date.fromisoformat(
            row["effective_from"]
        )
        for row in rows("expiry_exceptions")
    }


def _expires(day: date) -> bool:
    """Whether contracts may end on a day: not in a session shorter than a regular one (Muhurat)."""
    if not is_expected(day):
        return False
    try:
        return session(day).minutes >= regular_session(day).minutes
    except UnknownSession:
        return False


def _moved(day: date, symbol: str) -> date:
    while not _expires(day):
        day -= timedelta(days=1)
    return _exceptions().get((symbol, day), day)


def monthly_expiry(year: int, month: int, symbol: str = "NIFTY") -> date:
    """Last expiry weekday of the month, or the trading day before it."""
    last = date(year, month, monthrange(year, month)[1])
    weekday = expiry_weekday(last, symbol)
    if weekday is None:
        raise DataError(f"{symbol} has no monthly contracts in {year}-{month:02}")
    return _moved(last - timedelta(days=(last.weekday() - weekday) % 7), symbol)


def weekly_expiry(day: date, symbol: str = "NIFTY") -> date | None:
    """Expiry in the week of a day; ``None`` where the underlying has no weekly contracts."""
    sunday = day + timedelta(days=6 - day.weekday())
    # a new weekday applies from its first week
    weekday = expiry_weekday(sunday, symbol, "weekly")
    if weekday is None:
        return None
    monday = sunday - timedelta(days=6)
    for end in (sunday, monday):
        monthly = monthly_expiry(end.year, end.month, symbol)
        if monday <= monthly <= sunday:
            return monthly
    return _moved(monday + timedelta(days=weekday), symbol)


def monthly_expiries(day: date, count: int) -> list[date]:
    """Next ``count`` monthly expiries on or after ``day``."""
    found: list[date] = []
    year, month = day.year, day.month
    while len(found) < count:
        expiry = monthly_expiry(year, month)
        if expiry >= day:
            found.append(expiry)
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    return found


def weekly_expiries(day: date, count: int) -> list[date]:
    """Next ``count`` weekly expiries on or after ``day``."""
    found: list[date] = []
    week = day
    while len(found) < count:
        expiry = weekly_expiry(week)
        if expiry is not None and expiry >= day and expiry not in found:
            found.append(expiry)
        week += timedelta(days=7)
    return found
