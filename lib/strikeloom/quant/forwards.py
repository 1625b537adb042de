"""Forward prices from put-call parity, for many expiries in one pass.

C - P = D (F - K), so each strike with a traded call and put gives F = K + (C - P) / D. The
weighted median over strikes is robust to one bad quote; its error is taken from the median
absolute deviation.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Forwards(NamedTuple):
    """One row a group, shape (groups,). NaN and 0 used where a group has no strike."""

    forward: Floats
    std_error: Floats
    used: Ints


def weighted_median(values: Floats, weights: Floats, group: Ints, groups: int) -> Floats:
    """Weighted lower median of each group, NaN for an empty one.

    Parameters
    ----------
    values, weights : ndarray, shape (n,)
        Weights positive.
    group : ndarray of int64, shape (n,)
        Group of each row, 0 to ``groups`` - 1.
    """
    order = np.lexsort((values, group))
    v, w, g = values[order], weights[order], group[order]
    running = np.cumsum(w)
    totals = np.bincount(g, weights=w, minlength=groups)
    before = np.concatenate(([0.0], np.cumsum(totals)))[:-1]
    inside = running - before[g]
    reached = inside >= 0.5 * totals[g] * (1 - 1e-12)
    first = np.full(groups, -1, dtype=np.int64)
    place = np.flatnonzero(reached)
    # the last write wins, so go backwards to keep the first row that reaches half the weight
    first[g[place[::-1]]] = place[::-1]
    return np.where(first >= 0, v[first] if len(v) else np.nan, np.nan)


def parity_forwards(
    strike: Floats,
    call: Floats,
    put: Floats,
    discount: Floats,
    weight: Floats,
    group: Ints,
    groups: int,
) -> Forwards:
    """Forward of each group (an underlying's expiry) from its strikes.

    Parameters
    ----------
    strike, call, put, discount, weight : ndarray, shape (n,)
        One row a strike with both sides traded; ``weight`` by quality (lots, nearness).
    group : ndarray of int64, shape (n,)
    groups : int

    Returns
    -------
    Forwards
    """
    implied = strike + (call - put) / discount
    usable = np.isfinite(implied) & (weight > 0)
    implied, weight, group = implied[usable], weight[usable], group[usable]
    count = np.bincount(group, minlength=groups).astype(np.int64)
    forward = weighted_median(implied, weight, group, groups)
    spread = weighted_median(np.abs(implied - forward[group]), weight, group, groups)
    with np.errstate(divide="ignore", invalid="ignore"):
        error = 1.4826 * spread / np.sqrt(count)
    return Forwards(forward, error, count)


def carried_forward(spot: Floats, rate: float, years: Floats) -> Floats:
    """Spot carried at a continuously compounded rate; no dividends."""
    return np.asarray(spot * np.exp(rate * years))
