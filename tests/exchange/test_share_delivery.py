"""Stock contracts that end in shares; shares that were not there. Figures worked out by hand."""

from __future__ import annotations

from datetime import date

import pytest

from strikeloom.domain.instruments import FutureContract, InstrumentKind, Right, Share
from strikeloom.domain.legs import Side
from strikeloom.domain.orders import OrderState
from strikeloom.domain.products import Product
from strikeloom.exchange.account.account import Account
from strikeloom.exchange.engine.engine import Engine
from strikeloom.exchange.orders.request import Placement
from support.fakes import CASH, EXPIRY, ist, option

SHARE = Share("RELIANCE")
CALL = option(1400, symbol="RELIANCE", kind=InstrumentKind.STOCK, lot=500)
HIGH = option(1450, symbol="RELIANCE", kind=InstrumentKind.STOCK, lot=500)
PUT = option(1500, Right.PUT, symbol="RELIANCE", kind=InstrumentKind.STOCK, lot=500)
FUTURE = FutureContract("RELIANCE", EXPIRY, InstrumentKind.STOCK, 500, 10)
BUY, SELL = Side.BUY, Side.SELL
AUCTION = date(2026, 2, 25)


@pytest.fixture
def engine(tmp_path, feed, clock):
    engine = Engine(Account(tmp_path / "a.db", CASH), feed, clock)
    yield engine
    engine.audit()
    engine.close()


def trade(engine, feed, instrument, side, units, price):
    feed.show(instrument, price, price)
    order = engine.place(Placement(instrument, side, units, limit=price))
    assert (order.state, order.reason) == (OrderState.TRADED, "")


def end(feed, clock, final):
    feed.settlements["RELIANCE", EXPIRY] = final
    feed.settlements[FUTURE.key, date(2026, 2, 23)] = final
    clock.at = ist("2026-02-24 15:30")


def by_kind(engine, kind):
    return [
        (t.instrument.key, int(t.side) * t.units, t.price, t.charges)
        for t in engine.trades()
        if t.kind == kind
    ]


def test_a_future_and_a_call_bring_in_their_shares(engine, feed, clock):
    trade(engine, feed, FUTURE, BUY, 500, 1_420_00)
    trade(engine, feed, CALL, BUY, 500, 30_00)
    cash = engine.balance().cash
    end(feed, clock, 1_440_00)
    # 500 for the strike, 500 at the final value: the future made 20.00 on each
    # tax of 0.1 % and stamps of 0.015 % on 7,00,000.00 and 7,20,000.00
    charges = 700_00 + 105_00 + 720_00 + 108_00
    paid = 500 * 1_400_00 + 500 * (1_440_00 - 20_00)
    assert engine.balance().cash == cash - paid - charges
    assert engine.holdings() == {SHARE: 1000}
    assert by_kind(engine, "delivery") == [(SHARE.key, 1000, 1_440_00, 0)]
    (held,) = [p for p in engine.positions() if p.instrument == SHARE]
    assert (held.product, held.cost) == (Product.CNC, 1000 * 1_440_00)
    clock.at = ist("2026-02-25 10:00")
    (shares,) = engine.depository.holdings()
    assert (shares.total, shares.t1, shares.available) == (1000, 1000, 1000)
    trade(engine, feed, SHARE, SELL, 1000, 1_450_00)  # on the following session
    assert engine.holdings() == {}


def test_a_covered_call_gives_its_shares_away(engine, feed, clock):
    trade(engine, feed, SHARE, BUY, 500, 1_380_00)
    trade(engine, feed, CALL, SELL, 500, 25_00)
    cash = engine.balance().cash
    end(feed, clock, 1_440_00)
    # the strike for each; tax of 0.1 % on 7,00,000.00, 12.50 and 18 % of it for the depository
    assert engine.balance().cash == cash + 500 * 1_400_00 - 700_00 - 14_75
    assert engine.holdings() == {}
    assert engine.depository.owed() == []


@pytest.mark.parametrize(("held", "bought", "sold"), [(600, 0, 100), (0, 500, 0)])
def test_a_delivery_bears_no_second_fee_and_none_for_shares_of_its_day(
    engine, feed, clock, held, bought, sold
):
    if held:
        trade(engine, feed, SHARE, BUY, held, 1_380_00)
    trade(engine, feed, CALL, SELL, 500, 25_00)
    clock.at = ist("2026-02-24 10:00")
    for side, units in ((BUY, bought), (SELL, sold)):
        if units:
            trade(engine, feed, SHARE, side, units, 1_430_00)
    end(feed, clock, 1_440_00)
    assert engine.holdings() == {}
    assert by_kind(engine, "delivery") == [(SHARE.key, -500, 1_440_00, 0)]


def test_a_protective_put_sells_its_shares(engine, feed, clock):
    trade(engine, feed, SHARE, BUY, 700, 1_480_00)
    trade(engine, feed, PUT, BUY, 500, 25_00)
    cash = engine.balance().cash
    end(feed, clock, 1_440_00)
    # tax of 0.1 % on 7,50,000.00; what is exercised in shares bears no other
    assert engine.balance().cash == cash + 500 * 1_500_00 - 750_00 - 14_75
    assert engine.holdings() == {SHARE: 200}


