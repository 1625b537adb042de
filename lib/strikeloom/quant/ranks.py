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

    With ``n`` finite observations ``x`` in a row, ``value`` among them where it belongs:

    - percentile is ``100 * (count(x < value) + count(x == value) / 2) / n``: observations equal to
      the value, itself included, count half. The lowest of n distinct ones has ``50 / n``, the
      highest ``100 - 50 / n``, a flat history 50. It is ``scipy.stats.percentileofscore`` of kind
      ``mean`` and, of the last of n, ``100 * (x.rank(method="average") - 0.5) / n`` of pandas.
    - rank is ``100 * (value - min(x)) / (max(x) - min(x))``, NaN for a flat history.
    - sample is ``n``.

    Parameters
    ----------
    value : ndarray, shape (rows,)
        One that is not finite gives NaN.
    history : ndarray, shape (rows, n)
        Observations of each row, the value itself included when it belongs; entries that are not
        finite do not count.
    """
    known = np.isfinite(history)
    history = np.where(known, history, np.nan)
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
