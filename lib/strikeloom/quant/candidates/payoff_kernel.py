"""Candidates whose options expire together, one after another, compiled: all of it exact.

``lines`` as in ``tail_kernel``: scratch of a thread.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from strikeloom.quant.candidates import columns as at
from strikeloom.quant.candidates.contracts import ValueTables
from strikeloom.quant.candidates.density_kernel import cell_of, cell_values
from strikeloom.quant.candidates.tail_kernel import (
    BELOW,
    LINE_SIZE,
    POINT,
    SLOPE,
    VALUE,
    tail_mean,
)
from strikeloom.quant.compiled import compiled

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_ROUNDING = 1e-12  # as in ``payoff``
_TABLED = 4  # figures of a contract's strike under both densities, from ``SMILE_BELOW``


@compiled
def add_sums(
    figures: Floats, rows: Ints, units: Floats, discount: float, sums: Floats, out: Floats, i: int
) -> None:
    """Everything that is a sum over the legs: into ``sums``, costs and errors into ``out``."""
    sums[:] = 0.0
    costs, square = 0.0, 0.0
    for j in range(len(rows)):
        u, row = units[j], rows[j]
        if u == 0:
            continue
        for k in range(at.SUMS):
            sums[k] += u * figures[row, k]
        costs += u * figures[row, at.BOUGHT_COST] if u > 0 else -u * figures[row, at.SOLD_COST]
        costs += figures[row, at.ORDER_COST]
        square += u * u * figures[row, at.ERROR_SQUARED]
    out[at.PREMIUM, i], out[at.COSTS, i] = -sums[at.AGREED], costs
    out[at.ERROR, i] = math.sqrt(square)
    moved = sums[at.NARROWER] * sums[at.NARROWER] + sums[at.WIDER] * sums[at.WIDER]
    out[at.WIDTH_ERROR, i] = discount * math.sqrt(0.5 * moved)
    for k in range(5):
        out[at.FIRST_GREEK + k, i] = sums[at.DELTA + k]


@compiled
def _place_kinks(
    figures: Floats, rows: Ints, units: Floats, lines: Floats
) -> tuple[int, float, float]:
    """Points ascending, with the bends at them for slopes; last point, worth at 0, size."""
    last, worth, size = 0, 0.0, 0.0
    lines[0, POINT] = lines[0, SLOPE] = 0.0
    for j in range(len(rows)):
        u, row = units[j], rows[j]
        strike = figures[row, at.STRIKE]
        if u == 0:
            continue
        size += abs(u)
        if strike == 0:
            lines[0, SLOPE] += u * figures[row, at.SCALE]
            continue
        if figures[row, at.IS_CALL] == 0:
            worth += u * strike
            lines[0, SLOPE] -= u
        k = last
        while lines[k, POINT] > strike:
            k -= 1
        if lines[k, POINT] == strike:
            lines[k, SLOPE] += u
            continue
        for other in range(last, k, -1):
            for part in range(LINE_SIZE):
                lines[other + 1, part] = lines[other, part]
        last += 1
        lines[k + 1, POINT], lines[k + 1, SLOPE] = strike, u
        for part in range(_TABLED):
            lines[k + 1, BELOW + part] = figures[row, at.SMILE_BELOW + part]
    return last, worth, size


@compiled
def _raise_lines(lines: Floats, last: int, start: float, size: float) -> tuple[float, float]:
    """Values and slopes from the bends; the most and the least at the points."""
    noise = _ROUNDING * (size * lines[last, POINT] + abs(start))
    value = 0.0 if abs(start) <= noise else start
    lines[0, VALUE] = most = least = value
    for k in range(last):
        value += lines[k, SLOPE] * (lines[k + 1, POINT] - lines[k, POINT])
        if abs(value) <= noise:
            value = 0.0
        lines[k + 1, VALUE] = value
        slope = lines[k + 1, SLOPE] + lines[k, SLOPE]
        lines[k + 1, SLOPE] = 0.0 if abs(slope) <= _ROUNDING * size else slope
        most, least = max(most, value), min(least, value)
    return most, least


@compiled
def note_root(out: Floats, i: int, found: int, price: float) -> int:
    """Put a breakeven down after those before it, once; how many there are."""
    place = at.CANDIDATE_FIGURES + found
    if place >= len(out) or (found > 0 and out[place - 1, i] == price):
        return found
    out[place, i] = price
    return found + 1


@compiled
def _profit_chances(
    lines: Floats, last: int, cells: Floats, ends: Floats, out: Floats, i: int
) -> None:
    """Breakevens, and the probability of profit under both densities."""
    found, one, two = 0, 0.0, 0.0
    for k in range(last + 1):
        left, slope, right, g0, g1 = lines[k, VALUE], lines[k, SLOPE], 0.0, 1.0, 1.0
        if k < last:
            right, g0, g1 = lines[k + 1, VALUE], lines[k + 1, BELOW], lines[k + 1, BELOW + 1]
        else:
            right = left if slope == 0 else slope * math.inf
        if left == 0 and right != 0 and k > 0:
            found = note_root(out, i, found, lines[k, POINT])
        if left * right < 0:
            x = lines[k, POINT] - left / slope
            found = note_root(out, i, found, x)
            cell = cell_of(cells, ends, x)
            x0, x1 = cell_values(cells, cell, x, 0)[0], cell_values(cells, cell, x, 1)[0]
            one += g0 - x0 if slope > 0 else x0 - lines[k, BELOW]
            two += g1 - x1 if slope > 0 else x1 - lines[k, BELOW + 1]
        elif left > 0 or right > 0:
            one, two = one + g0 - lines[k, BELOW], two + g1 - lines[k, BELOW + 1]
        if k < last and right == 0 and left != 0:
            found = note_root(out, i, found, lines[k + 1, POINT])
    for place in range(at.CANDIDATE_FIGURES + found, len(out)):
        out[place, i] = math.nan
    out[at.FIRST_DENSITY, i], out[at.FIRST_DENSITY + 3, i] = one, two


@compiled
def write_mean(sums: Floats, discount: float, d: int, out: Floats, i: int) -> bool:
    """Mean under density ``d`` in today's money; NaN, and false, where it is not known."""
    place = at.FIRST_DENSITY + 3 * d
    out[place + 1, i] = discount * sums[at.SMILE_WORTH + d] - sums[at.PRICE]
    if math.isnan(out[place, i] + out[place + 1, i]):
        out[place, i] = out[place + 1, i] = out[place + 2, i] = math.nan
        return False
    out[place, i] = min(1.0, max(0.0, out[place, i]))
    return True


