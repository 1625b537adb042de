"""A round of work: what is sent, cancelled and replaced, in which order, and what is reported."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from strikeloom.domain.instruments import Right
from strikeloom.domain.legs import Leg, Side
from strikeloom.domain.orders import (
    IntentState,
    Order,
    OrderIntent,
    OrderRequest,
    OrderState,
    Purpose,
)
from strikeloom.domain.positions import Position
from strikeloom.domain.products import Product
from strikeloom.domain.proposals import Proposal
from strikeloom.errors import Rejected, UnknownOutcome
from strikeloom.ports.desk import Desk
from strikeloom.trading.lease import Lease
from strikeloom.trading.prepare import prepare_entry, prepare_exit
from strikeloom.trading.reconcile import Reconciler
from strikeloom.trading.send import OrderRateLimiter
from strikeloom.trading.unresolved import resolve_unknown
from strikeloom.trading.work import WorkReport, work
from support.desk import ACCOUNT, MARKET, MadeDesk
from support.fakes import ist, option
from support.trading_records import intent

BUY, SELL = Side.BUY, Side.SELL
SOLD, BOUGHT = option(24_800, Right.PUT), option(24_600, Right.PUT)
CALL = option(25_000)
ENDED, FILLED, REFUSED = IntentState.ENDED, IntentState.FILLED, IntentState.REFUSED
NEW, UNKNOWN, WORKING = IntentState.NEW, IntentState.UNKNOWN, IntentState.WORKING


class NotedBroker:
    """The engine behind a book that may be late; notes its calls and reports no change.

    Attributes
    ----------
    calls : list of tuple
        What was sent (side, units, strike in rupees) and cancelled (``cancel``, number).
    reads : int
        How often the order book was read.
    seconds : float
        How long the broker takes to answer an order.
    refused : set of str
        Contracts whose orders it refuses; ``lost`` ones get no answer and never arrive.
    hidden : set of str
        Correlation ids whose trades it does not report.
    """

    name = "noted"
    book_is_complete = False

    def __init__(self, made: MadeDesk) -> None:
        self._made, self._broker = made, made.broker
        self.reports_settlements = True
        self.calls: list[tuple] = []
        self.reads, self.seconds = 0, 0.0
        self.refused: set[str] = set()
        self.lost: set[str] = set()
        self.hidden: set[str] = set()
        self.cancel_is_lost = False

    def __getattr__(self, name: str) -> object:
        return getattr(self._broker, name)

    def change_count(self) -> int:
        return 1

    def submit(self, request: OrderRequest) -> Order:
        self.calls.append((request.side, request.units, request.instrument.strike // 100))
        self._made.clock.wait(self.seconds)
        if request.instrument.key in self.refused:
            raise Rejected("margin")
        if request.instrument.key in self.lost:
            raise UnknownOutcome("no answer")
        return self._broker.submit(request)

    def cancel(self, order_id: str) -> Order:
        self.calls.append(("cancel", order_id))
        if self.cancel_is_lost:
            raise UnknownOutcome("no answer")
        return self._broker.cancel(order_id)

    def orders(self) -> list[Order]:
        self.reads += 1
        return self._broker.orders()

    def fills(self) -> list:
        return [f for f in self._broker.fills() if f.correlation_id not in self.hidden]


class Rounds:
    """A desk with a noted broker, and one reconciler for all its rounds."""

    def __init__(self, home: Path) -> None:
        self.made = MadeDesk(home)
        self.store, self.clock = self.made.store, self.made.clock
        self.broker = NotedBroker(self.made)
        self.desk: Desk = replace(self.made.desk, broker=self.broker)
        self.reconciler = Reconciler(self.desk)

    def run(self) -> WorkReport:
        """Run one round; ``broker.calls`` then holds the calls of this round."""
        self.broker.calls.clear()
        with Lease(self.desk.home, self.desk.store) as lease:
            return work(self.desk, lease, OrderRateLimiter(1e6), self.reconciler)

    def enter(self, proposal: Proposal, lots: int = 2) -> str:
        """Record an entry; the name of its group."""
        intents = prepare_entry(self.desk, proposal, lots)
        self.store.record_intents(intents)
        return intents[0].intent_id

    def held(self) -> Position:
        """Two lots of the bull put spread, held."""
        return self.made.enter(self.made.spread(), 2)

    def leave(self, position: Position) -> str:
        """Record the exit of all of a position; the name of its group."""
        intents = prepare_exit(self.desk, position, [0] * len(position.legs), "test")
        self.store.record_intents(intents)
        return intents[0].intent_id

    def rise(self, instrument, bid: int, ask: int) -> None:
        """Show another price: what is recorded to buy it rests."""
        self.made.show(instrument, bid, ask)

    def states(self, group: str) -> list[tuple[int, int, IntentState, int]]:
        """Leg, attempt, state and units of every intent of a group."""
        found = self.store.intents(intent_id=group)
        return sorted((i.leg, i.attempt, i.state, i.units) for i in found)

    def open_order(self) -> Order:
        """The only order of the broker that may still trade."""
        (order,) = [order for order in self.broker.orders() if not order.state.terminal]
        return order

    def alerts(self, level: str) -> list[str]:
        return [text for known, text in self.made.alerts.texts if known == level]


@pytest.fixture
def rounds(tmp_path: Path) -> Iterator[Rounds]:
    found = Rounds(tmp_path)
    yield found
    found.made.close()


# the order of sending


def test_an_entry_buys_its_hedge_before_it_sells(rounds: Rounds) -> None:
    name = rounds.enter(rounds.made.spread())
    report = rounds.run()
    assert rounds.broker.calls == [(BUY, 130, 24_600), (SELL, 130, 24_800)]
    assert (report.finished, report.waiting, report.blocked, report.abandoned) == (
        [name],
        [],
        [],
        [],
    )
    assert (report.acted, report.new_fills) == (True, 2)
    assert [leg.net_units for leg in report.state.positions.popitem()[1].legs] == [-130, 130]
    assert rounds.broker.reads == 3  # before the round, after the buys, after the sells


def test_a_short_is_not_sold_before_its_hedge_is_complete(rounds: Rounds) -> None:
    name = rounds.enter(rounds.made.spread())
    rounds.rise(BOUGHT, 75_00, 90_00)
    report = rounds.run()
    assert rounds.broker.calls == [(BUY, 130, 24_600)]
    assert (report.waiting, report.finished) == ([name], [])
    rounds.made.step(1)
    assert rounds.run().waiting == [name]
    assert rounds.broker.calls == []  # it rests, and is neither doubled nor followed by the sale
    rounds.made.step(0.5)
    rounds.made.show(BOUGHT, 69_50, 70_50, size=65)  # one lot of two
    rounds.reconciler.refresh(acted=True)
    assert rounds.run().waiting == [name]
    assert rounds.broker.calls == []
    rounds.made.step(0.5)
    rounds.made.show(BOUGHT, 69_50, 70_50, size=650)
    rounds.reconciler.refresh(acted=True)
    assert rounds.run().finished == [name]
    assert rounds.broker.calls == [(SELL, 130, 24_800)]


def test_an_exit_buys_back_the_short_before_it_sells_the_hedge(rounds: Rounds) -> None:
    name = rounds.leave(rounds.held())
    rounds.rise(SOLD, 119_50, 135_00)
    assert rounds.run().waiting == [name]
    assert rounds.broker.calls == [(BUY, 130, 24_800)]
    rounds.made.step(3)
    rounds.broker.refused.add(SOLD.key)
    rounds.run()
    assert [call for call in rounds.broker.calls if call[0] != "cancel"] == [(BUY, 130, 24_800)]
    rounds.broker.refused.clear()
    rounds.rise(SOLD, 119_50, 120_50)
    rounds.made.step(60)
    report = rounds.run()
    assert rounds.broker.calls[-1] == (SELL, 130, 24_600)
    assert (report.finished, report.state.positions) == ([name], {})


def test_a_leg_of_unknown_status_blocks_what_comes_after_it(rounds: Rounds) -> None:
    """Two to buy: one gets no answer, the other fills; nothing is sold."""
    hedge = rounds.made.show(option(25_500), 10_00, 10_50)
    made = rounds.made.spread()
    legs = [*made.legs, Leg(hedge, BUY, 1, 10_00)]
    name = rounds.enter(rounds.made.propose(legs, "three_legs"))
    rounds.broker.lost.add(hedge.key)
    for _ in range(3):
        report = rounds.run()
        assert (report.blocked, report.waiting, report.finished) == ([name], [], [])
        rounds.made.step(5)
    assert [state for leg, _, state, _ in rounds.states(name) if leg == 2] == [UNKNOWN]
    assert len(rounds.broker.orders()) == 1
    assert [leg for leg, _, state, _ in rounds.states(name) if state is NEW] == [0]


def test_a_group_that_waits_does_not_hold_up_the_next(rounds: Rounds) -> None:
    rounds.made.show(CALL, 150_00, 151_00)
    first = rounds.enter(rounds.made.spread())
    second = rounds.enter(rounds.made.propose([Leg(CALL, BUY, 1, 150_00)], "long_call"))
    rounds.rise(BOUGHT, 75_00, 90_00)
    report = rounds.run()
    assert (report.waiting, report.finished) == ([first], [second])
    assert set(rounds.broker.calls) == {(BUY, 130, 24_600), (BUY, 130, 25_000)}


def test_an_idle_round_does_nothing(rounds: Rounds) -> None:
    rounds.held()
    rounds.run()
    report, before = rounds.run(), rounds.broker.reads
    assert (report.acted, report.new_fills, rounds.broker.calls) == (False, 0, [])
    assert (report.finished, report.waiting) == ([], [])
    assert rounds.broker.reads == before


# quotes


def test_quotes_are_read_once_a_round_and_again_after_a_second(
    rounds: Rounds, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five orders of half a second each: the quotes of the fourth are read again."""
    for strike in (25_000, 25_100, 25_200, 25_300, 25_400):
        instrument = rounds.made.show(option(strike), 150_00, 151_00)
        rounds.enter(rounds.made.propose([Leg(instrument, BUY, 1, 150_00)], "long_call"), 1)
    start, read, quotes = rounds.clock.now(), [], rounds.made.feed.quotes

    def noted(contracts):
        wanted = list(contracts)
        if len(wanted) > 1:  # the engine reads single quotes to match orders
            read.append((rounds.clock.now() - start).total_seconds())
        return quotes(wanted)

    rounds.broker.seconds = 0.5
    monkeypatch.setattr(rounds.made.feed, "quotes", noted)
    rounds.run()
    assert len(rounds.broker.calls) == 5
    assert sorted(set(read)) == [0.0, 1.5]


