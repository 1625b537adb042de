"""What a broker tells of an instrument beyond its quote: the day so far, and bars of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from strikeloom.domain.depth import Depth
from strikeloom.domain.instruments import InstrumentKind, Right
from strikeloom.domain.quotes import Quote
from strikeloom.errors import NoQuote
from strikeloom.exchange.market.columns import Columns, Ints, Place
from strikeloom.exchange.market.hashed_random import chance
from strikeloom.exchange.market.securities import Listed
from strikeloom.nse.price_bands import price_bands
from strikeloom.nse.sessions import session, years_array
from strikeloom.quant.black76 import greeks

if TYPE_CHECKING:
    from strikeloom.exchange.market.tape import Tape

_BASE_VOL = {InstrumentKind.INDEX: 0.20, InstrumentKind.STOCK: 0.40}
_LAST_TRADE_LOTS = 5


@dataclass(frozen=True, slots=True)
class View:
    """An option at a moment. Paise and units; ``None`` where not known, never 0.

    ``average`` is the day's volume-weighted price, ``last_units`` is made, not recorded.
    """

    listed: Listed
    quote: Quote
    depth: Depth
    open: int | None
    high: int | None
    low: int | None
    previous_close: int | None
    previous_open_interest: int | None
    previous_volume: int | None
    average: int | None
    last_units: int | None
    last_at: datetime | None
    oi_high: int
    oi_low: int
    lower_band: int | None
    upper_band: int | None
    bid_total: int
    ask_total: int


@dataclass(frozen=True, slots=True)
class SpotView:
    """An underlying at a moment, in paise."""

    symbol: str
    last: int
    open: int
    high: int
    low: int
    previous_close: int | None
    at: datetime


@dataclass(frozen=True)
class Bars:
    """Bars of equal length from the open on; arrays of one length, paise and units.

    ``open_interest`` and ``volume`` are 0 for an underlying. The last bar may be unfinished.
    """

    at: list[datetime]
    open: Ints
    high: Ints
    low: Ints
    close: Ints
    volume: Ints
    open_interest: Ints


def views(tape: Tape, keys: Iterable[str]) -> dict[str, View]:
    """Options as of the clock, by key; one without any price is absent.

    Raises
    ------
    DataError
        When a key is not listed.
    """
    listed = [tape.by_key(key) for key in keys]
    where = tape.place()
    if where is None or not listed:
        return {}
    contracts = [item.contract for item in listed]
    quotes, depths = tape.quotes(contracts), tape.depths(contracts)
    rows = np.array([item.row for item in listed], dtype=np.int64)
    path = _path(tape, where, rows)
    return {
        item.contract.key: _view(tape, item, quotes[item.contract.key], depths, path, n)
        for n, item in enumerate(listed)
        if item.contract.key in quotes
    }


@dataclass(frozen=True)
class _Path:
    """Prices, volume and interest of some rows from the open to a moment; last row is now."""

    at: list[datetime]
    last: Ints
    volume: Ints
    interest: Ints
    units: Ints


def _path(tape: Tape, where: Place, rows: Ints) -> _Path:
    columns = tape.day_columns
    now: Columns = columns.read(where, rows)
    upto = slice(0, where.row + 1)
    tables = {
        name: np.vstack([columns.tables[name][upto, rows], getattr(now, name)])
        for name in ("last", "volume", "open_interest")
    }
    lots = 1 + np.floor(_LAST_TRADE_LOTS * chance(rows, where.step, 30)).astype(np.int64)
    at = [*columns.snapshots[upto], where.at]
    units = np.minimum(lots * columns.lot[rows], now.volume)
    return _Path(at, tables["last"], tables["volume"], tables["open_interest"], units)


def _view(
    tape: Tape, item: Listed, quote: Quote, depths: dict[str, Depth], path: _Path, n: int
) -> View:
    facts, row, depth = tape.facts, item.row, depths[quote.key]
    traded = (path.volume[:, n] > 0) & (path.last[:, n] > 0)
    prices = path.last[traded, n]
    grown = np.diff(path.volume[:, n], prepend=0)
    there = (grown > 0) & (path.last[:, n] > 0)
    moves = np.flatnonzero(there)
    mean = None
    if len(moves):
        mean = round(float((grown[there] * path.last[there, n]).sum() / grown[there].sum()))
    interest = path.interest[:, n]
    band = tape.band(item.contract)
    return View(
        listed=item,
        quote=quote,
        depth=depth,
        open=int(prices[0]) if len(prices) else None,
        high=int(prices.max()) if len(prices) else None,
        low=int(prices.min()) if len(prices) else None,
        previous_close=int(facts.previous_close[row]) or None,
        previous_open_interest=int(facts.previous_interest[row]) or None,
        previous_volume=int(facts.previous_volume[row]) or None,
        average=mean,
        last_units=int(path.units[n]) or None,
        last_at=path.at[int(moves[-1])] if len(moves) else None,
        oi_high=int(interest.max()),
        oi_low=int(interest.min()),
        lower_band=band[0] if band else None,
        upper_band=band[1] if band else None,
        bid_total=sum(level.units for level in depth.bids),
        ask_total=sum(level.units for level in depth.asks),
    )


def spot_view(tape: Tape, symbol: str) -> SpotView:
    """An underlying as of the clock.

    Raises
    ------
    NoQuote
        When no level of it is known.
    """
    level, at = tape.spot(symbol)
    where = tape.place()
    known = _levels(tape, symbol, where.row if where else 0)
    path = np.append(known[known > 0], level)
    return SpotView(
        symbol,
        level,
        int(path[0]),
        int(path.max()),
        int(path.min()),
        tape.facts.spot_close.get(symbol),
        at,
    )


def _levels(tape: Tape, symbol: str, row: int) -> Ints:
    column = next(n for n, item in enumerate(tape.underlyings) if item.symbol == symbol)
    found: Ints = tape.day_columns.spots[: row + 1, column]
    return found


def bars(tape: Tape, name: str, minutes: int) -> Bars:
    """Bars of an option (by key) or an underlying (by symbol) up to the clock.

    Raises
    ------
    DataError
        When the key is not listed.
    NoQuote
        When no level of the underlying is known.
    """
    where = tape.place()
    if where is None:
        raise NoQuote(f"the day of {name} has not begun at {tape.clock.now():%Y-%m-%d %H:%M}")
    columns, places = tape.day_columns, _places(tape, where)
    at = [place.at for place in places]
    symbols = [item.symbol for item in tape.underlyings]
    if name in symbols:
        tape.spot(name)  # an underlying without a level is an error, not an empty chart
        column = symbols.index(name)
        last = np.array([columns.spot(place, column) for place in places], dtype=np.int64)
        nothing = np.zeros(len(last), dtype=np.int64)
        return _bars(at, last, nothing, nothing, minutes)
    row = np.array([tape.by_key(name).row], dtype=np.int64)
    read = [columns.read(place, row) for place in places]
    volume = np.array([int(found.volume[0]) for found in read], dtype=np.int64)
    last = np.array([int(found.last[0]) for found in read], dtype=np.int64)
    interest = np.array([int(found.open_interest[0]) for found in read], dtype=np.int64)
    return _bars(at, np.where(volume > 0, last, 0), volume, interest, minutes)


def _places(tape: Tape, until: Place) -> list[Place]:
    """Snapshots so far, and where the market moves between them the end of each minute."""
    columns = tape.day_columns
    moments = [*columns.snapshots[: until.row + 1], until.at]
    if columns.step:
        minute, short = timedelta(minutes=1), timedelta(microseconds=1)
        count = (until.at - columns.snapshots[0]) // minute
        moments += [columns.snapshots[0] + n * minute - short for n in range(1, count + 1)]
    found = {place.at: place for at in sorted(moments) if (place := columns.place(at))}
    return [found[at] for at in sorted(found)]


def _bars(at: list[datetime], last: Ints, volume: Ints, interest: Ints, minutes: int) -> Bars:
    opened, width = session(at[0].date()).open, timedelta(minutes=minutes)
    priced = np.flatnonzero(last > 0)
    slot = np.array([max(0, (at[n] - opened) // width) for n in priced], dtype=np.int64)
    slots, first = np.unique(slot, return_index=True)
    ends = np.append(first[1:], len(priced)) - 1
    prices = last[priced]
    if not len(slots):
        none = np.zeros(0, dtype=np.int64)
        return Bars([], none, none, none, none, none, none)
    total = volume[priced][ends]
    return Bars(
        at=[opened + int(n) * width for n in slots],
        open=prices[first],
        high=np.maximum.reduceat(prices, first),
        low=np.minimum.reduceat(prices, first),
        close=prices[ends],
        volume=np.diff(total, prepend=0),
        open_interest=interest[priced][ends],
    )


def day_bands(tape: Tape) -> tuple[Ints, Ints]:
    """Lower and upper price of the day by row, on the tick; 0 where no base price is known.

    The base is the close before, else the first quote's middle.
    """
    columns, facts = tape.day_columns, tape.facts
    rows = np.arange(len(tape.listed))
    bids, asks = columns.tables["bid"], columns.tables["ask"]
    first = ((bids > 0) & (asks > 0)).argmax(axis=0)
    bid, ask = bids[first, rows], asks[first, rows]
    middle = np.where((bid > 0) & (ask > 0), bid + ask, 0) // 2
    base = np.where(facts.previous_close > 0, facts.previous_close, middle).astype(np.float64)
    spots = {item.symbol: n for n, item in enumerate(tape.underlyings)}
    column = np.array([spots[item.contract.symbol] for item in tape.listed], dtype=np.int64)
    level = columns.spots[first, column].astype(np.float64)  # when it was first quoted
    strike = np.array([item.contract.strike for item in tape.listed], dtype=np.float64)
    call = np.array([item.contract.right is Right.CALL for item in tape.listed])
    expiry = np.array([item.contract.expiry for item in tape.listed], dtype="datetime64[D]")
    years = np.maximum(years_array(session(tape.day).open, expiry), 1 / 365)
    kinds = np.array([item.contract.kind for item in tape.listed], dtype=object)
    lower, upper = np.zeros(len(rows)), np.zeros(len(rows))
    for kind, vol in _BASE_VOL.items():
        mine = (kinds == kind) & (base > 0) & (level > 0)
        delta = greeks(level[mine], strike[mine], years[mine], vol, call[mine]).delta
        lower[mine], upper[mine] = price_bands(kind, base[mine], delta, level[mine], tape.day)
    tick = columns.tick
    low = np.maximum(tick, np.floor(lower / tick).astype(np.int64) * tick)
    high = np.ceil(upper / tick).astype(np.int64) * tick
    return np.where(high > 0, low, 0), high
