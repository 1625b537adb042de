"""Probability, put and density at a price, from the cells of ``densities``, compiled.

``cells``, shape (k, 10), and ``ends``, shape (8,), are a horizon's rows of ``DensityTable``.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from strikeloom.quant.candidates.densities import CURVE, CURVE_SIZE, FIRST, PACE, START, WIDTH
from strikeloom.quant.compiled import compiled

Floats = NDArray[np.float64]


@compiled
def cell_of(cells: Floats, ends: Floats, price: float) -> int:
    """Number of the cell that holds a price."""
    if not price >= cells[1, START]:
        return 0
    last = len(cells) - 1
    place = (math.log(price) - ends[FIRST]) * ends[PACE]
    return min(last, 1 + int(max(place, 0.0))) if place < last else last


@compiled
def cell_values(cells: Floats, cell: int, price: float, d: int) -> tuple[float, float, float]:
    """Probability of ending below, undiscounted put, density; of density ``d``."""
    first = CURVE + CURVE_SIZE * d
    a, b, c = cells[cell, first], cells[cell, first + 1], cells[cell, first + 2]
    width = cells[cell, WIDTH]
    t = (price - cells[cell, START]) / width
    put = cells[cell, first + 3] + width * t * (a + t * (0.5 * b + t * c / 3.0))
    return a + t * (b + t * c), put, (b + 2.0 * t * c) / width


@compiled
def price_below(cells: Floats, chance: float, d: int) -> float:
    """Price below which density ``d`` ends with a probability, between 0 and 1."""
    first = CURVE + CURVE_SIZE * d
    low, high = 0, len(cells) - 1
    while high - low > 1:
        middle = (low + high) // 2
        if cells[middle, first] <= chance:
            low = middle
        else:
            high = middle
    b, c = cells[low, first + 1], cells[low, first + 2]
    rest = chance - cells[low, first]
    root = b + math.sqrt(max(b * b + 4.0 * c * rest, 0.0))
    t = min(1.0, 2.0 * rest / root) if root > 0 else 0.0
    return float(cells[low, START] + t * cells[low, WIDTH])