# orders that rest, and orders that are too large


def _resting_exit(rounds: Rounds) -> str:
    """Two lots of a call held, and an exit that rests: its bid has gone."""
    rounds.made.show(CALL, 150_00, 151_00)
    position = rounds.made.enter(rounds.made.propose([Leg(CALL, BUY, 1, 151_00)], "long_call"), 2)
    name = rounds.leave(position)
    rounds.made.show(CALL, 130_00, 131_00)
    rounds.run()
    assert rounds.broker.calls == [(SELL, 130, 25_000)]
    return name


def test_an_order_that_fits_is_left_alone_until_it_has_rested(rounds: Rounds) -> None:
    name = _resting_exit(rounds)
    for _ in range(2):
        rounds.made.step(1)
        rounds.run()
        assert rounds.broker.calls == []
    assert rounds.states(name) == [(0, 1, WORKING, 130)]


def test_an_order_filled_in_part_is_left_alone_too(rounds: Rounds) -> None:
    name = _resting_exit(rounds)
    rounds.made.step(1)
    rounds.made.show(CALL, 150_00, 151_00, size=65)
    rounds.reconciler.refresh(acted=True)
    rounds.made.show(CALL, 130_00, 131_00)
    rounds.made.step(1)
    report = rounds.run()
    assert rounds.broker.calls == []
    assert [leg.net_units for leg in report.state.positions.popitem()[1].legs] == [65]
    assert rounds.states(name) == [(0, 1, WORKING, 130)]


