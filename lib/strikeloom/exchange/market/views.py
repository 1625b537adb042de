"""What a broker reports of an instrument beyond its quote: the day so far."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from strikeloom.domain.depth import Depth
from strikeloom.domain.quotes import Quote
from strikeloom.exchange.market.columns import DayMoment, Ints, QuoteColumns
from strikeloom.exchange.market.hashed_random import hashed_uniform
from strikeloom.exchange.market.played_day import PlayedDay
from strikeloom.exchange.market.securities import Listed

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


def views(day: PlayedDay, keys: Iterable[str]) -> dict[str, View]:
    """Options as of the clock, by key; one without any price is absent.

    Raises
    ------
    DataError
        When a key is not listed.
    """
    listed = [day.by_key(key) for key in keys]
    where = day.place()
    if where is None or not listed:
        return {}
    contracts = [item.instrument for item in listed]
    quotes, depths = day.quotes(contracts), day.depths(contracts)
    rows = np.array([item.row for item in listed], dtype=np.int64)
    path = _path(day, where, rows)
    return {
        item.instrument.key: _view(day, item, quotes[item.instrument.key], depths, path, n)
        for n, item in enumerate(listed)
        if item.instrument.key in quotes
    }


@dataclass(frozen=True)
class _Path:
    """Prices, volume and interest of some rows from the open to a moment; last row is now."""

    at: list[datetime]
    last: Ints
    volume: Ints
    interest: Ints
    units: Ints


def _path(day: PlayedDay, where: DayMoment, rows: Ints) -> _Path:
    columns = day.day_columns
    now: QuoteColumns = columns.read(where, rows)
    upto = slice(0, where.row + 1)
    tables = {
        name: np.vstack([columns.tables[name][upto, rows], getattr(now, name)])
        for name in ("last", "volume", "open_interest")
    }
    lots = 1 + np.floor(_LAST_TRADE_LOTS * hashed_uniform(rows, where.step, 30)).astype(np.int64)
    at = [*columns.snapshots[upto], where.at]
    units = np.minimum(lots * columns.lot[rows], now.volume)
    return _Path(at, tables["last"], tables["volume"], tables["open_interest"], units)


def _view(
    day: PlayedDay, item: Listed, quote: Quote, depths: dict[str, Depth], path: _Path, n: int
) -> View:
    facts, row, depth = day.facts, item.row, depths[quote.key]
    traded = (path.volume[:, n] > 0) & (path.last[:, n] > 0)
    prices = path.last[traded, n]
    grown = np.diff(path.volume[:, n], prepend=0)
    there = (grown > 0) & (path.last[:, n] > 0)
    moves = np.flatnonzero(there)
    mean = None
    if len(moves):
        mean = round(float((grown[there] * path.last[there, n]).sum() / grown[there].sum()))
    interest = path.interest[:, n]
    band = day.band(item.instrument)
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


def spot_view(day: PlayedDay, symbol: str) -> SpotView:
    """An underlying as of the clock.

    Raises
    ------
    NoQuote
        When no level of it is known.
    """
    level, at = day.spot(symbol)
    where = day.place()
    known = _levels(day, symbol, where.row if where else 0)
    path = np.append(known[known > 0], level)
    return SpotView(
        symbol,
        level,
        int(path[0]),
        int(path.max()),
        int(path.min()),
        day.facts.spot_close.get(symbol),
        at,
    )


def _levels(day: PlayedDay, symbol: str, row: int) -> Ints:
    column = next(n for n, item in enumerate(day.underlyings) if item.symbol == symbol)
    found: Ints = day.day_columns.spots[: row + 1, column]
    return found
