"""Five levels of depth around a best bid and ask. Levels below the best are made, always alike."""

from __future__ import annotations

from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from strikeloom.domain.depth import Depth, Level
from strikeloom.domain.quotes import QuoteSource
from strikeloom.exchange.market.columns import QuoteColumns
from strikeloom.exchange.market.hashed_random import hashed_uniform

LEVELS = 5
_BID, _ASK = 0, 1

Ints = NDArray[np.int64]


def ladders(
    quotes: QuoteColumns, rows: Ints, tick: Ints, lot: Ints, step: int | Ints
) -> tuple[Ints, Ints, Ints]:
    """Prices, units and orders of five levels a side.

    The first level is the quote as it is. Each further one lies one tick or some more away, by
    the width of the quote, and shows more than the one before on average. A side without a quote
    has no levels; one that would reach 0 ends there.

    Parameters
    ----------
    step : int or ndarray of shape (contracts, 1, 1)
        Number of the moment: another moment, other sizes.

    Returns
    -------
    price, units, orders : ndarray, shape (contracts, 2, 5)
        Bids, then asks; 0 where there is no level.
    """
    rank = np.arange(LEVELS)
    side = np.arange(2)[:, None]
    drawn = hashed_uniform(rows[:, None, None], step, 10 + side, rank)
    best = np.stack([quotes.bid, quotes.ask], axis=1)[:, :, None]
    shown = np.stack([quotes.bid_size, quotes.ask_size], axis=1)[:, :, None]
    width = np.maximum(quotes.ask - quotes.bid, 0) // (4 * tick)
    width = np.where((quotes.bid > 0) & (quotes.ask > 0), width, 0)
    gap = 1 + np.floor(drawn * (1 + width[:, None, None])).astype(np.int64)
    gap[:, :, 0] = 0
    away = np.cumsum(gap, axis=2) * tick[:, None, None]
    price = best + np.where(side == _BID, -away, away)
    lots = np.ceil(shown / lot[:, None, None] * (0.6 + 0.4 * rank) * (0.5 + drawn))
    units = np.where(rank == 0, shown, lots.astype(np.int64) * lot[:, None, None])
    orders = 1 + np.floor(7 * hashed_uniform(rows[:, None, None], step, 20 + side, rank)).astype(
        np.int64
    )
    there = (best > 0) & (price > 0) & (units > 0)
    return tuple(np.where(there, table, 0) for table in (price, units, orders))  # type: ignore[return-value]


def depth_of(
    key: str, ladder: tuple[Ints, Ints, Ints], row: int, at: datetime, source: QuoteSource
) -> Depth:
    """Depth of one contract of ``ladders``."""
    price, units, orders = (table[row] for table in ladder)
    sides = [
        tuple(
            Level(int(price[side, n]), int(units[side, n]), int(orders[side, n]))
            for n in range(LEVELS)
            if price[side, n]
        )
        for side in (_BID, _ASK)
    ]
    return Depth(key, sides[0], sides[1], at, source)
