"""Super orders, forever orders, alerts and exits at a profit: examples worked by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from strikeloom.domain.legs import Side
from strikeloom.domain.orders import OrderState
from strikeloom.domain.products import Product
from strikeloom.errors import BrokerError, Rejected
from strikeloom.exchange.account.account import Account
from strikeloom.exchange.conditional.condition import Condition
from strikeloom.exchange.conditional.records import (
    ENTRY,
    STOP,
    TARGET,
    ConditionalKind,
    ConditionalState,
    LegState,
    ProfitRule,
)
from strikeloom.exchange.conditional.validation import SuperTerms
from strikeloom.exchange.engine.engine import Engine
from strikeloom.exchange.orders.request import Change, OrderType, Placement
from support.fakes import CASH, EXPIRY, ShownFeed, ist, option

CALL, OTHER = option(25000), option(25500)
BUY, SELL = Side.BUY, Side.SELL


@pytest.fixture
def engine(tmp_path, feed, clock):
    engine = Engine(Account(tmp_path / "a.db", CASH), feed, clock)
    yield engine
    engine.audit()
    engine.close()


@pytest.fixture
def show(engine, feed, clock):
    """Time passes and the market moves: last trade, and a tick to each side of it."""

    def moved(last, *, size=650, instrument=CALL, seconds=1, width=5):
        clock.wait(seconds)
        quote = ShownFeed.show(feed, instrument, last - width, last + width, size=size)
        feed.shown[instrument.key] = replace(quote, last=last)
        engine.advance()

    moved(100_00)
    return moved


def bracket(engine, lots=1, *, side=BUY, limit=101_00, target=120_00, stop=90_00, jump=0):
    placed = Placement(CALL, side, 65 * lots, limit=limit, product=Product.INTRADAY)
    return engine.super_orders.place(placed, SuperTerms(target, stop, jump)).item.number


def seen(engine, number, kind=ConditionalKind.SUPER):
    return engine.conditional.get(kind, number)


def exits(engine, number):
    return [order for order in seen(engine, number).orders if order.leg != ENTRY]


def net(engine, product=Product.INTRADAY):
    return sum(p.net for p in engine.positions() if p.product is product)


# super orders


def test_the_target_is_taken_and_the_stop_is_gone(engine, show):
    number = bracket(engine)
    assert net(engine) == 65
    show(119_95)
    assert exits(engine, number) == []
    show(120_05)
    (out,) = exits(engine, number)
    assert (out.leg, out.side, out.units, out.limit) == (TARGET, SELL, 65, 120_00)
    assert (out.state, out.average) == (OrderState.TRADED, 120_00)
    assert seen(engine, number).item.state is ConditionalState.CLOSED
    show(80_00)
    assert len(exits(engine, number)) == 1
    assert net(engine) == 0


def test_the_stop_goes_out_as_a_protected_market_order(engine, show):
    number = bracket(engine)
    show(89_95)
    (out,) = exits(engine, number)
    assert (out.leg, out.asked_type, out.average) == (STOP, OrderType.MARKET, 89_90)
    assert seen(engine, number).item.state is ConditionalState.CLOSED
    assert net(engine) == 0


def test_a_sold_entry_has_its_exits_the_other_way_round(engine, show):
    number = bracket(engine, side=SELL, limit=99_00, target=80_00, stop=110_00)
    assert net(engine) == -65
    show(110_00)
    (out,) = exits(engine, number)
    assert (out.leg, out.side, out.average) == (STOP, BUY, 110_05)
    assert net(engine) == 0


def test_a_stop_takes_over_from_a_target_that_rests(engine, show):
    number = bracket(engine, lots=4)
    show(120_00, size=130, width=0)  # half of it trades at the target
    (first,) = exits(engine, number)
    assert (first.leg, first.filled, first.state) == (TARGET, 130, OrderState.PART_TRADED)
    show(90_00)
    first, second = exits(engine, number)
    assert (first.state, first.filled) == (OrderState.CANCELLED, 130)
    assert (second.leg, second.units, second.filled) == (STOP, 130, 130)
    assert net(engine) == 0
    assert seen(engine, number).item.state is ConditionalState.CLOSED


def test_exits_are_as_large_as_what_is_filled(engine, show):
    show(100_00, size=65)
    number = bracket(engine, lots=4, limit=100_05)
    assert net(engine) == 65
    show(90_00, size=65)  # the entry fills on, and is stopped out: it would meet its own exit
    entry, out = seen(engine, number).orders
    assert (entry.filled, entry.state) == (130, OrderState.CANCELLED)
    assert (out.leg, out.units, out.filled) == (STOP, 130, 65)
    show(85_00, size=65)
    assert net(engine) == 0
    assert seen(engine, number).item.state is ConditionalState.CLOSED


def test_a_stop_follows_by_whole_jumps_and_never_back(engine, show):
    number = bracket(engine, target=0, jump=5_00)  # entered at 100.05

    def stop():
        return seen(engine, number).item.leg(STOP).trigger

    show(105_00)
    assert stop() == 90_00
    show(105_05)
    assert stop() == 95_00
    show(117_00)
    assert stop() == 105_00
    show(106_00)
    assert stop() == 105_00
    show(105_00)
    assert net(engine) == 0
    assert exits(engine, number)[0].average == 104_95


def test_a_sold_entry_s_stop_follows_downwards(engine, show):
    number = bracket(engine, side=SELL, limit=99_00, target=0, stop=110_00, jump=5_00)
    show(94_00)  # entered at 99.95: one whole jump
    assert seen(engine, number).item.leg(STOP).trigger == 105_00


def test_without_a_jump_in_a_change_the_stop_follows_no_more(engine, show):
    number = bracket(engine, jump=5_00)
    engine.super_orders.change_stop(number, 92_00, 0)
    show(118_00)
    assert seen(engine, number).item.leg(STOP).trigger == 92_00


def test_cancelling_the_entry_cancels_everything(engine, show):
    number = bracket(engine, limit=90_00, stop=80_00)
    engine.super_orders.cancel(number, ENTRY)
    (entry,) = seen(engine, number).orders
    assert (entry.state, entry.filled) == (OrderState.CANCELLED, 0)
    assert seen(engine, number).item.state is ConditionalState.CANCELLED
    with pytest.raises(Rejected, match="CANCELLED"):
        engine.super_orders.cancel(number, ENTRY)
    filled = bracket(engine)
    engine.super_orders.cancel(filled, ENTRY)
    show(80_00)
    assert exits(engine, filled) == []
    assert net(engine) == 65, "the position is the client's to close"


def test_a_cancelled_leg_cannot_be_added_again(engine, show):
    number = bracket(engine)
    engine.super_orders.cancel(number, STOP)
    assert seen(engine, number).item.leg(STOP).state is LegState.CANCELLED
    for change in (
        lambda: engine.super_orders.change_stop(number, 91_00, 0),
        lambda: engine.super_orders.cancel(number, STOP),
    ):
        with pytest.raises(Rejected, match="none can be added"):
            change()
    show(80_00)
    assert exits(engine, number) == []
    show(120_05)
    assert net(engine) == 0


def test_an_entry_is_changed_with_its_exits(engine, show):
    number = bracket(engine, limit=95_00)
    engine.super_orders.change_entry(
        number, Change(units=130, limit=96_00, order_type=OrderType.LIMIT),
        SuperTerms(0, 92_00, 0),
    )  # fmt: skip
    (entry,) = seen(engine, number).orders
    assert (entry.units, entry.limit) == (130, 96_00)
    legs = seen(engine, number).item.legs
    assert [leg.trigger for leg in legs] == [120_00, 92_00]
    with pytest.raises(Rejected, match="below the price"):
        engine.super_orders.change_entry(
            number, Change(units=130, limit=96_00), SuperTerms(0, 97_00, 0)
        )
    assert seen(engine, number).orders == (entry,)


def test_a_target_at_the_exchange_is_changed_there(engine, show):
    number = bracket(engine)
    show(120_00, size=0)
    (out,) = exits(engine, number)
    assert out.state is OrderState.PENDING
    engine.super_orders.change_target(number, 118_00)
    assert exits(engine, number)[0].limit == 118_00
    show(118_05)
    assert net(engine) == 0


def test_the_exit_of_a_super_order_is_not_changed_by_itself(engine, show):
    number = bracket(engine)
    show(120_00, size=0)
    (out,) = exits(engine, number)
    with pytest.raises(Rejected, match="TARGET_LEG of a super order"):
        engine.modify(out.number, Change(units=650))
    engine.cancel(out.number)
    show(121_00)
    assert len(exits(engine, number)) == 1, "what a person cancelled is not sent again"
    show(89_00)
    assert [o.leg for o in exits(engine, number)] == [TARGET, STOP]
    assert net(engine) == 0


def test_exits_only_reduce(engine, show):
    number = bracket(engine, lots=2)
    engine.place(Placement(CALL, SELL, 65, limit=99_00, product=Product.INTRADAY))
    show(89_00)
    (out,) = exits(engine, number)
    assert out.units == 65
    assert net(engine) == 0
    gone = bracket(engine, limit=90_00, stop=80_00)
    engine.exit_all()
    show(79_00)
    assert exits(engine, gone) == []
    assert seen(engine, gone).item.state is ConditionalState.CANCELLED
    assert net(engine) == 0


def test_a_position_closed_by_hand_ends_it(engine, show):
    number = bracket(engine)
    engine.place(Placement(CALL, SELL, 65, limit=99_00, product=Product.INTRADAY))
    show(89_00)
    found = seen(engine, number)
    assert (found.item.state, found.item.reason) == (
        ConditionalState.CANCELLED, "no position is left to close",
    )  # fmt: skip
    assert net(engine) == 0


def test_it_ends_with_the_session(engine, show, clock, feed):
    waits, held = bracket(engine, limit=95_00), bracket(engine)
    clock.at = ist("2026-02-11 15:31")
    engine.advance()
    assert seen(engine, waits).item.state is ConditionalState.EXPIRED
    assert seen(engine, held).item.state is ConditionalState.EXPIRED
    clock.at = ist("2026-02-12 09:20")
    show(80_00)
    assert exits(engine, held) == []


def test_a_refused_entry_leaves_nothing_active(engine, show):
    found = engine.super_orders.place(
        Placement(CALL, BUY, 66, limit=101_00, product=Product.INTRADAY), SuperTerms(120_00)
    )
    assert (found.item.state, found.orders[0].state) == (
        ConditionalState.REJECTED, OrderState.REJECTED,
    )  # fmt: skip


def test_a_market_entry_is_taken(engine, show):
    entry = Placement(CALL, BUY, 65, OrderType.MARKET, product=Product.INTRADAY)
    found = engine.super_orders.place(entry, SuperTerms(120_00, 90_00))
    assert found.orders[0].average == 100_05


@pytest.mark.parametrize(
    ("terms", "words"),
    [
        (SuperTerms(), "needs a target price or a stop-loss"),
        (SuperTerms(120_00, 0, 5_00), "needs a stop-loss price"),
        (SuperTerms(100_00, 90_00), "below the price"),
        (SuperTerms(120_00, 101_00), "below the price"),
        (SuperTerms(120_01, 90_00), "not on the tick"),
    ],
)
def test_exits_that_make_no_sense_are_refused(engine, show, terms, words):
    with pytest.raises(Rejected, match=words):
        engine.super_orders.place(Placement(CALL, BUY, 65, limit=101_00), terms)
    assert engine.orders() == []


def test_an_unknown_order_or_leg_is_refused(engine, show):
    with pytest.raises(BrokerError, match="no super order"):
        engine.conditional.get(ConditionalKind.SUPER, 7)
    order = engine.place(Placement(CALL, BUY, 65, limit=101_00))
    with pytest.raises(BrokerError, match="no super order has the entry E1"):
        engine.super_orders.number_of(order.number)


# forever orders


def wait_for(engine, trigger, limit, side=SELL, lots=1, **more):
    first = Placement(CALL, side, 65 * lots, limit=limit)
    second = more.get("second")
    waits = [(first, trigger)] + ([(replace(first, limit=second[1]), second[0])] if second else [])
    return engine.forever_orders.place(waits).item.number


def test_a_forever_order_waits_over_nights(engine, show, clock, tmp_path, feed):
    engine.place(Placement(CALL, BUY, 65, limit=101_00))
    number = wait_for(engine, 120_00, 119_00)
    clock.at = ist("2026-02-13 10:00")
    again = Engine(Account(tmp_path / "a.db", CASH), feed, clock)
    show(119_00)
    assert again.conditional.get(ConditionalKind.FOREVER, number).item.active
    show(121_00)
    found = again.conditional.get(ConditionalKind.FOREVER, number)
    assert found.item.state is ConditionalState.TRIGGERED
    (order,) = found.orders
    assert (order.state, order.average, order.leg) == (OrderState.TRADED, 120_95, TARGET)
    show(90_00)
    show(121_00)
    assert len(again.conditional.get(ConditionalKind.FOREVER, number).orders) == 1
    again.close()


def test_one_of_two_goes_out(engine, show):
    engine.place(Placement(CALL, BUY, 65, limit=101_00))
    number = wait_for(engine, 120_00, 119_00, second=(80_00, 79_00))
    show(79_95)
    found = seen(engine, number, ConditionalKind.FOREVER)
    assert [leg.state for leg in found.item.legs] == [LegState.CANCELLED, LegState.TRIGGERED]
    assert [order.leg for order in found.orders] == [STOP]
    show(130_00)
    assert len(seen(engine, number, ConditionalKind.FOREVER).orders) == 1
    assert engine.holdings() == {}


def test_a_leg_of_a_forever_order_is_changed(engine, show):
    number = wait_for(engine, 120_00, 119_00, second=(80_00, 79_00))
    change = Placement(CALL, SELL, 65, limit=88_00)
    engine.forever_orders.change(number, STOP, change, 89_00)
    with pytest.raises(Rejected, match="both sides of the last price"):
        engine.forever_orders.change(number, STOP, change, 130_00)
    show(89_00)
    (order,) = seen(engine, number, ConditionalKind.FOREVER).orders
    assert (order.leg, order.limit) == (STOP, 88_00)
    with pytest.raises(Rejected, match="TRIGGERED"):
        engine.forever_orders.change(number, STOP, change, 70_00)


def test_a_forever_order_ends_with_its_contract(engine, show, clock):
    number = wait_for(engine, 500_00, 499_00)
    clock.at = ist(f"{EXPIRY} 15:45")
    engine.advance()
    assert seen(engine, number, ConditionalKind.FOREVER).item.state is ConditionalState.EXPIRED


@pytest.mark.parametrize(
    ("fields", "trigger", "words"),
    [
        ({"product": Product.INTRADAY}, 120_00, "carried over nights"),
        ({"units": 66}, 120_00, "multiple of the lot"),
        ({}, 120_01, "on the tick"),
        ({}, 0, "must be positive"),
        ({"order_type": OrderType.STOP_LOSS, "trigger": 1_00}, 120_00, "LIMIT or MARKET"),
        ({"instrument": OTHER}, 120_00, "no price is known"),
    ],
)
def test_forever_orders_that_are_refused(engine, show, fields, trigger, words):
    what = replace(Placement(CALL, SELL, 65, limit=119_00), **fields)
    with pytest.raises(Rejected, match=words):
        engine.forever_orders.place([(what, trigger)])


# alerts


def alert(engine, operator, value, *, once=True, last_day="2026-02-20", orders=None):
    watch = Condition("PRICE_WITH_VALUE", "IDX_I", "13", "NIFTY", operator, value, once=once)
    orders = orders or [Placement(CALL, BUY, 65, limit=101_00)]
    day = ist(f"{last_day} 00:00").date()
    return engine.alert_orders.place(watch, orders, day).item.number


@pytest.mark.parametrize(
    ("operator", "levels", "fires"),
    [
        ("GREATER_THAN", (25_000, 25_100, 25_100.05), 2),
        ("GREATER_THAN_EQUAL", (25_000, 25_100), 1),
        ("LESS_THAN", (25_100, 25_099.95), 1),
        ("LESS_THAN_EQUAL", (25_101, 25_100), 1),
        ("EQUAL", (25_000, 25_101, 25_100), 2),
        ("NOT_EQUAL", (25_100, 25_000), 1),
        ("CROSSING_UP", (25_200, 25_000, 25_100, 25_101), 3),
        ("CROSSING_DOWN", (25_000, 25_200, 25_100, 25_099), 3),
        ("CROSSING_ANY_SIDE", (25_000, 25_100, 25_200), 2),
    ],
)
def test_a_condition_is_met_when_its_operator_holds(engine, show, feed, operator, levels, fires):
    feed.spots["NIFTY"] = round(levels[0] * 100)
    number = alert(engine, operator, 25_100.0)
    for n, level in enumerate(levels):
        feed.spots["NIFTY"] = round(level * 100)
        show(100_00)
        found = seen(engine, number, ConditionalKind.ALERT)
        assert (not found.item.active) == (n >= fires), (level, found.item)
        assert len(found.orders) == (n >= fires)


def test_an_alert_that_repeats_waits_for_the_condition_to_end(engine, show, feed):
    number = alert(engine, "GREATER_THAN", 25_100.0, once=False)
    for level, orders in ((25_200, 1), (25_300, 1), (25_000, 1), (25_150, 2)):
        feed.spots["NIFTY"] = level * 100
        show(100_00)
        assert len(seen(engine, number, ConditionalKind.ALERT).orders) == orders


def test_an_alert_places_all_its_orders_and_expires(engine, show, feed, clock):
    pair = [Placement(CALL, BUY, 65, limit=101_00), Placement(CALL, BUY, 65, limit=90_00)]
    number = alert(engine, "LESS_THAN", 24_000.0, orders=pair)
    late = alert(engine, "LESS_THAN", 23_000.0, last_day="2026-02-11")
    feed.spots["NIFTY"] = 23_900_00
    show(100_00)
    found = seen(engine, number, ConditionalKind.ALERT)
    assert [order.state for order in found.orders] == [OrderState.TRADED, OrderState.PENDING]
    assert (found.item.state, found.item.last) == (ConditionalState.TRIGGERED, 23_900.0)
    clock.at = ist("2026-02-11 15:31")
    engine.advance()
    assert seen(engine, late, ConditionalKind.ALERT).item.state is ConditionalState.EXPIRED


def test_an_alert_without_a_level_waits(engine, show, feed):
    del feed.spots["NIFTY"]
    number = alert(engine, "LESS_THAN", 24_000.0)
    show(100_00)
    assert seen(engine, number, ConditionalKind.ALERT).item.active


# leaving at a profit or a loss


def test_a_loss_closes_the_products_of_its_rule(engine, show):
    engine.place(Placement(CALL, BUY, 65, limit=101_00, product=Product.INTRADAY))
    engine.place(Placement(CALL, BUY, 65, limit=101_00))
    engine.place(Placement(CALL, BUY, 65, limit=90_00, product=Product.INTRADAY))
    rule = ProfitRule(0, 65 * 5_00, (Product.INTRADAY,), kill=False)
    engine.profit_rules.set(rule)
    show(95_10)
    assert net(engine) == 65
    show(95_05)  # bought at 100.05
    assert net(engine) == 0
    assert net(engine, Product.MARGIN) == 65
    assert [o.state for o in engine.orders()][2] is OrderState.CANCELLED
    assert engine.profit_rules.active() is None
    show(80_00)
    assert net(engine, Product.MARGIN) == 65


def test_a_profit_that_is_reached_already_closes_at_once_and_stops_trading(engine, show):
    engine.place(Placement(CALL, BUY, 65, limit=101_00))
    show(110_00)
    engine.profit_rules.set(ProfitRule(100_00, 0, (Product.MARGIN,), kill=True))
    assert engine.holdings() == {}
    assert engine.kill_switch_on
    later = engine.place(Placement(CALL, BUY, 65, limit=111_00))
    assert "kill switch" in later.reason


def test_a_rule_replaces_the_one_before_and_lasts_a_day(engine, show, clock):
    with pytest.raises(Rejected, match="above 0"):
        engine.profit_rules.set(ProfitRule(0, 0, (Product.MARGIN,), kill=False))
    engine.profit_rules.set(ProfitRule(1, 0, (Product.INTRADAY,), kill=False))
    second = engine.profit_rules.set(ProfitRule(0, 1_00, (Product.MARGIN,), kill=False))
    assert engine.profit_rules.active() == second
    clock.at = ist("2026-02-11 15:31")
    assert engine.profit_rules.active() is None
    assert engine.profit_rules.stop() is False
