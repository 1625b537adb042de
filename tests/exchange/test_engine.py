"""What happens to orders: trades, queues, ends, refusals. Expected money is worked out here."""

from datetime import date

import pytest

from strikeloom.adapters.sim import SimBroker
from strikeloom.domain.instruments import InstrumentKind, Right
from strikeloom.domain.orders import BrokerPosition, OrderState, Validity
from strikeloom.errors import BrokerError, DataError, Rejected, StoreError
from support.fakes import CASH, ShownFeed, ist, option, order

CALL, FAR = option(25000), option(25500)


def test_a_buy_at_the_ask_trades_at_once_and_costs_the_scheduled_charges(broker, feed):
    feed.show(CALL, 9900, 10000)
    done = broker.submit(order("a", CALL, "BUY", 2, 10000))
    assert (done.state, done.filled_units) == (OrderState.TRADED, 130)
    (fill,) = broker.fills()
    # premium 13,000.00: brokerage 20.00, exchange 0.03503 % 4.55, protection fund 0.0005 % 0.06,
    # SEBI 0.0001 % 0.01, stamp 0.003 % 0.39, GST 18 % of 24.62 = 4.43
    assert (fill.price, fill.units, fill.charges) == (10000, 130, 2944)
    assert broker.positions() == [BrokerPosition(CALL.key, 130)]
    assert broker.funds().cash == CASH - 1_300_000 - 2944


def test_brokerage_is_for_the_order_and_not_for_each_fill(broker, feed, clock):
    feed.show(CALL, 9900, 10000, size=65)
    assert broker.submit(order("a", CALL, "BUY", 2, 10000)).state is OrderState.PART_TRADED
    clock.wait(60)
    feed.show(CALL, 9900, 10000, size=65)
    first, second = broker.fills()
    assert (first.units, second.units) == (65, 65)
    # 6,500.00 each: 20.00 + 2.28 + 0.03 + 0.01 + 0.20 (stamp 0.195) + GST 4.02; then without
    # brokerage: 2.28 + 0.03 + 0.01 + 0.20 + GST 0.42
    assert abs(first.charges - 2654) <= 1
    assert abs(second.charges - 294) <= 1
    assert broker.orders()[0].state is OrderState.TRADED


def test_the_same_quote_is_not_traded_twice(broker, feed):
    feed.show(CALL, 9900, 10000, size=130)
    broker.submit(order("a", CALL, "BUY", 1, 10000))
    broker.submit(order("b", CALL, "BUY", 1, 10000))
    third = broker.submit(order("c", CALL, "BUY", 1, 10000))
    assert (third.state, third.filled_units) == (OrderState.PENDING, 0)
    assert [fill.correlation_id for fill in broker.fills()] == ["a", "b"]


def test_the_better_price_goes_first_and_then_the_older_order(broker, feed, clock):
    feed.show(CALL, 9000, 11000)
    for name, limit in (("low", 9500), ("old", 10000), ("young", 10000)):
        assert broker.submit(order(name, CALL, "BUY", 1, limit)).state is OrderState.PENDING
    clock.wait(60)
    feed.show(CALL, 9300, 9400, size=130)
    assert [fill.correlation_id for fill in broker.fills()] == ["old", "young"]
    assert [fill.price for fill in broker.fills()] == [10000, 10000]


def test_immediate_or_cancel_ends_with_what_it_got(broker, feed):
    feed.show(CALL, 9900, 10000, size=65)
    done = broker.submit(order("a", CALL, "BUY", 3, 10000, Validity.IOC))
    assert (done.state, done.filled_units) == (OrderState.CANCELLED, 65)
    nothing = broker.submit(order("b", CALL, "BUY", 1, 9950, Validity.IOC))
    assert (nothing.state, nothing.filled_units) == (OrderState.CANCELLED, 0)


def test_a_cancel_that_comes_too_late_is_answered_with_the_trade(broker, feed, clock):
    feed.show(CALL, 9900, 10000)
    resting = broker.submit(order("a", CALL, "BUY", 1, 9950))
    clock.wait(60)
    feed.show(CALL, 9900, 9950)
    assert broker.cancel(resting.order_id).state is OrderState.TRADED


