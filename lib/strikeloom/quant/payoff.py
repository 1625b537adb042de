"""Exact payoff at expiry of option structures, from their kinks; many structures at once.

A payoff is linear between strikes, so its extremes lie at zero, at a strike or at infinity,
and its breakevens are roots of straight lines. No grid.

The underlying itself (a share, a future) is a call struck at 0 whose price is in ``cash``.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_ROUNDING = 1e-12  # of the largest sum that enters a value: below it the value is zero


class Legs(NamedTuple):
    """n structures of up to L legs, in columns.

    Attributes
    ----------
    strikes : ndarray, shape (n, L)
        0 for the underlying, else positive. Rows with fewer legs repeat any of their strikes
        with 0 units.
    is_call : ndarray of bool, shape (n, L)
    units : ndarray, shape (n, L)
        Positive bought, negative sold.
    cash : ndarray, shape (n,)
        Premium received (+) or paid (-) in all.
    """

    strikes: Floats
    is_call: Bools
    units: Floats
    cash: Floats


class Payoffs(NamedTuple):
    """One row a structure; a row with a value that is not finite is NaN throughout.

    Attributes
    ----------
    points : ndarray, shape (n, L + 1)
        Zero and the strikes, ascending.
    values : ndarray, shape (n, L + 1)
        Profit and loss at the points, premium included; sums that cancel are exactly 0.
    tail : ndarray, shape (n,)
        Slope beyond the last strike; units that cancel give exactly 0.
    max_profit, max_loss : ndarray, shape (n,)
        ``inf`` when unlimited; a loss is positive (0 when the structure cannot lose).
    breakevens : ndarray, shape (n, L + 1)
        Where profit or loss begins or ends, ascending, NaN beyond the last; a stretch of
        exactly no profit gives both its ends, unless it begins at 0.
    """

    points: Floats
    values: Floats
    tail: Floats
    max_profit: Floats
    max_loss: Floats
    breakevens: Floats


def payoffs(legs: Legs) -> Payoffs:
    """Payoff at expiry of each structure; all its legs expire together."""
    count = len(legs.strikes)
    points = np.concatenate((np.zeros((count, 1)), np.sort(legs.strikes, axis=1)), axis=1)
    values = profit_at(points, legs)
    size = (np.abs(legs.units) * legs.strikes.max(axis=1, initial=0)[:, None]).sum(axis=1)
    noise = _ROUNDING * (size + np.abs(legs.cash))
    values = np.where(np.abs(values) <= noise[:, None], 0.0, values)
    tail = np.where(legs.is_call, legs.units, 0.0).sum(axis=1)
    tail = np.where(np.abs(tail) <= _ROUNDING * np.abs(legs.units).sum(axis=1), 0.0, tail)
    best, worst = values.max(axis=1), values.min(axis=1)
    max_profit = np.where(tail > 0, np.inf, best)
    max_loss = np.where(tail < 0, np.inf, np.maximum(0.0, -worst) + 0.0)  # + 0.0: no -0.0
    bad = np.isnan(values).any(axis=1) | np.isnan(tail)
    max_profit[bad] = max_loss[bad] = np.nan
    return Payoffs(points, values, tail, max_profit, max_loss, roots(points, values, tail))


def profit_at(spots: Floats, legs: Legs) -> Floats:
    """Profit at expiry for each spot; shape (n, m) of spots (n, m)."""
    total = np.broadcast_to(legs.cash[:, None], spots.shape).astype(np.float64)
    for leg in range(legs.strikes.shape[1]):
        sign = np.where(legs.is_call[:, leg], 1.0, -1.0)[:, None]
        gain = np.maximum(sign * (spots - legs.strikes[:, leg, None]), 0.0)
        total += legs.units[:, leg, None] * gain
    return total


def roots(points: Floats, values: Floats, tail: Floats) -> Floats:
    """Where the line through neighbouring points, or the tail, leaves or reaches zero.

    Shapes as in ``Payoffs``, which has the same roots as ``breakevens``.
    """
    left, right = points[:, :-1], points[:, 1:]
    at_left, at_right = values[:, :-1], values[:, 1:]
    with np.errstate(divide="ignore", invalid="ignore"):
        crossing = left - at_left * (right - left) / (at_right - at_left)
        beyond = points[:, -1] - values[:, -1] / tail
    inside = np.where(at_left * at_right < 0, crossing, np.nan)
    reached = np.where((at_right == 0) & (at_left != 0), right, np.nan)
    left_there = np.where((at_left == 0) & (at_right != 0) & (left > 0), left, np.nan)
    last = values[:, -1]
    outer = np.where(last * tail < 0, beyond, np.nan)
    outer = np.where((last == 0) & (tail != 0) & (points[:, -1] > 0), points[:, -1], outer)
    found = (inside, reached, left_there, outer[:, None])
    places = np.sort(np.concatenate(found, axis=1), axis=1)
    # a root on a strike is found from both sides: keep it once
    again = np.zeros(places.shape, dtype=bool)
    again[:, 1:] = places[:, 1:] == places[:, :-1]
    return np.sort(np.where(again, np.nan, places), axis=1)[:, : points.shape[1]]
