"""One pass over sorted rows for the Pareto front, compiled."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from strikeloom.quant.compiled import compiled


@compiled
def mark_front(rows: NDArray[np.float64], kept: NDArray[np.bool_]) -> None:
    """Mark the rows that no earlier one equals or exceeds in every column.

    ``rows``, shape (n, d), are sorted descending by all columns in turn, so that only an
    earlier row of the front can be in the way. The one that was last in the way is tried first.
    """
    front = np.empty(len(rows), dtype=np.int64)
    size = 0
    for i in range(len(rows)):
        beaten = False
        for place in range(size):
            other, beaten = front[place], True
            for j in range(rows.shape[1]):
                if rows[other, j] < rows[i, j]:
                    beaten = False
                    break
            if beaten:
                front[place], front[0] = front[0], other
                break
        if not beaten:
            front[size] = i
            size += 1
            kept[i] = True
