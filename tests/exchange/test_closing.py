"""Exits and changes: closing positions, conversions, the last day, orders of the evening."""

from dataclasses import replace

import pytest

from strikeloom.domain.instruments import InstrumentKind, Right
from strikeloom.domain.legs import Side
from strikeloom.domain.orders import OrderState
from strikeloom.domain.products import Product
from strikeloom.errors import Rejected
from strikeloom.exchange.account.account import Account
from strikeloom.exchange.engine.engine import Engine
from strikeloom.exchange.orders.request import Change, OrderType, Placement
from support.fakes import ist, option

LOW, CALL = option(24900), option(25000)
STOCK = option(1400, Right.CALL, symbol="RELIANCE", kind=InstrumentKind.STOCK, lot=500)
BUY, SELL = Side.BUY, Side.SELL


@pytest.fixture
def opened(tmp_path, feed, clock):
    """Open an engine with so many rupees; every engine must add up at the end."""
    engines = []

    def _open(rupees):
        engine = Engine(Account(tmp_path / "closing.db", rupees * 100), feed, clock)
        engines.append(engine)
        return engine

    yield _open
    for engine in engines:
        engine.audit()
        engine.close()


def show(feed, instrument, bid, ask, size=100_000):
    shown = feed.show(instrument, bid, ask, size=size)
    feed.shown[instrument.key] = replace(shown, last=(bid + ask) // 2, volume=65)


def test_closing_a_spread_buys_back_the_short_before_it_sells_the_hedge(opened, feed):
    """The hedge comes first by strike; sold first, its short would need 2 lakh that are not."""
    engine = opened(150_000)
    for instrument in (LOW, CALL):
        show(feed, instrument, 9900, 10000)
    engine.place(Placement(LOW, BUY, 65, limit=10000))
    engine.place(Placement(CALL, SELL, 65, limit=9900))
    sent = engine.exit_all()
    assert [(o.instrument, o.side, o.state) for o in sent] == [
        (CALL, BUY, OrderState.TRADED), (LOW, SELL, OrderState.TRADED),
    ]  # fmt: skip
    assert engine.holdings() == {}


def test_closing_more_than_the_freeze_quantity_goes_in_slices(opened, feed):
    engine = opened(5_000_000)
    show(feed, CALL, 9900, 10000)
    for _ in range(2):
        engine.place(Placement(CALL, BUY, 1755, limit=10000))
    engine.place(Placement(CALL, BUY, 65, limit=10000))
    sent = engine.exit_all()
    assert [o.units for o in sent] == [1755, 1755, 65]  # the freeze quantity is 1800
    assert engine.holdings() == {}


def test_a_position_is_not_converted_into_its_own_product(opened, feed):
    engine = opened(5_000_000)
    show(feed, CALL, 9900, 10000)
    engine.place(Placement(CALL, BUY, 65, limit=10000))
    with pytest.raises(Rejected, match="held as MARGIN already"):
        engine.convert(CALL, Product.MARGIN, Product.MARGIN, 65)
    assert [p.net for p in engine.positions()] == [65]


def test_two_orders_do_not_both_sell_what_is_held_on_the_last_day(opened, feed, clock):
    engine = opened(5_000_000)
    clock.at = ist("2026-02-23 10:00")
    show(feed, STOCK, 990, 1000)
    engine.place(Placement(STOCK, BUY, 500, limit=1000))
    clock.at = ist("2026-02-24 10:00")
    show(feed, STOCK, 990, 1000)
    first = engine.place(Placement(STOCK, SELL, 500, limit=1200))
    again = engine.place(Placement(STOCK, SELL, 500, limit=1200))
    assert (first.state, again.state) == (OrderState.PENDING, OrderState.REJECTED)
    assert "no fresh position" in again.reason
    assert engine.modify(first.number, Change(limit=1250)).limit == 1250  # it is not its own rival


def test_a_stop_needs_its_trigger_in_a_change_too(opened, feed):
    """Measured from a trigger of nothing, the sale would be offered at one tick."""
    engine = opened(5_000_000)
    feed.show(CALL, None, 10000)
    engine.place(Placement(CALL, BUY, 65, limit=10000))
    order = engine.place(Placement(CALL, SELL, 65, limit=11000))
    for kind in (OrderType.STOP_LOSS, OrderType.STOP_LOSS_MARKET):
        with pytest.raises(Rejected, match="needs a trigger price"):
            engine.modify(order.number, Change(order_type=kind))
    assert engine.order(order.number).limit == 11000


def test_a_price_given_to_a_market_order_of_the_evening_is_kept_in_the_morning(opened, feed, clock):
    engine = opened(5_000_000)
    clock.at = ist("2026-02-10 20:00")
    evening = feed.show(CALL, 9900, 10000, at=ist("2026-02-10 15:00"))
    feed.shown[CALL.key] = replace(evening, last=9950)
    order = engine.place(Placement(CALL, BUY, 65, OrderType.MARKET, after_market=True))
    assert order.limit == 10945  # 10 % above 99.50
    engine.modify(order.number, Change(limit=9000))
    clock.at = ist("2026-02-11 09:16")
    show(feed, CALL, 9900, 10000)
    found = engine.order(order.number)
    assert (found.state, found.limit) == (OrderState.PENDING, 9000)


def test_a_sale_that_waits_frees_no_money(opened, feed, clock):
    """A stock call in the money two days before its expiry binds its delivery until it is sold."""
    engine = opened(1_000_000)
    clock.at = ist("2026-02-20 10:00")
    deep = replace(STOCK, strike=1300_00)
    show(feed, deep, 10000, 10100)
    engine.place(Placement(deep, BUY, 500, limit=10100))
    bound = engine.balance().available
    engine.place(Placement(deep, SELL, 500, limit=11500))
    assert engine.balance().available == bound
    asked = engine.margin([Placement(CALL, BUY, 65, limit=100)])
    assert asked.available == bound
    show(feed, CALL, 90_000, 95_000)
    dear = Placement(CALL, BUY, 975, limit=95_000)  # 9.26 lakh with 9.49 in cash, 8.95 of it free
    assert engine.place(dear).state is OrderState.REJECTED


def test_an_order_of_the_evening_meets_the_price_rules_of_the_morning(opened, feed, clock):
    """Its limit was within 40 % of the evening's 99.50, not of the morning's 70.00."""
    engine = opened(5_000_000)
    clock.at = ist("2026-02-10 20:00")
    evening = feed.show(CALL, 9900, 10000, at=ist("2026-02-10 15:00"))
    feed.shown[CALL.key] = replace(evening, last=9950)
    order = engine.place(Placement(CALL, BUY, 65, limit=12000, after_market=True))
    assert order.state is OrderState.PENDING
    clock.at = ist("2026-02-11 09:15")
    show(feed, CALL, 6900, 7100)
    found = engine.order(order.number)
    assert (found.state, found.code, found.filled) == (OrderState.REJECTED, "EXCH", 0)
    assert "limit price protection" in found.reason


def test_a_stock_option_near_its_delivery_is_not_bought_for_its_premium_alone(opened, feed, clock):
    """Two days before: 45 % of 18.68 % of 500 x 1,300 is bound as well, as the calculator shows."""
    engine = opened(100_000)
    clock.at = ist("2026-02-20 10:00")
    deep = replace(STOCK, strike=1300_00)
    show(feed, deep, 10900, 11000)
    asked = Placement(deep, BUY, 500, limit=11000)
    found = engine.margin([asked])
    assert (found.premium, found.delivery) == (55_000_00, pytest.approx(54_635_00, abs=100_00))
    assert engine.place(asked).state is OrderState.REJECTED
    assert engine.balance().available == 100_000_00


def test_an_order_can_be_made_smaller_when_the_money_is_gone(opened, feed):
    """The index has risen since, and the account could not give these orders today."""
    engine = opened(250_000)
    high = option(25500)
    for instrument in (CALL, high):
        show(feed, instrument, 9900, 10000)
    engine.place(Placement(CALL, SELL, 65, limit=9900))
    buying = engine.place(Placement(high, BUY, 260, limit=8000))
    assert buying.state is OrderState.PENDING
    feed.spots["NIFTY"] = 26_500_00
    show(feed, CALL, 150_000, 151_000)
    assert engine.balance().available < 0
    assert engine.modify(buying.number, Change(units=130)).units == 130
    assert engine.modify(buying.number, Change(limit=7000)).limit == 7000
    with pytest.raises(Rejected, match="needs"):
        engine.modify(buying.number, Change(limit=7500))
    with pytest.raises(Rejected, match="needs"):
        engine.modify(buying.number, Change(units=195))
