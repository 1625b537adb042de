"""Odds of one structure after another, compiled: the closed forms of ``at_expiry``, scalar.

Imported by ``odds`` alone, when the batch is large enough.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from strikeloom.quant.compiled import compiled
from strikeloom.quant.payoff import Legs

Floats = NDArray[np.float64]

_ROOT_HALF = math.sqrt(0.5)
_ROOT_TWO_PI = math.sqrt(2 * math.pi)
_ROUNDING = 1e-12


@compiled
def normal_below(x: float) -> float:
    """Distribution function of the normal distribution."""
    return 0.5 * math.erfc(-x * _ROOT_HALF)


@compiled
def _wing(x: float, width: float) -> tuple[float, float]:
    root = math.sqrt(x * x + width * width)
    value = root + x if x > 0 else width * width / (root - x)
    return value, value / root


@compiled
def variance_at(c: Floats, k: float) -> tuple[float, float]:
    """Total variance and its slope, as ``smile.curves.total_variance``."""
    w, dw = c[0], 0.0
    if c[1] > 0:
        down, slope = _wing(c[3] - k, c[4])
        w += 0.5 * c[1] * down
        dw -= 0.5 * c[1] * slope
    if c[2] > 0:
        up, slope = _wing(k - c[5], c[6])
        w += 0.5 * c[2] * up
        dw += 0.5 * c[2] * slope
    return w, dw


@compiled
def _below(c: Floats, log_forward: float, level: float) -> float:
    """Probability of ending below a level, as ``smile.density.cdf``."""
    if level <= 0:
        return 0.0
    if level == math.inf:
        return 1.0
    k = math.log(level) - log_forward
    w, dw = variance_at(c, k)
    s = math.sqrt(w)
    d = k / s + 0.5 * s
    found = normal_below(d)
    if dw != 0:
        found += math.exp(-0.5 * d * d) / _ROOT_TWO_PI * 0.5 * dw / s
    return min(1.0, max(0.0, found))


@compiled
def _option_value(
    c: Floats, forward: float, log_forward: float, strike: float, is_call: bool
) -> float:
    """Undiscounted value of an option: the out-of-the-money side and intrinsic value."""
    if strike <= 0:
        return forward if is_call else 0.0
    k = math.log(strike) - log_forward
    w, _ = variance_at(c, k)
    s = math.sqrt(w)
    sign = 1.0 if k >= 0 else -1.0
    d = sign * (-k / s + 0.5 * s)
    value = sign * (forward * normal_below(d) - strike * normal_below(d - sign * s))
    value = max(value, 0.0)
    return value if (k >= 0) == is_call else value + abs(forward - strike)


@compiled
def _sorted_strikes(strikes: Floats, order: NDArray[np.int64]) -> float:
    """Fill ``order`` with the places of the strikes, ascending; the highest strike."""
    for j in range(len(strikes)):
        at = j
        while at > 0 and strikes[order[at - 1]] > strikes[j]:
            order[at] = order[at - 1]
            at -= 1
        order[at] = j
    return float(strikes[order[len(strikes) - 1]])


@compiled
def _start(legs: Legs, i: int) -> tuple[float, float]:
    """Value and slope of the payoff at a price of zero."""
    value, slope = legs.cash[i], 0.0
    for j in range(legs.strikes.shape[1]):
        if not legs.is_call[i, j]:
            value += legs.units[i, j] * legs.strikes[i, j]
            slope -= legs.units[i, j]
    return value, slope


@compiled
def _walk(
    legs: Legs, i: int, order: NDArray[np.int64], noise: float, c: Floats, log_forward: float
) -> tuple[float, float, float, float]:
    """Along the kinks: probability of profit, most, least, slope beyond the last strike."""
    value, slope = _start(legs, i)
    value = 0.0 if abs(value) <= noise else value
    chance, opened, point, most, least = 0.0, -1.0, 0.0, value, value
    width = len(order)
    for j in range(width + 1):
        if j < width:
            strike = legs.strikes[i, order[j]]
            after = value + slope * (strike - point)
            after = 0.0 if abs(after) <= noise else after
        else:
            strike, after = math.inf, slope * math.inf if slope != 0 else value
        if strike > point:
            gains = value > 0 or after > 0
            root = point if value == 0 or slope == 0 else point - value / slope
            if gains and opened < 0:
                opened = _below(c, log_forward, point if value > 0 else root)
            if opened >= 0 and not (gains and after > 0):
                end = point if not gains else strike if after == 0 else root
                chance += _below(c, log_forward, end) - opened
                opened = -1.0
        if j < width:
            slope += legs.units[i, order[j]]
            point, value = strike, after
            most, least = max(most, value), min(least, value)
    if opened >= 0:
        chance += 1.0 - opened
    return chance, most, least, slope


@compiled
def odds_rows(
    first: int,
    last: int,
    legs: Legs,
    row: NDArray[np.int64],
    forwards: Floats,
    curves: Floats,
    out: Floats,
) -> None:
    """Fill ``out[first:last]``: probability of profit, mean, most, least, slope at the end.

    ``curves`` has one row of seven numbers a law, ``row`` names the law of each structure.
    """
    width = legs.strikes.shape[1]
    order = np.empty(width, dtype=np.int64)
    for i in range(first, last):
        c, forward = curves[row[i]], forwards[row[i]]
        out[i, 0] = out[i, 1] = math.nan
        log_forward = math.log(forward) if forward > 0 else math.nan
        highest = _sorted_strikes(legs.strikes[i], order)
        mean, size = legs.cash[i], abs(legs.cash[i])
        for j in range(width):
            u = legs.units[i, j]
            size += abs(u) * highest
            mean += u * _option_value(
                c, forward, log_forward, legs.strikes[i, j], legs.is_call[i, j]
            )
        chance, out[i, 2], out[i, 3], out[i, 4] = _walk(
            legs, i, order, _ROUNDING * size, c, log_forward
        )
        if not math.isnan(mean + c[0] + log_forward):
            out[i, 0], out[i, 1] = chance, mean
