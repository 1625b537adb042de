"""Price rules where the market has moved on: a way out must stay open."""

from datetime import date

import pytest

from strikeloom.domain.legs import Side
from strikeloom.domain.quotes import Quote
from strikeloom.exchange.orders.limit_conversion import typed_order
from strikeloom.exchange.orders.request import OrderType, Placement
from strikeloom.exchange.orders.validation import price_refusal
from support.fakes import ist, option

CALL, NOW = option(25000), ist("2026-02-11 10:00")
BAND = (5, 130_00)


def refusal(side, limit, bid, ask, last, band=BAND):
    quote = Quote(CALL.key, bid, ask, last, 650, 650, 65, 0, NOW)
    placement = Placement(CALL, side, 65, OrderType.LIMIT, limit)
    order, _ = typed_order(placement, quote, NOW)
    found = price_refusal(order, quote, band, date(2026, 2, 11))
    return found.reason if found else None


def test_the_band_of_the_morning_does_not_lock_in_who_is_short_in_a_fall():
    """The option left its band at 130.00 and trades at 200.00: it can be bought back there."""
    assert refusal(Side.BUY, 201_00, 199_00, 201_00, 200_00) is None
    assert "protection" in refusal(Side.BUY, 290_00, 199_00, 201_00, 200_00)


def test_the_band_holds_while_the_market_is_in_it():
    assert "outside the day's range" in refusal(Side.BUY, 131_00, 119_00, 121_00, 120_00)
    assert "outside the day's range" in refusal(Side.SELL, 140_00, 99_00, 101_00, 100_00)
    assert "outside the day's range" in refusal(Side.SELL, 140_00, None, None, None)


@pytest.mark.parametrize(
    ("bid", "ask", "last", "limit", "fine"),
    [
        (48_00, 50_00, 10_00, 50_00, True),  # 10.00 was hours ago: 48.00 and Rs 20 more
        (48_00, 50_00, 10_00, 69_00, False),
        (4_00, 6_00, 90_00, 30_00, False),  # nor does an old 90.00 let pay five times the worth
        (None, 50_00, 10_00, 50_00, False),  # one side alone may be anybody's fancy
        (45_00, 55_00, 50_00, 70_00, True),
        (45_00, 55_00, 50_00, 70_05, False),
    ],
)
def test_an_old_trade_is_judged_by_the_quote_of_now(bid, ask, last, limit, fine):
    assert (refusal(Side.BUY, limit, bid, ask, last, band=None) is None) is fine
