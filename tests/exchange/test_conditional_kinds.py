"""Conditional orders in shares and futures."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from strikeloom.domain.instruments import FutureContract, InstrumentKind, Share
from strikeloom.domain.legs import Side
from strikeloom.domain.orders import OrderState
from strikeloom.domain.products import Product
from strikeloom.errors import Rejected
from strikeloom.exchange.account.account import Account
from strikeloom.exchange.conditional.records import ConditionalKind
from strikeloom.exchange.conditional.validation import SuperTerms
from strikeloom.exchange.engine.engine import Engine
from strikeloom.exchange.orders.request import Placement
from support.fakes import CASH, EXPIRY, ist

SHARE = Share("RELIANCE")
FUTURE = FutureContract("NIFTY", EXPIRY, InstrumentKind.INDEX, 65, 10)
BUY, SELL = Side.BUY, Side.SELL


@pytest.fixture
def engine(tmp_path, feed, clock):
    engine = Engine(Account(tmp_path / "a.db", CASH), feed, clock)
    yield engine
    engine.audit()
    engine.close()


def show(feed, clock, instrument, price):
    clock.wait(60)
    feed.shown[instrument.key] = replace(feed.show(instrument, price, price), last=price)


def test_a_forever_sale_of_shares_waits_for_a_year_and_sells_what_is_held(engine, feed, clock):
    show(feed, clock, SHARE, 1_400_00)
    engine.place(Placement(SHARE, BUY, 10, limit=1_400_00))
    status = engine.forever_orders.place([(Placement(SHARE, SELL, 10, limit=1_440_00), 1_450_00)])
    assert status.item.last_day == date(2027, 2, 11)
    with pytest.raises(Rejected, match="carried over nights"):
        engine.forever_orders.place(
            [(Placement(SHARE, SELL, 1, limit=1_440_00, product=Product.INTRADAY), 1_450_00)]
        )
    clock.at = ist("2026-02-13 10:00")
    show(feed, clock, SHARE, 1_451_00)
    (order,) = engine.conditional.get(ConditionalKind.FOREVER, status.item.number).orders
    assert (order.state, order.product) == (OrderState.TRADED, Product.CNC)
    assert engine.holdings() == {}


def test_a_forever_sale_of_shares_that_are_gone_is_rejected(engine, feed, clock):
    show(feed, clock, SHARE, 1_400_00)
    status = engine.forever_orders.place([(Placement(SHARE, SELL, 10, limit=1_440_00), 1_450_00)])
    show(feed, clock, SHARE, 1_451_00)
    (order,) = engine.conditional.get(ConditionalKind.FOREVER, status.item.number).orders
    assert (order.state, order.code) == (OrderState.REJECTED, "RMS")
    assert "Check holdings" in order.reason


@pytest.mark.parametrize(("price", "made"), [(25_200_00, 200_00), (24_900_00, -100_00)])
def test_a_super_order_takes_a_future_to_its_target_or_stop(engine, feed, clock, price, made):
    show(feed, clock, FUTURE, 25_000_00)
    entry = Placement(FUTURE, BUY, 65, limit=25_000_00)
    status = engine.super_orders.place(entry, SuperTerms(25_200_00, 24_900_00))
    show(feed, clock, FUTURE, price)
    assert engine.holdings() == {}
    item = engine.conditional.get(ConditionalKind.SUPER, status.item.number).item
    assert not item.active
    clock.at = ist("2026-02-11 15:30")
    (settled,) = engine.depository.settlements()
    assert settled.amount == 65 * made