def test_a_rested_order_is_cancelled_and_its_rest_goes_at_a_fresh_price(rounds: Rounds) -> None:
    name = _resting_exit(rounds)
    rounds.made.step(1)
    rounds.made.show(CALL, 150_00, 151_00, size=65)
    rounds.reconciler.refresh(acted=True)
    rounds.made.step(2)
    rounds.made.show(CALL, 130_00, 131_00)
    order = rounds.open_order()
    report = rounds.run()
    assert rounds.broker.calls == [("cancel", order.order_id), (SELL, 65, 25_000)]
    first, second = rounds.store.intents(intent_id=name)
    assert (first.attempt, first.state, first.units) == (1, ENDED, 130)
    assert (second.attempt, second.state, second.units) == (2, FILLED, 65)
    # five per cent below the bid of 130.00
    assert second.limit == 123_50
    assert (report.finished, report.new_fills, report.state.positions) == ([name], 1, {})


def test_trades_not_yet_reported_do_not_cancel_the_order_that_made_them(rounds: Rounds) -> None:
    name = _resting_exit(rounds)
    (leaving,) = rounds.store.intents(intent_id=name)
    rounds.broker.hidden.add(leaving.correlation_id)
    rounds.made.step(1)
    rounds.made.show(CALL, 150_00, 151_00, size=65)
    assert rounds.reconciler.refresh(acted=True).gaps == {CALL.key: -65}
    rounds.run()
    assert rounds.broker.calls == []
    assert [p.net_units for p in rounds.broker.positions()] == [65]
    rounds.made.show(CALL, 130_00, 131_00)
    rounds.made.step(2)
    rounds.run()  # it has rested by now: cancelled, and the traded lot is not sold twice
    assert [call[0] for call in rounds.broker.calls[:1]] == ["cancel"]
    assert [call for call in rounds.broker.calls if call[0] is SELL and call[1] > 65] == []


