"""Proofs that smiles are free of arbitrage on the whole line, not on a grid (kernels).

A slice is an array of seven in the order of ``curves.Curves``. Its total variance is convex, so
on an interval it lies below its chord and above its tangents, and its slope between those of
the ends. Intervals are halved until bounds made of these decide; beyond the last ones the
wings do. The bounds hold up to rounding, for which ``LEAST_G`` leaves room.
"""

from __future__ import annotations

from math import sqrt

import numpy as np
from numpy.typing import NDArray

from strikeloom.quant.compiled import compiled

Floats = NDArray[np.float64]

#: Least value of Durrleman's function a slice is accepted with.
LEAST_G = 1e-4
_PIECES = 20000
_DEPTH = 200


@compiled
def variance_at(c: Floats, k: float) -> float:
    """Total variance of one slice."""
    x, y = c[3] - k, k - c[5]
    first, second = sqrt(x * x + c[4] * c[4]), sqrt(y * y + c[6] * c[6])
    down = first + x if x > 0 else c[4] * c[4] / (first - x)
    up = second + y if y > 0 else c[6] * c[6] / (second - y)
    return float(c[0] + 0.5 * (c[1] * down + c[2] * up))


@compiled
def slope_at(c: Floats, k: float) -> float:
    """First derivative of total variance."""
    x, y = c[3] - k, k - c[5]
    first, second = sqrt(x * x + c[4] * c[4]), sqrt(y * y + c[6] * c[6])
    down = first + x if x > 0 else c[4] * c[4] / (first - x)
    up = second + y if y > 0 else c[6] * c[6] / (second - y)
    return float(0.5 * (c[2] * up / second - c[1] * down / first))


@compiled
def bend_at(c: Floats, x: float, y: float) -> float:
    """Second derivative, by the distances from the two centres; falls with either."""
    first, second = sqrt(x * x + c[4] * c[4]), sqrt(y * y + c[6] * c[6])
    down, up = c[4] / first, c[6] / second
    return float(0.5 * (c[1] * down * down / first + c[2] * up * up / second))


@compiled
def durrleman_at(c: Floats, k: float, scale: float) -> float:
    """Durrleman's function of a slice in units of ``scale`` (1 for natural units)."""
    w, dw = variance_at(c, k), slope_at(c, k)
    lead = 1.0 - 0.5 * k * dw / w
    bend = bend_at(c, k - c[3], k - c[5])
    return float(lead * lead - 0.25 * dw * dw * (1.0 / w + 0.25 * scale * scale) + 0.5 * bend)


@compiled
def _bound(c: Floats, a: float, b: float) -> float:
    """No more than the least of Durrleman's function on [a, b]; -1 where w may not be positive."""
    middle, half = 0.5 * (a + b), 0.5 * (b - a)
    slope_low, slope_high = slope_at(c, a), slope_at(c, b)
    w = variance_at(c, middle)
    # a tangent is below the curve; where the slope keeps its sign, an end is the least
    low = w - abs(slope_at(c, middle)) * half
    ends = variance_at(c, a), variance_at(c, b)
    if slope_low >= 0:
        low = ends[0]
    elif slope_high <= 0:
        low = ends[1]
    if low <= 0:
        return -1.0
    high = max(ends[0], ends[1])
    products = (a * slope_low, a * slope_high, b * slope_low, b * slope_high)
    most, least = max(products), min(products)
    # 1 - k w' / 2w: only how near to zero it comes counts
    below = 1.0 - 0.5 * most / (low if most > 0 else high)
    above = 1.0 - 0.5 * least / (high if least > 0 else low)
    lead = max(below, 0.0, -above)
    steep = max(slope_low * slope_low, slope_high * slope_high)
    x = max(abs(a - c[3]), abs(b - c[3]))
    y = max(abs(a - c[5]), abs(b - c[5]))
    return float(lead * lead - 0.25 * steep * (1.0 / low + 0.25) + 0.5 * bend_at(c, x, y))


@compiled
def _wing_clear(c: Floats, side: int, reach: float) -> bool:
    """Whether Durrleman's function stays above its least beyond ``reach`` on one side.

    There w is above its asymptote gap + slope |k| and its slope at most ``slope``.
    """
    slope, centre = (c[2], c[5]) if side > 0 else (c[1], -c[3])
    k = side * reach
    if reach <= max(side * c[3], side * c[5]) or side * slope_at(c, k) < 0:
        return False
    w = variance_at(c, k)
    gap = c[0] - slope * centre
    if w <= 0 or gap + slope * reach <= 0:
        return False
    share = 1.0 if gap >= 0 else slope * reach / (gap + slope * reach)
    if share > 2.0:
        return False
    lead = 1.0 - 0.5 * share
    return bool(lead * lead - 0.25 * slope * slope * (1.0 / w + 0.25) > LEAST_G)


