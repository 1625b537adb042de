"""Profit as a curve over the grid of a horizon: extremes, roots, mean of the worst, compiled.

Between nodes the near legs are straight lines and the later ones a cubic through values and
slopes; the mean of the worst outcomes takes lines that keep each cell's mean.

``grid``, shape (GRID_ROWS, k), is a row of ``later.Grids.grid``, ``last`` its last node in use.
``curve``, shape (CURVE_ROWS, k), is scratch of a thread: profit with the premium in, the part of
it that later options make, slopes of the lines that keep the means, and sums of profit counted
below each node under both densities.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from strikeloom.quant.candidates.densities import TAILS
from strikeloom.quant.candidates.density_kernel import cell_of, cell_values
from strikeloom.quant.candidates.later import BELOW, BEYOND, LEAN, LIFT, NODE, PACE, PUT
from strikeloom.quant.compiled import compiled

Floats = NDArray[np.float64]

VALUE, SMOOTH, SLOPE, SUM, CURVE_ROWS = 0, 1, 2, 3, 5

_STEPS = 40
_NEAR = 1e-7  # of the range of profit: error of the tail mean


@compiled
def _bends(grid: Floats, curve: Floats, last: int, k: int) -> tuple[float, float, float]:
    """Step of cell ``k``, and how far the cubic's slopes at its ends are from its line's.

    The first cell, from zero to the first node, is a line.
    """
    h = grid[NODE, k + 1] - grid[NODE, k]
    if k == 0:
        return h, 0.0, 0.0
    second = 0.0
    line = (curve[SMOOTH, k + 1] - curve[SMOOTH, k]) * grid[PACE, k]
    before = (curve[SMOOTH, k] - curve[SMOOTH, k - 1]) * grid[PACE, k - 1]
    first = (before - line) * (1.0 - grid[LEAN, k])
    if k + 1 < last:
        after = (curve[SMOOTH, k + 2] - curve[SMOOTH, k + 1]) * grid[PACE, k + 1]
        second = (after - line) * grid[LEAN, k + 1]
    return h, first, second


@compiled
def _peak(grid: Floats, curve: Floats, last: int, k: int, sign: float) -> float:
    """The most that sign times profit has in cell ``k``, its ends included."""
    h, first, second = _bends(grid, curve, last, k)
    value, step = curve[VALUE, k], curve[VALUE, k + 1] - curve[VALUE, k]
    best = max(sign * value, sign * (value + step))
    # slope of the cubic by the share: c + b t + a t^2
    a, b, c = 3.0 * h * (first + second), -2.0 * h * (2.0 * first + second), step + h * first
    inner = b * b - 4.0 * a * c
    if inner < 0:
        return float(best)
    q = -0.5 * (b + math.copysign(math.sqrt(inner), b))
    for part, whole in ((q, a), (c, q)):
        if whole != 0 and 0.0 < part / whole < 1.0:
            t = part / whole
            best = max(best, sign * (value + t * (c + t * (0.5 * b + t * a / 3.0))))
    return float(best)


@compiled
def extremes(grid: Floats, curve: Floats, last: int) -> tuple[float, float]:
    """The most and the least profit on the grid, refined beside the best and the worst node."""
    top, bottom = 0, 0
    most, least = curve[VALUE, 0], curve[VALUE, 0]
    for k in range(1, last + 1):
        value = curve[VALUE, k]
        if value > most:
            most, top = value, k
        if value < least:
            least, bottom = value, k
    for k in (top - 1, top):
        if 0 <= k < last:
            most = max(most, _peak(grid, curve, last, k, 1.0))
    for k in (bottom - 1, bottom):
        if 0 <= k < last:
            least = min(least, -_peak(grid, curve, last, k, -1.0))
    return most, least


@compiled
def root_in(grid: Floats, curve: Floats, last: int, k: int) -> float:
    """Price inside cell ``k`` at which profit changes its sign."""
    h, first, second = _bends(grid, curve, last, k)
    value, step = curve[VALUE, k], curve[VALUE, k + 1] - curve[VALUE, k]
    a, b, c = h * (first + second), -h * (2.0 * first + second), step + h * first
    low, high, t = 0.0, 1.0, -value / step
    for _ in range(_STEPS):
        found = value + t * (c + t * (b + t * a))
        if (found > 0) == (step > 0):
            high = t
        else:
            low = t
        slope = c + t * (2.0 * b + t * 3.0 * a)
        following = t - found / slope if slope != 0 else math.nan
        if not low <= following <= high:
            following = 0.5 * (low + high)
        moved, t = abs(following - t), following
        if moved < 1e-9:
            break
    return float(grid[NODE, k] + t * h)


@compiled
def keep_means(grid: Floats, curve: Floats, last: int, end: float) -> None:
    """Shift values so that lines between them have the curve's means; slopes and sums of lines."""
    for k in range(1, last):
        turn = (curve[SMOOTH, k + 1] - curve[SMOOTH, k]) * grid[PACE, k]
        turn -= (curve[SMOOTH, k] - curve[SMOOTH, k - 1]) * grid[PACE, k - 1]
        curve[VALUE, k] -= grid[LIFT, k] * turn
    for k in range(last):
        value = curve[VALUE, k]
        slope = (curve[VALUE, k + 1] - value) * grid[PACE, k]
        curve[SLOPE, k] = slope
        for d in range(2):
            mass = grid[BELOW + d, k + 1] - grid[BELOW + d, k]
            curve[SUM + d, k + 1] = value * mass + slope * grid[BEYOND + d, k]
    curve[SLOPE, last] = end
    one, two = 0.0, 0.0
    curve[SUM, 0] = curve[SUM + 1, 0] = 0.0
    for k in range(1, last + 1):
        one, two = one + curve[SUM, k], two + curve[SUM + 1, k]
        curve[SUM, k], curve[SUM + 1, k] = one, two


