"""INTRADAY positions at the broker's time: knowledge.dhan.co, cash and derivatives 3:20 PM."""

from __future__ import annotations

import pytest

from strikeloom.domain.instruments import FutureContract, InstrumentKind, Right, Share
from strikeloom.domain.legs import Side
from strikeloom.domain.orders import OrderState
from strikeloom.domain.products import Product
from strikeloom.exchange.account.account import Account
from strikeloom.exchange.conditional.records import ConditionalKind, ConditionalState
from strikeloom.exchange.conditional.validation import SuperTerms
from strikeloom.exchange.engine.engine import Engine
from strikeloom.exchange.orders.request import Placement
from support.fakes import CASH, EXPIRY, ist, option

CALL, PUT = option(25_000), option(24_500, Right.PUT)
FUTURE = FutureContract("NIFTY", EXPIRY, InstrumentKind.INDEX, 65, 10)
SHARE = Share("RELIANCE", 10)
BUY, SELL, INTRADAY = Side.BUY, Side.SELL, Product.INTRADAY
PRICES = {CALL: 100_00, PUT: 60_00, FUTURE: 25_000_00, SHARE: 1_400_00}


@pytest.fixture
def engine(tmp_path, feed, clock):
    engine = Engine(Account(tmp_path / "a.db", CASH), feed, clock)
    show(feed)
    yield engine
    engine.audit()
    engine.close()


def show(feed, **sizes):
    for instrument, price in PRICES.items():
        feed.show(instrument, price, price, **sizes)


def trade(engine, instrument, side, units, product=INTRADAY, price=None):
    price = price or PRICES[instrument]
    order = engine.place(Placement(instrument, side, units, limit=price, product=product))
    assert (order.state, order.reason) == (OrderState.TRADED, "")


def held(engine):
    return {(p.instrument, p.product): p.net for p in engine.positions() if p.net}


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize(("instrument", "units"), [(CALL, 65), (FUTURE, 65), (SHARE, 10)])
def test_what_is_open_at_twenty_past_three_is_closed(engine, feed, clock, instrument, units, side):
    trade(engine, instrument, side, units)
    clock.at = ist("2026-02-11 15:19")
    show(feed)
    assert held(engine) == {(instrument, INTRADAY): int(side) * units}
    clock.at = ist("2026-02-11 15:20")
    assert held(engine) == {}
    closing = engine.orders()[-1]
    assert (closing.side, closing.units, closing.product) == (side.opposite, units, INTRADAY)
    assert engine.trades()[-1].at == clock.at


def test_what_is_carried_stays(engine, feed, clock):
    trade(engine, SHARE, BUY, 10, Product.CNC)
    trade(engine, SHARE, BUY, 4)
    trade(engine, CALL, BUY, 65, Product.MARGIN)
    clock.at = ist("2026-02-11 15:25")
    show(feed)
    assert held(engine) == {(SHARE, Product.CNC): 10, (CALL, Product.MARGIN): 65}


def test_orders_of_the_day_end_and_others_rest(engine, feed, clock):
    rests = [Placement(CALL, BUY, 65, limit=90_00, product=p) for p in (INTRADAY, Product.MARGIN)]
    mine, other = (engine.place(placement).number for placement in rests)
    engine.super_orders.place(Placement(CALL, BUY, 65, limit=100_00, product=INTRADAY),
                              SuperTerms(120_00))  # fmt: skip
    clock.at = ist("2026-02-11 15:20")
    show(feed)
    assert held(engine) == {}
    assert engine.order(mine).state is OrderState.CANCELLED
    assert "squared off by the broker" in engine.order(mine).reason
    assert engine.order(other).state is OrderState.PENDING
    assert engine.conditional.all(ConditionalKind.SUPER)[0].item.state is ConditionalState.CANCELLED


def test_what_the_market_does_not_take_at_once_follows(engine, feed, clock):
    trade(engine, CALL, BUY, 650)
    clock.at = ist("2026-02-11 15:20")
    show(feed, size=65)
    assert held(engine) == {(CALL, INTRADAY): 585}
    for _ in range(3):  # the order that rests is one
        engine.advance()
    assert len(engine.orders()) == 2
    clock.at = ist("2026-02-11 15:21")
    show(feed)
    assert held(engine) == {}


def test_without_a_price_it_waits_for_one(engine, feed, clock):
    trade(engine, CALL, BUY, 65)
    feed.shown.clear()
    clock.at = ist("2026-02-11 15:20")
    assert held(engine) == {(CALL, INTRADAY): 65}
    clock.at = ist("2026-02-11 15:24")
    show(feed)
    assert held(engine) == {}
    assert [order.state for order in engine.orders()] == [OrderState.TRADED] * 2


def test_the_margin_of_what_stays_does_not_stop_the_broker(tmp_path, feed, clock):
    """The bought put hedges a sold one that is carried: a client could not sell it first."""
    engine = Engine(Account(tmp_path / "small.db", 100_000_00), feed, clock)
    show(feed)
    low = option(24_000, Right.PUT)
    feed.show(low, 40_00, 40_00)
    trade(engine, low, BUY, 65, price=40_00)
    trade(engine, PUT, SELL, 65, Product.MARGIN)
    refused = engine.place(Placement(low, SELL, 65, limit=40_00, product=INTRADAY))
    assert (refused.state, refused.code) == (OrderState.REJECTED, "RMS")
    clock.at = ist("2026-02-11 15:20")
    show(feed)
    feed.show(low, 40_00, 40_00)
    assert held(engine) == {(PUT, Product.MARGIN): -65}
    engine.audit()
    engine.close()


def test_a_day_whose_time_is_not_known_carries_it(engine, feed, clock):
    """Since 2026-08-03 derivatives trade until 15:40, and the broker's time was not found."""
    clock.at = ist("2026-08-03 10:00")
    later = option(25_000, expiry=ist("2026-08-25 10:00").date())
    feed.show(later, 100_00, 100_00)
    engine.place(Placement(later, BUY, 65, limit=100_00, product=INTRADAY))
    clock.at = ist("2026-08-03 15:39")
    feed.show(later, 100_00, 100_00)
    assert held(engine) == {(later, INTRADAY): 65}


def test_a_recorded_day_closes_it_at_its_own_prices(taped, tape, clock):
    """The clock jumps over the afternoon: the quotes of that moment apply, not those of now."""
    for at, price in (("10:00", 100_00), ("15:10", 90_00), ("15:22", 80_00), ("15:29", 70_00)):
        tape.record(ist(f"2026-02-11 {at}"), CALL, price, price, 10_000)
    engine = taped.engine
    trade(engine, CALL, BUY, 65)
    tape.record(ist("2026-02-12 10:00"), CALL, 50_00, 50_00, 10_000)
    clock.at = ist("2026-02-12 10:00")
    assert held(engine) == {}
    last = engine.trades()[-1]
    assert (last.price, last.at) == (80_00, ist("2026-02-11 15:22"))
    engine.audit()
