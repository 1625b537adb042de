"""End of continuous trading, after which a stock's price is old."""

from __future__ import annotations

from datetime import date

from strikeloom.nse.cash_hours import continuous_until, spot_is_old


def test_the_closing_auction_of_august_2026_ends_continuous_trading_sooner() -> None:
    before, after = date(2026, 7, 31), date(2026, 8, 3)
    assert f"{continuous_until(before):%H:%M}" == "15:30"
    assert f"{continuous_until(after):%H:%M}" == "15:15"
    assert not spot_is_old(before)
    assert spot_is_old(after)
