"""Lot sizes of chains read from a broker, which does not send any."""

from __future__ import annotations

import pandas as pd

from strikeloom.adapters.parquet.chain_day import lots_of


def _expiries(*days: str) -> pd.Series:
    return pd.Series(pd.to_datetime(days).astype("datetime64[s]"))


def test_a_lot_is_that_of_its_expiry() -> None:
    """NIFTY on 2025-01-02 by the exchange's file: 25 for the January month, 75 for all others."""
    index = pd.MultiIndex.from_arrays(
        [
            ["NIFTY"] * 3 + ["ITC"],
            _expiries("2025-01-09", "2025-01-30", "2025-02-27", "2025-01-30"),
        ],
        names=["symbol", "expiry"],
    )
    last = pd.Series([75, 25, 75, 1600], index=index)
    quotes = pd.DataFrame(
        {
            "symbol": ["NIFTY", "NIFTY", "NIFTY", "ITC", "NEWCO"],
            "expiry": _expiries(
                "2025-01-30", "2025-02-27", "2025-03-06", "2025-01-30", "2025-01-30"
            ),
        }
    )
    # an expiry listed since has the lot of the latest one; of a new symbol none is known
    assert lots_of(quotes, last).tolist() == [25, 75, 75, 1600, 0]
    assert lots_of(quotes, last.iloc[:0]).tolist() == [0] * 5