def test_a_cancel_keeps_what_was_filled(broker, feed):
    feed.show(CALL, 9900, 10000, size=65)
    part = broker.submit(order("a", CALL, "BUY", 2, 10000))
    ended = broker.cancel(part.order_id)
    assert (ended.state, ended.filled_units) == (OrderState.CANCELLED, 65)
    assert broker.cancel(part.order_id) == ended


@pytest.mark.parametrize("name", ["E9", "E", "", "9x", "EE1", "E²"])
def test_an_unknown_order_cannot_be_cancelled(broker, name):
    with pytest.raises(BrokerError, match="no order"):
        broker.cancel(name)


def test_orders_expire_with_their_session(broker, feed, clock):
    feed.show(CALL, 9900, 10000)
    broker.submit(order("a", CALL, "BUY", 1, 9000))
    clock.at = ist("2026-02-11 15:30")
    assert broker.orders()[0].state is OrderState.PENDING
    clock.at = ist("2026-02-12 09:15")
    feed.show(CALL, 8000, 8100)  # it would trade now, a day too late
    (ended,) = broker.orders()
    assert (ended.state, ended.updated_at) == (OrderState.EXPIRED, ist("2026-02-11 15:30"))
    assert broker.positions() == []


def test_a_quote_of_yesterday_is_not_traded(broker, feed, clock):
    feed.show(CALL, 9900, 10000)
    clock.at = ist("2026-02-12 09:20")
    assert broker.submit(order("a", CALL, "BUY", 1, 10000)).state is OrderState.PENDING


@pytest.mark.parametrize(
    "moment",
    ["2026-02-11 09:14:59", "2026-02-11 15:30:01", "2026-02-14 11:00", "2026-03-03 11:00"],
)
def test_a_closed_market_refuses(broker, feed, clock, moment):
    clock.at = ist(moment)
    feed.show(CALL, 9900, 10000)
    with pytest.raises(Rejected, match=r"closed|expired"):
        broker.submit(order("a", CALL, "BUY", 1, 10000))


def test_a_refusal_is_on_record_and_has_no_effect(broker, feed):
    feed.show(CALL, 9900, 10000)
    with pytest.raises(Rejected, match="tick") as refused:
        broker.submit(order("a", CALL, "BUY", 1, 10001))
    (kept,) = broker.orders()
    assert kept.state is OrderState.REJECTED
    assert refused.value.facts["order_id"] == kept.order_id
    assert broker.funds().cash == CASH


def test_an_expired_contract_is_refused(broker, feed, clock):
    clock.at = ist("2026-02-25 10:00")
    with pytest.raises(Rejected, match="expired on 2026-02-24"):
        broker.submit(order("a", CALL, "BUY", 1, 10000))


def test_the_same_correlation_id_twice_is_two_orders(broker, feed):
    """As at the broker: the tag is for looking up, so a doubled order stays visible."""
    feed.show(CALL, 9900, 10000)
    broker.submit(order("a", CALL, "BUY", 1, 10000))
    broker.submit(order("a", CALL, "BUY", 1, 10000))
    assert [o.correlation_id for o in broker.orders()] == ["a", "a"]
    assert broker.positions() == [BrokerPosition(CALL.key, 130)]


def test_lots_and_ticks_are_the_listed_ones(tmp_path, feed, clock):
    listed = option(25000, lot=75)

    class Lists:
        def instrument(self, key, day):
            if key != listed.key:
                raise DataError(f"{key} is not listed on {day}")
            return listed

        def adjustments(self, *_):
            return []

        def order_limit(self, *_):
            return 750

    broker = SimBroker(tmp_path / "listed.db", feed, clock, CASH, Lists())
    feed.show(listed, 9900, 10000)
    with pytest.raises(Rejected, match="lot size 75"):
        broker.submit(order("a", CALL, "BUY", 1, 10000))
    with pytest.raises(Rejected, match="not a listed contract"):
        broker.submit(order("b", FAR, "BUY", 1, 10000))
    with pytest.raises(Rejected, match="quantity 825 is above the freeze quantity 750"):
        broker.submit(order("c", listed, "BUY", 11, 10000))
    assert broker.submit(order("d", listed, "BUY", 10, 10000)).state is OrderState.TRADED


