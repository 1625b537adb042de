"""Profit as a curve over the grid of a horizon: extremes, roots, mean of the worst, compiled.

Between nodes the near legs are straight lines and the later ones a cubic through values and
slopes; the mean of the worst outcomes takes lines that keep each cell's mean.

``grid``, shape (GRID_ROWS, k), is a row of ``later.Grids.grid``, ``last`` its last node in use.
``curve``, shape (CURVE_ROWS, k), is scratch of a thread: profit with the premium in, the part of
it that later options make, slopes of the lines that keep the means, sums of profit counted below
each node under both densities, and room for a histogram.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from strikeloom.quant.candidates.density_kernel import cell_of, cell_values
from strikeloom.quant.candidates.later import BELOW, BEYOND, LEAN, LIFT, NODE, PACE, PUT
from strikeloom.quant.compiled import compiled

Floats = NDArray[np.float64]

VALUE, SMOOTH, SLOPE, SUM, HISTOGRAM, CURVE_ROWS = 0, 1, 2, 3, 5, 6
BINS = 48

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
def _at_share(grid: Floats, curve: Floats, last: int, k: int, t: float) -> float:
    """Profit at a share of cell ``k``."""
    h, first, second = _bends(grid, curve, last, k)
    line = curve[VALUE, k] + t * (curve[VALUE, k + 1] - curve[VALUE, k])
    return line + h * t * (1.0 - t) * ((1.0 - t) * first - t * second)


@compiled
def _peak(grid: Floats, curve: Floats, last: int, k: int, sign: float) -> float:
    """The most that sign times profit has in cell ``k``, its ends included."""
    h, first, second = _bends(grid, curve, last, k)
    step = curve[VALUE, k + 1] - curve[VALUE, k]
    best = max(sign * curve[VALUE, k], sign * curve[VALUE, k + 1])
    # slope of the cubic by the share: c + b t + a t^2
    a, b, c = 3.0 * h * (first + second), -2.0 * h * (2.0 * first + second), step + h * first
    inner = b * b - 4.0 * a * c
    if inner < 0:
        return best
    q = -0.5 * (b + math.copysign(math.sqrt(inner), b))
    for part, whole in ((q, a), (c, q)):
        if whole != 0 and 0.0 < part / whole < 1.0:
            best = max(best, sign * _at_share(grid, curve, last, k, part / whole))
    return best


@compiled
def extreme(grid: Floats, curve: Floats, last: int, sign: float) -> float:
    """The most that sign times profit has on the grid, refined beside its best node."""
    place = 0
    for k in range(1, last + 1):
        if sign * curve[VALUE, k] > sign * curve[VALUE, place]:
            place = k
    best = sign * curve[VALUE, place]
    if place > 0:
        best = max(best, _peak(grid, curve, last, place - 1, sign))
    if place < last:
        best = max(best, _peak(grid, curve, last, place, sign))
    return best


@compiled
def root_in(grid: Floats, curve: Floats, last: int, k: int) -> float:
    """Price inside cell ``k`` at which profit changes its sign."""
    low, high = 0.0, 1.0
    left, right = curve[VALUE, k], curve[VALUE, k + 1]
    rising = right > left
    t = left / (left - right)
    for _ in range(60):
        found = _at_share(grid, curve, last, k, t)
        if (found > 0) == rising:
            high, right = t, found
        else:
            low, left = t, found
        if high - low < 1e-12 or found == 0:
            break
        following = low - left * (high - low) / (right - left)
        if abs(following - t) < 1e-10:
            t = following
            break
        t = following if low < following < high else 0.5 * (low + high)
    return grid[NODE, k] + t * (grid[NODE, k + 1] - grid[NODE, k])


@compiled
def keep_means(grid: Floats, curve: Floats, last: int, end: float) -> None:
    """Shift values so that lines between them have the curve's means; slopes and sums of lines."""
    for k in range(1, last):
        turn = (curve[SMOOTH, k + 1] - curve[SMOOTH, k]) * grid[PACE, k]
        turn -= (curve[SMOOTH, k] - curve[SMOOTH, k - 1]) * grid[PACE, k - 1]
        curve[VALUE, k] -= grid[LIFT, k] * turn
    for k in range(last):
        curve[SLOPE, k] = (curve[VALUE, k + 1] - curve[VALUE, k]) * grid[PACE, k]
    curve[SLOPE, last] = end
    for d in range(2):
        sum_ = 0.0
        for k in range(last):
            curve[SUM + d, k] = sum_
            sum_ += curve[VALUE, k] * (grid[BELOW + d, k + 1] - grid[BELOW + d, k])
            sum_ += curve[SLOPE, k] * grid[BEYOND + d, k]
        curve[SUM + d, last] = sum_


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
def _enclose(
    grid: Floats, curve: Floats, last: int, share: float, d: int
) -> tuple[float, float, float, float]:
    """Lowest and highest profit, first level, width of a bin, by a histogram of the cells."""
    low, high = curve[VALUE, 0], curve[VALUE, 0]
    for k in range(1, last + 1):
        low, high = min(low, curve[VALUE, k]), max(high, curve[VALUE, k])
    if not high > low:
        return low, high, low, 0.0
    curve[HISTOGRAM, :BINS] = 0.0
    scale = (BINS - 1e-6) / (high - low)
    for k in range(last):
        middle = 0.5 * (curve[VALUE, k] + curve[VALUE, k + 1]) - low
        curve[HISTOGRAM, int(middle * scale)] += grid[BELOW + d, k + 1] - grid[BELOW + d, k]
    place, sum_ = 0, curve[HISTOGRAM, 0]
    while place < BINS - 1 and sum_ < share:
        place += 1
        sum_ += curve[HISTOGRAM, place]
    rest = (sum_ - share) / max(curve[HISTOGRAM, place], 1e-300)
    return low, high, low + (place + 1.0 - min(1.0, max(0.0, rest))) / scale, 1.0 / scale


@compiled
def curve_tail(
    grid: Floats, curve: Floats, last: int, share: float, cells: Floats, ends: Floats, d: int
) -> float:
    """Mean of the worst outcomes; an error of the level enters squared."""
    low, high, level, bin_ = _enclose(grid, curve, last, share, d)
    if bin_ == 0.0:
        return low
    enough = 2.0 * _NEAR * (high - low) * share
    found = math.nan
    for _ in range(_STEPS):
        chance, lack, pace = _shortfall(grid, curve, last, level, cells, ends, d)
        found = level - lack / share
        gap = share - chance
        if gap * gap <= enough * pace or high - low <= 1e-3 * bin_:
            break
        if gap > 0:
            low = level
        else:
            high = level
        level += gap / pace if pace > 0 else math.inf
        if not low < level < high:
            level = 0.5 * (low + high)
    return found
