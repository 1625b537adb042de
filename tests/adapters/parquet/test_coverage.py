"""What is stored by month, and the trading days that are missing."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from strikeloom.adapters.parquet.coverage import coverage
from strikeloom.adapters.parquet.datasets import DATASETS
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
    # cash begins a month before the contracts: no contracts are missing there
    assert frame.loc["2024-12", ["cash", "held"]].tolist() == [21, 0]
    assert frame.loc["2024-12", "missing"] == []


def test_days_outside_the_files_of_their_kind_are_not_missing(history: ParquetHistory) -> None:
    """Contracts of two days, cash of a longer span, snapshots much later."""
    cash = [date(2026, 1, 5), date(2026, 1, 6), date(2026, 1, 14)]
    _store(history, "cash", cash)
    _store(history, "contracts", [date(2026, 1, 7), date(2026, 1, 9)])
    _store(history, "quotes", [date(2026, 2, 3), date(2026, 2, 5)])
    frame = coverage(history).set_index("month")
    assert frame["missing"].tolist() == [[date(2026, 1, 8)], [date(2026, 2, 4)]]
    assert frame["held"].tolist() == [2, 2]
    assert frame["cash"].tolist() == [3, 0]
    # 2026-01-05 to 30 without the 15th and the 26th, holidays; 02-01 was a session
    assert frame["trading_days"].tolist() == [18, 5]


def _store(history: ParquetHistory, dataset: str, days: list[date]) -> None:
    """A row of each day."""
    kind = DATASETS[dataset]
    values = {"text": "A", "price": 10.0, "number": 1.0, "count": 1, "flag": True}
    for day in days:
        at = pd.Timestamp(day, tz="Asia/Kolkata") + pd.Timedelta(hours=12)
        moments = {"date": pd.Timestamp(day), "time": at.as_unit("us")}
        row = {name: [{**values, **moments}[family]] for name, family in kind.columns.items()}
        history.write(dataset, pd.DataFrame(row), source=f"{dataset} {day}")