def _working_by_hand(rounds: Rounds, **changes: object) -> OrderIntent:
    """An intent whose order rests at the broker, recorded by hand."""
    own = {"account": ACCOUNT, "market": MARKET}
    resting = intent(
        instrument=CALL, state=WORKING, created_at=rounds.clock.now(), **own, **changes
    )
    rounds.store.record_intents([resting])
    request = OrderRequest(
        resting.correlation_id, CALL, resting.side, resting.units, resting.limit, Product.MARGIN
    )
    rounds.store.record_order(rounds.made.broker.submit(request))
    return resting


def test_an_order_larger_than_what_is_left_is_cancelled_at_once(rounds: Rounds) -> None:
    """130 wanted; the first attempt filled 65 late, while the second is out with 130."""
    rounds.made.show(CALL, 150_00, 151_00)
    proposal = rounds.made.propose([Leg(CALL, BUY, 1, 150_00)], "long_call")
    own = {"account": ACCOUNT, "market": MARKET, "position_id": proposal.strategy_id}
    first = intent(instrument=CALL, state=ENDED, limit=151_00, **own)
    rounds.store.record_intents([first])
    rounds.made.show(CALL, 150_00, 151_00, size=65)
    request = OrderRequest(first.correlation_id, CALL, BUY, 65, 151_00, Product.MARGIN)
    filled = rounds.made.broker.submit(request)
    resting = _working_by_hand(rounds, attempt=2, limit=145_00, position_id=proposal.strategy_id)
    rounds.made.step(1)
    rounds.run()
    (cancelled,) = [call for call in rounds.broker.calls if call[0] == "cancel"]
    assert cancelled[1] != filled.order_id
    assert [call for call in rounds.broker.calls if call[0] is BUY] == [(BUY, 65, 25_000)]
    name = resting.intent_id
    assert rounds.states(name)[:2] == [(0, 1, ENDED, 130), (0, 2, ENDED, 130)]
    assert rounds.states(name)[2][3] == 65


def test_an_order_too_large_by_a_single_unit_is_cancelled(rounds: Rounds) -> None:
    small = rounds.made.show(option(25_000, lot=1), 150_00, 151_00)
    position = rounds.made.enter(rounds.made.propose([Leg(small, BUY, 1, 151_00)], "long_call"), 1)
    held = {"position_id": position.position_id, "purpose": Purpose.EXIT, "side": SELL}
    own = {"account": ACCOUNT, "market": MARKET, "created_at": rounds.clock.now()}
    leaving = intent(instrument=small, units=2, limit=160_00, state=WORKING, **held, **own)
    rounds.store.record_intents([leaving])
    request = OrderRequest(leaving.correlation_id, small, SELL, 2, 160_00, Product.MARGIN)
    rounds.store.record_order(rounds.made.broker.submit(request))
    rounds.made.step(1)
    rounds.run()
    assert [call[0] for call in rounds.broker.calls] == ["cancel"]
    rounds.made.step(2)
    rounds.run()
    assert rounds.broker.calls == [(SELL, 1, 25_000)]


