"""What is stored by month, and the trading days that are missing."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from strikeloom.adapters.parquet.coverage import coverage
from strikeloom.adapters.parquet.history import ParquetHistory


def test_an_empty_history_is_covered_by_no_month(history: ParquetHistory) -> None:
    assert coverage(history).empty


@pytest.mark.realdata
def test_the_real_days(real_history: ParquetHistory) -> None:
    frame = coverage(real_history).set_index("month")
    assert frame["contracts"].sum() == 59
    assert frame["cash"].sum() == 324
    # the budget session of Sunday 2026-02-01 has cash prices but no contracts
    assert frame.loc["2026-02", "missing"] == [date(2026, 2, 1)]
    assert frame.loc["2026-02", "cash"] == frame.loc["2026-02", "trading_days"]
    assert frame.loc["2026-01", "missing"] == []
    assert len(frame.loc["2025-06", "missing"]) == frame.loc["2025-06", "trading_days"]
    # holidays are not holes: 2026-03-03 lies within the days of March
    march = pd.bdate_range("2026-03-01", "2026-03-19")
    assert frame.loc["2026-03", "trading_days"] == len(march) - 1
