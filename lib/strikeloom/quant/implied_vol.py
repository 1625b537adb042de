"""Implied volatility of Black-76 prices, with a reason for every row that has none.

Solved on the out-of-the-money side (parity removes intrinsic value exactly) by Newton steps on
the logarithm of the price inside a shrinking bracket, so that a step never leaves it.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import log_ndtr

Floats = NDArray[np.float64]

_LOWEST, _HIGHEST = 1e-7, 40.0  # vol x sqrt(years); beyond, price equals a bound to the last digit
_STEPS = 100


class Reason(IntEnum):
    """Why a row has no volatility; ``OK`` when it has."""

    OK = 0
    BELOW_INTRINSIC = 1
    AT_INTRINSIC = 2
    ABOVE_BOUND = 3
    EXPIRED = 4
    MISSING = 5
    NO_VEGA = 6

    @property
    def text(self) -> str:
        """For people."""
        return self.name.lower().replace("_", " ")


def implied_vol(
    price: ArrayLike,
    forward: ArrayLike,
    strike: ArrayLike,
    years: ArrayLike,
    is_call: ArrayLike,
    discount: ArrayLike = 1.0,
) -> tuple[Floats, NDArray[np.int8]]:
    """Volatility at which Black-76 gives the price.

    Parameters
    ----------
    price, forward, strike, years, discount : array_like
        Broadcast together; price, forward and strike in the same unit.
    is_call : array_like of bool

    Returns
    -------
    vol : ndarray of float64
        Per square root of a year, NaN where there is none.
    reason : ndarray of int8
        ``Reason`` of each row. Bad rows never raise.
    """
    p, f, k, t, df = np.broadcast_arrays(
        *(np.asarray(v, dtype=np.float64) for v in (price, forward, strike, years, discount))
    )
    call = np.broadcast_to(np.asarray(is_call, dtype=bool), p.shape)
    reason = np.zeros(p.shape, dtype=np.int8)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        value = p / df
        sign = np.where(call, 1.0, -1.0)
        intrinsic = np.maximum(sign * (f - k), 0.0)
        upper = np.where(call, f, k)
        over = value - intrinsic
        finite = np.isfinite(value) & np.isfinite(f) & np.isfinite(k) & np.isfinite(t)
        finite &= (f > 0) & (k > 0) & (df > 0)
        reason[over < 0] = Reason.BELOW_INTRINSIC
        reason[over == 0] = Reason.AT_INTRINSIC
        reason[value >= upper] = Reason.ABOVE_BOUND
        reason[t <= 0] = Reason.EXPIRED
        reason[~finite] = Reason.MISSING
    vol = np.full(p.shape, np.nan)
    rows = reason == Reason.OK
    if rows.any():
        deviation, solved = _solve(over[rows], f[rows], k[rows])
        vol[rows] = np.where(solved, deviation / np.sqrt(t[rows]), np.nan)
        reason[rows] = np.where(solved, Reason.OK, Reason.NO_VEGA)
    return vol, reason


def _log_otm(x: Floats, s: Floats) -> Floats:
    """Logarithm of the out-of-the-money price over sqrt(F K), for x = -|ln(F/K)|."""
    log_first = x / 2 + log_ndtr(x / s + s / 2)
    log_second = -x / 2 + log_ndtr(x / s - s / 2)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(log_first + np.log1p(-np.exp(log_second - log_first)))


def _solve(over: Floats, f: Floats, k: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Total deviation vol x sqrt(years) of out-of-the-money prices."""
    x = -np.abs(np.log(f / k))
    target = np.log(over) - 0.5 * (np.log(f) + np.log(k))
    low = np.full(x.shape, _LOWEST)
    high = np.full(x.shape, _HIGHEST)
    s = np.maximum(np.sqrt(2 * np.abs(x)), 0.1)  # where the price has its inflection
    at_money = np.exp(target) * np.sqrt(2 * np.pi)
    s = np.where(x > -1e-3, np.clip(at_money, 1e-4, 5.0), s)
    done = np.zeros(x.shape, dtype=bool)
    for _ in range(_STEPS):
        value = _log_otm(x, s)
        gap = value - target
        too_high = ~(gap <= 0)  # NaN (underflow) is handled by the low side below
        too_high &= ~np.isnan(value)
        high = np.where(too_high, s, high)
        low = np.where(too_high, low, s)
        d1 = x / s + s / 2
        with np.errstate(over="ignore", invalid="ignore"):
            slope = np.exp(x / 2 - 0.5 * d1 * d1 - value) / np.sqrt(2 * np.pi)
            step = s - gap / slope
        inside = (step > low) & (step < high) & np.isfinite(step)
        following = np.where(inside, step, 0.5 * (low + high))
        done = np.abs(following - s) <= 4e-16 * s
        s = following
        if bool(np.all(done | (high - low <= 4e-16 * high))):
            break
    gap = np.abs(_log_otm(x, s) - target)
    return s, np.asarray(gap <= 1e-6 * np.maximum(1.0, np.abs(target)))
