"""Where a value stands among the values before it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Standing(NamedTuple):
    """Percentile and rank, 0 to 100, and the number of observations behind them."""

    percentile: float
    rank: float
    sample: int


def standing(value: float, history: Floats) -> Standing:
    """Percentile and rank of ``value`` in ``history``.

    Percentile is the share of observations below the value, ties counted half (mid-rank), so
    the lowest of n is not 0 by construction and a flat history gives 50. Rank is the place
    between minimum and maximum, NaN for a flat history.

    Parameters
    ----------
    history : ndarray, shape (n,)
        Past observations, the value itself included when it belongs; NaN rows are dropped.
    """
    known = history[np.isfinite(history)]
    if not len(known) or not np.isfinite(value):
        return Standing(np.nan, np.nan, len(known))
    below = np.count_nonzero(known < value)
    equal = np.count_nonzero(known == value)
    low, high = float(known.min()), float(known.max())
    rank = 100 * (value - low) / (high - low) if high > low else np.nan
    return Standing(100 * (below + 0.5 * equal) / len(known), rank, len(known))
