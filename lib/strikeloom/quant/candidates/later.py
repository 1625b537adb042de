"""Worth of later legs at a horizon, on a grid of prices.

The rule: when the underlying has moved, a later expiry's forward has moved in proportion, and its
smile keeps its shape in standard deviations from its forward and shrinks with its time
(``curves.shrink``): same moneyness, same shape. Its level is set once for each strike: the
variance left at the horizon is scaled so that the mean of the worth there, under the density of
the smile, is the model's price today. So in a world priced by its smiles no calendar earns
anything, also where near and later volatility differ. Where even no variance would be too dear
(the near smile lies above the later one), the worth is intrinsic.

Means are of the fourth order in the grid's step, a fifth of a deviation near the forward.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from strikeloom.quant.candidates.densities import CELLS, MEAN, DensityTable, below_and_put
from strikeloom.quant.kernel_cache import import_kernels
from strikeloom.quant.smile.curves import shrink
from strikeloom.quant.smile.density import call, put

if TYPE_CHECKING:
    from strikeloom.quant.candidates.contracts import Contracts, Horizons

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

_KERNELS = ("candidates.later_kernel", "probability.odds_kernel", "compiled")
_FINE, _COARSE = 4, 12  # cells a step, near the forward and beyond four and a half deviations


# rows of a grid; those from ``BELOW`` on are of the smile's density, then of the real world's
NODE, PACE, LEAN, LIFT, BELOW, PUT, BEYOND, GRID_ROWS = 0, 1, 2, 3, 4, 6, 8, 10


class Grids(NamedTuple):
    """Prices at the horizons that have later options, and the worth of contracts there.

    Attributes
    ----------
    size : ndarray of int64, shape (m,)
        Nodes of each horizon; 0 without a later option.
    grid : ndarray, shape (m, GRID_ROWS, k)
        Rows are filled up to ``size``. NODE: 0, places of the density table and every strike,
        ascending. Of a function with values at the nodes: PACE, one over the step to the next
        (0 at the last); LEAN, share of the line to the right in the slope at a node; LIFT, what
        a turn of its line at a node takes off the value there so that lines have the means of
        curves. Of both densities: BELOW, probability of ending below the node; PUT,
        undiscounted, struck there; BEYOND, mean of the price beyond the node over the cell to
        the next, the last of which is open.
    offset : ndarray of int64, shape (c,)
        First figure of each contract in ``worth``; -1 where its horizon has no grid.
    worth : ndarray, shape (w,)
        Rupees a unit at each node of the contract's horizon.
    means : ndarray, shape (c, 2)
        Mean worth of later options under both densities; NaN elsewhere.
    """

    size: Ints
    grid: Floats
    offset: Ints
    worth: Floats
    means: Floats


def later_grids(
    contracts: Contracts, horizons: Horizons, table: DensityTable, is_later: Bools
) -> Grids:
    """Grids of the horizons with a later option among their contracts."""
    law, later = contracts.horizon, is_later & (contracts.strike > 0)
    count = len(horizons.spot)
    edges = np.searchsorted(law, np.arange(count + 1))
    nodes = {
        m: _grid_nodes(horizons.densities.nodes[m], contracts.strike[edges[m] : edges[m + 1]])
        for m in np.unique(law[later]).tolist()
    }
    size = np.zeros(count, dtype=np.int64)
    for m, part in nodes.items():
        size[m] = len(part)
    grid = np.zeros((count, GRID_ROWS, int(size.max(initial=0))))
    weights = np.zeros((count, 2, grid.shape[2]))
    for m, part in nodes.items():
        grid[m, :, : len(part)] = _grid(part, m, table)
        weights[m, :, : len(part)] = _weights(grid[m, :, : len(part)])
    lengths = size[law]
    offset = np.where(lengths > 0, np.cumsum(lengths) - lengths, -1)
    worth, means = np.empty(int(lengths.sum())), np.full((len(law), 2), np.nan)
    grids = Grids(size, grid, offset, worth, means)
    if nodes:
        _fill(grids, contracts, horizons, later, weights)
    return grids


def grid_means(grids: Grids, law: Ints, table: DensityTable) -> Floats:
    """Mean worth of every contract of a horizon with a grid, under two other densities there.

    Parameters
    ----------
    grids : Grids
    law : ndarray of int64, shape (c,)
        Horizon of each contract, ascending.
    table : DensityTable
        The densities, on the same horizons.

    Returns
    -------
    ndarray, shape (c, 2)
        NaN where the horizon has no grid.
    """
    found = np.full((len(law), 2), np.nan)
    for m in np.flatnonzero(grids.size).tolist():
        rows, size = np.flatnonzero(law == m), grids.size[m]
        weights = _weights(_grid(grids.grid[m, NODE, :size], m, table))
        first = grids.offset[rows[0]]  # the contracts of a horizon follow each other
        worth = grids.worth[first : first + len(rows) * size].reshape(len(rows), size)
        found[rows] = worth @ weights.T
    return found


def _grid_nodes(prices: Floats, strikes: Floats) -> Floats:
    middle, reach = CELLS // 2, CELLS * 3 // 16
    inner = np.arange(middle - reach, middle + reach + 1, _FINE)
    outer = np.arange(0, CELLS + 1, _COARSE)
    outer = outer[(outer < inner[0]) | (outer > inner[-1])]
    return np.unique(np.concatenate(([0.0], prices[inner], prices[outer], strikes)))


def _grid(nodes: Floats, law: int, table: DensityTable) -> Floats:
    """Rows of the grid of a horizon."""
    grid = np.zeros((GRID_ROWS, len(nodes)))
    below, put = (x.T for x in below_and_put(table, np.full(len(nodes), law), nodes))
    step = np.diff(nodes)
    left, right = step[:-1], step[1:]
    cube, before = right**3, left**3
    before[0] = 0.0  # from zero to the first place it is a line
    grid[NODE] = nodes
    grid[PACE, :-1] = 1.0 / step
    grid[LEAN, 1:-1] = left / (left + right)
    grid[LIFT, 1:-1] = (cube + before) / 6.0 / (left + right) ** 2
    grid[BELOW:PUT], grid[PUT:BEYOND] = below, put
    grid[BEYOND:, :-1] = step * below[:, 1:] - np.diff(put, axis=1)
    grid[BEYOND:, -1] = put[:, -1] + table.ends[law, MEAN : MEAN + 2] - nodes[-1]
    return grid


def _weights(grid: Floats) -> Floats:
    """Weights of the nodes in the mean of a smooth function, shape (2, k)."""
    pace, lift, beyond = grid[PACE, :-1], grid[LIFT, 1:-1], grid[BEYOND:]
    w = np.diff(grid[BELOW:PUT], axis=1, append=1.0)
    slope = beyond[:, :-1] * pace
    w[:, :-1] -= slope
    w[:, 1:] += slope
    # the last cell is open: its line goes on
    w[:, -1] += beyond[:, -1] * pace[-1]
    w[:, -2] -= beyond[:, -1] * pace[-1]
    # values moved by the turns of their lines, in the weights
    moved = w[:, 1:-1] * lift
    w[:, 2:] -= moved * pace[1:]
    w[:, 1:-1] += moved * (pace[1:] + pace[:-1])
    w[:, :-2] -= moved * pace[:-1]
    return np.asarray(w)


def _fill(
    grids: Grids, contracts: Contracts, horizons: Horizons, later: Bools, weights: Floats
) -> None:
    """Worth and means of all contracts that have a grid, in place."""
    law = contracts.horizon
    share = np.where(later, (contracts.years - horizons.years[law]) / contracts.years, np.nan)
    live = np.stack(shrink(contracts.curves, share), axis=-1)
    carry = contracts.forward / horizons.forward[law]
    with np.errstate(divide="ignore", invalid="ignore"):
        k = np.log(contracts.strike / contracts.forward)
        today = np.where(k >= 0, call(contracts.curves, k), -put(contracts.curves, k))
    fill_worth = import_kernels("candidates.later_kernel", _KERNELS).fill_worth
    terms = np.stack(
        (
            contracts.strike,
            contracts.is_call.astype(np.float64),
            carry,
            contracts.discount / horizons.discount[law],
            later.astype(np.float64),
            today * contracts.forward,
        ),
        axis=-1,
    )
    fill_worth(grids, law, _twins(contracts, later), np.ascontiguousarray(terms), live, weights)


def _twins(contracts: Contracts, later: Bools) -> Ints:
    """First row with the same horizon, strike and expiry as each later option; -1 for itself."""
    keys = np.stack((contracts.horizon, contracts.strike, contracts.years), axis=1)[later]
    rows = np.flatnonzero(later)
    _, first, same = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    twin = np.full(len(later), -1, dtype=np.int64)
    earliest = rows[first[same.ravel()]]
    twin[rows] = np.where(earliest < rows, earliest, -1)
    return twin
