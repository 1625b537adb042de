"""Formulas of one option, for arrays and kernels alike: why it has no volatility, value, Greeks.

Straight-line code as in ``normal``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from strikeloom.quant.implied.deep_vol import ratios
from strikeloom.quant.implied.normal import PEAK, exponential, log_ratio, mills, select

#: Codes of ``solver.Reason``, and one more for a row that is left to ``deep_vol``.
AT_INTRINSIC, BELOW_INTRINSIC, ABOVE_BOUND, EXPIRED, MISSING, NO_VEGA = 2, 1, 3, 4, 5, 6
DEEP = -1
DAYS_PER_YEAR = 365.0

_SMALLEST = 2.2250738585072014e-308
# dividing by the discount factor and subtracting intrinsic value round this much
_ROUNDING = 4 * 2.220446049250313e-16


def time_value(
    price: Any, forward: Any, strike: Any, years: Any, is_call: Any, discount: Any
) -> tuple[Any, Any, Any]:
    """Reason (0 is none), undiscounted time value, and its distance to the upper bound."""
    value = price / discount
    intrinsic = select(is_call, forward - strike, strike - forward)
    intrinsic = select(intrinsic > 0.0, intrinsic, 0.0)
    bound = select(is_call, forward, strike)
    over, gap = value - intrinsic, bound - value
    slack = _ROUNDING * intrinsic
    at = (np.abs(over) <= slack) | (price == discount * intrinsic)
    reason = select(gap <= _ROUNDING * bound, NO_VEGA, 0)
    reason = select(at, AT_INTRINSIC, reason)
    reason = select((over < -slack) & ~at, BELOW_INTRINSIC, reason)
    reason = select((gap <= 0.0) | (price >= discount * bound), ABOVE_BOUND, reason)
    reason = select(years <= 0.0, EXPIRED, reason)
    # what is not finite is not itself minus itself
    lost = (price - price) + (forward - forward) + (strike - strike)
    lost = lost + (years - years) + (discount - discount)
    fine = (lost == 0.0) & (forward >= _SMALLEST) & (strike >= _SMALLEST)
    reason = select(fine & (discount >= _SMALLEST), reason, MISSING)
    return reason, over, gap


def usable(forward: Any, strike: Any, years: Any, vol: Any, discount: Any) -> Any:
    """Whether a row has a value at all."""
    lost = (vol - vol) + (forward - forward) + (strike - strike)
    lost = lost + (years - years) + (discount - discount)
    fine = (lost == 0.0) & (forward >= _SMALLEST) & (strike >= _SMALLEST)
    return fine & (discount >= _SMALLEST) & (vol >= 0.0)


def value(forward: Any, strike: Any, years: Any, vol: Any, is_call: Any, discount: Any) -> Any:
    """Discounted value; the out-of-the-money part has no cancellation."""
    intrinsic = select(is_call, forward - strike, strike - forward)
    intrinsic = select(intrinsic > 0.0, intrinsic, 0.0)
    s = vol * np.sqrt(select(years > 0.0, years, 0.0))
    live = s > 0.0
    low = select(forward < strike, forward, strike)
    x = np.abs(log_ratio(forward, strike))
    x = select(x < 1500.0, x, 0.0)  # what is not usable
    s = select(live & (s < 1e3), s, select(live, 1e3, 1.0))
    s = select(s > 1e-150, s, 1e-150)
    near, left = ratios(x, s)
    d1 = 0.5 * s - x / s
    square = d1 * d1
    density = PEAK * exponential(-0.5 * select(square < 1e4, square, 1e4))
    over = low * select(d1 > 1.0, 1.0 - density * left, density * near)
    over = select(live, over, 0.0)
    fine = usable(forward, strike, years, vol, discount)
    return select(fine, discount * (intrinsic + over), np.nan)


def sensitivities(
    forward: Any, strike: Any, years: Any, vol: Any, is_call: Any, discount: Any
) -> tuple[Any, Any, Any, Any, Any, Any]:
    """Delta, gamma, vega, theta, vanna and volga, as ``black76.Greeks``."""
    root = np.sqrt(select(years > 0.0, years, 0.0))
    s = vol * root
    live = s > 1e-150
    inverse = 1.0 / select(live, s, 1.0)
    x = log_ratio(forward, strike)
    t, half = x * inverse, 0.5 * s
    d1, d2 = t + half, t - half
    distance = np.abs(d1)
    capped = select(distance < 40.0, distance, 40.0)
    density = PEAK * exponential(-0.5 * capped * capped)
    density = select(distance < 40.0, density, 0.0)
    tail = density * mills(capped)
    inside = select((d1 > 0.0) == is_call, 1.0 - tail, tail)
    at_expiry = select(select(is_call, x > 0.0, x < 0.0), 1.0, 0.0)
    fine = usable(forward, strike, years, vol, discount)
    known = select(fine, discount, np.nan)
    delta = select(live, inside, at_expiry) * select(is_call, known, -known)
    # all others are multiples of it: zero where time or volatility is over, NaN where not fine
    weight = select(live, density, 0.0) * known
    level = weight * forward
    vega = level * root
    gamma = weight * inverse / forward
    theta = level * vol * (vol * inverse) * (-0.5 / DAYS_PER_YEAR)
    per_vol = root * inverse
    vanna = -weight * d2 * per_vol
    return delta, gamma, vega, theta, vanna, vega * d1 * d2 * per_vol
