"""Deliveries that are booked later than they happened, before and after a split of their share."""

from __future__ import annotations

from datetime import date

import pytest

from strikeloom.domain.adjustments import ContractAdjustment
from strikeloom.domain.instruments import Instrument, InstrumentKind, Share
from strikeloom.domain.legs import Side
from strikeloom.domain.orders import OrderState
from strikeloom.exchange.account.account import Account
from strikeloom.exchange.engine.engine import Engine
from strikeloom.exchange.orders.request import Placement
from support.fakes import CASH, EXPIRY, ist, option

SHARE = Share("RELIANCE")
CALL = option(1400, symbol="RELIANCE", kind=InstrumentKind.STOCK, lot=500)
BUY, SELL = Side.BUY, Side.SELL
AUCTION = date(2026, 2, 25)


class Splits:
    """Splits of the share by day: so many shares replace one."""

    def __init__(self) -> None:
        self.by_day: dict[date, int] = {}

    def __call__(self, held: Instrument, since: date, until: date) -> list[ContractAdjustment]:
        return [
            ContractAdjustment(SHARE.key, SHARE, ratio, 1, day, "a split")
            for day, ratio in sorted(self.by_day.items())
            if held == SHARE and since < day <= until
        ]


@pytest.fixture
def splits():
    return Splits()


@pytest.fixture
def engine(tmp_path, feed, clock, splits):
    engine = Engine(Account(tmp_path / "a.db", CASH), feed, clock, adjustments=splits)
    yield engine
    engine.audit()
    engine.close()


def trade(engine, feed, instrument, side, units, price):
    feed.show(instrument, price, price)
    order = engine.place(Placement(instrument, side, units, limit=price))
    assert (order.state, order.reason) == (OrderState.TRADED, "")


def ends_at(feed, final):
    feed.settlements["RELIANCE", EXPIRY] = final


def bought_in(engine):
    return [(t.units, t.price) for t in engine.trades() if t.kind == "buy-in"]


@pytest.mark.parametrize("watched", [(), ("2026-02-24 16:00",)])
def test_shares_received_before_a_split_are_split(engine, feed, clock, splits, watched):
    trade(engine, feed, CALL, BUY, 500, 30_00)
    splits.by_day[date(2026, 2, 26)] = 2
    ends_at(feed, 1_440_00)
    for moment in (*watched, "2026-02-27 10:00", "2026-03-02 10:00"):
        clock.at = ist(moment)
        held = engine.holdings()
    assert held == {SHARE: 1000}


@pytest.mark.parametrize("watched", [(), ("2026-02-24 16:00",), ("2026-02-20 10:00",)])
def test_shares_are_delivered_in_the_number_of_their_day(engine, feed, clock, splits, watched):
    trade(engine, feed, SHARE, BUY, 350, 1_390_00)
    trade(engine, feed, CALL, SELL, 500, 30_00)
    splits.by_day = {date(2026, 2, 20): 2, date(2026, 2, 26): 3}
    ends_at(feed, 1_440_00)
    for moment in (*watched, "2026-02-27 10:00", "2026-03-02 10:00"):
        clock.at = ist(moment)
        held = engine.holdings()
    assert held == {SHARE: 600}  # 350 are 700, of which 500 go; the other 200 are 600
    assert engine.depository.owed() == []


@pytest.mark.parametrize("watched", [(), ("2026-02-24 16:00",), ("2026-02-25 10:00",)])
def test_what_is_owed_at_a_split_is_bought_in_in_the_new_shares(
    engine, feed, clock, splits, watched
):
    trade(engine, feed, CALL, SELL, 500, 30_00)
    splits.by_day[AUCTION] = 2
    ends_at(feed, 1_440_00)
    feed.settlements["RELIANCE", AUCTION] = 730_00
    for moment in (*watched, "2026-02-27 10:00"):
        clock.at = ist(moment)
        engine.advance()
    assert bought_in(engine) == [(1000, 876_00)]  # 20 % above 730.00, and 720.00 was delivered
    assert engine.holdings() == {}


def test_what_was_bought_in_before_a_split_is_of_the_old_shares(engine, feed, clock, splits):
    trade(engine, feed, CALL, SELL, 500, 30_00)
    splits.by_day[date(2026, 2, 26)] = 2
    ends_at(feed, 1_440_00)
    feed.settlements["RELIANCE", AUCTION] = 1_460_00
    clock.at = ist("2026-02-27 10:00")
    assert engine.holdings() == {}
    assert bought_in(engine) == [(500, 1_752_00)]


def test_a_renamed_share_is_bought_in_by_its_new_name(tmp_path, feed, clock):
    new = Share("RELIND", 10)
    change = ContractAdjustment(SHARE.key, new, 1, 1, AUCTION, "a rename")
    engine = Engine(
        Account(tmp_path / "b.db", CASH), feed, clock,
        adjustments=lambda held, since, until: (
            [change] if held == SHARE and since < AUCTION <= until else []
        ),
    )  # fmt: skip
    trade(engine, feed, CALL, SELL, 500, 30_00)
    ends_at(feed, 1_440_00)
    feed.settlements["RELIND", AUCTION] = 1_460_00
    clock.at = ist("2026-02-25 16:00")
    assert engine.holdings() == {}
    assert bought_in(engine) == [(500, 1_752_00)]
    engine.audit()
    engine.close()


def test_a_final_value_that_is_known_late_brings_holdings_and_no_purchase_of_today(
    engine, feed, clock
):
    trade(engine, feed, CALL, BUY, 500, 30_00)
    clock.at = ist("2026-02-25 10:00")
    engine.advance()
    trade(engine, feed, SHARE, BUY, 40, 1_450_00)
    ends_at(feed, 1_440_00)
    clock.at = ist("2026-02-25 10:01")
    (shares,) = engine.depository.holdings()
    assert (shares.total, shares.t1, shares.available) == (500, 500, 500)
    (bought,) = [p for p in engine.positions() if p.instrument == SHARE]
    assert bought.exit_units == 40  # closing everything leaves what was received
    clock.at = ist("2026-02-26 10:00")
    (shares,) = engine.depository.holdings()
    assert (shares.total, shares.t1, shares.settled) == (540, 40, 500)


def test_a_delivery_that_is_known_late_leaves_the_trades_of_today(engine, feed, clock):
    trade(engine, feed, SHARE, BUY, 700, 1_400_00)
    trade(engine, feed, CALL, SELL, 500, 30_00)
    clock.at = ist("2026-02-25 10:00")
    trade(engine, feed, SHARE, SELL, 100, 1_440_00)
    trade(engine, feed, SHARE, BUY, 50, 1_440_00)
    ends_at(feed, 1_440_00)
    clock.at = ist("2026-02-25 10:01")
    (shares,) = engine.depository.holdings()
    assert (shares.total, shares.available, shares.cost) == (200, 150, 200 * 1_400_00)
    (held,) = [p for p in engine.positions() if p.instrument == SHARE]
    assert (held.day_buy_units, held.day_sell_units, held.net) == (50, 100, 150)