@compiled
def value_payoffs(
    chosen: Ints, rows: Ints, units: Floats, tables: ValueTables, out: Floats
) -> None:
    """Fill the columns of ``out`` that ``chosen`` names, a column a candidate."""
    lines, sums = np.zeros((rows.shape[1] + 2, LINE_SIZE)), np.zeros(at.SUMS)
    figures, share = tables.figures, tables.tail_share
    for i in chosen:
        law = tables.horizon[rows[i, 0]]
        cells, ends = tables.table.cells[law], tables.table.ends[law]
        discount = tables.discount[law]
        add_sums(figures, rows[i], units[i], discount, sums, out, i)
        last, worth, size = _place_kinks(figures, rows[i], units[i], lines)
        most, least = _raise_lines(lines, last, worth - sums[at.AGREED], size)
        rising, bad = lines[last, SLOPE], math.isnan(sums[at.PRICE] + size)
        out[at.MAX_PROFIT, i] = math.nan if bad else math.inf if rising > 0 else most
        out[at.MAX_LOSS, i] = math.nan if bad else math.inf if rising < 0 else max(0.0, -least)
        _profit_chances(lines, last, cells, ends, out, i)
        for d in range(2):
            if write_mean(sums, discount, d, out, i):
                tail = tail_mean(lines, last, share, cells, ends, d) + sums[at.AGREED]
                out[at.FIRST_DENSITY + 3 * d + 2, i] = discount * tail - sums[at.PRICE]
