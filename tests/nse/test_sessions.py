"""The trading calendar against the exchange's own files and circulars."""

from __future__ import annotations

import csv
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strikeloom.errors import DataError
from strikeloom.nse.sessions import (
    IST,
    is_trading_day,
    next_trading_day,
    previous_trading_day,
    session,
    trading_days,
    years_array,
    years_to_expiry,
)


@pytest.mark.realdata
def test_every_day_with_a_cash_file_is_a_trading_day_and_no_other(shared_data: Path) -> None:
    path = shared_data / "reference" / "trading_days_2024_2026_derived.csv"
    with path.open(encoding="utf-8") as stream:
        expected = [date.fromisoformat(row["date"]) for row in csv.DictReader(stream)]
    assert trading_days(expected[0], expected[-1]) == expected


# NSE/FAOP/71777 of 2025-12-12 and later additions
HOLIDAYS_2026 = [
    "2026-01-15",
    "2026-01-26",
    "2026-03-03",
    "2026-03-26",
    "2026-03-31",
    "2026-04-03",
    "2026-04-14",
    "2026-05-01",
    "2026-05-28",
    "2026-06-26",
    "2026-09-14",
    "2026-10-02",
    "2026-10-20",
    "2026-11-10",
    "2026-11-24",
    "2026-12-25",
]


@pytest.mark.parametrize("text", HOLIDAYS_2026)
def test_holidays_of_2026(text: str) -> None:
    assert not is_trading_day(date.fromisoformat(text))


def test_the_budget_sunday_was_a_session() -> None:
    assert is_trading_day(date(2026, 2, 1))
    assert previous_trading_day(date(2026, 2, 2)) == date(2026, 2, 1)
    assert next_trading_day(date(2026, 1, 30)) == date(2026, 2, 1)


def test_the_session_has_been_longer_since_august_2026() -> None:
    assert session(date(2026, 7, 31)).minutes == 375
    assert session(date(2026, 8, 3)).minutes == 385
    assert session(date(2026, 8, 3)).close == datetime(2026, 8, 3, 15, 40, tzinfo=IST)


@pytest.mark.parametrize("day", [date(2006, 12, 31), date(2031, 1, 1)])
def test_a_day_beyond_the_calendar_is_an_error(day: date) -> None:
    with pytest.raises(DataError, match="trading calendar is known from"):
        is_trading_day(day)


def test_years_count_calendar_minutes_to_the_close() -> None:
    now = datetime(2026, 2, 10, 15, 30, tzinfo=IST)
    assert years_to_expiry(now, date(2026, 2, 24)) == pytest.approx(14 / 365, abs=1e-15)
    assert years_to_expiry(now, date(2026, 2, 10)) == 0.0
    assert years_to_expiry(now, date(2026, 2, 3)) == 0.0


def test_trading_time_skips_weekends_and_counts_part_days() -> None:
    friday = datetime(2026, 2, 13, 15, 30, tzinfo=IST)
    assert years_to_expiry(friday, date(2026, 2, 16), basis="trading") == pytest.approx(1 / 250)
    noon = datetime(2026, 2, 16, 12, 22, 30, tzinfo=IST)  # half of 375 minutes are left
    assert years_to_expiry(noon, date(2026, 2, 16), basis="trading") == pytest.approx(0.5 / 250)


@given(minutes=st.integers(0, 60 * 24 * 40))
def test_time_only_runs_down(minutes: int) -> None:
    start = datetime(2026, 2, 1, 9, 15, tzinfo=IST)
    expiry = date(2026, 3, 2)
    earlier = years_to_expiry(start + timedelta(minutes=minutes), expiry)
    later = years_to_expiry(start + timedelta(minutes=minutes + 1), expiry)
    assert 0 <= later <= earlier


def test_an_array_is_its_elements() -> None:
    now = datetime(2026, 2, 10, 11, 0, tzinfo=IST)
    days = [date(2026, 2, 24), date(2026, 2, 17), date(2026, 2, 24)]
    found = years_array(now, np.array(days, dtype="datetime64[s]"))
    assert found.tolist() == [years_to_expiry(now, day) for day in days]
