"""Known events of the day's underlyings, and what the file of events does not know."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import NamedTuple

from strikeloom.domain.instruments import InstrumentKind, Underlying
from strikeloom.domain.market_names import is_synthetic
from strikeloom.errors import DataError
from strikeloom.nse.events import KnownEvent, events_ahead, own_events, read_events
from strikeloom.ports.desk import Desk
from strikeloom.ports.history import Past


class ChainEvents(NamedTuple):
    """Events of a day, with symbols as of the day, and warnings for the run."""

    events: tuple[KnownEvent, ...]
    day: date
    is_exchange: bool
    warnings: list[str]

    def ahead(self, underlying: Underlying) -> tuple[KnownEvent, ...]:
        """Events of an underlying that are known at the end of the day and still to come."""
        return events_ahead(self.events, underlying, self.day, is_exchange=self.is_exchange)


def read_chain_events(desk: Desk, past: Past, listed: frozenset[str]) -> ChainEvents:
    """Events of the desk's day; those of the whole market only on the exchange's.

    Warnings name lines whose symbols are not listed, and a day on which no later event of the
    whole market is on record: what comes is then not known.

    Raises
    ------
    SettingsError
        When ``events.csv`` is missing or a line of it is malformed.
    """
    is_exchange = not is_synthetic(desk.market)
    found: list[KnownEvent] = []
    warnings: list[str] = []
    everything = read_events()
    for event in everything:
        if not event.symbols or not (event.is_known(desk.day) and event.is_ahead(desk.day)):
            found.append(event)
            continue
        symbols = [name if name in listed else past.known_as(name).symbol for name in event.symbols]
        found.append(replace(event, symbols=tuple(symbols)))
        if is_exchange:
            warnings += _unlisted(event, symbols, listed, desk.day)
    if is_exchange:
        warnings += _nothing_ahead(everything, desk.day)
    return ChainEvents(tuple(found), desk.day, is_exchange, warnings)


def symbol_events(desk: Desk, symbol: str) -> tuple[KnownEvent, ...]:
    """Events of a symbol on the desk's day; without a sector those of it or the whole market."""
    try:
        underlying = desk.instruments.underlying(symbol)
    except DataError:  # listed after the sector table was written
        underlying = Underlying(symbol, InstrumentKind.STOCK, "")
    past = desk.history.as_of(desk.day)
    return read_chain_events(desk, past, frozenset({symbol})).ahead(underlying)


def _unlisted(
    event: KnownEvent, symbols: Sequence[str], listed: frozenset[str], day: date
) -> list[str]:
    found = []
    for name in symbols:
        if name not in listed:
            near = difflib.get_close_matches(name, listed, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            found.append(f"{event.where}: {name} has no options on {day}{hint}")
    return found


def _nothing_ahead(events: Sequence[KnownEvent], day: date) -> list[str]:
    if any(event.is_general and event.is_known(day) and event.is_ahead(day) for event in events):
        return []
    return [
        f"no later event of the whole market is on record as known on {day}; add the days of RBI "
        f"policy and budget to {own_events()}"
    ]