def test_an_exit_planned_for_more_than_is_held_goes_for_what_is_held(rounds: Rounds) -> None:
    """Planned for two lots and sent after one of them was sold by another order."""
    rounds.made.show(CALL, 150_00, 151_00)
    position = rounds.made.enter(rounds.made.propose([Leg(CALL, BUY, 1, 151_00)], "long_call"), 2)
    name = rounds.leave(position)
    own = {"account": ACCOUNT, "market": MARKET, "position_id": position.position_id}
    other = intent(intent_id="IOTHER", purpose=Purpose.EXIT, instrument=CALL, side=SELL, units=65,
                   limit=150_00, **own)  # fmt: skip
    rounds.store.record_intents([replace(other, state=WORKING)])
    rounds.made.broker.submit(
        OrderRequest(other.correlation_id, CALL, SELL, 65, 150_00, Product.MARGIN)
    )
    report = rounds.run()
    assert rounds.broker.calls == [(SELL, 65, 25_000)]
    first, second = rounds.store.intents(intent_id=name)
    assert (first.state, first.note) == (ENDED, "not sent: only 65 of 130 units are left to trade")
    assert (second.attempt, second.state) == (2, FILLED)
    assert report.state.positions == {}


def test_a_cancel_without_an_answer_replaces_nothing(rounds: Rounds) -> None:
    name = _resting_exit(rounds)
    rounds.broker.cancel_is_lost = True
    rounds.made.step(3)
    rounds.run()
    assert [call[0] for call in rounds.broker.calls] == ["cancel"]
    assert [attempt for _, attempt, _, _ in rounds.states(name)] == [1]


@pytest.mark.parametrize("final", [False, True])
def test_every_order_of_an_intent_that_may_still_trade_is_cancelled(
    rounds: Rounds, monkeypatch: pytest.MonkeyPatch, final: bool
) -> None:
    """A person gave a wrong number for an order without an answer; the real one shows up later."""
    rounds.made.show(CALL, 150_00, 151_00)
    position = rounds.made.enter(rounds.made.propose([Leg(CALL, BUY, 1, 151_00)], "long_call"), 2)
    name = rounds.leave(position)
    rounds.made.show(CALL, 130_00, 131_00)
    with monkeypatch.context() as silent:
        silent.setattr(rounds.broker, "submit", _unanswered(rounds))
        silent.setattr(rounds.broker, "orders", list, raising=False)
        assert rounds.run().blocked == [name]
    (leaving,) = rounds.store.intents(intent_id=name)
    resolve_unknown(rounds.desk, leaving.correlation_id, arrived=True, who="Asha", number="W7")
    real = rounds.open_order()
    (wrong,) = [order for order in rounds.store.orders() if order.order_id == "W7"]
    if final:  # a number known to have ended is not cancelled
        rounds.store.record_order(replace(wrong, state=OrderState.CANCELLED))
    rounds.made.step(3)
    rounds.run()
    cancelled = [number for call, number, *_ in rounds.broker.calls if call == "cancel"]
    assert sorted(cancelled) == sorted([real.order_id] if final else [real.order_id, "W7"])
    assert any("cancel failed" in text for text in rounds.alerts("warning")) is not final
    rounds.made.step(3)
    rounds.run()  # what is final is not cancelled again
    assert ("cancel", real.order_id) not in rounds.broker.calls
    assert all(order.state.terminal for order in rounds.broker.orders())


def _unanswered(rounds: Rounds):
    """Place orders and lose the answer."""
    submit = rounds.broker.submit

    def place(request: OrderRequest) -> Order:
        submit(request)
        raise UnknownOutcome("no answer")

    return place


class NotedPace(OrderRateLimiter):
    """Notes before which calls of the broker it is waited for."""

    def __init__(self, calls: list[tuple]) -> None:
        super().__init__(1e6)
        self._calls, self.before = calls, []

    def wait(self) -> None:
        self.before.append(len(self._calls))


