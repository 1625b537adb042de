"""Price bands of a market day."""

from __future__ import annotations

import numpy as np

from strikeloom.domain.instruments import InstrumentKind, Right, as_option
from strikeloom.exchange.market.columns import Ints
from strikeloom.exchange.market.played_day import PlayedDay
from strikeloom.nse.price_bands import price_bands
from strikeloom.nse.sessions import session, years_array
from strikeloom.quant.black76 import greeks

_BASE_VOL = {InstrumentKind.INDEX: 0.20, InstrumentKind.STOCK: 0.40}


def day_bands(day: PlayedDay) -> tuple[Ints, Ints]:
    """Lower and upper price of the day by row, on the tick; 0 where no base price is known.

    The base is the close before, else the first quote's middle.
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
    strike = np.array([as_option(item.instrument).strike for item in day.listed], dtype=np.float64)
    call = np.array([as_option(item.instrument).right is Right.CALL for item in day.listed])
    expiry = np.array(
        [as_option(item.instrument).expiry for item in day.listed], dtype="datetime64[D]"
    )
    years = np.maximum(years_array(session(day.day).open, expiry), 1 / 365)
    kinds = np.array([item.instrument.kind for item in day.listed], dtype=object)
    lower, upper = np.zeros(len(rows)), np.zeros(len(rows))
    for kind, vol in _BASE_VOL.items():
        mine = (kinds == kind) & (base > 0) & (level > 0)
        delta = greeks(level[mine], strike[mine], years[mine], vol, call[mine]).delta
        lower[mine], upper[mine] = price_bands(kind, base[mine], delta, level[mine], day.day)
    tick = columns.tick
    low = np.maximum(tick, np.floor(lower / tick).astype(np.int64) * tick)
    high = np.ceil(upper / tick).astype(np.int64) * tick
    return np.where(high > 0, low, 0), high
