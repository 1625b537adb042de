"""Exact payoff at expiry of option structures, from their kinks; many structures at once.

A payoff is linear between strikes, so its extremes lie at zero, at a strike or at infinity,
and its breakevens are roots of straight lines. No grid.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


class Payoffs(NamedTuple):
    """One row a structure.

    Attributes
    ----------
    points : ndarray, shape (n, legs + 1)
        Zero and the strikes, ascending.
    values : ndarray, shape (n, legs + 1)
        Profit and loss at the points, premium included.
    tail : ndarray, shape (n,)
        Slope beyond the last strike.
    max_profit, max_loss : ndarray, shape (n,)
        ``inf`` when unlimited; a loss is positive (0 when the structure cannot lose).
    breakevens : ndarray, shape (n, legs + 1)
        Ascending roots, NaN where there is none.
    """

    points: Floats
    values: Floats
    tail: Floats
    max_profit: Floats
    max_loss: Floats
    breakevens: Floats


def payoffs(strikes: Floats, is_call: Bools, units: Floats, cash: Floats) -> Payoffs:
    """Payoff at expiry of n structures of up to L legs.

    Parameters
    ----------
    strikes : ndarray, shape (n, L)
        Positive; rows with fewer legs repeat any strike with 0 units.
    is_call : ndarray of bool, shape (n, L)
    units : ndarray, shape (n, L)
        Positive bought, negative sold.
    cash : ndarray, shape (n,)
        Premium received (+) or paid (-) in all.
    """
    count = len(strikes)
    points = np.concatenate((np.zeros((count, 1)), np.sort(strikes, axis=1)), axis=1)
    values = profit_at(points, strikes, is_call, units, cash)
    tail = np.where(is_call, units, 0.0).sum(axis=1)
    best, worst = values.max(axis=1), values.min(axis=1)
    max_profit = np.where(tail > 0, np.inf, best)
    max_loss = np.where(tail < 0, np.inf, np.maximum(0.0, -worst))
    return Payoffs(points, values, tail, max_profit, max_loss, _roots(points, values, tail))


def profit_at(
    spots: Floats, strikes: Floats, is_call: Bools, units: Floats, cash: Floats
) -> Floats:
    """Profit at expiry for each spot; shapes (n, m) for (n, L) legs."""
    sign = np.where(is_call, 1.0, -1.0)[:, None, :]
    gain = np.maximum(sign * (spots[:, :, None] - strikes[:, None, :]), 0.0)
    return np.asarray((gain * units[:, None, :]).sum(axis=2) + cash[:, None])


def _roots(points: Floats, values: Floats, tail: Floats) -> Floats:
    """Where the line through neighbouring points, or the tail, crosses zero."""
    left, right = points[:, :-1], points[:, 1:]
    at_left, at_right = values[:, :-1], values[:, 1:]
    with np.errstate(divide="ignore", invalid="ignore"):
        crossing = left - at_left * (right - left) / (at_right - at_left)
        beyond = points[:, -1] - values[:, -1] / tail
    # a root on a strike belongs to the segment that ends there, so it is counted once
    inner = np.where(
        (at_left * at_right < 0) | ((at_right == 0) & (at_left != 0)), crossing, np.nan
    )
    outer = np.where(values[:, -1] * tail < 0, beyond, np.nan)
    return np.sort(np.concatenate((inner, outer[:, None]), axis=1), axis=1)
