"""Ranks of real days, one session of them without a file, against pandas' rolling windows."""

from __future__ import annotations

import tarfile
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from strikeloom import iv_history
from strikeloom.adapters.bhavcopy import import_paths
from strikeloom.adapters.parquet.history import ParquetHistory
from strikeloom.adapters.workers import HereWorkers
from strikeloom.desk import open_desk
from support.ranks_by_pandas import ranks_by_pandas, same

pytestmark = pytest.mark.realdata

MONTHS = ("2025-01", "2025-02")
NO_FILE = date(2025, 2, 1)  # a Saturday with a whole session


def test_every_window_of_every_day_is_that_of_pandas(shared_data: Path, tmp_path: Path) -> None:
    for month in MONTHS:
        name = f"nifty_banknifty_{month}.tar.xz"
        with tarfile.open(shared_data / "fo_bhavcopy" / "index_options" / name) as archive:
            archive.extractall(tmp_path / "files", filter="data")
    history = ParquetHistory(tmp_path / "history" / "nse", "nse")
    assert not import_paths([tmp_path / "files"], history).refused
    days = history.days()
    table = pd.read_csv(shared_data / "reference" / "trading_days_2024_2026_derived.csv")
    sessions = [date.fromisoformat(text) for text in table["date"]]
    sessions = [day for day in sessions if days[0] <= day <= days[-1]]
    assert set(sessions) - set(days) == {NO_FILE}
    desk = open_desk("nse", days[-1], home=tmp_path)
    gaps = iv_history.find_gaps(desk, days[0])
    iv_history.save(desk, "run", gaps, iv_history.collect(desk, gaps, HereWorkers()))
    reference = ranks_by_pandas(desk.store.iv_history(desk.day), sessions)
    ranks = [row for name in ("BANKNIFTY", "NIFTY") for row in iv_history.read_ranks(desk, name)]
    desk.close()
    assert len(ranks) == 2 * len(days)
    for row in ranks:
        same(row, reference)
        # 20 of the last 21 sessions are enough, whichever of them has no file
        assert (row.windows[0].percentile is not None) == (row.day >= days[19])
