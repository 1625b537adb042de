"""Candidates with later legs, one after another, compiled: on the grid of their horizon."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from strikeloom.quant.candidates import columns as at
from strikeloom.quant.candidates.contracts import ValueTables
from strikeloom.quant.candidates.curve_kernel import (
    CURVE_ROWS,
    SMOOTH,
    VALUE,
    curve_tail,
    extremes,
    keep_means,
    root_in,
)
from strikeloom.quant.candidates.density_kernel import cell_of, cell_values
from strikeloom.quant.candidates.later import NODE, PACE
from strikeloom.quant.candidates.payoff_kernel import add_sums, note_root, write_mean
from strikeloom.quant.compiled import compiled

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_ROUNDING = 1e-12


@compiled
def _raise_curve(
    rows: Ints, units: Floats, tables: ValueTables, cash: float, curve: Floats, last: int
) -> tuple[float, float]:
    """Fill value and smooth; units that calls and underlying leave, units in all."""
    value, smooth = curve[VALUE, : last + 1], curve[SMOOTH, : last + 1]
    value[:] = cash
    smooth[:] = 0.0
    ends, size = 0.0, 0.0
    for j in range(len(rows)):
        u, row = units[j], rows[j]
        if u == 0:
            continue
        begin = tables.grids.offset[row]
        worth = tables.grids.worth[begin : begin + last + 1]
        target = smooth if tables.figures[row, at.IS_LATER] > 0 else value
        for k in range(len(target)):
            target[k] += u * worth[k]
        size += abs(u)
        ends += u * tables.figures[row, at.IS_CALL]
    for k in range(len(value)):
        value[k] += smooth[k]
    return ends, size


@compiled
def _profit_chances(
    grid: Floats,
    curve: Floats,
    last: int,
    end: float,
    cells: Floats,
    ends: Floats,
    out: Floats,
    i: int,
) -> None:
    """Breakevens, and the probability of profit under both densities."""
    found, one, two = 0, 0.0, 0.0
    # added where a stretch of profit ends, taken off where one begins
    for k in range(last):
        left, right = curve[VALUE, k], curve[VALUE, k + 1]
        if (left > 0) == (right > 0):
            continue
        x = root_in(grid, curve, last, k)
        found = note_root(out, i, found, x)
        cell = cell_of(cells, ends, x)
        sign = 1.0 if left > 0 else -1.0
        one += sign * cell_values(cells, cell, x, 0)[0]
        two += sign * cell_values(cells, cell, x, 1)[0]
    if curve[VALUE, last] > 0:
        one, two = one + 1.0, two + 1.0
    if curve[VALUE, last] * end < 0:
        found = note_root(out, i, found, grid[NODE, last] - curve[VALUE, last] / end)
    for place in range(at.CANDIDATE_FIGURES + found, len(out)):
        out[place, i] = math.nan
    out[at.FIRST_DENSITY, i], out[at.FIRST_DENSITY + 3, i] = one, two


@compiled
def value_grids(chosen: Ints, rows: Ints, units: Floats, tables: ValueTables, out: Floats) -> None:
    """Fill the columns of ``out`` that ``chosen`` names, a column a candidate."""
    grids, sums = tables.grids, np.zeros(at.SUMS)
    curve = np.zeros((CURVE_ROWS, grids.grid.shape[2]))
    for i in chosen:
        law = tables.horizon[rows[i, 0]]
        grid, last = grids.grid[law], grids.size[law] - 1
        cells, ends = tables.table.cells[law], tables.table.ends[law]
        discount = tables.discount[law]
        add_sums(tables.figures, rows[i], units[i], discount, sums, out, i)
        left, size = _raise_curve(rows[i], units[i], tables, -sums[at.AGREED], curve, last)
        slope = 0.0
        if abs(left) > _ROUNDING * size:
            slope = (curve[VALUE, last] - curve[VALUE, last - 1]) * grid[PACE, last - 1]
        bad = math.isnan(curve[VALUE, 0] + curve[VALUE, last])
        most, least = extremes(grid, curve, last)
        span = (least, most)
        out[at.MAX_PROFIT, i] = math.inf if left > _ROUNDING * size else most
        out[at.MAX_LOSS, i] = math.inf if left < -_ROUNDING * size else max(0.0, -least)
        _profit_chances(grid, curve, last, slope, cells, ends, out, i)
        if bad:
            out[at.MAX_PROFIT, i] = out[at.MAX_LOSS, i] = math.nan
            out[at.CANDIDATE_FIGURES :, i] = math.nan
        keep_means(grid, curve, last, slope)
        for d in range(2):
            if write_mean(sums, discount, d, out, i):
                tail = curve_tail(grid, curve, last, span, tables.tail_share, cells, ends, d)
                tail += sums[at.AGREED]
                out[at.FIRST_DENSITY + 3 * d + 2, i] = discount * tail - sums[at.PRICE]
