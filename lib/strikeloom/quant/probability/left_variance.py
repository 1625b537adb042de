"""Level of a later smile at a horizon: the one at which waiting for it earns nothing.

The smile of a later expiry keeps its shape until the horizon (``curves.shrink``). Its level there
is set for each strike: the variance left is scaled so that the mean of the option's worth, under
the density of the horizon's smile, is its price today. Without it the smile's own curvature is
counted twice, and every calendar earns some percent of its premium in a world priced by its smiles.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from strikeloom.quant.probability.at_expiry import Law
from strikeloom.quant.smile.curves import Curves, shrink, total_variance
from strikeloom.quant.smile.density import call, put

Floats = NDArray[np.float64]

_STEPS = 60
_ENOUGH = 1e-9  # of the forward: how near a mean must come to the price today
_LEAST = 1e-6  # a scale that leaves intrinsic value
_ROOT_TWO_PI = np.sqrt(2 * np.pi)


def left_scale(
    law: Law, prices: Floats, curves: Curves, share: Floats, carry: Floats, strike: Floats
) -> Floats:
    """Factor of the variance left of n later options at their horizon.

    Parameters
    ----------
    law : Law
        At the horizon, shape (n,).
    prices : ndarray, shape (n, m)
        Ascending and positive, far to both sides; between them worth is taken as straight.
    curves : Curves
        Smile of the later expiry today, shape (n,).
    share : ndarray, shape (n,)
        Time left at the horizon over time today.
    carry : ndarray, shape (n,)
        Forward of the later expiry over that of the horizon.
    strike : ndarray, shape (n,)

    Returns
    -------
    ndarray, shape (n,)
        1 where both smiles agree; nearly 0 where even no variance would be too dear, because the
        near smile lies above the later one; NaN where a smile is refused.
    """
    forward = carry * law.forward
    k = np.log(strike / forward)
    is_call = k >= 0
    today = forward * np.where(is_call, call(curves, k), put(curves, k))
    weights, beyond = _weights(law, prices)
    # value at a price of 0, and the slope beyond the last price
    fixed = np.where(is_call, beyond * carry, weights[:, 0] * strike)
    forwards = carry[:, None] * prices
    live = Curves(*(field[:, None] for field in shrink(curves, share)))
    moneyness = np.log(strike[:, None] / forwards)
    left = total_variance(live, moneyness).w
    scale = np.ones(len(strike))
    low, high = np.zeros(len(strike)), np.full(len(strike), np.inf)
    for _ in range(_STEPS):
        value, rise = _worth(forwards, moneyness, scale[:, None] * left, is_call[:, None])
        gap = today - fixed - (weights[:, 1:] * value).sum(axis=1)
        slope = (weights[:, 1:] * rise).sum(axis=1) / scale
        going = (np.abs(gap) > _ENOUGH * forward) & (high > _LEAST)
        if not going.any():
            break
        low, high = np.where(gap > 0, scale, low), np.where(gap < 0, scale, high)
        with np.errstate(divide="ignore", invalid="ignore"):
            step = scale + gap / slope
        halved = np.where(np.isinf(high), 2 * scale, 0.5 * (low + high))
        step = np.where((step > low) & (step < high), step, halved)
        scale = np.where(going, step, scale)
    return np.where(np.isnan(gap), np.nan, np.maximum(scale, _LEAST))


def _weights(law: Law, prices: Floats) -> tuple[Floats, Floats]:
    """Weights, shape (n, m + 1), of values at 0 and at prices in the mean of straight lines.

    The second is the mean of the price beyond the last one, by which a slope there counts.
    """
    column = law.pick(np.arange(len(prices))[:, None])
    k = np.log(prices / column.forward)
    zero, one = np.zeros((len(prices), 1)), np.ones((len(prices), 1))
    mass = np.diff(np.concatenate((zero, column.cdf(k), one), axis=1), axis=1)
    part = np.concatenate((zero, column.mean_below(k), one), axis=1) * column.forward
    points = np.concatenate((zero, prices), axis=1)
    beyond = np.diff(part, axis=1) - points * mass
    slope = beyond[:, :-1] / np.diff(points, axis=1)
    weights = mass
    weights[:, :-1] -= slope
    weights[:, 1:] += slope
    return weights, beyond[:, -1]


def _worth(
    forward: Floats, k: Floats, w: Floats, is_call: NDArray[np.bool_]
) -> tuple[Floats, Floats]:
    """Undiscounted value of one side, and its slope by the logarithm of the variance."""
    s = np.sqrt(w)
    sign = np.where(is_call, 1.0, -1.0)
    d = -k / s + 0.5 * s
    value = sign * forward * (ndtr(sign * d) - np.exp(k) * ndtr(sign * (d - s)))
    return value, forward * np.exp(-0.5 * d * d) / _ROOT_TWO_PI * 0.5 * s