@compiled
def _shortfall(
    grid: Floats, curve: Floats, last: int, level: float, cells: Floats, ends: Floats, d: int
) -> tuple[float, float, float]:
    """As ``tail_kernel.shortfall``, from the sums between the nodes that the level crosses."""
    chance, lack, pace = 0.0, 0.0, 0.0
    inside = curve[VALUE, 0] <= level
    for k in range(1, last + 1):
        if (curve[VALUE, k] <= level) == inside:
            continue
        p, value, slope = grid[NODE, k - 1], curve[VALUE, k - 1], curve[SLOPE, k - 1]
        x = p + (level - value) / slope
        below, put, pdf = cell_values(cells, cell_of(cells, ends, x), x, d)
        sum_ = curve[SUM + d, k - 1] + value * (below - grid[BELOW + d, k - 1])
        sum_ += slope * ((x - p) * below - (put - grid[PUT + d, k - 1]))
        sign = 1.0 if inside else -1.0
        chance += sign * below
        lack += sign * (level * below - sum_)
        pace += pdf / abs(slope)
        inside = not inside
    if inside:
        mass = 1.0 - grid[BELOW + d, last]
        sum_ = curve[SUM + d, last] + curve[VALUE, last] * mass
        sum_ += curve[SLOPE, last] * grid[BEYOND + d, last]
        chance, lack = chance + 1.0, lack + level - sum_
    return chance, lack, pace


@compiled
def curve_tail(
    grid: Floats, curve: Floats, last: int, span: tuple[float, float], share: float,
    cells: Floats, ends: Floats, d: int,
) -> float:  # fmt: skip
    """Mean of the worst of outcomes inside ``span``; an error of the level enters squared."""
    low, high = span
    if not high > low:
        return low
    # lines may leave the curve's extremes by little
    low, high = low - 0.01 * (high - low), high + 0.01 * (high - low)
    # where profit rises or falls throughout, one of these is the level
    level = min(
        _at_price(grid, curve, last, ends[TAILS + 2 * d]),
        _at_price(grid, curve, last, ends[TAILS + 2 * d + 1]),
    )
    enough, narrow = 2.0 * _NEAR * (high - low) * share, 1e-6 * (high - low)
    found = math.nan
    for _ in range(_STEPS):
        chance, lack, pace = _shortfall(grid, curve, last, level, cells, ends, d)
        found = level - lack / share
        gap = share - chance
        if gap * gap <= enough * pace or high - low <= narrow:
            break
        if gap > 0:
            low = level
        else:
            high = level
        level += gap / pace if pace > 0 else math.inf
        if not low < level < high:
            level = 0.5 * (low + high)
    return found


@compiled
def _at_price(grid: Floats, curve: Floats, last: int, price: float) -> float:
    """Profit at a price, by the lines."""
    low, high = 0, last
    while high - low > 1:
        middle = (low + high) // 2
        if grid[NODE, middle] <= price:
            low = middle
        else:
            high = middle
    return float(curve[VALUE, low] + curve[SLOPE, low] * (price - grid[NODE, low]))
