"""Index expiries of real days against the options around their forward.

The expected volatilities were made without a smile: a parabola by least squares through those
of the traded out-of-the-money options within three quarters of a deviation of the forward.
"""

from __future__ import annotations

import tarfile
from datetime import date
from functools import cache
from pathlib import Path

import pandas as pd
import pytest

from strikeloom.adapters.bhavcopy import import_paths
from strikeloom.adapters.parquet.history import ParquetHistory
from strikeloom.iv_history import DaySummary, summarise_day
from strikeloom.settings.all import load_settings

pytestmark = pytest.mark.realdata

DAYS = ("2024-06-25", "2024-07-30", "2024-12-04", "2025-04-17", "2025-12-22")
CASES = [
    ("2024-06-25", "2024-06-27", 14.1),  # three deep puts, 389,384 lots in one
    ("2024-06-25", "2024-07-04", 12.7),
    ("2024-07-30", "2024-08-14", 11.8),
    ("2024-07-30", "2024-08-22", 11.6),
    ("2024-12-04", "2025-01-02", 13.6),  # squeezed between two that touched
    ("2025-04-17", "2025-05-15", 13.5),
    ("2025-12-22", "2025-12-30", 8.3),  # no error, so no grade: one option far out
]
NO_PRICES = pd.DataFrame(
    {name: pd.Series(dtype=float) for name in ("open", "high", "low", "close")}
).assign(symbol=pd.Series(dtype=object), day=pd.Series(dtype="datetime64[s]"))


class IndexDays:
    """Real days of NIFTY and BANKNIFTY, each computed once."""

    def __init__(self, history: ParquetHistory) -> None:
        self.history = history
        self.of = cache(self._of)

    def _of(self, text: str) -> DaySummary:
        day = date.fromisoformat(text)
        contracts = self.history.as_of(day).contracts(day)
        return summarise_day(contracts, NO_PRICES, day, load_settings().iv)


@pytest.fixture(scope="module")
def days(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> IndexDays:
    files = tmp_path_factory.mktemp("files")
    for day in DAYS:
        month = f"nifty_banknifty_{day[:7]}.tar.xz"
        name = f"BhavCopy_NSE_FO_0_0_0_{day.replace('-', '')}_F_0000.csv"
        with tarfile.open(shared_data / "fo_bhavcopy" / "index_options" / month) as members:
            member = next(each for each in members if each.name.endswith(name))
            members.extract(member, files, filter="data")
    history = ParquetHistory(tmp_path_factory.mktemp("history"), "nse")
    import_paths([files], history)
    return IndexDays(history)


@pytest.mark.parametrize(("day", "expiry", "percent"), CASES)
def test_a_smile_passes_through_the_options_around_the_forward(
    days: IndexDays, day: str, expiry: str, percent: float
) -> None:
    table = days.of(day).expiries.set_index(["symbol", "expiry"])
    row = table.loc[("NIFTY", pd.Timestamp(expiry))]
    assert 100 * row["atm_iv"] == pytest.approx(percent, abs=0.25)
    assert row["atm_error"] < 0.075


def test_a_fresh_weekly_does_not_pull_the_month_away_from_its_options(days: IndexDays) -> None:
    """India VIX stood at 15.47, in the upper quarter of its year; the index read 12.05 before."""
    summary = days.of("2025-04-17").summary.set_index("symbol")
    assert 100 * summary.loc["NIFTY", "atm_iv_30d"] == pytest.approx(13.6, abs=0.2)


@pytest.mark.parametrize("day", DAYS)
def test_no_expiry_with_a_hundred_quotes_is_without_an_error(days: IndexDays, day: str) -> None:
    table = days.of(day).expiries
    assert (table.loc[table["quotes"] >= 100, "atm_error"] < 0.15).all()