@pytest.mark.parametrize(("in_process", "turns"), [(False, [0, 1, 2]), (True, [])])
def test_cancellations_count_towards_the_rate(
    rounds: Rounds, in_process: bool, turns: list[int]
) -> None:
    """Two cancels and the order after them wait for their turns; the engine has no rate."""
    name = _resting_exit(rounds)
    late = rounds.store.intents(intent_id=name)[0]
    gone = replace(late, correlation_id="IGONE-0-0-1", intent_id="IGONE", state=REFUSED)
    rounds.store.record_intents([gone])
    rounds.made.broker.submit(
        OrderRequest(gone.correlation_id, CALL, SELL, 65, 200_00, Product.MARGIN)
    )
    rounds.made.step(3)
    rounds.reconciler.refresh(acted=True)
    rounds.broker.calls.clear()
    rounds.broker.book_is_complete = in_process
    pace = NotedPace(rounds.broker.calls)
    with Lease(rounds.desk.home, rounds.store) as lease:
        work(rounds.desk, lease, pace, rounds.reconciler)
    assert [call[0] for call in rounds.broker.calls] == ["cancel", "cancel", SELL]
    assert pace.before == turns


# what may be tried again


def test_what_was_filled_is_not_sent_again(rounds: Rounds) -> None:
    """The hedge is filled in the first round, the short rests: the hedge has no next attempt."""
    name = rounds.enter(rounds.made.spread())
    rounds.made.show(SOLD, 100_00, 115_00)
    rounds.run()
    rounds.made.step(1)
    rounds.run()
    assert rounds.broker.calls == []
    assert rounds.states(name) == [(0, 1, WORKING, 130), (1, 1, FILLED, 130)]


def test_a_smaller_attempt_that_filled_leaves_the_rest_to_the_next(rounds: Rounds) -> None:
    """130 to sell; the second attempt was for 65 and filled: 65 go out as the third."""
    rounds.made.show(CALL, 150_00, 151_00)
    position = rounds.made.enter(rounds.made.propose([Leg(CALL, BUY, 1, 151_00)], "long_call"), 2)
    own = {"account": ACCOUNT, "market": MARKET, "position_id": position.position_id,
           "purpose": Purpose.EXIT, "instrument": CALL, "side": SELL, "limit": 150_00}  # fmt: skip
    second = intent(state=WORKING, attempt=2, units=65, **own)
    rounds.store.record_intents([intent(state=ENDED, **own), second])
    rounds.made.broker.submit(
        OrderRequest(second.correlation_id, CALL, SELL, 65, 150_00, Product.MARGIN)
    )
    rounds.made.step(1)
    report = rounds.run()
    assert rounds.broker.calls == [(SELL, 65, 25_000)]
    assert [state for _, _, state, _ in rounds.states("IONE")] == [ENDED, FILLED, FILLED]
    assert report.state.positions == {}


def test_a_refused_exit_is_sent_again_and_a_person_is_alerted_when_it_takes_long(
    rounds: Rounds,
) -> None:
    name = rounds.leave(rounds.held())
    rounds.broker.refused.add(SOLD.key)
    for attempt in (1, 2, 3):
        rounds.run()
        assert rounds.broker.calls == [(BUY, 130, 24_800)]
        assert rounds.states(name)[attempt - 1] == (0, attempt, REFUSED, 130)
        for seconds in (0, 2.9):  # not within three seconds
            rounds.made.step(seconds)
            rounds.run()
            assert rounds.broker.calls == []
        rounds.made.step(0.1)

    def overdue() -> list[str]:
        start = f"{name} leg 0: test is not filled: "
        return [text for text in rounds.alerts("critical") if text.startswith(start)]

    rounds.made.step(56.9)
    rounds.run()
    assert (rounds.broker.calls, overdue()) == ([], [])
    rounds.made.step(0.1)
    rounds.run()
    assert rounds.broker.calls == [(BUY, 130, 24_800)]
    assert len(overdue()) == 1  # with the broker's reason


def test_an_exit_without_a_price_waits_for_it(rounds: Rounds) -> None:
    name = _resting_exit(rounds)
    rounds.made.show(CALL, None, 131_00)
    rounds.made.step(3)
    rounds.made.show(CALL, None, 131_00)
    rounds.run()
    assert [call[0] for call in rounds.broker.calls] == ["cancel"]
    assert rounds.states(name) == [(0, 1, ENDED, 130)]
    assert [text for text in rounds.alerts("warning") if "waits" in text]
    rounds.made.step(1)
    rounds.made.show(CALL, 130_00, 131_00)
    assert rounds.run().finished == [name]
    assert rounds.broker.calls == [(SELL, 130, 25_000)]


