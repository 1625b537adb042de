"""Days that differ from the regular calendar: the package's rows and the user's own.

The package knows the exchange's circulars up to its release. What the exchange announces later
(next year's holidays, the hours of a Muhurat session) is a line of ``sessions.csv`` in the folder
of settings, which nothing that is installed overwrites. A line of it goes before the package's row
of that day.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, time
from functools import cache
from operator import itemgetter
from pathlib import Path

from strikeloom.domain.folders import config_folder
from strikeloom.errors import SettingsError
from strikeloom.nse.own_lines import day_of, own_lines
from strikeloom.nse.tables import Row, rows

#: What a line makes of its day; ``complete``: all holidays up to it are known.
KINDS = ("open", "closed", "complete")
_COLUMNS = ("effective_from", "session", "open", "close", "source")


def own_sessions() -> Path:
    """The user's own lines."""
    return config_folder() / "sessions.csv"


@cache
def session_table() -> Mapping[date, Row]:
    """Row of each day that differs. Source: ``session_overrides.csv``, the user's ``sessions.csv``.

    Read once by each process: a running one does not see a line that is added later.

    Raises
    ------
    SettingsError
        When a line of the user's file is malformed: names file, line and value.
    """
    package = {date.fromisoformat(row["effective_from"]): row for row in _package()}
    return package | dict(_own(own_sessions()))


def own_days(*, hours_only: bool = False) -> dict[date, tuple[str, str, str]]:
    """Kind, open and close of each day that the user's lines make another than the package's.

    Parameters
    ----------
    hours_only : bool
        Only the days of special sessions, now or in the package: a holiday changes the count of
        sessions, but not the hours of any.
    """
    of = itemgetter("session", "open", "close")
    package = {date.fromisoformat(row["effective_from"]): of(row) for row in _package()}
    given = {day: of(row) for day, row in session_table().items()}
    return {
        day: own
        for day, own in sorted(given.items())
        if own != (known := package.get(day))
        and not (hours_only and "open" not in (own[0], known and known[0]))
    }


def _package() -> Sequence[Row]:
    return rows("session_overrides")


def _own(path: Path) -> Iterator[tuple[date, Row]]:
    if not path.exists():
        return
    seen: set[date] = set()
    for where, row in own_lines(path, _COLUMNS):
        day = _checked_day(row, where)
        if day in seen:
            raise SettingsError(f"{where}: {day} has a line already")
        seen.add(day)
        yield day, row


def _checked_day(row: Row, where: str) -> date:
    day = day_of(row["effective_from"], where)
    if row["session"] not in KINDS:
        raise SettingsError(f"{where}: session is {row['session']!r}; allowed: {', '.join(KINDS)}")
    if not row["source"]:
        raise SettingsError(f"{where}: no source; name the circular")
    hours = row["open"], row["close"]
    if row["session"] != "open":
        if any(hours):
            raise SettingsError(f"{where}: a day that is {row['session']} has no hours: {hours}")
        return day
    try:
        begins, ends = (time.fromisoformat(text) for text in hours)
    except ValueError:
        raise SettingsError(f"{where}: hours {hours}; write HH:MM,HH:MM") from None
    if begins >= ends or begins.tzinfo or ends.tzinfo:
        raise SettingsError(f"{where}: the session ends at {ends}, not after {begins}")
    return day
