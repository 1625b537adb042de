"""Daily bars of all underlyings known on the day, and the variance forecast from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple

import numpy as np

from strikeloom.errors import DataError
from strikeloom.nse.corporate_actions import CorporateAction, breaks
from strikeloom.ports.desk import Desk
from strikeloom.quant.forecast import fit_har, har_forecast
from strikeloom.quant.realised import daily_variance

#: Calendar days of bars, enough for Wilder's averages to settle within a percent.
_SPAN = 130
_SIDES = ("open", "high", "low", "close")


class DailyBars(NamedTuple):
    """Prices adjusted to the shares of the day, arrays of shape (symbols, sessions), rupees.

    A symbol's sessions are its stored days in order, the latest in the last column: a column is not
    the same day for all, and ``day`` has each one's. NaN before the first, and for open, high and
    low where only a close is known. Over the night of a demerger, or of a price step that no person
    has stated to be a move, earlier prices are scaled to the open after it: trend and variance
    count what was traded.

    Attributes
    ----------
    place : mapping
        Row of each symbol.
    day : ndarray of datetime64
        NaT before the first.
    """

    place: Mapping[str, int]
    day: np.ndarray
    open: np.ndarray
    high: np.ndarray
    low: np.ndarray
    close: np.ndarray


def read_bars(desk: Desk, symbols: Sequence[str]) -> DailyBars:
    """Bars of the symbols up to the desk's day, adjusted for earlier splits."""
    first = desk.day - timedelta(days=_SPAN)
    past = desk.history.as_of(desk.day)
    prices = past.prices(first, desk.day, symbols=symbols)
    place = {symbol: number for number, symbol in enumerate(symbols)}
    known = prices[prices["close"].notna() & prices["symbol"].isin(place)]
    row = known["symbol"].map(place).to_numpy(dtype=np.int64)
    back = known.groupby("symbol").cumcount(ascending=False).to_numpy()
    width = int(back.max(initial=0)) + 1
    prices_by_side = np.full((len(_SIDES), len(symbols), width), np.nan)
    for number, side in enumerate(_SIDES):
        prices_by_side[number, row, width - 1 - back] = known[side].to_numpy()
    days = np.full((len(symbols), width), np.datetime64("NaT"), dtype="datetime64[D]")
    days[row, width - 1 - back] = known["day"].to_numpy().astype("datetime64[D]")
    bars = DailyBars(place, days, *prices_by_side)
    without_steps(bars, breaks(past.actions(first, desk.day), desk.day))
    return bars


def on_days(bars: DailyBars, days: np.ndarray) -> np.ndarray:
    """Close of each symbol on the given days, ascending; NaN where it has none."""
    found = np.full((len(bars.close), len(days)), np.nan)
    place = np.minimum(np.searchsorted(days, bars.day), len(days) - 1)
    row, column = np.nonzero(days[place] == bars.day)
    found[row, place[row, column]] = bars.close[row, column]
    return found


def without_steps(bars: DailyBars, steps: Sequence[CorporateAction]) -> None:
    """Scale the prices before each step so that its night is none, in place.

    Parameters
    ----------
    steps : sequence of CorporateAction
        Without a ratio. Where the open after it is not known, earlier prices are cleared.
    """
    for item in steps:
        row = bars.place.get(item.symbol)
        if row is None:
            continue
        late = np.flatnonzero(bars.day[row] >= np.datetime64(item.day, "D"))
        if len(late) and late[0]:
            scale = bars.open[row, late[0]] / bars.close[row, late[0] - 1]
            for side in (bars.open, bars.high, bars.low, bars.close):
                side[row, : late[0]] *= scale


def forecast_variance(bars: DailyBars, sessions: Mapping[str, int]) -> dict[str, float]:
    """Variance of each symbol from now to its expiry.

    Parameters
    ----------
    bars : DailyBars
        Of the whole exchange: the coefficients are fitted over all symbols.
    sessions : mapping of str to int
        Sessions left until the expiry of each symbol.

    Returns
    -------
    dict
        Not annualised: the sum over the sessions. Only symbols with complete bars in the last
        month; empty where too few bars are stored to fit the coefficients.
    """
    daily = daily_variance(bars.open, bars.high, bars.low, bars.close)
    variance: dict[str, float] = {}
    for ahead in sorted(set(sessions.values()) - {0}):
        try:
            each = har_forecast(fit_har(daily, ahead), daily) * ahead
        except DataError:
            continue  # too short a history: no forecast, which each proposal states
        for symbol, left in sessions.items():
            value = float(each[bars.place[symbol]])
            if left == ahead and np.isfinite(value):
                variance[symbol] = value
    return variance
