"""An account over the night in which its contracts are adjusted: figures worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

import pytest

from strikeloom.domain.adjustments import ContractAdjustment
from strikeloom.domain.instruments import OptionContract
from strikeloom.domain.legs import Side
from strikeloom.domain.orders import OrderState
from strikeloom.domain.products import Product
from strikeloom.errors import DataError
from strikeloom.exchange.account.account import Account
from strikeloom.exchange.conditional.records import ConditionalKind, ConditionalState
from strikeloom.exchange.engine.engine import Engine
from strikeloom.exchange.orders.request import Placement
from support.fakes import CASH, ist, option

CALL, NEXT, OTHER = option(25_000), option(24_900), option(25_500)
SPLIT = option(5_000, lot=325)
DAY = date(2026, 2, 12)
BUY, SELL = Side.BUY, Side.SELL


class Changes:
    """What becomes of contracts, by key; counts how often it was asked."""

    def __init__(self) -> None:
        self.found: dict[str, ContractAdjustment] = {}
        self.asked = 0
        self.unknown = False

    def split(self) -> None:
        self.found[CALL.key] = ContractAdjustment(CALL.key, SPLIT, 325, 65, DAY, "a split of 5")

    def dividend(self) -> None:
        """The call takes the name of the next one, which moves on too."""
        after = option(24_800)
        self.found[CALL.key] = ContractAdjustment(CALL.key, NEXT, 1, 1, DAY, "a dividend")
        self.found[NEXT.key] = ContractAdjustment(NEXT.key, after, 1, 1, DAY, "a dividend")

    def __call__(self, held: OptionContract, since: date, until: date) -> list[ContractAdjustment]:
        self.asked += 1
        if self.unknown:
            raise DataError("no list of the day")
        change = self.found.get(held.key)
        return [change] if change and since < change.day <= until else []


@pytest.fixture
def changes():
    return Changes()


@pytest.fixture
def engine(tmp_path, feed, clock, changes):
    engine = Engine(Account(tmp_path / "a.db", CASH), feed, clock, adjustments=changes)
    yield engine
    engine.audit()
    engine.close()


def trade(engine, feed, instrument, side, lots, price, product=Product.MARGIN):
    feed.show(instrument, price, price)
    units = lots * instrument.lot_size
    order = engine.place(Placement(instrument, side, units, limit=price, product=product))
    assert order.state is OrderState.TRADED


def next_morning(clock) -> datetime:
    clock.at = ist("2026-02-12 09:15")
    return clock.at


def test_a_split_multiplies_units_and_keeps_the_cost(engine, feed, clock, changes):
    trade(engine, feed, CALL, BUY, 3, 100_00)
    trade(engine, feed, CALL, SELL, 1, 130_00)  # realised on the eve
    trade(engine, feed, CALL, BUY, 1, 90_00, Product.INTRADAY)
    cash = engine.balance().cash
    changes.split()
    next_morning(clock)
    held = {p.product: p for p in engine.positions()}
    margin, intraday = held[Product.MARGIN], held[Product.INTRADAY]
    assert (margin.instrument.key, margin.net, margin.cost) == (SPLIT.key, 650, 130 * 100_00)
    assert (margin.instrument.lot_size, margin.realised) == (325, 0)
    assert (intraday.net, intraday.cost) == (325, 65 * 90_00)
    assert engine.balance().cash == cash
    assert engine.holdings() == {SPLIT: 975}
    trade(engine, feed, SPLIT, SELL, 2, 25_00)
    held = {p.product: p for p in engine.positions()}
    assert held[Product.MARGIN].realised == 650 * 25_00 - 130 * 100_00


def test_larger_lots_keep_the_units_and_refuse_what_is_no_whole_lot(engine, feed, clock, changes):
    trade(engine, feed, CALL, BUY, 3, 100_00)
    larger = replace(CALL, lot_size=150)
    changes.found[CALL.key] = ContractAdjustment(CALL.key, larger, 1, 1, DAY, "a new lot")
    next_morning(clock)
    (held,) = engine.positions()
    assert (held.instrument.lot_size, held.net, held.cost) == (150, 195, 195 * 100_00)
    feed.show(larger, 90_00, 91_00)
    closing = engine.exit_all()
    assert sorted((order.state, order.units) for order in closing) == [
        (OrderState.REJECTED, 45), (OrderState.TRADED, 150),
    ]  # fmt: skip
    (held,) = engine.positions()
    assert held.net == 45


def test_a_short_position_keeps_what_was_received(engine, feed, clock, changes):
    feed.spots["NIFTY"] = 25_000_00
    trade(engine, feed, CALL, SELL, 1, 100_00)
    changes.split()
    next_morning(clock)
    (held,) = engine.positions()
    assert (held.net, held.cost) == (-325, -65 * 100_00)


def test_a_name_that_passes_on_keeps_both_holdings_apart(engine, feed, clock, changes):
    trade(engine, feed, CALL, BUY, 1, 100_00)
    trade(engine, feed, NEXT, BUY, 2, 150_00)
    trade(engine, feed, OTHER, BUY, 1, 10_00)
    changes.dividend()
    next_morning(clock)
    after = option(24_800)
    assert engine.holdings() == {NEXT: 65, after: 130, OTHER: 65}
    costs = {p.instrument.key: p.cost for p in engine.positions()}
    assert costs == {NEXT.key: 65 * 100_00, after.key: 130 * 150_00, OTHER.key: 65 * 10_00}


def test_a_contract_that_joins_one_already_held(engine, feed, clock, changes):
    trade(engine, feed, SPLIT, SELL, 1, 22_00)
    trade(engine, feed, CALL, BUY, 2, 100_00)
    cash = engine.balance().cash
    changes.split()
    next_morning(clock)
    (held,) = engine.positions()
    assert (held.instrument.key, held.net) == (SPLIT.key, 650 - 325)
    # 100.00 is 20.00 after the split; what one closes of the other is realised overnight
    assert (held.cost, engine.balance().cash) == (325 * 20_00, cash)


def test_what_waits_in_the_old_contract_ends(engine, feed, clock, changes):
    trade(engine, feed, CALL, BUY, 1, 100_00)
    waits = (Placement(CALL, SELL, 65, limit=80_00), 85_00)
    number = engine.forever_orders.place([waits]).item.number
    clock.at = ist("2026-02-11 16:00")
    early = engine.place(Placement(CALL, SELL, 65, limit=150_00, after_market=True))
    changes.split()
    next_morning(clock)
    ended = engine.order(early.number)
    assert (ended.state, ended.filled) == (OrderState.EXPIRED, 0)
    assert ended.reason == "the contract was adjusted: a split of 5"
    item = engine.conditional.get(ConditionalKind.FOREVER, number)
    assert (item.item.state, item.item.reason) == (
        ConditionalState.CANCELLED, "the contract was adjusted: a split of 5",
    )  # fmt: skip


def test_an_order_that_waits_without_a_position_ends_too(engine, feed, clock, changes):
    """The name is another contract's on the day: the order would open a position in that one."""
    feed.show(CALL, 99_00, 100_00)
    waits = (Placement(CALL, BUY, 65, limit=125_00), 120_00)
    number = engine.forever_orders.place([waits]).item.number
    clock.at = ist("2026-02-11 16:00")
    early = engine.place(Placement(CALL, BUY, 65, limit=105_00, after_market=True))
    changes.dividend()
    next_morning(clock)
    feed.show(CALL, 99_00, 100_00)
    engine.advance()
    assert engine.order(early.number).reason == "the contract was adjusted: a dividend"
    item = engine.conditional.get(ConditionalKind.FOREVER, number)
    assert item.item.state is ConditionalState.CANCELLED
    assert engine.holdings() == {}


