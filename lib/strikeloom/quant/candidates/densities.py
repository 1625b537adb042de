"""Densities of a price at a horizon as tables, known by their distribution function alone.

Between neighbouring nodes the integral of the distribution function, which is the undiscounted
put, is a cubic of the price: it has the function's values at both nodes, so probability, mean
below a level and put of one table agree with each other to rounding. A smooth density is met
within 1e-6 in probability; a jump of the function is spread over one cell, 0.05 deviations wide.
Below the first node, twelve deviations from the forward, probability and mean are kept and the
shape between is not.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CELLS = 512
REACH = 12.0  # deviations from the forward to either end


class Densities(NamedTuple):
    """Two densities at each of m horizons.

    Attributes
    ----------
    nodes : ndarray, shape (m, CELLS + 1)
        Prices by ``price_nodes``.
    cdf : ndarray, shape (2, m, CELLS + 1)
        Probability of ending at or below each node. A density with a missing value is missing.
        What it leaves below the first node lies where the mean needs it, what it leaves above
        the last is at the last.
    mean : ndarray, shape (2, m)
        Of the price, in its units: the forward for the smile's; ``table_mean`` where unknown.
    """

    nodes: Floats
    cdf: Floats
    mean: Floats


# of a cell: start, width, then four of each density; with t the share of the cell,
# cdf = a + b t + c t^2, and the undiscounted put at its start
START, WIDTH, CURVE, CURVE_SIZE = 0, 1, 2, 4
# of a horizon: logarithm of the first node, nodes a unit of logarithm, means, ends of the tails
FIRST, PACE, MEAN, TAILS = 0, 1, 2, 4


class DensityTable(NamedTuple):
    """What kernels read; cell 0 is from zero to the first node, the last is open.

    Attributes
    ----------
    cells : ndarray, shape (m, CELLS + 2, 10)
        Figures of each cell; the open one has a width of 1.
    ends : ndarray, shape (m, 8)
        Figures of each horizon: ``TAILS`` are the prices that end the lowest and begin the
        highest share of each density, in pairs.
    """

    cells: Floats
    ends: Floats


def price_nodes(forward: Floats, deviation: Floats) -> Floats:
    """Prices at which a density must be known, shape (m, CELLS + 1), ascending.

    Parameters
    ----------
    forward, deviation : ndarray, shape (m,)
        Forward of each horizon; volatility at it times the root of the years, both positive.
    """
    places = np.linspace(-REACH, REACH, CELLS + 1)
    return np.asarray(forward[:, None] * np.exp(deviation[:, None] * places))


def table_mean(nodes: Floats, cdf: Floats) -> Floats:
    """Mean of a density by its table, shape (D, m), of nodes (m, n) and cdf (D, m, n).

    What lies below the first node is taken to be evenly spread.
    """
    unknown = np.full(cdf.shape[:2], np.nan)
    return np.asarray(nodes[:, -1] - _curves(Densities(nodes, cdf, unknown))[..., -1, 3])


def density_table(densities: Densities, tail_share: float) -> DensityTable:
    """Table of two densities at each horizon, with the ends of their tails."""
    nodes = densities.nodes
    zero = np.zeros((len(nodes), 1))
    start = np.concatenate((zero, nodes), axis=1)
    width = np.concatenate((nodes[:, :1], np.diff(nodes, axis=1), zero + 1.0), axis=1)
    curves = _curves(densities)
    logs = np.log(nodes[:, [0, -1]])
    tails = [_quantiles(curve, start, width, p) for curve in curves
             for p in (tail_share, 1 - tail_share)]  # fmt: skip
    pace = CELLS / (logs[:, 1] - logs[:, 0])
    return DensityTable(
        np.concatenate((start[..., None], width[..., None], *curves), axis=-1),
        np.stack((logs[:, 0], pace, *densities.mean, *tails), axis=-1),
    )


def _curves(densities: Densities) -> Floats:
    """Four figures of each cell, shape (D, m, CELLS + 2, 4)."""
    nodes = densities.nodes
    known = ~np.isnan(densities.cdf).any(axis=-1, keepdims=True)
    below = np.maximum.accumulate(np.clip(densities.cdf, 0.0, 1.0), axis=-1)
    below = np.where(known, below, np.nan)
    h = np.diff(nodes, axis=-1)
    rise = np.diff(below, axis=-1)
    mean = _cell_means(below, h, rise)
    ends = np.zeros((*below.shape[:2], 1))
    first, last = below[..., :1], 0.0 * below[..., -1:]
    puts = np.cumsum(np.concatenate((ends, mean * h), axis=-1), axis=-1)
    # with the mean known, the put at the last node is, and so is what lies below the first
    rest = nodes[:, -1:] - densities.mean[..., None] - puts[..., -1:]
    most = first * nodes[:, :1]
    lowest = np.where(np.isnan(rest), 0.5 * most, np.clip(rest, 0.0, most))
    curve = 3.0 * rise - 6.0 * (mean - below[..., :-1])
    under = 3.0 * first - 6.0 * lowest / nodes[:, :1]
    a = np.concatenate((0.0 * first, below[..., :-1], last + 1.0), axis=-1)
    b = np.concatenate((first - under, rise - curve, last), axis=-1)
    c = np.concatenate((under, curve, last), axis=-1)
    puts += lowest
    return np.stack((a, b, c, np.concatenate((ends, puts), axis=-1)), axis=-1)


def _cell_means(below: Floats, h: Floats, rise: Floats) -> Floats:
    """Mean of the cdf over each cell, to the fourth order, where that keeps it rising."""
    slope = rise / h
    inner = (h[:, :-1] * slope[..., 1:] + h[:, 1:] * slope[..., :-1]) / (h[:, :-1] + h[:, 1:])
    slope = np.concatenate((slope[..., :1], inner, slope[..., -1:]), axis=-1)
    lean = np.clip(h / 12.0 * np.diff(slope, axis=-1), -rise / 6.0, rise / 6.0)
    return np.asarray(below[..., :-1] + 0.5 * rise - lean)


def below_and_put(table: DensityTable, law: Ints, price: Floats) -> tuple[Floats, Floats]:
    """Probability of ending below each price, and the undiscounted put struck there.

    Parameters
    ----------
    table : DensityTable
    law : ndarray of int64, shape (n,)
        Horizon of each price.
    price : ndarray, shape (n,)
        Zero or positive.

    Returns
    -------
    tuple of ndarray, shape (n, 2) each
    """
    low = table.cells[law, 1, START]
    place = (np.log(np.maximum(price, low)) - table.ends[law, FIRST]) * table.ends[law, PACE]
    place = np.clip(np.nan_to_num(place), 0, CELLS)
    cell = np.where(price >= low, 1 + place.astype(np.int64), 0)
    found = table.cells[law, cell]
    width = found[:, WIDTH, None]
    t = (price - found[:, START])[:, None] / width
    a, b, c, put = np.moveaxis(found[:, CURVE:].reshape(-1, 2, CURVE_SIZE), -1, 0)
    return a + t * (b + t * c), put + width * t * (a + t * (b / 2 + t * c / 3))


def _quantiles(curve: Floats, start: Floats, width: Floats, share: float) -> Floats:
    """Price below which a density ends with a probability, shape (m,)."""
    rows = np.arange(len(start))
    cell = np.maximum((curve[:, :, 0] < share).sum(axis=1) - 1, 0)
    a, b, c, _ = np.moveaxis(curve[rows, cell], -1, 0)
    rest = share - a
    with np.errstate(invalid="ignore", divide="ignore"):
        t = 2 * rest / (b + np.sqrt(np.maximum(b * b + 4 * c * rest, 0.0)))
    t = np.where(rest > 0, np.minimum(t, 1.0), 0.0)
    found = start[rows, cell] + width[rows, cell] * t
    return np.asarray(np.where(np.isnan(curve[:, 1, 0]), np.nan, found))