def test_the_largest_order_is_the_listed_one(tmp_path, feed, clock):
    """A broker's list may be newer than the exchange's dated one, which has 1,800 for NIFTY."""

    class Lists:
        def instrument(self, key, day):  # noqa: ARG002
            return CALL

        def adjustments(self, *_):
            return []

        def order_limit(self, *_):
            return 2600

    broker = SimBroker(tmp_path / "listed.db", feed, clock, 100 * CASH, Lists())
    feed.show(CALL, 9900, 10000, size=10_000)
    assert broker.submit(order("a", CALL, "BUY", 40, 10000)).state is OrderState.TRADED
    assert broker.submit(order("b", CALL, "BUY", 20, 10000)).state is OrderState.TRADED
    assert [o.units for o in broker.engine.exit_all()] == [2600, 1300]


# what a clock that leaps over snapshots finds


def test_snapshots_that_the_clock_skipped_are_matched_in_order(taped, tape, clock):
    tape.record(ist("2026-02-11 10:00"), CALL, 9900, 10000, 650)
    taped.submit(order("a", CALL, "BUY", 2, 9800))
    tape.record(ist("2026-02-11 10:05"), CALL, 9700, 9800, 65)
    tape.record(ist("2026-02-11 10:10"), CALL, 9700, 9750, 65)
    tape.record(ist("2026-02-11 10:15"), CALL, 9900, 10000, 650)
    clock.at = ist("2026-02-11 10:15")
    assert taped.orders()[0].state is OrderState.TRADED
    assert [(f.units, f.at) for f in taped.fills()] == [
        (65, ist("2026-02-11 10:05")),
        (65, ist("2026-02-11 10:10")),
    ]


def test_a_leap_trades_what_steps_would_have_traded(tmp_path, tape, clock):
    moments = [ist(f"2026-02-11 {10 + n // 12}:{n % 12 * 5:02d}") for n in range(12)]
    for n, at in enumerate(moments):
        tape.record(at, CALL, 9700 + 40 * (n % 5), 9800 + 40 * (n % 5), 65 * (1 + n % 3))
        tape.record(at, FAR, 1000 + 10 * n, 1100 + 10 * n, 130)
    found = []
    for name, stops in (("steps", moments), ("leap", moments[-1:])):
        clock.at = moments[0]
        broker = SimBroker(tmp_path / f"{name}.db", tape, clock, CASH)
        broker.submit(order("a", CALL, "BUY", 9, 9840))
        broker.submit(order("b", FAR, "BUY", 4, 1100))
        broker.submit(order("c", CALL, "BUY", 3, 9800))
        for at in stops:
            clock.at = at
            broker.orders()
        found.append((broker.orders(), broker.fills(), broker.funds()))
        broker.close()
    assert found[0] == found[1]
    assert len(found[0][1]) > 4


def test_an_order_does_not_trade_in_the_past(taped, tape, clock):
    tape.record(ist("2026-02-11 10:00"), CALL, 9900, 10000, 650)
    taped.submit(order("early", FAR, "BUY", 1, 100))  # something rests, so snapshots are walked
    tape.record(ist("2026-02-11 10:05"), CALL, 9000, 9100, 650)
    tape.record(ist("2026-02-11 10:10"), CALL, 9900, 10000, 650)
    clock.at = ist("2026-02-11 10:10")
    assert taped.submit(order("late", CALL, "BUY", 1, 9500)).state is OrderState.PENDING
    clock.at = ist("2026-02-11 10:12")
    assert taped.fills() == []


def test_an_order_that_rested_overnight_does_not_meet_the_morning(taped, tape, clock):
    tape.record(ist("2026-02-11 10:00"), CALL, 9900, 10000, 650)
    taped.submit(order("a", CALL, "BUY", 1, 9000))
    tape.record(ist("2026-02-12 09:15"), CALL, 8000, 8100, 650)
    tape.record(ist("2026-02-12 10:00"), CALL, 8000, 8100, 650)
    clock.at = ist("2026-02-12 10:00")
    assert taped.orders()[0].state is OrderState.EXPIRED
    assert taped.fills() == []


# expiry