def test_contracts_are_searched_once_a_day(engine, feed, clock, changes):
    trade(engine, feed, CALL, BUY, 1, 100_00)
    next_morning(clock)
    engine.advance()
    asked = changes.asked
    clock.wait(60)
    engine.advance()
    assert engine.positions()
    assert changes.asked == asked == 1


def test_a_list_that_comes_after_midnight_is_found_before_the_open(engine, feed, clock, changes):
    trade(engine, feed, CALL, BUY, 1, 100_00)
    clock.at = ist("2026-02-12 00:10")
    assert engine.holdings() == {CALL: 65}  # the day has begun, its list is not there yet
    changes.split()
    clock.at = ist("2026-02-12 08:40")
    assert engine.holdings() == {SPLIT: 325}
    # the name of the new contract may have been another one's on the eve
    changes.found[SPLIT.key] = ContractAdjustment(SPLIT.key, OTHER, 1, 1, DAY, "not ours")
    clock.at = ist("2026-02-12 09:15")
    assert engine.holdings() == {SPLIT: 325}
    clock.at = ist("2026-02-12 12:00")
    assert engine.holdings() == {SPLIT: 325}


def test_a_search_that_fails_is_made_again(engine, feed, clock, changes, monkeypatch):
    trade(engine, feed, CALL, BUY, 1, 100_00)
    changes.split()
    adjuster = engine._session.replay._adjuster

    def missing(*_):
        raise DataError("the list is not out yet")

    with monkeypatch.context() as broken:
        broken.setattr(adjuster, "_find", missing)
        next_morning(clock)
        assert engine.holdings() == {CALL: 65}
    assert engine.holdings() == {SPLIT: 325}


