"""Daily bars of all underlyings known on the day, and the variance they foretell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple

import numpy as np

from strikeloom.errors import DataError
from strikeloom.ports.desk import Desk
from strikeloom.quant.forecast import fit_har, har_forecast
from strikeloom.quant.realised import daily_variance

#: Calendar days of bars: Wilder's measures have settled within a percent by then.
_SPAN = 130
_SIDES = ("open", "high", "low", "close")


class Bars(NamedTuple):
    """Prices in the shares of the day, arrays of shape (symbols, sessions), rupees.

    A symbol's sessions are the days stored for it, in order; the last one is in the last
    column. NaN before the first, and where only a level is known (``close`` alone).
    """

    place: Mapping[str, int]
    open: np.ndarray
    high: np.ndarray
    low: np.ndarray
    close: np.ndarray


def read_bars(desk: Desk, symbols: Sequence[str]) -> Bars:
    """Bars of the symbols up to the desk's day; splits before it are taken out."""
    first = desk.day - timedelta(days=_SPAN)
    prices = desk.history.as_of(desk.day).prices(first, desk.day, symbols=symbols)
    place = {symbol: number for number, symbol in enumerate(symbols)}
    known = prices[prices["close"].notna() & prices["symbol"].isin(place)]
    row = known["symbol"].map(place).to_numpy(dtype=np.int64)
    back = known.groupby("symbol").cumcount(ascending=False).to_numpy()
    width = int(back.max(initial=0)) + 1
    found = np.full((len(_SIDES), len(symbols), width), np.nan)
    for number, side in enumerate(_SIDES):
        found[number, row, width - 1 - back] = known[side].to_numpy()
    return Bars(place, *found)


def forecast_variance(bars: Bars, sessions: Mapping[str, int]) -> dict[str, float]:
    """Variance of each symbol from now to its expiry.

    Parameters
    ----------
    bars : Bars
        Of the whole exchange: the coefficients are fitted over all of it.
    sessions : mapping of str to int
        Sessions that each symbol has left until its expiry.

    Returns
    -------
    dict
        Not annualised: the sum over the sessions. Only symbols whose last month has whole bars,
        and none where too few bars are stored to fit the coefficients.
    """
    daily = daily_variance(bars.open, bars.high, bars.low, bars.close)
    found: dict[str, float] = {}
    for ahead in sorted(set(sessions.values()) - {0}):
        try:
            each = har_forecast(fit_har(daily, ahead), daily) * ahead
        except DataError:
            continue  # a young store: there is no forecast, and each proposal says so
        for symbol, left in sessions.items():
            value = float(each[bars.place[symbol]])
            if left == ahead and np.isfinite(value):
                found[symbol] = value
    return found