def test_index_options_settle_in_cash_once_the_value_is_known(broker, feed, clock):
    feed.show(CALL, 9900, 10000)
    feed.show(FAR, 1900, 2000)
    broker.submit(order("long", CALL, "BUY", 2, 10000))
    broker.submit(order("short", FAR, "SELL", 2, 1900))
    cash = broker.funds().cash
    clock.at = ist("2026-02-24 15:30")
    assert len(broker.positions()) == 2  # over, and the value not known yet
    feed.settlements[("NIFTY", date(2026, 2, 24))] = 25_200_00
    assert broker.positions() == []
    settled = [fill for fill in broker.fills() if fill.kind == "settlement"]
    assert [(f.instrument_key, f.price, f.units) for f in settled] == [
        (CALL.key, 200_00, 130),
        (FAR.key, 0, 130),
    ]
    # 200 points on 130 units, less 0.125 % of it
    assert broker.funds().cash == cash + 26_000_00 - 3250
    assert len(broker.fills()) == 4  # once


def test_stock_options_settle_at_the_value_of_the_delivery(broker, feed, clock):
    put = option(1500, Right.PUT, symbol="RELIANCE", kind=InstrumentKind.STOCK, lot=500)
    feed.show(put, 10500, 10600)
    broker.submit(order("a", put, "SELL", 1, 10500))
    cash = broker.funds().cash
    feed.settlements[("RELIANCE", date(2026, 2, 24))] = 1_400_00
    clock.at = ist("2026-02-24 15:30")
    # shares worth 1,400.00 are taken for 1,500.00 each; tax of 0.1 % and stamps of 0.015 % of that
    assert broker.funds().cash == cash - 500 * 1_500_00 - 750_00 - 112_50
    held = {p.instrument_key: p.net_units for p in broker.positions()}
    assert held == {"RELIANCE:SHARE": 500}
    assert broker.funds().margin_used == 0


def test_a_call_spread_of_a_stock_in_the_money_nets_off(broker, feed, clock):
    """TATAMOTORS 400/420, 550 each, final 450: 0.125 % of 27,500 is all that is due."""
    low, high = (
        option(strike, symbol="TATAMOTORS", kind=InstrumentKind.STOCK, lot=550)
        for strike in (400, 420)
    )
    feed.spots["TATAMOTORS"] = 450_00
    feed.show(low, 4900, 5000)
    feed.show(high, 3000, 3100)
    broker.submit(order("a", low, "BUY", 1, 5000))
    broker.submit(order("b", high, "SELL", 1, 3000))
    feed.settlements[("TATAMOTORS", date(2026, 2, 24))] = 450_00
    clock.at = ist("2026-02-24 15:30")
    settled = {f.instrument_key: f.charges for f in broker.fills() if f.kind == "settlement"}
    assert settled == {low.key: 34_38, high.key: 0}


def test_what_was_closed_before_does_not_settle(broker, feed, clock):
    feed.show(CALL, 9900, 10000)
    broker.submit(order("a", CALL, "BUY", 1, 10000))
    broker.submit(order("b", CALL, "SELL", 1, 9900))
    feed.settlements[("NIFTY", date(2026, 2, 24))] = 26_000_00
    clock.at = ist("2026-02-25 10:00")
    assert [fill.kind for fill in broker.fills()] == ["trade", "trade"]


# the file


def test_a_newer_file_is_refused(tmp_path, feed, clock):
    import sqlite3

    path = tmp_path / "account.db"
    SimBroker(path, feed, clock, CASH).close()
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(StoreError, match="newer strikeloom"):
        SimBroker(path, feed, clock, CASH)


def test_a_file_that_is_no_account_is_refused(tmp_path, feed, clock):
    path = tmp_path / "account.db"
    path.write_text("not a database at all" * 100)
    with pytest.raises(StoreError, match="not a usable account file"):
        SimBroker(path, feed, clock, CASH)


def test_only_the_owner_reads_the_file(tmp_path, feed, clock):
    path = tmp_path / "account.db"
    SimBroker(path, feed, clock, CASH)
    assert all(p.stat().st_mode & 0o077 == 0 for p in tmp_path.glob("account.db*"))


def test_money_of_an_account_is_paid_in_once(tmp_path, feed, clock):
    path = tmp_path / "account.db"
    SimBroker(path, feed, clock, CASH).close()
    again = SimBroker(path, ShownFeed(clock), clock, 1)
    assert again.funds().cash == CASH
