"""Intraday quotes of the synthetic market's futures and shares, from the levels of its options.

A future is worth the forward that its expiry's options are priced on, a share its underlying's
level. No bid is above the value and no ask below it, so nothing can be traded against calls and
puts at a profit: put-call parity holds inside the quotes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from strikeloom.domain.instruments import FUTURE_RIGHT, SHARE_RIGHT, InstrumentKind
from strikeloom.domain.money import paise, rupees
from strikeloom.exchange.market.synthetic.option_ladders import RATE
from strikeloom.exchange.market.synthetic.underlyings import LISTINGS
from strikeloom.nse.sessions import years_array
from strikeloom.nse.ticks import future_tick, share_tick
from strikeloom.quant.quoted_width import BUSY_LOTS, delta_one_width

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Lots that futures of the nearest month trade a day; a tenth in each later one.
_NEAREST = 10_000
_SYMBOLS = np.array([row.symbol for row in LISTINGS], dtype=object)
_IS_INDEX = np.array([row.kind is InstrumentKind.INDEX for row in LISTINGS])


@dataclass(frozen=True)
class DeltaOneListing:
    """Futures and shares of a day, one row each.

    ``place`` is the underlying's number, ``expiry`` NaT of a share, ``expected`` what trades in
    a day in lots, ``tick`` rupees.
    """

    place: Ints
    expiry: NDArray[np.datetime64]
    lot: Ints
    expected: Floats
    tick: Floats

    @property
    def is_share(self) -> NDArray[np.bool_]:
        """Rows of shares."""
        return np.isnat(self.expiry)


def listed_delta_one(
    day: date, months: Sequence[date], lots: Ints, volume: Ints, reviewed: Floats
) -> DeltaOneListing:
    """Futures of some months on every underlying, and the shares of the stocks.

    Parameters
    ----------
    lots, volume : ndarray of int64, shape (underlyings,)
        Units a lot, and shares that trade in a day.
    reviewed : ndarray, shape (underlyings,)
        Close on the day that decides the ticks, in rupees.
    """
    count, each = len(LISTINGS), len(months)
    stocks = np.flatnonzero(~_IS_INDEX)
    place = np.concatenate([np.repeat(np.arange(count), each), stocks])
    dates = np.tile(np.array(months, dtype="datetime64[s]"), count)
    expiry = np.concatenate([dates, np.full(len(stocks), np.datetime64("NaT", "s"))])
    of_futures = np.tile(_NEAREST / 10.0 ** np.arange(each), count)
    closes = [paise(round(float(level), 2)) for level in reviewed]
    futures = [
        future_tick(row.kind, level, day) for row, level in zip(LISTINGS, closes, strict=True)
    ]
    ticks = [*np.repeat(futures, each).tolist(), *(share_tick(closes[n], day) for n in stocks)]
    return DeltaOneListing(
        place.astype(np.int64),
        expiry,
        np.concatenate([np.repeat(lots, each), np.ones(len(stocks), dtype=np.int64)]),
        np.concatenate([of_futures, volume[stocks]]),
        np.array([rupees(tick) for tick in ticks]),
    )


def delta_one_quotes(
    at: datetime, units: DeltaOneListing, spot: Floats, volume: Ints, rng: np.random.Generator
) -> pd.DataFrame:
    """One intraday snapshot of futures and shares as ``QUOTES`` rows.

    Parameters
    ----------
    spot : ndarray, shape (underlyings,)
        Levels in rupees, not rounded.
    volume : ndarray of int64, shape (rows,)
        Units traded so far.
    """
    import pandas as pd

    share, tick, count = units.is_share, units.tick, len(units.place)
    level = spot[units.place]
    ends = np.where(share, np.datetime64(at.date(), "s"), units.expiry).astype("datetime64[D]")
    value = np.where(share, level, level * np.exp(RATE * years_array(at, ends)))
    lots = np.where(share, BUSY_LOTS, units.expected).astype(np.int64)
    half = delta_one_width(value, lots, _IS_INDEX[units.place]) / 2 * rng.uniform(0.6, 1.4, count)
    bid = (np.floor((value - half) / tick) * tick).round(2)
    ask = (np.ceil((value + half) / tick) * tick).round(2)
    deep = np.maximum(1.0, units.expected / 400)
    sizes = np.ceil(deep * rng.uniform(0.5, 1.5, (2, count))).astype(np.int64) * units.lot
    open_interest = np.where(share, 0, np.rint(3 * units.expected)).astype(np.int64) * units.lot
    return pd.DataFrame(
        {
            "at": pd.Timestamp(at).tz_convert("Asia/Kolkata"),
            "symbol": _SYMBOLS[units.place],
            "expiry": units.expiry,
            "strike": 0.0,
            "right": np.where(share, SHARE_RIGHT, FUTURE_RIGHT).astype(object),
            "bid": bid,
            "ask": ask,
            "last": np.where(volume > 0, (np.rint(value / tick) * tick).round(2), np.nan),
            "bid_size": sizes[0],
            "ask_size": sizes[1],
            "volume": volume,
            "open_interest": open_interest,
            "spot": level.round(2),
        }
    )
