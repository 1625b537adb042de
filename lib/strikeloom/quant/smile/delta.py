"""Deltas on a smile: of a strike, and the strike of a delta; 25-delta measures.

The delta is Black's at the smile's own volatility, dV/dF with the volatility of the strike
held: N(d1) of a call, N(d1) - 1 of a put, times the discount factor where one is given (the
spot-premium convention of a discounted option); without one it is the forward delta of the
undiscounted option. A put's delta is negative.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri

from strikeloom.quant.falling_root import falling_root
from strikeloom.quant.smile.curves import Curves, total_variance, volatility

Floats = NDArray[np.float64]


class Wings(NamedTuple):
    """Annual volatilities of the two wings and at the money, and the smile measures from them.

    ``risk_reversal`` is call minus put, ``butterfly`` their mean minus at the money (strike at
    the forward).
    """

    put: Floats
    call: Floats
    at_money: Floats
    risk_reversal: Floats
    butterfly: Floats


def _d1(curves: Curves, k: Floats) -> Floats:
    deviation = np.sqrt(total_variance(curves, k).w)
    return np.asarray(-k / deviation + 0.5 * deviation)


def _d1_slope(curves: Curves, k: Floats) -> Floats:
    w, dw, _ = total_variance(curves, k)
    return np.asarray((-1.0 + 0.5 * k * dw / w + 0.25 * dw) / np.sqrt(w))


def strike_to_delta(
    curves: Curves, k: ArrayLike, is_call: ArrayLike, discount: ArrayLike = 1.0
) -> Floats:
    """Delta of the strike F e^k, broadcast; NaN for a refused slice.

    For analysts, and the inverse of ``delta_to_strike`` in its tests.
    """
    at = np.asarray(k, dtype=np.float64)
    d1 = _d1(curves, at)
    value = np.where(np.asarray(is_call, dtype=bool), ndtr(d1), -ndtr(-d1))
    return np.asarray(value * np.asarray(discount, dtype=np.float64))


def delta_to_strike(
    curves: Curves, delta: ArrayLike, is_call: ArrayLike, discount: ArrayLike = 1.0
) -> Floats:
    """Moneyness at which an option has the delta.

    In a slice without arbitrage d1 falls strictly with the strike, so there is exactly one.

    Parameters
    ----------
    delta : array_like
        In (0, discount) of a call, (-discount, 0) of a put; outside is NaN.
    is_call : array_like of bool
    discount : array_like, default 1
        Discount factor of a discounted delta; 1 for the forward delta.
    """
    wanted = np.asarray(delta, dtype=np.float64) / np.asarray(discount, dtype=np.float64)
    call = np.asarray(is_call, dtype=bool)
    wanted, call, level = np.broadcast_arrays(wanted, call, curves.level)
    size = np.where(call, wanted, -wanted)
    inside = (size > 0) & (size < 1)
    d1 = ndtri(np.where(inside, size, np.nan)) * np.where(call, 1.0, -1.0)
    deviation = np.sqrt(total_variance(curves, 0.0).w)
    start = np.broadcast_to((0.5 * deviation - d1) * deviation, level.shape)
    return falling_root(
        lambda at: _d1(curves, at) - d1, lambda at: _d1_slope(curves, at), start, deviation
    )


def wings(curves: Curves, years: ArrayLike, delta: float = 0.25) -> Wings:
    """Volatilities at a forward delta on both sides, at the money, and their combinations.

    Parameters
    ----------
    years : array_like
        Of each slice.
    delta : float, default 0.25
        Size of the undiscounted delta, in (0, 0.5).
    """
    put = volatility(curves, delta_to_strike(curves, -delta, False), years)
    call = volatility(curves, delta_to_strike(curves, delta, True), years)
    at_money = volatility(curves, 0.0, years)
    return Wings(put, call, at_money, call - put, 0.5 * (call + put) - at_money)