def test_contracts_net_off_before_anything_is_delivered(engine, feed, clock):
    trade(engine, feed, CALL, BUY, 500, 60_00)
    trade(engine, feed, HIGH, SELL, 500, 20_00)
    trade(engine, feed, FUTURE, BUY, 500, 1_440_00)
    trade(engine, feed, FUTURE, SELL, 500, 1_441_00)
    end(feed, clock, 1_480_00)
    assert engine.holdings() == {}
    assert by_kind(engine, "delivery") == []


def test_shares_that_are_not_there_are_bought_in(engine, feed, clock, caplog):
    trade(engine, feed, SHARE, BUY, 200, 1_390_00)
    trade(engine, feed, CALL, SELL, 500, 25_00)
    cash = engine.balance().cash
    with caplog.at_level("WARNING", logger="strikeloom.exchange"):
        end(feed, clock, 1_440_00)
        assert engine.holdings() == {SHARE: -300}
    assert "short delivery: 300 of 500 RELIANCE shares were not there on 2026-02-24" in caplog.text
    (owed,) = engine.depository.owed()
    assert (owed.units, owed.price, owed.auction_day) == (300, 1_440_00, AUCTION)
    balance = engine.balance()
    assert balance.cash == cash + 500 * 1_400_00 - 700_00 - 14_75
    feed.spots["RELIANCE"] = 1_440_00
    assert engine.balance().margin == 300 * 1_728_00  # 20 % above 1,440.00
    feed.spots["RELIANCE"] = 1_460_00
    clock.at = ist("2026-02-25 15:29")
    assert engine.holdings() == {SHARE: -300}
    clock.at = ist("2026-02-25 15:30")
    # 20 % above 1,460.00
    assert by_kind(engine, "buy-in") == [(SHARE.key, 300, 1_752_00, 0)]
    assert engine.holdings() == {}
    assert engine.depository.owed() == []
    assert engine.balance().cash == balance.cash - 300 * 1_752_00


def test_a_close_far_below_the_delivery_price_does_not_make_the_buying_in_cheaper(
    engine, feed, clock
):
    trade(engine, feed, FUTURE, SELL, 500, 1_440_00)
    end(feed, clock, 1_440_00)
    feed.settlements["RELIANCE", AUCTION] = 1_100_00  # 1,320.00 with 20 % more
    clock.at = ist("2026-02-26 10:00")
    assert by_kind(engine, "buy-in") == [(SHARE.key, 500, 1_440_00, 0)]


def test_what_is_bought_on_the_day_of_the_auction_comes_too_late(engine, feed, clock):
    trade(engine, feed, FUTURE, SELL, 500, 1_440_00)
    end(feed, clock, 1_440_00)
    clock.at = ist("2026-02-25 10:00")
    trade(engine, feed, SHARE, BUY, 500, 1_445_00)
    assert engine.holdings() == {}
    balance = engine.balance()
    assert (balance.margin, balance.blocked) == (0, 500 * 1_728_00)
    refused = engine.place(Placement(SHARE, SELL, 1, limit=1_445_00))
    assert refused.state is OrderState.REJECTED
    feed.settlements["RELIANCE", AUCTION] = 1_450_00
    clock.at = ist("2026-02-25 15:30")
    assert engine.holdings() == {SHARE: 500}


def test_shares_bought_beside_lacking_ones_are_paid_in_full(tmp_path, feed, clock):
    engine = Engine(Account(tmp_path / "b.db", 5_00_000_00), feed, clock)
    trade(engine, feed, CALL, SELL, 500, 30_00)
    end(feed, clock, 1_440_00)
    clock.at = ist("2026-02-25 10:00")
    feed.spots["RELIANCE"] = 1_440_00
    balance = engine.balance()
    assert balance.margin == 500 * 1_728_00
    feed.show(SHARE, 1_440_00, 1_440_00)
    most = balance.available // 1_442_00  # with its charges
    assert engine.place(Placement(SHARE, BUY, 500, limit=1_440_00)).state is OrderState.REJECTED
    assert engine.place(Placement(SHARE, BUY, most, limit=1_440_00)).state is OrderState.TRADED
    assert engine.balance().available > 0
    engine.close()


def test_shares_bought_for_the_day_cover_nothing_that_is_owed(engine, feed, clock):
    trade(engine, feed, CALL, SELL, 500, 30_00)
    feed.show(SHARE, 1_400_00, 1_400_00)
    engine.place(Placement(SHARE, BUY, 500, limit=1_400_00, product=Product.INTRADAY))
    end(feed, clock, 1_440_00)
    feed.spots["RELIANCE"] = 1_440_00
    (owed,) = engine.depository.owed()
    balance = engine.balance()
    assert (owed.units, balance.margin + balance.blocked) == (500, 500 * 1_728_00)


def test_what_ends_worthless_delivers_nothing(engine, feed, clock):
    trade(engine, feed, CALL, SELL, 500, 25_00)
    trade(engine, feed, SHARE, BUY, 500, 1_390_00)
    end(feed, clock, 1_399_95)
    assert engine.holdings() == {SHARE: 500}


def test_an_index_future_delivers_nothing(engine, feed, clock):
    future = FutureContract("NIFTY", EXPIRY, InstrumentKind.INDEX, 65, 10)
    trade(engine, feed, future, BUY, 65, 25_000_00)
    feed.settlements["NIFTY", EXPIRY] = 25_100_00
    clock.at = ist("2026-02-24 15:30")
    assert engine.holdings() == {}
