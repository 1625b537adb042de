"""Percentile and rank of values in their own history."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class HistoryRank(NamedTuple):
    """Percentile and rank, 0 to 100, and the observations behind them; shape (rows,)."""

    percentile: Floats
    rank: Floats
    sample: NDArray[np.int64]


def rank_in_history(value: Floats, history: Floats) -> HistoryRank:
    """Percentile and rank of each value in its own history.

    Percentile is the share of observations below the value, ties counted half (mid-rank), so
    the lowest of n is not 0 by construction and a flat history gives 50. Rank is the position
    between minimum and maximum, NaN for a flat history.

    Parameters
    ----------
    value : ndarray, shape (rows,)
        NaN gives NaN.
    history : ndarray, shape (rows, n)
        Past observations of each row, the value itself included when it belongs; NaN entries
        do not count.
    """
    known = np.isfinite(history)
    sample = np.count_nonzero(known, axis=1)
    at = value[:, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        below = np.count_nonzero(history < at, axis=1)
        equal = np.count_nonzero(history == at, axis=1)
        low = np.min(np.where(known, history, np.inf), axis=1, initial=np.inf)
        high = np.max(np.where(known, history, -np.inf), axis=1, initial=-np.inf)
        share = 100 * (below + 0.5 * equal) / sample
        rank = np.where(high > low, 100 * (value - low) / (high - low), np.nan)
    none = (sample == 0) | ~np.isfinite(value)
    return HistoryRank(
        np.where(none, np.nan, share), np.where(none, np.nan, rank), sample.astype(np.int64)
    )
