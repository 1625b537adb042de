"""Candles of a market day, of an option or an underlying, up to its clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from strikeloom.errors import NoQuote
from strikeloom.exchange.market.columns import DayMoment, Ints
from strikeloom.exchange.market.played_day import PlayedDay
from strikeloom.nse.edges import beginning


@dataclass(frozen=True)
class Candles:
    """Candles of equal length from the open on; arrays of one length, paise and units.

    ``open_interest`` and ``volume`` are 0 for an underlying. The last candle may be unfinished.
    """

    at: list[datetime]
    open: Ints
    high: Ints
    low: Ints
    close: Ints
    volume: Ints
    open_interest: Ints


def candles(day: PlayedDay, name: str, minutes: int) -> Candles:
    """Candles of an option (by key) or an underlying (by symbol) up to the clock.

    Raises
    ------
    DataError
        When the key is not listed.
    NoQuote
        When no level of the underlying is known.
    """
    where = day.place()
    if where is None:
        raise NoQuote(f"the day of {name} has not begun at {day.clock.now():%Y-%m-%d %H:%M}")
    columns, places = day.day_columns, _moments(day, where)
    at = [place.at for place in places]
    symbols = [item.symbol for item in day.underlyings]
    if name in symbols:
        day.spot(name)  # an underlying without a level is an error, not an empty chart
        column = symbols.index(name)
        last = np.array([columns.spot(place, column) for place in places], dtype=np.int64)
        nothing = np.zeros(len(last), dtype=np.int64)
        return _candles_of(at, last, nothing, nothing, minutes)
    row = np.array([day.by_key(name).row], dtype=np.int64)
    read = [columns.read(place, row) for place in places]
    volume = np.array([int(found.volume[0]) for found in read], dtype=np.int64)
    last = np.array([int(found.last[0]) for found in read], dtype=np.int64)
    interest = np.array([int(found.open_interest[0]) for found in read], dtype=np.int64)
    return _candles_of(at, np.where(volume > 0, last, 0), volume, interest, minutes)


def _moments(day: PlayedDay, until: DayMoment) -> list[DayMoment]:
    """Snapshots so far, and where the market moves between them the end of each minute."""
    columns = day.day_columns
    moments = [*columns.snapshots[: until.row + 1], until.at]
    if columns.step:
        minute, short = timedelta(minutes=1), timedelta(microseconds=1)
        count = (until.at - columns.snapshots[0]) // minute
        moments += [columns.snapshots[0] + n * minute - short for n in range(1, count + 1)]
    found = {place.at: place for at in sorted(moments) if (place := columns.place(at))}
    return [found[at] for at in sorted(found)]


def _candles_of(
    at: list[datetime], last: Ints, volume: Ints, interest: Ints, minutes: int
) -> Candles:
    opened, width = beginning(at[0].date()), timedelta(minutes=minutes)
    priced = np.flatnonzero(last > 0)
    slot = np.array([max(0, (at[n] - opened) // width) for n in priced], dtype=np.int64)
    slots, first = np.unique(slot, return_index=True)
    ends = np.append(first[1:], len(priced)) - 1
    prices = last[priced]
    if not len(slots):
        none = np.zeros(0, dtype=np.int64)
        return Candles([], none, none, none, none, none, none)
    total = volume[priced][ends]
    return Candles(
        at=[opened + int(n) * width for n in slots],
        open=prices[first],
        high=np.maximum.reduceat(prices, first),
        low=np.minimum.reduceat(prices, first),
        close=prices[ends],
        volume=np.diff(total, prepend=0),
        open_interest=interest[priced][ends],
    )