def test_an_entry_without_a_price_is_refused(rounds: Rounds) -> None:
    name = rounds.enter(rounds.made.spread())
    rounds.rise(BOUGHT, 75_00, 90_00)
    rounds.run()
    rounds.made.step(3)
    rounds.made.show(BOUGHT, 75_00, None)
    report = rounds.run()
    assert [call[0] for call in rounds.broker.calls] == ["cancel"]
    assert report.abandoned == [name]
    assert rounds.states(name) == [(0, 1, REFUSED, 130), (1, 1, REFUSED, 130)]


# entries that fail


def test_an_entry_whose_hedge_fails_sells_nothing(rounds: Rounds) -> None:
    name = rounds.enter(rounds.made.spread())
    rounds.broker.refused.add(BOUGHT.key)
    report = rounds.run()
    assert rounds.broker.calls == [(BUY, 130, 24_600)]
    assert (report.abandoned, report.finished, report.waiting) == ([name], [], [])
    # before the round, after the refusal, and again before anything would be unwound
    assert rounds.broker.reads == 3
    short, _ = rounds.store.intents(intent_id=name)[::-1]
    assert (short.state, short.note) == (REFUSED, "entry abandoned: leg 1 failed")
    assert any("abandoned: leg 1" in text for text in rounds.alerts("warning"))
    rounds.made.step(60)
    rounds.run()
    assert rounds.broker.calls == []


def test_an_entry_is_given_up_after_its_attempts(rounds: Rounds) -> None:
    name = rounds.enter(rounds.made.spread())
    rounds.rise(BOUGHT, 75_00, 90_00)
    sent = 0
    for ask in (90_00, 105_00, 120_00, 135_00):
        rounds.made.show(BOUGHT, ask - 15_00, ask)
        report = rounds.run()
        sent += len([call for call in rounds.broker.calls if call[0] is BUY])
        rounds.made.step(3)
        rounds.made.show(BOUGHT, ask, ask + 15_00)
    assert sent <= 3
    assert report.abandoned == [name] or rounds.run().waiting == []


def test_a_failed_entry_is_unwound_shorts_first(rounds: Rounds) -> None:
    """Hedge and first short are filled, the second short is refused."""
    spread = rounds.made.spread()
    call = rounds.made.show(CALL, 150_00, 151_00)
    legs = [*spread.legs, Leg(call, SELL, 1, 150_00)]
    name = rounds.enter(rounds.made.propose(legs, "three_legs"))
    rounds.broker.refused.add(CALL.key)
    report = rounds.run()
    assert rounds.broker.calls == [
        (BUY, 130, 24_600), (SELL, 130, 24_800), (SELL, 130, 25_000),
        (BUY, 130, 24_800),  # at once; the hedge is kept until this is complete
    ]  # fmt: skip
    assert report.abandoned == [name]
    (unwinding,) = report.waiting
    found = rounds.store.intents(intent_id=unwinding)
    assert {i.purpose for i in found} == {Purpose.UNWIND}
    assert [(i.side, i.units) for i in found] == [(BUY, 130), (SELL, 130)]
    rounds.made.step(1)
    assert rounds.run().state.positions == {}
    assert rounds.broker.calls == [(SELL, 130, 24_600)]


def test_a_hedge_alone_is_unwound_at_once(rounds: Rounds) -> None:
    name = rounds.enter(rounds.made.spread())
    rounds.broker.refused.add(SOLD.key)
    report = rounds.run()
    assert rounds.broker.calls == [(BUY, 130, 24_600), (SELL, 130, 24_800), (SELL, 130, 24_600)]
    assert (report.abandoned, report.state.positions) == ([name], {})


