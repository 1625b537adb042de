"""Distribution of the price at expiry behind a smile: closed form, no grid.

Forward measure, undiscounted, in units of the forward: X = S / F at expiry and k = ln X. From
D. Breeden and R. Litzenberger, "Prices of state-contingent claims" (1978): the put's slope by
strike is the distribution function, its curvature the density. The slope of the smile enters,
so a digital here is not the lognormal one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import log_ndtr, ndtr, ndtri

from strikeloom.quant.falling_root import falling_root
from strikeloom.quant.smile.curves import Curves, durrleman, total_variance

Floats = NDArray[np.float64]

_ROOT_TWO_PI = float(np.sqrt(2 * np.pi))


def _normal(x: Floats) -> Floats:
    return np.asarray(np.exp(-0.5 * x * x) / _ROOT_TWO_PI)


def density(curves: Curves, k: ArrayLike) -> Floats:
    """Density of ln(S / F) at ``k``; 0 at infinity, NaN for a refused slice."""
    at = np.asarray(k, dtype=np.float64)
    deviation = np.sqrt(total_variance(curves, at).w)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        d2 = -at / deviation - 0.5 * deviation
        value = durrleman(curves, at) * _normal(d2) / deviation
    return np.asarray(np.where(np.isinf(at) & ~np.isnan(deviation), 0.0, value))


def cdf(curves: Curves, k: ArrayLike) -> Floats:
    """Probability that S ends at or below F e^k; 0 and 1 at minus and plus infinity."""
    return _weighted_below(curves, k, -0.5)


def mean_below(curves: Curves, k: ArrayLike) -> Floats:
    """Mean of S / F counted only where S ends at or below F e^k: 0 to 1, the whole mean.

    With ``cdf`` it makes the mean of any payoff of straight lines exact: on a zone where the
    payoff is c + d S the mean is c (cdf step) + d F (step of this).
    """
    return _weighted_below(curves, k, 0.5)


def _weighted_below(curves: Curves, k: ArrayLike, half: float) -> Floats:
    """N(-d) + n(d) times the slope of the deviation; d is d2 (half -0.5) or d1 (0.5)."""
    at = np.asarray(k, dtype=np.float64)
    w, dw, _ = total_variance(curves, at)
    deviation = np.sqrt(w)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        d = -at / deviation + half * deviation
        value = ndtr(-d) + _normal(d) * 0.5 * dw / deviation
    value = np.where(np.isinf(at) & ~np.isnan(w), np.where(at > 0, 1.0, 0.0), value)
    # NaN passes; a slice without arbitrage leaves [0, 1] by rounding only
    return np.asarray(np.clip(value, 0.0, 1.0))


def call(curves: Curves, k: ArrayLike) -> Floats:
    """Undiscounted call over the forward, struck at F e^k."""
    return _option(curves, k, is_call=True)


def put(curves: Curves, k: ArrayLike) -> Floats:
    """Undiscounted put over the forward, struck at F e^k; infinite at infinite ``k``."""
    return _option(curves, k, is_call=False)


def _option(curves: Curves, k: ArrayLike, *, is_call: bool) -> Floats:
    """The out-of-the-money side, plus intrinsic value for the other."""
    at = np.asarray(k, dtype=np.float64)
    deviation = np.sqrt(total_variance(curves, at).w)
    sign = np.where(at >= 0, 1.0, -1.0)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        d1 = -at / deviation + 0.5 * deviation
        first, second = log_ndtr(sign * d1), at + log_ndtr(sign * (d1 - deviation))
        outside = sign * (np.exp(first) - np.exp(second))
        inner = np.abs(np.expm1(at))
    outside = np.where(np.isinf(at) & ~np.isnan(deviation), 0.0, np.maximum(outside, 0.0))
    outside = np.where(np.isnan(deviation) | np.isnan(at), np.nan, outside)
    return np.asarray(outside + np.where((sign > 0) == is_call, 0.0, inner))


def quantile(curves: Curves, probability: ArrayLike) -> Floats:
    """Moneyness below which the price ends with a probability; inverse of ``cdf``.

    0 and 1 give minus and plus infinity; outside [0, 1], missing or refused is NaN.
    """
    p, level = np.broadcast_arrays(np.asarray(probability, dtype=np.float64), curves.level)
    inside = (p > 0) & (p < 1) & ~np.isnan(level)
    target = np.where(inside, p, 0.5)
    deviation = np.sqrt(total_variance(curves, 0.0).w)
    start = np.where(inside, deviation * ndtri(target), 0.0)
    k = falling_root(
        lambda at: target - cdf(curves, at), lambda at: -density(curves, at), start, deviation
    )
    ends = np.where(p == 0, -np.inf, np.where(p == 1, np.inf, np.nan))
    return np.where(inside, k, np.where(np.isnan(level), np.nan, ends))
