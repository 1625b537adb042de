"""Quotes of a trading day made from an end-of-day file.

Four moments: the open, two between that go towards the day's extremes (the low first on a day that
rose), the close. Each moment's prices belong together (``one_moment``), have the width of real
quotes (``quoted_width``) and lie inside each contract's low and high. All of it is labelled made.
Futures and shares of the same moments are in ``end_of_day_delta_one``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from strikeloom.exchange.market.end_of_day_chains import (
    EndOfDayChains,
    TickOf,
    end_of_day_chains,
    published_bars,
)
from strikeloom.exchange.market.one_moment import Moment, one_moment
from strikeloom.nse.sessions import session
from strikeloom.ports.history import History
from strikeloom.quant.quoted_width import quoted_width, sides
from strikeloom.settings.desk import ReplaySettings

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]

OPEN, CLOSE = 0, 3
MOMENTS = (OPEN, 1, 2, CLOSE)


def end_of_day_rows(
    history: History,
    day: date,
    tick_of: TickOf,
    settings: ReplaySettings,
    *,
    shown: Sequence[int] = MOMENTS,
    symbols: Sequence[str] | None = None,
    published: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """``QUOTES`` rows of a day's options, with the settlement price as a further column ``settle``.

    A contract that did not trade has neither bid, ask nor last price; it has a row at the close
    alone, for its settlement price. A side is absent where the day's range leaves no room for
    it. Depth is a share of the day's volume, spread over the moments shown.

    Parameters
    ----------
    tick_of : callable
        Price step of the day, by symbol and kind.
    shown : sequence of int
        Of ``MOMENTS``.
    symbols : sequence of str, optional
        Underlyings; default all of the file.
    published : DataFrame, optional
        ``published_bars`` of the day; default read here.

    Returns
    -------
    DataFrame
        ``settle``, rupees, is the exchange's settlement price at the close (the payoff of a
        contract that ends), NaN at the moments before.
    """
    return option_rows(priced_day(history, day, tick_of, symbols, published), settings, shown)


class PricedDay(NamedTuple):
    """Chains of a day and their prices at the four moments."""

    chains: EndOfDayChains
    moments: list[datetime]
    prices: list[Moment]


def priced_day(
    history: History,
    day: date,
    tick_of: TickOf,
    symbols: Sequence[str] | None = None,
    published: pd.DataFrame | None = None,
) -> PricedDay:
    """Price the options of a day; parameters as of ``end_of_day_rows``."""
    if published is None:
        published = published_bars(history, day)
    chains = end_of_day_chains(history, day, tick_of, symbols, published)
    hours = session(day)
    third = timedelta(seconds=int(hours.minutes * 20))
    moments = [hours.open, hours.open + third, hours.open + 2 * third, hours.close]
    return PricedDay(chains, moments, one_moment(chains.options, chains.series, moments))


def option_rows(
    priced: PricedDay, settings: ReplaySettings, shown: Sequence[int] = MOMENTS
) -> pd.DataFrame:
    """Rows of ``end_of_day_rows`` of a day that is priced."""
    import pandas as pd

    share = settings.depth_share_of_volume / len(shown)
    chains, moments, prices = priced
    return pd.concat(
        [_snapshot(chains, _Shown(n, moments[n], prices[n], share), settings) for n in shown],
        ignore_index=True,
    )


class _Shown(NamedTuple):
    """Number and time of a moment, its prices, and the share of the day's volume that it shows."""

    n: int
    at: datetime
    prices: Moment
    share: float


def _snapshot(chains: EndOfDayChains, moment: _Shown, settings: ReplaySettings) -> pd.DataFrame:
    import pandas as pd

    rows, options, series = chains.rows, chains.options, chains.series
    closing = moment.n == CLOSE
    traded, tick, g = rows["traded"].to_numpy(), options.tick, options.group
    lot, lots = rows["lot_size"].to_numpy(), rows["lots_traded"].to_numpy()
    low, high = rows["low"].to_numpy(), rows["high"].to_numpy()
    middle = np.where(traded, moment.prices.price, np.nan)
    half = quoted_width(middle, lots, series.is_index[g]) * settings.width_factor / 2
    half = np.maximum(half, tick * settings.min_half_spread_ticks)
    bid, ask = sides(middle, half, tick, low, high)
    last, settle = rows["close"].to_numpy(), _settlement(chains)
    if not closing:
        last = np.clip(np.round(middle / tick) * tick, low, high).round(2)
        settle = np.full(len(rows), np.nan)
    last = np.where(traded, last, np.nan)
    units = np.maximum(1, np.floor(lots * moment.share)).astype(np.int64) * lot
    held, begun = (rows[name].to_numpy() for name in ("open_interest", "opening_interest"))
    made = pd.DataFrame(
        {
            "at": pd.Timestamp(moment.at).tz_convert("Asia/Kolkata"),
            "symbol": rows["symbol"],
            "expiry": rows["expiry"],
            "strike": rows["strike"],
            "right": rows["right"],
            "bid": bid,
            "ask": ask,
            "last": last,
            "bid_size": np.where(np.isnan(bid), 0, units),
            "ask_size": np.where(np.isnan(ask), 0, units),
            # something has traded at the open: its price is there
            "volume": np.where(traded, np.maximum(1, lots * moment.n // CLOSE) * lot, 0),
            "open_interest": held - (held - begun) * (CLOSE - moment.n) // CLOSE,
            "spot": moment.prices.spot[g].round(2),
            "settle": settle,
        }
    )
    return made.iloc[np.flatnonzero(np.isfinite(last) | np.isfinite(settle))]


def _settlement(chains: EndOfDayChains) -> Floats:
    """Settlement prices at the close, rupees; the payoff of a contract whose last day it is."""
    options, final = chains.options, chains.series.final[chains.options.group]
    payoff = np.maximum(np.where(options.is_call, 1, -1) * (final - options.strike), 0.0)
    return np.where(np.isnan(final), options.settle, payoff)
