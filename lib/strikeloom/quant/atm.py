"""At-the-money volatility of many expiries at once, from the options around the forward."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class AtTheMoney(NamedTuple):
    """One row a group.

    Attributes
    ----------
    vol : ndarray, shape (groups,)
        NaN where the forward is not bracketed.
    below, above : ndarray of int64, shape (groups,)
        Strikes used on each side of the forward.
    """

    vol: Floats
    below: Ints
    above: Ints


def at_the_money(
    moneyness: Floats, vol: Floats, weight: Floats, group: Ints, groups: int, *, each_side: int
) -> AtTheMoney:
    """Weighted straight line through the nearest options, read at the forward.

    Parameters
    ----------
    moneyness : ndarray, shape (n,)
        ln(strike / forward) of out-of-the-money options, one row a strike.
    vol, weight : ndarray, shape (n,)
        Solved volatilities and positive weights.
    group : ndarray of int64, shape (n,)
        Expiry each row belongs to.
    each_side : int
        Nearest strikes used on each side; a strike at the forward counts on both.

    Returns
    -------
    AtTheMoney
        A group with strikes on one side only is NaN, unless its nearest is within 0.1 % of
        the forward: a line is interpolated, never extrapolated.
    """
    at = np.abs(moneyness) <= 0.001
    low = _nearest((moneyness < 0) | at, moneyness, group, each_side)
    high = _nearest((moneyness > 0) | at, moneyness, group, each_side)
    used = low | high
    below = np.bincount(group[low], minlength=groups).astype(np.int64)
    above = np.bincount(group[high], minlength=groups).astype(np.int64)
    k, v, w, g = moneyness[used], vol[used], weight[used], group[used]

    def total(values: Floats) -> Floats:
        return np.asarray(np.bincount(g, weights=values, minlength=groups))

    s0, s1, s2 = total(w), total(w * k), total(w * k * k)
    t0, t1 = total(w * v), total(w * k * v)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = s0 * s2 - s1 * s1
        line = (s2 * t0 - s1 * t1) / spread
        mean = t0 / s0
    flat = ~(spread > 1e-12 * s0 * s0)
    found = np.where(flat, mean, line)
    return AtTheMoney(np.where((below > 0) & (above > 0), found, np.nan), below, above)


def _nearest(
    side: NDArray[np.bool_], moneyness: Floats, group: Ints, count: int
) -> NDArray[np.bool_]:
    """Rows among the ``count`` nearest of their group on one side."""
    place = np.flatnonzero(side)
    order = place[np.lexsort((np.abs(moneyness[place]), group[place]))]
    g = group[order]
    starts = np.flatnonzero(np.concatenate(([True], g[1:] != g[:-1]))) if len(g) else g
    sizes = np.diff(np.concatenate((starts, [len(g)])))
    rank = np.arange(len(g)) - np.repeat(starts, sizes)
    chosen = np.zeros(len(side), dtype=bool)
    chosen[order[rank < count]] = True
    return chosen
