"""European options on a forward (F. Black, "The pricing of commodity contracts", 1976).

All functions broadcast float64 arrays. A row with a non-positive forward or strike, or with a
NaN anywhere, is NaN. With no time or no volatility left the value is discounted intrinsic.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

Floats = NDArray[np.float64]

DAYS_PER_YEAR = 365.0


class Greeks(NamedTuple):
    """Sensitivities of one unit.

    ``delta`` and ``gamma`` are to the forward, ``vega`` to 1.00 of volatility, ``theta`` per
    calendar day at a constant forward and discount factor.
    """

    delta: Floats
    gamma: Floats
    vega: Floats
    theta: Floats


def _d(forward: Floats, strike: Floats, deviation: Floats) -> tuple[Floats, Floats]:
    with np.errstate(divide="ignore", invalid="ignore"):
        moneyness = np.log(forward / strike)
        d1 = moneyness / deviation + 0.5 * deviation
    return d1, d1 - deviation


def _arrays(*values: ArrayLike) -> list[Floats]:
    return list(np.broadcast_arrays(*(np.asarray(v, dtype=np.float64) for v in values)))


def price(
    forward: ArrayLike,
    strike: ArrayLike,
    years: ArrayLike,
    vol: ArrayLike,
    is_call: ArrayLike,
    discount: ArrayLike = 1.0,
) -> Floats:
    """Value of an option, in the units of the forward.

    Parameters
    ----------
    forward, strike : array_like
        Positive.
    years : array_like
        Time to expiry; 0 or less is expiry.
    vol : array_like
        Per square root of a year, as a fraction.
    is_call : array_like of bool
    discount : array_like, default 1
        Discount factor to expiry.

    Returns
    -------
    ndarray of float64, the broadcast shape
    """
    f, k, t, v, df = _arrays(forward, strike, years, vol, discount)
    sign = np.where(np.asarray(is_call, dtype=bool), 1.0, -1.0)
    deviation = v * np.sqrt(np.maximum(t, 0.0))
    live = deviation > 0
    d1, d2 = _d(f, k, np.where(live, deviation, 1.0))
    value = sign * (f * ndtr(sign * d1) - k * ndtr(sign * d2))
    intrinsic = np.maximum(sign * (f - k), 0.0)
    value = np.where(live, np.maximum(value, intrinsic), intrinsic)
    bad = ~((f > 0) & (k > 0)) | np.isnan(t) | np.isnan(v)
    return np.asarray(np.where(bad, np.nan, df * value), dtype=np.float64)


def greeks(
    forward: ArrayLike,
    strike: ArrayLike,
    years: ArrayLike,
    vol: ArrayLike,
    is_call: ArrayLike,
    discount: ArrayLike = 1.0,
) -> Greeks:
    """Delta, gamma, vega and theta of one unit; parameters as in ``price``.

    At expiry delta is 0 or the discount factor by moneyness and the others are 0.
    """
    f, k, t, v, df = _arrays(forward, strike, years, vol, discount)
    sign = np.where(np.asarray(is_call, dtype=bool), 1.0, -1.0)
    root = np.sqrt(np.maximum(t, 0.0))
    deviation = v * root
    live = deviation > 0
    d1, _ = _d(f, k, np.where(live, deviation, 1.0))
    density = np.exp(-0.5 * d1 * d1) / np.sqrt(2 * np.pi)
    with np.errstate(divide="ignore", invalid="ignore"):
        gamma = np.where(live, df * density / (f * deviation), 0.0)
        theta = np.where(live, -df * f * density * v / (2 * root) / DAYS_PER_YEAR, 0.0)
    vega = np.where(live, df * f * density * root, 0.0)
    at_expiry = np.where(sign * (f - k) > 0, 1.0, 0.0)
    delta = sign * df * np.where(live, ndtr(sign * d1), at_expiry)
    bad = ~((f > 0) & (k > 0)) | np.isnan(t) | np.isnan(v)
    return Greeks(*(np.where(bad, np.nan, g) for g in (delta, gamma, vega, theta)))
