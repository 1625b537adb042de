"""Probability of profit and expected value at expiry under a lognormal forward, closed form."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from strikeloom.quant.black76 import price
from strikeloom.quant.payoff import Legs, Payoffs

Floats = NDArray[np.float64]


def probability_below(level: Floats, forward: Floats, deviation: Floats) -> Floats:
    """Probability that a lognormal of mean ``forward`` ends below ``level``.

    ``deviation`` is vol x sqrt(years), positive. A level of 0 gives 0, ``inf`` gives 1.
    """
    with np.errstate(divide="ignore"):
        z = np.log(level / forward) / deviation + 0.5 * deviation
    return np.asarray(ndtr(z))


def probability_of_profit(shape: Payoffs, forward: Floats, deviation: Floats) -> Floats:
    """Probability that the payoff ends above zero.

    Parameters
    ----------
    shape : Payoffs
        Of n structures.
    forward, deviation : ndarray, shape (n,)

    Returns
    -------
    ndarray, shape (n,)
    """
    roots = shape.breakevens
    ends = np.where(np.isnan(roots), np.inf, roots)
    edges = np.concatenate((np.zeros((len(ends), 1)), ends), axis=1)
    below = probability_below(edges, forward[:, None], deviation[:, None])
    below = np.concatenate((below, np.ones((len(ends), 1))), axis=1)
    upper = np.concatenate((ends, np.full((len(ends), 1), np.inf)), axis=1)
    # the payoff keeps its sign between breakevens: look at it inside each zone
    inside = np.where(np.isinf(upper), edges + 1.0 + shape.points[:, -1:], 0.5 * (edges + upper))
    inside = np.where(np.isinf(edges), 0.0, inside)
    profit = _interpolate(shape, inside)
    mass = np.diff(below, axis=1)
    return np.asarray(np.where(profit > 0, mass, 0.0).sum(axis=1))


def _interpolate(shape: Payoffs, spots: Floats) -> Floats:
    """Profit at spots, shape (n, m), along the straight lines of the payoff."""
    place = (spots[:, :, None] >= shape.points[:, None, :]).sum(axis=2) - 1
    place = np.clip(place, 0, shape.points.shape[1] - 1)
    after = np.clip(place + 1, 0, shape.points.shape[1] - 1)
    left = np.take_along_axis(shape.points, place, axis=1)
    right = np.take_along_axis(shape.points, after, axis=1)
    at_left = np.take_along_axis(shape.values, place, axis=1)
    at_right = np.take_along_axis(shape.values, after, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = np.where(right > left, (at_right - at_left) / (right - left), shape.tail[:, None])
    return np.asarray(at_left + slope * (spots - left))


def expected_value(legs: Legs, forward: Floats, deviation: Floats) -> Floats:
    """Mean payoff at expiry, premium included.

    The mean of each leg is its undiscounted Black-76 value.
    """
    worth = price(forward[:, None], legs.strikes, 1.0, deviation[:, None], legs.is_call)
    return np.asarray((legs.units * worth).sum(axis=1) + legs.cash)
