"""Expiry rules against circulars and against what the exchange listed."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strikeloom.nse.expiries import (
    expiry_weekday,
    monthly_expiries,
    monthly_expiry,
    weekly_expiries,
)
from strikeloom.nse.sessions import is_trading_day

if TYPE_CHECKING:
    import pandas as pd


# nominal Tuesdays that are holidays move to the Monday; March's was announced by circular
@pytest.mark.parametrize(
    ("month", "expected"),
    [
        (1, date(2026, 1, 27)),
        (2, date(2026, 2, 24)),
        (3, date(2026, 3, 30)),
        (4, date(2026, 4, 28)),
        (11, date(2026, 11, 23)),
    ],
)
def test_monthly_expiries_of_2026(month: int, expected: date) -> None:
    assert monthly_expiry(2026, month) == expected


@pytest.mark.parametrize(
    ("tuesday", "expiry"),
    [
        (date(2026, 3, 3), date(2026, 3, 2)),
        (date(2026, 3, 31), date(2026, 3, 30)),
        (date(2026, 4, 14), date(2026, 4, 13)),
        (date(2026, 10, 20), date(2026, 10, 19)),
        (date(2026, 11, 10), date(2026, 11, 9)),
        (date(2026, 11, 24), date(2026, 11, 23)),
    ],
)
def test_weekly_expiries_move_back_over_holidays(tuesday: date, expiry: date) -> None:
    found = weekly_expiries(tuesday - timedelta(days=5), 2)
    assert found[0] == expiry
    assert weekly_expiries(tuesday, 1)[0] > tuesday  # the moved one is past


def test_expiries_were_on_thursdays_before_september_2025() -> None:
    assert (expiry_weekday(date(2025, 8, 31)), expiry_weekday(date(2025, 9, 1))) == (3, 1)
    assert monthly_expiry(2025, 7) == date(2025, 7, 31)
    assert monthly_expiries(date(2025, 8, 29), 2) == [date(2025, 9, 30), date(2025, 10, 28)]
    # NSE: the last Thursday was 28 August, the first Tuesday 2 September
    assert weekly_expiries(date(2025, 8, 26), 2) == [date(2025, 8, 28), date(2025, 9, 2)]


@given(day=st.dates(date(2012, 2, 1), date(2026, 11, 1)), count=st.integers(1, 5))
def test_expiries_are_trading_days_in_order(day: date, count: int) -> None:
    weekly = weekly_expiries(day, count)
    assert len(set(weekly)) == count
    assert weekly == sorted(weekly)
    assert day <= weekly[0] <= day + timedelta(days=13)
    assert all(is_trading_day(expiry) for expiry in weekly)
    (monthly,) = monthly_expiries(day, 1)
    assert monthly >= day
    # the month's last weekly expiry is the monthly one
    assert monthly in weekly_expiries(monthly - timedelta(days=6), 2)


@pytest.mark.realdata
def test_the_rule_gives_what_the_exchange_listed(official: dict[date, pd.DataFrame]) -> None:
    for day, frame in official.items():
        stocks = sorted(set(frame.loc[frame["type"] == "STO", "expiry"]))
        assert stocks == monthly_expiries(day, 3)
        nifty = set(frame.loc[frame["symbol"] == "NIFTY", "expiry"])
        assert set(weekly_expiries(day, 4)) <= nifty
