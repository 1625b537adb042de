"""Implicit steps of ``reach``, compiled: a tridiagonal system a structure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from strikeloom.quant.compiled import compiled

Floats = NDArray[np.float64]


@compiled
def implicit_step(values: Floats, half: Floats, before: Floats, after: Floats) -> Floats:
    """One implicit step of all structures; where ``half`` is 0 a value stays. Ends stay.

    Parameters
    ----------
    values, half, before, after : ndarray, shape (nodes, n)
        What moves, half its variance in the step, distances to the neighbours.
    """
    nodes, count = values.shape
    ratio, found = np.empty((nodes, count)), np.empty((nodes, count))
    for i in range(nodes):
        for j in range(count):
            if i == 0 or i == nodes - 1:
                low = high = 0.0
            else:
                span = before[i, j] + after[i, j]
                low = -half[i, j] * (2 + after[i, j]) / (before[i, j] * span)
                high = -half[i, j] * (2 - before[i, j]) / (after[i, j] * span)
            middle = 1 - low - high
            if i == 0:
                ratio[i, j], found[i, j] = high / middle, values[i, j] / middle
                continue
            scale = 1 / (middle - low * ratio[i - 1, j])
            ratio[i, j] = high * scale
            found[i, j] = (values[i, j] - low * found[i - 1, j]) * scale
    for i in range(nodes - 2, -1, -1):
        for j in range(count):
            found[i, j] -= ratio[i, j] * found[i + 1, j]
    return found
