"""Days of a file against the calendar and against the day in its name."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, timedelta

from strikeloom.adapters.bhavcopy.dates import to_date
from strikeloom.adapters.bhavcopy.plausible.findings import Findings
from strikeloom.errors import DataError
from strikeloom.nse.sessions import FIRST_DAY, is_trading_day, previous_trading_day

_SATURDAY = 5
_SHOWN = 3
#: Names under which the exchange publishes each dataset, and the order of the date in them.
_NAMES = {
    "contracts": (
        re.compile(r"^BhavCopy_NSE_FO_\d_\d_\d_(?P<y>\d{4})(?P<m>\d\d)(?P<d>\d\d)_", re.IGNORECASE),
        re.compile(r"^fo(?P<d>\d\d)(?P<m>[A-Z]{3})(?P<y>\d{4})bhav", re.IGNORECASE),
    ),
    "cash": (
        re.compile(r"^sec_bhavdata_full_(?P<d>\d\d)(?P<m>\d\d)(?P<y>\d{4})", re.IGNORECASE),
        re.compile(r"^cm(?P<d>\d\d)(?P<m>[A-Z]{3})(?P<y>\d{4})bhav", re.IGNORECASE),
    ),
    "indices": (re.compile(r"^ind_close_all_(?P<d>\d\d)(?P<m>\d\d)(?P<y>\d{4})", re.IGNORECASE),),
}


def check_sessions(days: Iterable[date], found: Findings) -> None:
    """Object to days on which the calendar has no session."""
    closed = sorted(day for day in days if not _may_trade(day))
    if closed:
        shown = ", ".join(f"{day} ({day:%A})" for day in closed[:_SHOWN])
        more = f" and {len(closed) - _SHOWN} more" if len(closed) > _SHOWN else ""
        found.object("session", f"the calendar has no session on {shown}{more}")


def check_name(name: str, dataset: str, days: Iterable[date], found: Findings) -> None:
    """Object to a file whose name has another day than its rows."""
    for pattern in _NAMES.get(dataset, ()):
        match = pattern.match(name)
        stated = match and to_date(f"{match['d']}-{match['m']}-{match['y']}")
        if stated and stated not in set(days):
            found.object("name", f"its rows are of {max(days)}, its name of {stated}")


def session_before(day: date) -> date | None:
    """Last session before a day; ``None`` where the calendar does not know it."""
    try:
        return previous_trading_day(day)
    except DataError:
        return None


def _may_trade(day: date) -> bool:
    try:
        return is_trading_day(day)
    except DataError:
        # before the calendar begins only weekends are known; beyond its end nothing is published
        return day < FIRST_DAY and day.weekday() < _SATURDAY


def near(day: date, days: Iterable[date], most: timedelta) -> date | None:
    """Stored day next to a day: the last before it, else the first after it; ``None`` if far."""
    before = [item for item in days if day - most <= item < day]
    if before:
        return max(before)
    after = [item for item in days if day < item <= day + most]
    return min(after, default=None)
