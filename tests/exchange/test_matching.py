"""Matching against a visible quote: worked examples and what must always hold."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doubles import ist
from strikeloom.domain.instruments import Kind, OptionContract, Right
from strikeloom.domain.legs import Side
from strikeloom.domain.orders import OrderRequest, Validity
from strikeloom.domain.quotes import Quote
from strikeloom.exchange.matching import match, refusal
from strikeloom.exchange.resting import Resting

NIFTY = OptionContract("NIFTY", date(2026, 2, 24), 2500000, Right.CALL, Kind.INDEX, 65, 5)
QUOTED = ist("2026-02-11 10:00")


def _quote(bid, ask, size=650):
    return Quote(NIFTY.key, bid, ask, None, size, size, 0, 0, QUOTED)


def _order(side, remaining, limit, placed=QUOTED):
    return Resting(1, NIFTY, side, remaining, True, limit, Validity.DAY, placed)


def test_an_arriving_order_takes_the_quoted_price():
    found = match(_order(Side.BUY, 130, 10100), _quote(9900, 10000), 0)
    assert (found.units, found.price) == (130, 10000)
    found = match(_order(Side.SELL, 130, 9800), _quote(9900, 10000), 0)
    assert (found.units, found.price) == (130, 9900)


def test_a_resting_order_that_the_market_comes_to_trades_at_its_own_limit():
    earlier = ist("2026-02-11 09:55")
    found = match(_order(Side.BUY, 65, 10100, earlier), _quote(9900, 10000), 0)
    assert found.price == 10100
    found = match(_order(Side.SELL, 65, 9800, earlier), _quote(9900, 10000), 0)
    assert found.price == 9800


@pytest.mark.parametrize(
    ("side", "limit", "quote", "taken"),
    [
        (Side.BUY, 9995, _quote(9900, 10000), 0),  # below the ask
        (Side.SELL, 9905, _quote(9900, 10000), 0),  # above the bid
        (Side.BUY, 10000, _quote(9900, None), 0),  # nobody offers
        (Side.SELL, 9900, _quote(None, 10000), 0),  # nobody bids
        (Side.BUY, 10000, _quote(10000, 9900), 0),  # crossed: no market
        (Side.BUY, 10000, _quote(9900, 10000), 650),  # all of it already taken
        (Side.BUY, 10000, _quote(9900, 10000, 64), 0),  # less than a lot is shown
        (Side.BUY, 10000, _quote(9900, 10000, 0), 0),
    ],
)
def test_no_trade(side, limit, quote, taken):
    assert match(_order(side, 65, limit), quote, taken) is None


def test_only_what_is_shown_trades_and_only_in_whole_lots():
    assert match(_order(Side.BUY, 650, 10000), _quote(9900, 10000, 200), 0).units == 195
    assert match(_order(Side.BUY, 650, 10000), _quote(9900, 10000, 200), 65).units == 130


prices = st.one_of(st.none(), st.integers(1, 400).map(lambda n: 5 * n))


@given(
    side=st.sampled_from(Side),
    lots=st.integers(1, 40),
    limit=st.integers(1, 400).map(lambda n: 5 * n),
    bid=prices,
    ask=prices,
    size=st.integers(0, 3000),
    taken=st.integers(0, 3000),
    late=st.booleans(),
)
def test_a_trade_is_never_worse_than_the_limit_nor_larger_than_shown(
    side, lots, limit, bid, ask, size, taken, late
):
    placed = ist("2026-02-11 09:30") if late else QUOTED
    found = match(_order(side, 65 * lots, limit, placed), _quote(bid, ask, size), taken)
    if found is None:
        return
    assert bid is None or ask is None or bid <= ask
    assert found.units % 65 == 0
    assert 0 < found.units <= min(65 * lots, size - taken)
    assert found.price <= limit if side is Side.BUY else found.price >= limit
    touch = ask if side is Side.BUY else bid
    assert found.price >= touch if side is Side.BUY else found.price <= touch


@pytest.mark.parametrize(
    ("units", "limit", "words"),
    [
        (0, 100, "multiple of the lot size 65"),
        (-65, 100, "multiple"),
        (66, 100, "multiple"),
        (65, 0, "tick"),
        (65, 103, "tick of 0.05"),
        (1820, 100, "freeze quantity 1800"),
    ],
)
def test_forms_the_exchange_refuses(units, limit, words):
    request = OrderRequest("x", NIFTY, Side.BUY, units, limit)
    assert words in refusal(request, date(2026, 2, 11))


def test_the_largest_order_below_the_freeze_quantity_passes():
    assert refusal(OrderRequest("x", NIFTY, Side.BUY, 27 * 65, 100), date(2026, 2, 11)) is None
