"""Quotes of futures and shares of a trading day, made from its end-of-day files.

They belong to the same four moments as the options' (``end_of_day``). A future is quoted around the
one forward that its expiry has at a moment, a share around its underlying's level, each inside its
own low and high of the day; so calls, puts, future and share can be held against each other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from strikeloom.domain.instruments import SHARE_RIGHT, InstrumentKind
from strikeloom.exchange.market.end_of_day_chains import EndOfDayChains
from strikeloom.exchange.market.one_moment import Moment, Series
from strikeloom.quant.quoted_width import BUSY_LOTS, delta_one_width, sides
from strikeloom.settings.desk import ReplaySettings

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Price step in paise by symbol, kind of the underlying and right (XX or EQ).
DeltaOneTickOf = Callable[[str, InstrumentKind, str], int]


class DeltaOneDay(NamedTuple):
    """Futures and levels of a day as its options made them.

    Attributes
    ----------
    futures : DataFrame
        ``CONTRACTS`` rows of the futures that live on the day.
    group : ndarray of int64
        Row of each one's expiry in ``series``.
    names : ndarray
        Symbol by its number in ``series``.
    moments : sequence of datetime
    spots, forwards : list of ndarray
        By moment, one value an expiry; rupees.
    """

    futures: pd.DataFrame
    group: Ints
    names: NDArray[np.object_]
    series: Series
    moments: Sequence[datetime]
    spots: list[Floats]
    forwards: list[Floats]


def delta_one_of(
    chains: EndOfDayChains, moments: Sequence[datetime], prices: Sequence[Moment]
) -> DeltaOneDay:
    """Futures and levels of chains that were priced at some moments."""
    return DeltaOneDay(
        chains.futures,
        chains.future_group,
        chains.names,
        chains.series,
        moments,
        [moment.spot for moment in prices],
        [moment.forward for moment in prices],
    )


def delta_one_rows(
    made: DeltaOneDay,
    cash: pd.DataFrame,
    tick_of: DeltaOneTickOf,
    settings: ReplaySettings,
    shown: Sequence[int],
) -> pd.DataFrame:
    """``QUOTES`` rows of the futures and shares of a day, with ``settle`` as a further column.

    A future has right XX and strike 0, a share EQ and no expiry either. One that did not trade
    has no sides. A share is listed where the day's cash file has it.

    Parameters
    ----------
    cash : DataFrame
        ``CASH`` rows of the day.
    shown : sequence of int
        Numbers of the moments.

    Returns
    -------
    DataFrame
        ``settle``, rupees, at the last moment: the exchange's settlement price of a future (the
        final value of the underlying on its last day), the close of a share; NaN before.
    """
    import pandas as pd

    futures, shares = _futures(made), _shares(made, cash)
    columns = {name: np.concatenate([futures[name], shares[name]]) for name in futures}
    listed = pd.DataFrame(columns)
    kinds = np.where(made.series.is_index, InstrumentKind.INDEX, InstrumentKind.STOCK)
    kind = kinds[listed["group"].to_numpy()] if len(listed) else kinds[:0]
    steps = [
        tick_of(symbol, InstrumentKind(of), right)
        for symbol, of, right in zip(listed["symbol"], kind, listed["right"], strict=True)
    ]
    tick = np.array(steps, dtype=np.float64) / 100
    share = settings.depth_share_of_volume / max(1, len(shown))
    frames = [_snapshot(made, listed, n, tick, settings, share) for n in shown]
    return pd.concat(frames, ignore_index=True)


def _futures(made: DeltaOneDay) -> dict[str, NDArray[np.generic]]:
    """What the rows of futures are made of; ``group`` is their row in the series."""
    futures = made.futures
    final = made.series.final[made.group]
    names = ("symbol", "right", "expiry", "low", "high", "close", "open_interest")
    return {
        **{name: futures[name].to_numpy() for name in names},
        "group": made.group,
        "unit": np.maximum(futures["lot_size"].to_numpy(), 1),
        "count": np.where(futures["traded"], futures["lots_traded"], 0),
        "change": (futures["open_interest"] - futures["opening_interest"]).to_numpy(),
        "settle": np.where(np.isnan(final), futures["settle"], final),
    }


def _shares(made: DeltaOneDay, cash: pd.DataFrame) -> dict[str, NDArray[np.generic]]:
    """The same of the shares: stocks with contracts and a row in the cash file."""
    first = made.series.symbol.searchsorted(np.arange(len(made.names)))
    stocks = {
        name: group
        for name, group in zip(made.names, first.tolist(), strict=True)
        if not made.series.is_index[group]
    }
    cash = cash[cash["symbol"].isin(stocks)]
    nothing = np.zeros(len(cash), dtype=np.int64)
    return {
        **{name: cash[name].to_numpy() for name in ("symbol", "low", "high", "close")},
        "right": np.full(len(cash), SHARE_RIGHT, dtype=object),
        "expiry": np.full(len(cash), np.datetime64("NaT", "s")),
        "open_interest": nothing,
        "group": np.array([stocks[name] for name in cash["symbol"]], dtype=np.int64),
        "unit": nothing + 1,
        "count": cash["volume"].to_numpy(),
        "change": nothing,
        "settle": cash["close"].to_numpy(),
    }


def _snapshot(
    made: DeltaOneDay,
    listed: pd.DataFrame,
    n: int,
    tick: Floats,
    settings: ReplaySettings,
    share: float,
) -> pd.DataFrame:
    import pandas as pd

    last_of = len(made.moments) - 1
    g, count = listed["group"].to_numpy(), listed["count"].to_numpy()
    unit, traded = listed["unit"].to_numpy(), count > 0
    low, high = listed["low"].to_numpy(), listed["high"].to_numpy()
    is_share = (listed["right"] == SHARE_RIGHT).to_numpy()
    value = np.where(is_share, made.spots[n][g], made.forwards[n][g])
    middle = np.where(traded, np.clip(value, low, high), np.nan)
    lots = np.where(is_share, BUSY_LOTS, count)
    half = delta_one_width(middle, lots, made.series.is_index[g]) * settings.width_factor / 2
    half = np.maximum(half, tick * settings.min_half_spread_ticks)
    bid, ask = sides(middle, half, tick, low, high)
    close, settle = listed["close"].to_numpy(), listed["settle"].to_numpy()
    if n < last_of:
        close = np.clip(np.round(middle / tick) * tick, low, high).round(2)
        settle = np.full(len(listed), np.nan)
    last = np.where(traded, close, np.nan)
    units = np.maximum(1, np.floor(count * share)).astype(np.int64) * unit
    rows = pd.DataFrame(
        {
            "at": pd.Timestamp(made.moments[n]).tz_convert("Asia/Kolkata"),
            "symbol": listed["symbol"],
            "expiry": listed["expiry"],
            "strike": 0.0,
            "right": listed["right"],
            "bid": bid,
            "ask": ask,
            "last": last,
            "bid_size": np.where(np.isnan(bid), 0, units),
            "ask_size": np.where(np.isnan(ask), 0, units),
            "volume": np.where(traded, np.maximum(1, count * n // last_of) * unit, 0),
            "open_interest": listed["open_interest"].to_numpy()
            - listed["change"].to_numpy() * (last_of - n) // last_of,
            "spot": made.spots[n][g].round(2),
            "settle": settle,
        }
    )
    return rows.iloc[np.flatnonzero(np.isfinite(last) | np.isfinite(settle))]
