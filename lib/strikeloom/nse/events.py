"""Events that are known before they happen: results, RBI policy, Union budget.

Source: ``events.csv`` in the folder of settings, to which the user adds lines. Each has the day on
which its date was published, so that a past day never knows of it earlier.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path

from strikeloom.domain.folders import config_folder
from strikeloom.domain.instruments import InstrumentKind, Underlying
from strikeloom.errors import SettingsError
from strikeloom.nse.edges import ending, expected_days
from strikeloom.nse.own_lines import day_of, own_lines
from strikeloom.nse.sessions import IST
from strikeloom.nse.tables import Row
from strikeloom.nse.underlyings import known

KINDS = ("results", "policy", "budget", "election", "statistics", "company", "other")
_COLUMNS = (
    "date", "time", "symbols", "sector", "kind", "title", "known_from", "known_until", "source",
)  # fmt: skip
_SYMBOL = re.compile(r"[A-Z0-9][A-Z0-9&-]*")
_TIME = re.compile(r"\d\d:\d\d")
_NUMBERS = ("two", "three", "four", "five", "six", "seven", "eight", "nine")


@dataclass(frozen=True, slots=True)
class KnownEvent:
    """An event with a date.

    Attributes
    ----------
    at : datetime.time or None
        Time of the day in India; ``None`` if not known.
    symbols : tuple of str
        Underlyings that it is about; with an empty sector too it is about the whole market.
    known_from : datetime.date
        Day on which its date was published.
    known_until : datetime.date or None
        Last day on which it was still expected, where it was moved or cancelled.
    where : str
        File and line.
    """

    day: date
    at: time | None
    symbols: tuple[str, ...]
    sector: str
    kind: str
    title: str
    known_from: date
    known_until: date | None
    source: str
    where: str

    @property
    def is_general(self) -> bool:
        """It is about the whole market."""
        return not self.symbols and not self.sector

    def is_known(self, day: date) -> bool:
        """Whether it was published and still expected at the end of a day."""
        return self.known_from <= day and (self.known_until is None or day <= self.known_until)

    def is_ahead(self, day: date) -> bool:
        """Whether prices may still change for it after the close of a day."""
        return self.day > day or (self.day == day and not self._before_close())

    def is_until(self, horizon: date) -> bool:
        """Whether it happens before the close of a day."""
        return self.day < horizon or (
            self.day == horizon and (self.at is None or self._before_close())
        )

    def _before_close(self) -> bool:
        return self.at is not None and datetime.combine(self.day, self.at, IST) < ending(self.day)

    @property
    def text(self) -> str:
        """Title, day and time if known: ``RBI policy on 2026-02-06 at 10:00``."""
        return f"{self.title} on {self.day}" + (f" at {self.at:%H:%M}" if self.at else "")

    def sentence(self, horizon: date) -> str:
        """With the sessions left: ``RBI policy on 2026-02-06, two sessions before expiry``."""
        left = expected_days(self.day + timedelta(days=1), horizon)
        return f"{self.text}, {_before(len(left))}"


def own_events() -> Path:
    """The file of events."""
    return config_folder() / "events.csv"


def read_events(path: Path | None = None) -> tuple[KnownEvent, ...]:
    """Every event of a file, in its order; without a path of ``own_events``.

    Raises
    ------
    SettingsError
        When the file is missing or a line is malformed: names file, line and value.
    """
    path = path or own_events()
    if not path.exists():
        raise SettingsError(
            f"{path} is missing; restore it from the repository, or write its header alone: "
            f"{','.join(_COLUMNS)}",
            path=str(path),
        )
    found: dict[tuple[object, ...], KnownEvent] = {}
    for where, row in own_lines(path, _COLUMNS):
        event = _event(row, where)
        key = event.day, event.symbols, event.sector, event.title
        if key in found:
            raise SettingsError(f"{where}: the same event is on record in {found[key].where}")
        found[key] = event
    return tuple(found.values())


def events_ahead(
    events: Iterable[KnownEvent], underlying: Underlying, day: date, *, is_exchange: bool = True
) -> tuple[KnownEvent, ...]:
    """Events of an underlying that are known at the end of a day and still to come, by day.

    Parameters
    ----------
    is_exchange : bool
        Events of the whole market and of sectors are the exchange's; on another market only
        those that name the symbol count.
    """
    mine = (
        event
        for event in events
        if event.is_known(day) and event.is_ahead(day) and _concerns(event, underlying, is_exchange)
    )
    return tuple(sorted(mine, key=lambda event: (event.day, event.at or time.min, event.title)))


def events_until(ahead: Iterable[KnownEvent], horizon: date) -> tuple[KnownEvent, ...]:
    """Those of ``events_ahead`` that happen before the close of a structure's horizon."""
    return tuple(event for event in ahead if event.is_until(horizon))


def _concerns(event: KnownEvent, underlying: Underlying, is_exchange: bool) -> bool:
    if event.symbols:
        return underlying.symbol in event.symbols
    return is_exchange and event.sector in ("", underlying.sector)


def _before(sessions: int) -> str:
    if sessions == 0:
        return "on the day of expiry"
    if sessions == 1:
        return "one session before expiry"
    few = sessions - 2 < len(_NUMBERS)
    return f"{_NUMBERS[sessions - 2] if few else sessions} sessions before expiry"


def _event(row: Row, where: str) -> KnownEvent:
    day, published = day_of(row["date"], where), day_of(row["known_from"], where)
    ended = day_of(row["known_until"], where) if row["known_until"] else None
    if published > day:
        raise SettingsError(
            f"{where}: known_from {published} is after its date {day}; give the day on which the "
            "date was published"
        )
    if ended and not published <= ended < day:
        raise SettingsError(
            f"{where}: known_until {ended} is not between known_from {published} and the day "
            f"before {day}; leave it empty unless the event was moved or cancelled"
        )
    if row["kind"] not in KINDS:
        raise SettingsError(f"{where}: kind is {row['kind']!r}; allowed: {', '.join(KINDS)}")
    for name in ("title", "source"):
        if not row[name]:
            raise SettingsError(f"{where}: no {name}; write one")
    symbols = tuple(_symbols(row["symbols"], where))
    if symbols and row["sector"]:
        raise SettingsError(f"{where}: has symbols and a sector; give one of them")
    if row["kind"] == "results" and not symbols:
        raise SettingsError(f"{where}: results of no company; name its symbol")
    sector = _sector(row["sector"], where)
    at = _time(row["time"], where)
    return KnownEvent(
        day, at, symbols, sector, row["kind"], row["title"], published, ended, row["source"], where
    )


def _symbols(text: str, where: str) -> Iterator[str]:
    for name in text.split():
        if not _SYMBOL.fullmatch(name):
            raise SettingsError(
                f"{where}: {name!r} is no symbol; write capitals, several with blanks between"
            )
        yield name


def _sector(name: str, where: str) -> str:
    sectors = {row.sector for row in known().values() if row.kind is InstrumentKind.STOCK}
    if name and name not in sectors:
        near = difflib.get_close_matches(name, sectors, n=1, cutoff=0.4)
        hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(sorted(sectors))}"
        raise SettingsError(f"{where}: sector {name!r} is unknown; {hint}")
    return name


def _time(text: str, where: str) -> time | None:
    if not text:
        return None
    try:
        if _TIME.fullmatch(text):
            return time.fromisoformat(text)
    except ValueError:
        pass
    raise SettingsError(f"{where}: time {text!r}; write HH:MM, or nothing")