def test_what_cannot_be_found_out_is_logged_once(engine, feed, clock, changes, caplog):
    trade(engine, feed, CALL, BUY, 1, 100_00)
    changes.unknown = True
    next_morning(clock)
    with caplog.at_level("WARNING", logger="strikeloom.exchange"):
        for _ in range(3):
            engine.positions()
    (line,) = [r.getMessage() for r in caplog.records if CALL.key in r.getMessage()]
    assert (
        line
        == f"whether {CALL.key} was adjusted by 2026-02-12 is not known yet: no list of the day"
    )
    changes.unknown = False
    changes.split()
    assert engine.holdings() == {SPLIT: 325}


def test_what_ended_meanwhile_settles_as_held_until_then(engine, feed, clock, changes):
    """One contract is split on the day after another's series ended early and was listed again."""
    ended = option(25_000, symbol="BANKNIFTY", lot=30)
    trade(engine, feed, ended, BUY, 1, 100_00)
    trade(engine, feed, CALL, BUY, 1, 100_00)
    feed.ends["BANKNIFTY", ended.expiry] = date(2026, 2, 11)
    feed.settlements["BANKNIFTY", date(2026, 2, 11)] = 25_300_00
    changes.split()
    next_morning(clock)
    assert engine.holdings() == {SPLIT: 325}
    (settled,) = [trade_ for trade_ in engine.trades() if trade_.kind == "settlement"]
    assert (settled.instrument, settled.price) == (ended, 300_00)


def test_over_a_weekend_the_name_is_that_of_the_last_session(engine, feed, clock, changes):
    asked = []
    engine._session.replay._adjuster._find = lambda held, since, until: (
        asked.append((since, until)) or changes(held, since, until)
    )
    clock.at = ist("2026-02-13 10:00")
    trade(engine, feed, CALL, BUY, 1, 100_00)
    for day in (14, 15, 16):  # the days begin on time, also those without a session
        clock.at = ist(f"2026-02-{day} 09:15")
        engine.advance()
    assert asked[-1] == (date(2026, 2, 13), date(2026, 2, 16))


def test_a_contract_named_on_a_day_off_is_not_taken_for_another(engine, feed, clock, changes):
    """Known on Saturday; on the last session the new name was the next contract's."""
    clock.at = ist("2026-02-13 10:00")
    trade(engine, feed, CALL, BUY, 1, 100_00)
    saturday = date(2026, 2, 14)
    for old, new in ((CALL, NEXT), (NEXT, option(24_800))):
        changes.found[old.key] = ContractAdjustment(old.key, new, 1, 1, saturday, "a dividend")
    for day in (14, 15, 16):
        clock.at = ist(f"2026-02-{day} 09:15")
        assert engine.holdings() == {NEXT: 65}


def test_a_contract_that_joins_one_traded_on_the_day(engine, feed, clock, changes):
    """What the contract became is found out after its new name was traded."""
    trade(engine, feed, CALL, BUY, 2, 100_00)
    changes.unknown = True
    next_morning(clock)
    trade(engine, feed, SPLIT, BUY, 1, 22_00)
    trade(engine, feed, SPLIT, SELL, 2, 23_00)
    cash = engine.balance().cash
    changes.unknown = False
    changes.split()
    (held,) = engine.positions()
    assert (held.instrument, held.net) == (SPLIT, 650 + 325 - 650)
    assert (held.day_buy_units, held.day_sell_units) == (325, 650)
    assert engine.balance().cash == cash
    clock.at = ist("2026-02-13 09:15")
    assert engine.holdings() == {SPLIT: 325}


def test_trades_of_the_day_are_in_the_contract_that_has_the_name(engine, feed, clock, changes):
    """The name is the next contract's by then; both positions are kept apart once it is known."""
    trade(engine, feed, CALL, BUY, 2, 100_00)
    changes.unknown = True
    next_morning(clock)
    trade(engine, feed, CALL, SELL, 2, 90_00)
    changes.unknown = False
    changes.dividend()
    assert engine.holdings() == {NEXT: 130, CALL: -130}
    clock.at = ist("2026-02-13 09:15")
    assert engine.holdings() == {NEXT: 130, CALL: -130}
