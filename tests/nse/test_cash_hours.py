"""End of continuous trading, after which a stock's price is old."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from strikeloom.nse.cash_hours import (
    closing_auction_until,
    continuous_until,
    shares_closed_text,
    spot_is_old,
)
from strikeloom.nse.sessions import trading_days
from support.fakes import ist


def test_the_closing_auction_of_august_2026_ends_continuous_trading_sooner() -> None:
    before, after = date(2026, 7, 31), date(2026, 8, 3)
    assert f"{continuous_until(before):%H:%M}" == "15:30"
    assert f"{continuous_until(after):%H:%M}" == "15:15"
    assert not spot_is_old(before)
    assert spot_is_old(after)


def test_the_closing_auction_is_matched_until_five_past_half_past_three() -> None:
    """NSE/CMTR/74466: reference price from 15:15, orders until 15:30, matching until 15:35."""
    assert closing_auction_until(date(2026, 7, 31)) is None
    assert closing_auction_until(date(2026, 8, 3)) == ist("2026-08-03 15:35")
    assert closing_auction_until(date(2025, 10, 21)) is None  # an hour of Muhurat trading


@pytest.mark.parametrize(
    ("now", "text"),
    [
        ("2026-08-04 15:16", "until 15:15; it is 15:16, and their closing auction until 15:35 is"),
        ("2026-08-04 15:36", "shares trade until 15:15; it is 15:36"),
        ("2026-07-31 15:31", "shares trade until 15:30; it is 15:31"),
    ],
)
def test_an_order_in_a_share_after_its_session_is_answered_with_the_hours(
    now: str, text: str
) -> None:
    assert text in shares_closed_text(ist(now))
    assert ("auction" in shares_closed_text(ist(now))) == ("auction" in text)


# zerodha.com, bulletins: "Equity and F&O segment" of 2024-01-20 and 2025-02-01; NSE's holidays are
# of "Equity Segment, Equity Derivative Segment and SLB Segment"
@pytest.mark.realdata
def test_shares_trade_on_the_days_of_derivatives(shared_data: Path) -> None:
    """Days of the cash market's own files, 2024-01 to 2026-08, special sessions with them."""
    path = shared_data / "reference" / "trading_days_2024_2026_derived.csv"
    days = [date.fromisoformat(line) for line in path.read_text().split()[1:]]
    assert len(days) > 650
    assert days == trading_days(date(2024, 1, 1), days[-1])
