"""Matching against a visible quote: worked examples and what must always hold."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strikeloom.domain.depth import Depth, Level
from strikeloom.domain.instruments import InstrumentKind, OptionContract, Right
from strikeloom.domain.legs import Side
from strikeloom.domain.quotes import Quote
from strikeloom.exchange.orders.limit_conversion import typed_order
from strikeloom.exchange.orders.matching import match
from strikeloom.exchange.orders.request import Placement
from strikeloom.exchange.orders.validation import form_refusal
from support.fakes import ist

NIFTY = OptionContract("NIFTY", date(2026, 2, 24), 2500000, Right.CALL, InstrumentKind.INDEX, 65, 5)
QUOTED = ist("2026-02-11 10:00")


def _quote(bid, ask, size=650):
    return Depth.of_quote(Quote(NIFTY.key, bid, ask, None, size, size, 0, 0, QUOTED))


def _order(side, remaining, limit, placed=QUOTED):
    return typed_order(Placement(NIFTY, side, remaining, limit=limit), None, placed)[0]


def test_an_arriving_order_takes_the_quoted_price():
    (found,) = match(_order(Side.BUY, 130, 10100), _quote(9900, 10000), 0)
    assert (found.units, found.price) == (130, 10000)
    (found,) = match(_order(Side.SELL, 130, 9800), _quote(9900, 10000), 0)
    assert (found.units, found.price) == (130, 9900)


def test_a_resting_order_that_the_market_comes_to_trades_at_its_own_limit():
    earlier = ist("2026-02-11 09:55")
    (found,) = match(_order(Side.BUY, 65, 10100, earlier), _quote(9900, 10000), 0)
    assert found.price == 10100
    (found,) = match(_order(Side.SELL, 65, 9800, earlier), _quote(9900, 10000), 0)
    assert found.price == 9800


@pytest.mark.parametrize(
    ("side", "limit", "quote", "taken"),
    [
        (Side.BUY, 9995, _quote(9900, 10000), 0),  # below the ask
        (Side.SELL, 9905, _quote(9900, 10000), 0),  # above the bid
        (Side.BUY, 10000, _quote(9900, None), 0),  # no offer
        (Side.SELL, 9900, _quote(None, 10000), 0),  # no bid
        (Side.BUY, 10000, _quote(10000, 9900), 0),  # crossed: no market
        (Side.BUY, 10000, _quote(9900, 10000), 650),  # all of it already taken
        (Side.BUY, 10000, _quote(9900, 10000, 64), 0),  # less than a lot is shown
        (Side.BUY, 10000, _quote(9900, 10000, 0), 0),
    ],
)
def test_no_trade(side, limit, quote, taken):
    assert match(_order(side, 65, limit), quote, taken) == []


def test_only_what_is_shown_trades_and_only_in_whole_lots():
    (found,) = match(_order(Side.BUY, 650, 10000), _quote(9900, 10000, 200), 0)
    assert found.units == 195
    (found,) = match(_order(Side.BUY, 650, 10000), _quote(9900, 10000, 200), 65)
    assert found.units == 130


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
    trades = match(_order(side, 65 * lots, limit, placed), _quote(bid, ask, size), taken)
    if not trades:
        return
    (found,) = trades
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
    assert words in form_refusal(_order(Side.BUY, units, limit), date(2026, 2, 11), 1800).reason


def test_the_largest_order_within_the_freeze_quantity_passes():
    assert form_refusal(_order(Side.BUY, 27 * 65, 100), date(2026, 2, 11), 1800) is None
    of_2025 = replace(NIFTY, lot_size=75)
    order = replace(_order(Side.BUY, 1800, 100), instrument=of_2025)
    assert form_refusal(order, date(2025, 6, 2), 1800) is None
    more = replace(order, units=1875)
    assert "above the freeze quantity 1800" in form_refusal(more, date(2025, 6, 2), 1800).reason


# level by level

LADDER = Depth(
    NIFTY.key,
    (Level(9900, 130), Level(9890, 195), Level(9850, 65)),
    (Level(10000, 65), Level(10010, 130), Level(10050, 260)),
    QUOTED,
)


def test_an_arriving_order_walks_the_levels_that_its_limit_reaches():
    found = match(_order(Side.BUY, 325, 10010), LADDER, 0)
    assert [(m.units, m.price) for m in found] == [(65, 10000), (130, 10010)]
    found = match(_order(Side.SELL, 390, 9850), LADDER, 0)
    assert [(m.units, m.price) for m in found] == [(130, 9900), (195, 9890), (65, 9850)]


def test_what_was_taken_is_taken_from_the_best_level_on():
    found = match(_order(Side.BUY, 325, 10050), LADDER, 130)
    assert [(m.units, m.price) for m in found] == [(65, 10010), (260, 10050)]


def test_a_resting_order_takes_all_levels_at_its_own_limit():
    found = match(_order(Side.BUY, 195, 10050, ist("2026-02-11 09:55")), LADDER, 0)
    assert [(m.units, m.price) for m in found] == [(195, 10050)]


ladders = st.lists(st.tuples(st.integers(1, 40), st.integers(0, 500)), min_size=1, max_size=5)


@given(ladder=ladders, lots=st.integers(1, 60), taken=st.integers(0, 20), limit=st.integers(1, 260))
def test_one_order_after_another_takes_what_one_alone_would(ladder, lots, taken, limit):
    price, levels = 0, []
    for step, units in ladder:
        price += 5 * step
        levels.append(Level(price, units))
    depth = Depth(NIFTY.key, (), tuple(levels), QUOTED)
    first = match(_order(Side.BUY, 65 * taken, 5 * limit), depth, 0) if taken else []
    gone = sum(m.units for m in first)
    second = match(_order(Side.BUY, 65 * lots, 5 * limit), depth, gone)
    alone = match(_order(Side.BUY, 65 * (lots + taken), 5 * limit), depth, 0)
    by_price = {}
    for m in [*first, *second]:
        by_price[m.price] = by_price.get(m.price, 0) + m.units
        assert m.price <= 5 * limit
    assert by_price == {m.price: m.units for m in alone}
