"""One of two processes that write the same month. A module of its own: both can import it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from strikeloom.adapters.parquet.history import ParquetHistory


def write_month(folder: str, symbols: list[str]) -> None:
    """Write a day of cash prices, one symbol after the other."""
    history = ParquetHistory(Path(folder), "nse")
    prices = dict.fromkeys(("open", "high", "low", "close", "previous_close"), 100.0)
    for symbol in symbols:
        row = {"day": pd.Timestamp("2026-02-10"), "symbol": symbol, **prices, "volume": 10}
        history.write("cash", pd.DataFrame([row]), source=symbol)
