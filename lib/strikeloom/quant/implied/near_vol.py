"""Volatility of ordinary options in one straight line: first guess and one step.

The guess inverts the price of a normal model, which depends on |F - K| / price alone, and
turns that volatility into a lognormal one by their expansion in small variance (terms to the
eighth power of s = vol sqrt(years)). It is right to some 1e-5, so one step of order four on
the logarithm of the price finishes. Rows outside the domain are flagged and left to
``deep_vol``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from strikeloom.quant.implied.normal import (
    PEAK,
    log_ratio,
    mills_slope,
    natural_log,
    polynomial,
    value_over_vega,
)

# normal vol over (price + |F - K|), in 1 / sqrt(7 + ln(1 + |F - K| / price)): 4e-5 relative
# for |F - K| up to 9.2 normal deviations
_GUESS = (
    -1.0672741741005705, 45.82314098544288, -822.7437681689953, 8454.650890543979,
    -53373.19515101874, 212004.89270127486, -515220.68203279097, 696730.8445185288,
    -394809.3877745028,
)  # fmt: skip

# exp, to 4e-12 for half the variance of the domain
_EXP = (1.0, 1.0, 1 / 2, 1 / 6, 1 / 24, 1 / 120, 1 / 720)

#: Domain: |ln(F/K)|, vol sqrt(years), |ln(F/K)| / (vol sqrt(years)), last relative step.
MOST_X, MOST_S, MOST_T, MOST_STEP = 1.04, 0.8, 9.0, 6e-5
#: |F - K| / price that the guess reaches.
MOST_REACH = 1e22
#: Prices and levels whose products and reciprocals stay normal numbers.
TINIEST, LARGEST = 1e-140, 1e140


def first_guess(x: Any, over: Any, low: Any, high: Any) -> Any:
    """Total volatility, vol x sqrt(years), to some 1e-5 inside the domain of ``near_vol``."""
    square = x * x
    reach = over + (high - low)
    w = 1.0 / np.sqrt(7.0 + natural_log(reach / over))
    normal_vol = reach * polynomial(_GUESS, w)
    # sinh(x/2) / (x/2) turns sqrt(F K) into (F - K) / ln(F / K)
    shape = 1.0 + square * (1 / 24 + square * (1 / 1920 + square * (1 / 322560)))
    s = normal_vol / (np.sqrt(low * high) * shape)
    e = s * s
    c1 = 1 / 24 + square * (-1 / 2880 + square * (1 / 181440))
    c2 = 7 / 1920 + square * (-29 / 483840 + square * (137 / 116121600))
    c3 = 127 / 322560 + square * (-53 / 5529600)
    return s * (1.0 + e * (c1 + e * (c2 + e * (c3 + e * (4369 / 92897280)))))


def near_vol(over: Any, low: Any, high: Any) -> tuple[Any, Any]:
    """Total volatility of out-of-the-money values, and whether it holds.

    Parameters
    ----------
    over : float or ndarray
        Undiscounted time value, positive.
    low, high : float or ndarray
        The smaller and the larger of forward and strike.

    Returns
    -------
    s : float or ndarray
        vol x sqrt(years); meaningless where not ``ok``.
    ok : bool or ndarray
        The row lies in the domain and the step was small enough to be the last.
    """
    x = log_ratio(high, low)
    s = first_guess(x, over, low, high)
    inverse = 1.0 / over
    root = np.sqrt(low * high)
    t = x / s
    h = value_over_vega(mills_slope(t), x, s)
    t2, v = t * t, 0.25 * s * s
    gap = natural_log(s * h * root * inverse * PEAK) - 0.5 * t2
    half = 0.5 * v
    scale = polynomial(_EXP, half)
    q = h * scale
    p = 1.0 / q
    a = t2 - v
    newton = -gap * q
    h2 = a - p
    h3 = a * a - 3.0 * t2 - v - 3.0 * a * p + 2.0 * p * p
    step = newton * (1.0 + 0.5 * h2 * newton)
    step = step / (1.0 + newton * (h2 + h3 * newton * (1 / 6)))
    ok = (x < MOST_X) & (s < MOST_S) & (t < MOST_T) & (np.abs(step) < MOST_STEP)
    # beyond the guess's reach its polynomial may fall into the domain by chance
    ok = ok & (high - low < over * MOST_REACH)
    ok = ok & (over > TINIEST) & (low > TINIEST) & (high < LARGEST)
    return s + s * step, ok