def test_a_failed_entry_cancels_its_other_orders_and_unwinds_what_they_filled(
    rounds: Rounds,
) -> None:
    """Two to buy: one is filled in part and rests, the other is refused."""
    other = rounds.made.show(option(25_500), 10_00, 10_50)
    rounds.made.show(CALL, 150_00, 151_00, size=65)
    legs = [Leg(CALL, BUY, 1, 150_00), Leg(other, BUY, 1, 10_00)]
    name = rounds.enter(rounds.made.propose(legs, "long_strangle"))
    rounds.broker.refused.add(other.key)
    report = rounds.run()
    (order, *_) = rounds.broker.orders()
    assert rounds.broker.calls == [
        (BUY, 130, 25_000), (BUY, 130, 25_500), ("cancel", order.order_id), (SELL, 65, 25_000),
    ]  # fmt: skip
    assert (report.abandoned, report.state.positions) == ([name], {})
    assert rounds.states(name) == [(0, 1, ENDED, 130), (1, 1, REFUSED, 130)]


def test_what_unwinds_an_entry_is_sent_once(rounds: Rounds) -> None:
    """The hedge cannot be sold at once: no second group of orders is made for it."""
    rounds.enter(rounds.made.spread())
    rounds.broker.refused.add(SOLD.key)
    rounds.broker.submit, submit = _thin(rounds), rounds.broker.submit
    rounds.run()
    rounds.broker.submit = submit
    for _ in range(2):
        rounds.made.step(1)
        rounds.run()
    groups = {i.intent_id for i in rounds.store.intents() if i.purpose is Purpose.UNWIND}
    assert len(groups) == 1
    assert sum(i.units for i in rounds.store.intents() if i.intent_id in groups) == 130


def _thin(rounds: Rounds):
    """Answer orders, and let the bid of the hedge vanish once it was bought."""
    submit = rounds.broker.submit

    def thin(request: OrderRequest) -> Order:
        if request.side is SELL and request.instrument == BOUGHT:
            rounds.made.show(BOUGHT, 50_00, 51_00)
        return submit(request)

    return thin


def test_an_entry_that_cannot_be_unwound_yet_is_reported(rounds: Rounds) -> None:
    rounds.enter(rounds.made.spread())
    rounds.broker.refused.add(SOLD.key)
    made_quotes = rounds.made.feed

    submit = rounds.broker.submit

    def bought(request: OrderRequest) -> Order:
        order = submit(request)
        rounds.clock.wait(2)  # so that the quotes are read again
        made_quotes.show(SOLD, 119_50, 120_50)
        made_quotes.show(BOUGHT, None, 70_50)
        return order

    rounds.broker.submit = bought
    report = rounds.run()
    (position,) = report.state.positions
    assert any(f"{position} cannot be unwound yet" in t for t in rounds.alerts("critical"))
    rounds.broker.submit = submit
    rounds.made.show(BOUGHT, 69_50, 70_50)
    rounds.made.step(1)
    assert rounds.run().state.positions == {}
    assert rounds.broker.calls == [(SELL, 130, 24_600)]


# orders that arrive after their intent was abandoned


def test_an_order_that_arrives_after_its_intent_was_abandoned_is_cancelled(
    rounds: Rounds,
) -> None:
    rounds.made.show(CALL, 150_00, 151_00)
    proposal = rounds.made.propose([Leg(CALL, BUY, 1, 150_00)], "long_call")
    gone = intent(account=ACCOUNT, market=MARKET, position_id=proposal.strategy_id, instrument=CALL,
                  state=REFUSED, limit=140_00)  # fmt: skip
    rounds.store.record_intents([gone])
    order = rounds.made.broker.submit(
        OrderRequest(gone.correlation_id, CALL, BUY, 130, 140_00, Product.MARGIN)
    )
    report = rounds.run()
    assert rounds.broker.calls == [("cancel", order.order_id)]
    assert (report.acted, list(report.state.late_orders)) == (True, [])
    assert any(f"order {order.order_id} reached the broker after" in text
               for text in rounds.alerts("critical"))  # fmt: skip
    (known,) = rounds.store.orders()
    assert known.state.terminal


def test_a_round_goes_on_with_the_account_it_is_given(rounds: Rounds) -> None:
    """A caller's reconciler is used: without changes, the broker is not read again."""
    rounds.held()
    rounds.run()
    before = rounds.broker.reads
    rounds.made.step(5)
    rounds.run()
    assert rounds.broker.reads == before
    rounds.clock.at = ist("2026-02-11 10:05")
    rounds.run()
    assert rounds.broker.reads == before + 1
