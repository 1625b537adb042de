"""End of continuous trading, after which a stock's price is old."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from strikeloom.nse.cash_hours import closing_auction, continuous_until, spot_is_old
from strikeloom.nse.sessions import trading_days


def test_the_closing_auction_of_august_2026_ends_continuous_trading_sooner() -> None:
    before, after = date(2026, 7, 31), date(2026, 8, 3)
    assert f"{continuous_until(before):%H:%M}" == "15:30"
    assert f"{continuous_until(after):%H:%M}" == "15:15"
    assert not spot_is_old(before)
    assert spot_is_old(after)


def test_the_closing_auction_is_matched_until_five_past_half_past_three() -> None:
    """NSE/CMTR/74466: reference price from 15:15, orders until 15:30, matching until 15:35."""
    assert closing_auction(date(2026, 7, 31)) is None
    found = closing_auction(date(2026, 8, 3))
    assert found is not None
    assert [f"{time:%H:%M}" for time in found] == ["15:15", "15:35"]
    assert closing_auction(date(2025, 10, 21)) is None  # an hour of Muhurat trading


# zerodha.com, bulletins: "Equity and F&O segment" of 2024-01-20 and 2025-02-01; NSE's holidays are
# of "Equity Segment, Equity Derivative Segment and SLB Segment"
@pytest.mark.realdata
def test_shares_trade_on_the_days_of_derivatives(shared_data: Path) -> None:
    """Days of the cash market's own files, 2024-01 to 2026-08, special sessions with them."""
    path = shared_data / "reference" / "trading_days_2024_2026_derived.csv"
    days = [date.fromisoformat(line) for line in path.read_text().split()[1:]]
    assert len(days) > 650
    assert days == trading_days(date(2024, 1, 1), days[-1])
