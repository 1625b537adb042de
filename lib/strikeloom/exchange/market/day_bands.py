"""Price bands of a market day."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from strikeloom.domain.instruments import (
    FutureContract,
    InstrumentKind,
    OptionContract,
    Right,
    Share,
)
from strikeloom.exchange.market.columns import Ints
from strikeloom.exchange.market.played_day import PlayedDay
from strikeloom.nse.price_bands import delta_one_bands, price_bands
from strikeloom.nse.sessions import session, years_array
from strikeloom.quant.black76 import greeks

Floats = NDArray[np.float64]

_BASE_VOL = {InstrumentKind.INDEX: 0.20, InstrumentKind.STOCK: 0.40}


def day_bands(day: PlayedDay) -> tuple[Ints, Ints]:
    """Lower and upper price of the day by row, on the tick; 0 where no base price is known.

    The base is the close before, of a future its settlement price, else the first quote's middle.
    """
    columns, facts = day.day_columns, day.facts
    rows = np.arange(len(day.listed))
    bids, asks = columns.tables["bid"], columns.tables["ask"]
    first = ((bids > 0) & (asks > 0)).argmax(axis=0)
    bid, ask = bids[first, rows], asks[first, rows]
    middle = np.where((bid > 0) & (ask > 0), bid + ask, 0) // 2
    base = np.where(facts.previous_close > 0, facts.previous_close, middle).astype(np.float64)
    spots = {item.symbol: n for n, item in enumerate(day.underlyings)}
    column = np.array([spots[item.instrument.symbol] for item in day.listed], dtype=np.int64)
    level = columns.spots[first, column].astype(np.float64)  # when it was first quoted
    lower, upper = np.zeros(len(rows)), np.zeros(len(rows))
    _options(day, base, level, (lower, upper))
    _units(day, base, (lower, upper))
    tick = columns.tick
    low = np.maximum(tick, np.floor(lower / tick).astype(np.int64) * tick)
    high = np.ceil(upper / tick).astype(np.int64) * tick
    return np.where(high > 0, low, 0), high


def _options(day: PlayedDay, base: Floats, level: Floats, bands: tuple[Floats, Floats]) -> None:
    """Fill in the bands of options, by their delta on the underlying's level."""
    options = [(item.row, it) for item in day.listed
               if isinstance(it := item.instrument, OptionContract)]  # fmt: skip
    rows = np.array([row for row, _ in options], dtype=np.int64)
    strike = np.array([it.strike for _, it in options], dtype=np.float64)
    call = np.array([it.right is Right.CALL for _, it in options], dtype=bool)
    expiry = np.array([it.expiry for _, it in options], dtype="datetime64[D]")
    years = np.maximum(years_array(session(day.day).open, expiry), 1 / 365)
    kinds = np.array([it.kind for _, it in options], dtype=object)
    base, level = base[rows], level[rows]
    for kind, vol in _BASE_VOL.items():
        mine = (kinds == kind) & (base > 0) & (level > 0)
        delta = greeks(level[mine], strike[mine], years[mine], vol, call[mine]).delta
        ends = price_bands(kind, base[mine], delta, level[mine], day.day)
        for band, end in zip(bands, ends, strict=True):
            band[rows[mine]] = end


def _units(day: PlayedDay, base: Floats, bands: tuple[Floats, Floats]) -> None:
    """Fill in the bands of futures and shares, relaxed as far as the day's prices went."""
    for of, kind in (("future", FutureContract), ("share", Share)):
        mine = [item.row for item in day.listed if isinstance(item.instrument, kind)]
        rows = np.array([row for row in mine if base[row] > 0], dtype=np.int64)
        tables = day.day_columns.tables
        shown = np.concatenate([tables[name][:, rows] for name in ("bid", "ask", "last")])
        prices = np.where(shown > 0, shown, np.nan)
        lowest = np.fmin.reduce(prices, axis=0)
        highest = np.fmax.reduce(prices, axis=0)
        ends = delta_one_bands(of, base[rows], lowest, highest, day.day)
        for band, end in zip(bands, ends, strict=True):
            band[rows] = end