@compiled
def _span(c: Floats) -> float:
    return float(abs(c[3]) + c[4] + abs(c[5]) + c[6])


@compiled
def _is_shape(c: Floats) -> bool:
    """Whether the numbers are a slice at all, with wings below 2."""
    for value in c:
        if not abs(value) < np.inf:
            return False
    return bool(min(c[4], c[6]) > 0 and min(c[1], c[2]) >= 0 and max(c[1], c[2]) < 2)


@compiled
def _inside_clear(c: Floats, left: float, right: float) -> bool:
    """Whether Durrleman's function stays above its least between two places."""
    ends = np.empty(_DEPTH)
    ends[0], count, at = right, 1, left
    for _ in range(_PIECES):
        to = ends[count - 1]
        if _bound(c, at, to) > LEAST_G:
            at, count = to, count - 1
            if count == 0:
                return True
            continue
        middle = 0.5 * (at + to)
        low = count >= _DEPTH or variance_at(c, middle) <= 0
        if low or durrleman_at(c, middle, 1.0) <= LEAST_G:
            return False
        ends[count], count = middle, count + 1
    return False


@compiled
def no_butterfly(c: Floats) -> bool:
    """Whether w is positive and Durrleman's function above ``LEAST_G`` everywhere."""
    if not _is_shape(c):
        return False
    if c[1] == 0 and c[2] == 0:
        return bool(c[0] > 0)
    right = left = _span(c)
    for _ in range(100):
        if _wing_clear(c, 1, right):
            break
        right *= 2.0
    for _ in range(100):
        if _wing_clear(c, -1, left):
            break
        left *= 2.0
    clear = _wing_clear(c, 1, right) and _wing_clear(c, -1, left)
    return clear and _inside_clear(c, -left, right)


@compiled
def _tail_from(low: Floats, high: Floats, side: int, start: float) -> float:
    """Distance from zero beyond which ``high`` stays above ``low`` on one side; NaN if unproved.

    A wing lies above its asymptote by less than slope x width^2 / 4x at x, and the other wing
    dies out at that rate.
    """
    if side > 0:
        slope_low, slope_high, centre_low, centre_high = low[2], high[2], low[5], high[5]
    else:
        slope_low, slope_high, centre_low, centre_high = low[1], high[1], -low[3], -high[3]
    gap = (high[0] - slope_high * centre_high) - (low[0] - slope_low * centre_low)
    rise = slope_high - slope_low
    reach = start
    for _ in range(60):
        x, y = reach - side * low[3], reach - side * low[5]
        if x > 0 and y > 0:
            bend = 0.25 * (low[1] * low[4] ** 2 / x + low[2] * low[6] ** 2 / y)
            if gap + rise * reach - bend > 0:
                return reach
        reach *= 2.0
    return np.nan


@compiled
def no_crossing(low: Floats, high: Floats) -> bool:
    """Whether ``high`` is nowhere below ``low``; equal they may be.

    On an interval ``high`` is above its tangent and ``low`` below its chord; intervals are
    halved until the tangent clears the chord. Slices that bend at the same places compare
    number by number.
    """
    if high[1] < low[1] or high[2] < low[2]:
        return False
    alike = high[3] == low[3] and high[4] == low[4] and high[5] == low[5] and high[6] == low[6]
    if alike and high[0] >= low[0]:
        return True
    scale = _span(low) + _span(high)
    right = _tail_from(low, high, 1, scale)
    left = _tail_from(low, high, -1, scale)
    if not (right > 0 and left > 0):
        return False
    ends = np.empty(_DEPTH)
    ends[0], count, at = right, 1, -left
    for _ in range(_PIECES):
        to = ends[count - 1]
        middle, half = 0.5 * (at + to), 0.5 * (to - at)
        value, rise = variance_at(high, middle), slope_at(high, middle) * half
        clear = value - rise > variance_at(low, at) and value + rise > variance_at(low, to)
        if clear:
            at, count = to, count - 1
            if count == 0:
                return True
            continue
        if value <= variance_at(low, middle) or count >= _DEPTH:
            return False
        ends[count], count = middle, count + 1
    return False
