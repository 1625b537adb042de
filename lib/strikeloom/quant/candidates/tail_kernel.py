"""Mean of the worst outcomes of a payoff of straight lines, compiled.

It is the most that q - E[max(q - payoff, 0)] / share takes over q (R. T. Rockafellar and
S. Uryasev, "Optimization of conditional value-at-risk", 2000), at the payoff's own quantile; an
error of the quantile enters squared.

``lines``, shape (k, 7), is a payoff, straight from each point to the next and beyond the last:
price of the point (from 0 up), profit there, slope to the right, and of both densities the
probability of ending below the point and the undiscounted put struck there. ``last`` is the
number of the last point in use.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from strikeloom.quant.candidates.densities import MEAN, TAILS
from strikeloom.quant.candidates.density_kernel import cell_of, cell_values, price_below
from strikeloom.quant.compiled import compiled

Floats = NDArray[np.float64]

POINT, VALUE, SLOPE, BELOW, PUT = 0, 1, 2, 3, 5
LINE_SIZE = 7

_STEPS = 40
_NEAR = 1e-7  # of the distance between the kinks that enclose the quantile: error of the mean


@compiled
def _partial(
    line: Floats, level: float, end_below: float, end_mean: float, cells: Floats, ends: Floats,
    d: int,
) -> tuple[float, float, float]:  # fmt: skip
    """Chance, shortfall and density of the level on a line that crosses it.

    ``end_below``, ``end_mean``: probability of ending below the line's end, mean of the price
    counted there.
    """
    slope = line[SLOPE]
    x = line[POINT] + (level - line[VALUE]) / slope
    below, put, pdf = cell_values(cells, cell_of(cells, ends, x), x, d)
    if slope > 0:
        chance = below - line[BELOW + d]
        area = (x - line[POINT]) * below - (put - line[PUT + d])
        return chance, (level - line[VALUE]) * chance - slope * area, pdf / slope
    return end_below - below, -slope * (end_mean - x * end_below + put), -pdf / slope


@compiled
def shortfall(
    lines: Floats, last: int, level: float, cells: Floats, ends: Floats, d: int
) -> tuple[float, float, float]:
    """Probability of ending at or below a level, mean of what is lacking to it, density of it."""
    chance, lack, pace = 0.0, 0.0, 0.0
    for k in range(last):
        left, right = lines[k, VALUE], lines[k + 1, VALUE]
        if left > level and right > level:
            continue
        below, put = lines[k + 1, BELOW + d], lines[k + 1, PUT + d]
        if left <= level and right <= level:
            mass = below - lines[k, BELOW + d]
            area = (lines[k + 1, POINT] - lines[k, POINT]) * below - (put - lines[k, PUT + d])
            chance += mass
            lack += (level - left) * mass - lines[k, SLOPE] * area
        elif left < level or right < level:
            mean = lines[k + 1, POINT] * below - put
            part, short, dense = _partial(lines[k], level, below, mean, cells, ends, d)
            chance, lack, pace = chance + part, lack + short, pace + dense
    value, slope, mean = lines[last, VALUE], lines[last, SLOPE], ends[MEAN + d]
    if slope <= 0 and value <= level:
        mass = 1.0 - lines[last, BELOW + d]
        chance += mass
        lack += (level - value) * mass
        if slope < 0:
            lack -= slope * (lines[last, PUT + d] + mean - lines[last, POINT])
    elif slope != 0 and (slope < 0 or value < level):
        part, short, dense = _partial(lines[last], level, 1.0, mean, cells, ends, d)
        chance, lack, pace = chance + part, lack + short, pace + dense
    return chance, lack, pace


@compiled
def _flat_mass(lines: Floats, last: int, level: float, d: int) -> float:
    """Probability of exactly a level: of the stretches that lie on it."""
    mass = 0.0
    for k in range(last):
        if lines[k, VALUE] == level and lines[k + 1, VALUE] == level:
            mass += lines[k + 1, BELOW + d] - lines[k, BELOW + d]
    if lines[last, VALUE] == level and lines[last, SLOPE] == 0:
        mass += 1.0 - lines[last, BELOW + d]
    return mass


@compiled
def _of_one_line(
    lines: Floats, last: int, low: float, high: float, share: float, cells: Floats, d: int
) -> float:
    """Level of the quantile where one line alone crosses two kinks; NaN where more do."""
    mass, line = 0.0, -1
    for k in range(last + 1):
        left, slope = lines[k, VALUE], lines[k, SLOPE]
        right = left
        if k < last:
            right = lines[k + 1, VALUE]
        elif slope != 0:
            right = slope * math.inf
        if left <= low and right <= low:
            mass += (lines[k + 1, BELOW + d] if k < last else 1.0) - lines[k, BELOW + d]
        elif left <= low or right <= low:
            if line >= 0:
                return math.nan
            line = k
    if line < 0:
        return math.nan
    if lines[line, SLOPE] > 0:
        chance = lines[line, BELOW + d] + share - mass
    else:
        chance = mass - share + (lines[line + 1, BELOW + d] if line < last else 1.0)
    away = price_below(cells, chance, d) - lines[line, POINT]
    return float(min(high, max(low, lines[line, VALUE] + lines[line, SLOPE] * away)))


@compiled
def _between_kinks(
    lines: Floats, last: int, low: float, high: float, share: float, cells: Floats, ends: Floats,
    d: int,
) -> float:  # fmt: skip
    """Tail mean where the quantile lies between two kinks."""
    level = _of_one_line(lines, last, low, high, share, cells, d)
    if not math.isnan(level):
        return level - shortfall(lines, last, level, cells, ends, d)[1] / share
    enough = 2.0 * _NEAR * (high - low) * share
    level, found = 0.5 * (low + high), math.nan
    for _ in range(_STEPS):
        chance, lack, pace = shortfall(lines, last, level, cells, ends, d)
        found = level - lack / share
        gap = share - chance
        # what the level of the maximum can add: half the gap times the way to it
        if gap * gap <= enough * pace or not high - low > _NEAR * abs(high):
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
def tail_mean(lines: Floats, last: int, share: float, cells: Floats, ends: Floats, d: int) -> float:
    """Mean of the worst ``share`` of outcomes under density ``d``."""
    value, slope, point = lines[last, VALUE], lines[last, SLOPE], lines[last, POINT]
    low, most = lines[0, VALUE], lines[0, VALUE]
    for k in range(1, last + 1):
        low, most = min(low, lines[k, VALUE]), max(most, lines[k, VALUE])
    lowest, highest = ends[TAILS + 2 * d], ends[TAILS + 2 * d + 1]
    level = value + slope * (highest - point)
    if slope < 0 and level <= low and highest > point:  # below all kinks a falling end is left
        return float(level - shortfall(lines, last, level, cells, ends, d)[1] / share)
    if slope >= 0 and _flat_mass(lines, last, low, d) >= share:
        return float(low)
    level = value + slope * (lowest - point)
    if slope > 0 and level >= most and lowest > point:  # above all kinks a rising end is left
        return float(level - shortfall(lines, last, level, cells, ends, d)[1] / share)
    while low < most:
        high = most
        for k in range(last + 1):
            if low < lines[k, VALUE] < high:
                high = lines[k, VALUE]
        chance, lack, _ = shortfall(lines, last, high, cells, ends, d)
        if chance >= share:
            if chance - _flat_mass(lines, last, high, d) < share:
                return float(high - lack / share)
            return _between_kinks(lines, last, low, high, share, cells, ends, d)
        low = high
    return float(low - shortfall(lines, last, low, cells, ends, d)[1] / share)
