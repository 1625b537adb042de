"""Volatility of every other price: deep wings, huge variance, strikes far from the forward.

Newton-like steps of order four on the logarithm of the value, or of its distance to the upper
bound where the value is more than half of it. Both are concave in the volatility; a bracket
catches the steps that leave it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from strikeloom.quant.implied.near_vol import MOST_REACH, MOST_S, MOST_X, first_guess
from strikeloom.quant.implied.normal import SQRT_2PI, log_ratio, mills, select, value_over_vega

_LOG_SQRT_2PI = 0.9189385332046727
_ROUNDS = 80
_LAST_STEP = 1e-5


def all_true(condition: Any) -> Any:
    """Whether every row is true."""
    return np.all(condition)


def ratios(x: Any, s: Any) -> tuple[Any, Any]:
    """Value, and distance to the upper bound, over (dvalue/ds): out of the money.

    Parameters
    ----------
    x, s : float or ndarray
        |ln(F / K)| and vol x sqrt(years), both positive.
    """
    t, half = x / s, 0.5 * s
    d1 = half - t
    here, beyond = mills(np.abs(d1)), mills(half + t)
    square = d1 * d1
    # exp is needed on one side of each only; capped where neither is asked for
    whole = SQRT_2PI * np.exp(0.5 * select(square < 1400.0, square, 1400.0))
    value = select(d1 > 0.0, whole - here, here) - beyond
    left = select(d1 > 0.0, here, whole - here) + beyond
    even = value_over_vega(1.0 - t * mills(t), x, s) * s * np.exp(0.125 * s * s)
    return select((x < MOST_X) & (s < MOST_S), even, value), left


def start(x: Any, over: Any, low: Any, high: Any, log_value: Any, log_left: Any) -> Any:
    """First guess: the normal model near the money, else the tail, else the upper bound."""
    near = first_guess(x, over, low, high)
    t = np.sqrt(-2.0 * log_value)
    squared = 2.0 * np.log((x / t) * (1.0 - t * mills(t)) / SQRT_2PI) - 2.0 * log_value
    tail = x / np.sqrt(select(squared > 1.0, squared, 1.0))
    s = select((x < MOST_X) & (high - low < over * MOST_REACH) & (near < 1.5), near, tail)
    z = np.sqrt(2.0 * (0.6931471805599453 - log_left))
    return select(log_left < log_value, z + np.sqrt(z * z + 2.0 * x), s)


def log_of_ratio(a: Any, b: Any) -> Any:
    """ln(a / b), also where the quotient leaves the range of normal numbers."""
    quotient = a / b
    return select(quotient > 1e-300, np.log(quotient), np.log(a) - np.log(b))


def deep_vol(over: Any, gap: Any, low: Any, high: Any) -> tuple[Any, Any]:
    """Total volatility of out-of-the-money values, and whether it was found.

    Parameters
    ----------
    over, gap : float or ndarray
        Undiscounted time value and its distance to the upper bound, positive.
    low, high : float or ndarray
        The smaller and the larger of forward and strike.

    Returns
    -------
    s : float or ndarray
        vol x sqrt(years).
    done : bool or ndarray
    """
    x = log_ratio(high, low)
    log_value, log_left = log_of_ratio(over, low), log_of_ratio(gap, low)
    upper = log_left < log_value
    target = select(upper, log_left, log_value)
    most = 20.0 + 2.0 * np.sqrt(2.0 * x)
    least = 0.0 * x
    s = start(x, over, low, high, log_value, log_left)
    s = select((s > 0.0) & (s < most), s, 1.0)
    done = x < 0.0
    for _ in range(_ROUNDS):
        value, left = ratios(x, s)
        ratio = select(upper, left, value)
        t, half = x / s, 0.5 * s
        f = np.log(ratio) - 0.5 * (half - t) * (half - t) - _LOG_SQRT_2PI - target
        p = select(upper, -s, s) / ratio
        a = (t - half) * (t + half)
        newton = -f / p
        h2 = a - p
        h3 = a * a - 3.0 * t * t - half * half - 3.0 * a * p + 2.0 * p * p
        step = newton * (1.0 + 0.5 * h2 * newton) / (1.0 + newton * (h2 + h3 * newton / 6.0))
        trial = s + s * step
        too_high = (f > 0.0) != upper
        most, least = select(too_high, s, most), select(too_high, least, s)
        inside = (trial >= least) & (trial <= most)
        middle = select(least > 0.0, np.sqrt(least) * np.sqrt(most), 0.01 * most)
        s = select(done, s, select(inside, trial, middle))
        done = done | (inside & (np.abs(step) < _LAST_STEP))
        if all_true(done):
            break
    return s, done
