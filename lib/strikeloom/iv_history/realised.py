"""Realised volatility of every underlying up to a day, from split-adjusted prices."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from strikeloom.nse.corporate_actions import CorporateAction, breaks
from strikeloom.nse.edges import known_days
from strikeloom.nse.sessions import TRADING_DAYS_PER_YEAR
from strikeloom.quant.realised import close_to_close, garman_klass, parkinson, yang_zhang

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

WINDOWS = (10, 20, 60)
ESTIMATORS = ("cc", "pk", "gk", "yz")
_PRICES = ("open", "high", "low", "close")


class Realised(NamedTuple):
    """One row an underlying.

    Attributes
    ----------
    vols : dict of str to ndarray, shape (underlyings,)
        ``rv_<estimator>_<window>``, per year; NaN without enough sessions of prices.
    spot : ndarray, shape (underlyings,)
        Close of the day, NaN without one.
    gap, broken : ndarray of bool, shape (underlyings,)
        ``gap``: a session of the exchange is missing among the last 61. Prices before two or more
        missing in a row are left out, since the return across them is not daily. ``broken``: a
        demerger or another action without a ratio lies among them; that night is left out.
        ``asked``: so is a step that no person has stated to be a move or an action.
    """

    vols: dict[str, Floats]
    spot: Floats
    gap: Flags
    broken: Flags
    asked: Flags


def realised(
    symbols: NDArray[np.str_],
    prices: pd.DataFrame,
    day: date,
    actions: Sequence[CorporateAction] = (),
) -> Realised:
    """Estimators over the sessions up to ``day``.

    Parameters
    ----------
    symbols : ndarray of str, shape (underlyings,)
        Ascending.
    prices : DataFrame
        Columns symbol, day, open, high, low, close; adjusted for splits to the shares of
        ``day``. Indices may have closes only. A symbol without a price on ``day`` has none.
    actions : sequence of CorporateAction
        Those of the span of the prices; those without a ratio matter, and renames after them.
    """
    bars, days = _bars(symbols, prices, day)
    broken, asked = (np.zeros(len(symbols), dtype=bool) for _ in range(2))
    nights_out = np.zeros(days.shape, dtype=bool)
    place = {str(name): i for i, name in enumerate(symbols)}
    for action in breaks(actions, day):
        row = place.get(action.symbol)
        if row is None:
            continue
        after = np.flatnonzero(days[row] >= np.datetime64(action.day, "D"))
        if len(after) and after[0] and np.isfinite(bars[3, row, after[0] - 1]):
            nights_out[row, after[0]] = True
            (asked if action.asked else broken)[row] = True
    gap = _gaps(bars, days, day)
    o, h, low, c = bars
    a = float(TRADING_DAYS_PER_YEAR)
    vols: dict[str, Floats] = {}
    for n in WINDOWS:
        found = (
            close_to_close(c, n, a, nights_out=nights_out),
            parkinson(h, low, n, a),
            garman_klass(o, h, low, c, n, a),
            yang_zhang(o, h, low, c, n, a, nights_out=nights_out),
        )
        for name, values in zip(ESTIMATORS, found, strict=True):
            vols[f"rv_{name}_{n}"] = values[:, -1]
    return Realised(vols, bars[3, :, -1], gap, broken, asked)


def _bars(
    symbols: NDArray[np.str_], prices: pd.DataFrame, day: date
) -> tuple[Floats, NDArray[np.datetime64]]:
    """Bars (4, underlyings, 61) of each symbol's own last sessions, and their days (NaT: none)."""
    width = max(WINDOWS) + 1
    bars = np.full((4, len(symbols), width), np.nan)
    days = np.full((len(symbols), width), np.datetime64("NaT"), dtype="datetime64[D]")
    when = prices["day"].to_numpy().astype("datetime64[D]")
    name = prices["symbol"].to_numpy().astype(str)
    row = np.minimum(np.searchsorted(symbols, name), max(len(symbols) - 1, 0))
    inside = when <= np.datetime64(day, "D")
    inside &= (symbols[row] == name) if len(symbols) else False
    rows = np.flatnonzero(inside)
    rows = rows[np.lexsort((when[rows], row[rows]))]
    at = row[rows]
    counts = np.bincount(at, minlength=len(symbols))
    ends = np.cumsum(counts)
    slot = width - (ends[at] - np.arange(len(rows)))
    last = np.full(len(symbols), np.datetime64("NaT"), dtype="datetime64[D]")
    last[at] = when[rows]
    use = (slot >= 0) & (last[at] == np.datetime64(day, "D"))
    days[at[use], slot[use]] = when[rows[use]]
    for i, column in enumerate(_PRICES):
        bars[i, at[use], slot[use]] = prices[column].to_numpy(dtype=float)[rows[use]]
    return bars, days


def _gaps(bars: Floats, days: NDArray[np.datetime64], day: date) -> Flags:
    """Symbols with a missing session among their own; clears bars before two missing in a row."""
    known = ~np.isnat(days)
    if not known.any():
        return np.zeros(len(days), dtype=bool)
    listed = np.array(known_days(days[known].min().item(), day), dtype="datetime64[D]")
    sessions = np.union1d(listed, days[known])  # a day beyond the calendar has its prices alone
    place = np.searchsorted(sessions, np.where(known, days, sessions[0]))
    lost = np.where(known[:, :-1], np.diff(place, axis=1) - 1, 0)
    for row, slot in zip(*np.nonzero(lost > 1), strict=True):
        bars[:, row, : slot + 1] = np.nan
    return np.asarray((lost > 0).any(axis=1))
