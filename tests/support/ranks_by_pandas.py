"""Percentiles and ranks by pandas' own rolling windows: the reference of the product's ranks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd

from strikeloom.domain.volatility import IvRank

WINDOWS = (21, 63, 126, 252)
NEEDED = (20, 40, 80, 160)
CLOSE = 1e-12


def ranks_by_pandas(history: pd.DataFrame, sessions: Sequence[date]) -> pd.DataFrame:
    """Percentile, rank and sample of each symbol, day and window.

    Every row of the table is a session, with or without a volatility, so that a window of n rows
    is one of n sessions. ``Rolling.rank`` gives the place of the last value among those of its
    window, equal ones sharing the mean of their places; half a place less, over the sample, is the
    share below it with equals counted half.
    """
    table = history.pivot(index="day", columns="symbol", values="atm_iv_30d")
    table = table.reindex(pd.to_datetime(list(sessions)).astype("datetime64[s]"))
    found = {}
    for length in WINDOWS:
        window = table.rolling(length, min_periods=1)
        count = window.count()
        low, high = window.min(), window.max()
        found[length] = pd.concat(
            {
                "percentile": 100 * (window.rank(method="average") - 0.5) / count,
                "rank": (100 * (table - low) / (high - low)).where(high > low),
                "sample": count,
            },
            axis=1,
        )
    return pd.concat(found, axis=1)


def same(row: IvRank, expected: pd.DataFrame) -> float:
    """Compare a rank with the reference in every window; returns the largest difference."""
    of_day = expected.loc[pd.Timestamp(row.day)]
    known = row.atm_iv is not None
    largest, used = 0.0, None
    assert [window.sessions for window in row.windows] == list(WINDOWS)
    for window, length, needed in zip(row.windows, WINDOWS, NEEDED, strict=True):
        sample = int(of_day[length, "sample", row.symbol])
        assert window.sample == sample, (row.symbol, row.day, length)
        if not known or sample < needed:
            assert window.percentile is window.rank is None
            continue
        used = window
        for value, name in ((window.percentile, "percentile"), (window.rank, "rank")):
            theirs = float(of_day[length, name, row.symbol])
            ours = np.nan if value is None else value
            assert np.isnan(ours) == np.isnan(theirs), (row.symbol, row.day, length, name)
            if not np.isnan(ours):
                largest = max(largest, abs(ours - theirs))
    assert largest <= CLOSE, (row.symbol, row.day, largest)
    shown = (row.window_sessions, row.percentile, row.rank)
    assert shown == (
        (None, None, None) if used is None else (used.sessions, used.percentile, used.rank)
    )
    return largest
