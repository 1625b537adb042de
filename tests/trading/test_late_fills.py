"""Fills reported late: an exit closes what is held, never more, and never waits for ever."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from strikeloom.domain.legs import Leg, Side
from strikeloom.domain.orders import IntentState, Purpose
from strikeloom.domain.positions import Position
from strikeloom.errors import BrokerError
from strikeloom.trading.lease import Lease
from strikeloom.trading.prepare import prepare_entry, prepare_exit
from strikeloom.trading.reconcile import Reconciler
from strikeloom.trading.remaining import unfinished
from strikeloom.trading.send import OrderRateLimiter
from strikeloom.trading.unresolved import resolve_unknown
from strikeloom.trading.work import work
from support.desk import MadeDesk
from support.fakes import option
from support.unreliable_broker import UnreliableBroker

CALL, LOT, LOTS = option(25_000), 65, 4
#: More than one order may carry: the freeze quantity of NIFTY is 1,800 units.
SLICED = 60


class ExitCase:
    """A position that is exited at an unreliable broker."""

    def __init__(self, folder: Path, side: Side = Side.BUY, lots: int = LOTS) -> None:
        self.lots = lots
        self.made = made = MadeDesk(folder)
        made.show(CALL, 150_00, 151_00)
        legs = [Leg(CALL, side, 1, 150_00)]
        self.position: Position = made.enter(made.propose(legs, "one_leg"), lots)
        self.sign = int(side)
        self.broker = UnreliableBroker(made.clock, {CALL.key: self.sign * lots * LOT})
        self.desk = replace(made.desk, broker=self.broker)
        self.request_exit()

    def request_exit(self) -> None:
        position = self.made.store.position(self.position.position_id)
        if position.is_open and not unfinished(Reconciler(self.desk).reload()):
            self.made.store.record_intents(prepare_exit(self.desk, position, [0], "exit"))

    def round(self) -> None:
        with Lease(self.made.home, self.made.store) as lease:
            work(self.desk, lease, OrderRateLimiter(1e6))

    @property
    def held(self) -> int:
        """Lots really held, positive while they have the sign of the position."""
        return self.sign * self.broker.held[CALL.key] // LOT

    @property
    def booked(self) -> int:
        position = self.made.store.position(self.position.position_id)
        return self.sign * position.legs[0].net_lots

    def notes(self) -> list[str]:
        return [i.note for i in self.made.store.intents() if i.purpose is Purpose.EXIT]


@pytest.fixture(params=[Side.BUY, Side.SELL])
def case(tmp_path: Path, request: Any) -> Any:
    case = ExitCase(tmp_path, request.param)
    yield case
    case.made.close()


def test_a_late_fill_makes_the_next_attempt_smaller(case: ExitCase) -> None:
    case.round()
    case.made.step(5)
    case.broker.next_submit = ["too fast"]
    case.round()  # cancelled, abandoned; its successor is recorded and not sent
    (first,) = case.broker.all_orders
    case.broker.trade(first, LOT, reported=True)
    case.made.step(5)
    case.round()
    assert case.booked == case.held == LOTS - 1
    assert [s.request.units for s in case.broker.open_orders()] == [(LOTS - 1) * LOT]
    assert case.broker.too_large == []
    assert not any("exits only reduce" in note for note in case.notes())


def test_a_fill_that_only_the_positions_show_is_not_sold_again(case: ExitCase) -> None:
    case.round()
    case.broker.trade(case.broker.all_orders[0], LOT, reported=False)
    case.made.step(5)
    case.round()
    assert [s.request.units for s in case.broker.open_orders()] == [(LOTS - 1) * LOT]
    assert case.broker.too_large == []
    case.broker.report_all()
    case.broker.trade(case.broker.open_orders()[0], (LOTS - 1) * LOT, reported=True)
    case.made.step(5)
    case.round()
    assert case.booked == case.held == 0
    assert not unfinished(Reconciler(case.desk).reload())


def test_a_late_order_beside_its_successor_is_cancelled_with_it(case: ExitCase) -> None:
    case.broker.next_submit = ["hidden"]
    case.round()
    while len(case.broker.all_orders) < 2:
        case.made.step(31)
        case.round()  # abandoned after the wait; the next attempt is at work
    late, successor = case.broker.all_orders
    late.hidden, late.is_open = False, True
    case.broker.trade(late, LOT, reported=True)
    case.round()
    # both are cancelled; the new order is for what is held
    assert not late.is_open
    assert not successor.is_open
    assert sum(s.left for s in case.broker.open_orders()) <= case.held * LOT
    case.made.step(61)
    case.round()
    assert sum(s.left for s in case.broker.open_orders()) == case.held * LOT == 3 * LOT


def test_a_fill_reported_after_its_day_is_found_because_positions_differ(case: ExitCase) -> None:
    case.round()
    (first,) = case.broker.all_orders
    case.made.step(5)
    case.broker.next_submit = ["too fast"]
    case.round()  # cancelled and abandoned; its successor is not sent
    case.broker.trade(first, LOT, reported=False)
    case.broker.report_all()
    case.made.step(24 * 3600)
    case.round()
    assert case.booked == case.held == LOTS - 1
    case.made.step(61)
    case.round()
    assert sum(s.left for s in case.broker.open_orders()) == (LOTS - 1) * LOT
    assert case.broker.too_large == []


def test_an_order_of_yesterday_without_an_answer_is_resolved_by_its_number(
    case: ExitCase,
) -> None:
    case.broker.next_submit = ["hidden"]
    case.round()
    (order,) = case.broker.all_orders
    case.broker.trade(order, LOT, reported=True)
    case.made.step(24 * 3600)
    order.hidden = order.is_open = False
    case.round()
    assert case.booked == LOTS  # it cannot be found without its number
    (unresolved,) = case.desk.store.intents(states={IntentState.UNKNOWN})
    name = unresolved.correlation_id
    resolve_unknown(case.desk, name, arrived=True, who="test", number=order.number)
    for _ in range(3):
        case.made.step(31)
        case.round()
    assert case.booked == case.held == LOTS - 1
    assert sum(s.left for s in case.broker.open_orders()) == (LOTS - 1) * LOT
    assert case.broker.too_large == []
    with pytest.raises(BrokerError, match="already recorded"):
        resolve_unknown(case.desk, name, arrived=True, who="test", number=order.number)


def test_a_late_fill_of_an_entry_counts_towards_it(tmp_path: Path) -> None:
    made = MadeDesk(tmp_path)
    made.show(CALL, 150_00, 151_00)
    proposal = made.propose([Leg(CALL, Side.BUY, 1, 150_00)], "one_leg")
    broker = UnreliableBroker(made.clock, {CALL.key: 0})
    desk = replace(made.desk, broker=broker)
    made.store.record_intents(prepare_entry(desk, proposal, LOTS))
    with Lease(made.home, made.store) as lease:
        work(desk, lease, OrderRateLimiter(1e6))
        made.step(5)
        broker.next_submit = ["too fast"]
        work(desk, lease, OrderRateLimiter(1e6))
        broker.trade(broker.all_orders[0], LOT, reported=True)
        made.step(5)
        work(desk, lease, OrderRateLimiter(1e6))
    assert [s.request.units for s in broker.open_orders()] == [(LOTS - 1) * LOT]
    made.close()


def _two_positions(tmp_path: Path, first: Side, second: Side, lots: tuple[int, int]) -> MadeDesk:
    """Two positions in one contract."""
    made = MadeDesk(tmp_path)
    made.show(CALL, 150_00, 151_00)
    hedge = made.show(option(25_500), 10_00, 10_50)
    made.enter(made.propose([Leg(CALL, first, 1, 150_00)], "one_leg"), lots[0])
    other = [Leg(CALL, second, 1, 150_00), Leg(hedge, Side.BUY, 1, 10_00)]
    made.enter(made.propose(other, "two_legs"), lots[1])
    return made


def _exit_all(made: MadeDesk, broker: UnreliableBroker) -> list[tuple[str, int]]:
    desk = replace(made.desk, broker=broker)
    for position in made.store.positions():
        target = [0 if leg.instrument == CALL else leg.net_lots for leg in position.legs]
        made.store.record_intents(prepare_exit(desk, position, target, "exit"))
    with Lease(made.home, made.store) as lease:
        work(desk, lease, OrderRateLimiter(1e6))
    return [(s.request.side.word, s.request.units // LOT) for s in broker.open_orders()]


def test_two_positions_together_never_sell_more_than_the_broker_holds(tmp_path: Path) -> None:
    made = _two_positions(tmp_path, Side.BUY, Side.BUY, (4, 3))
    held = {CALL.key: 5 * LOT, option(25_500).key: 3 * LOT}  # two lots were sold elsewhere
    sent = _exit_all(made, UnreliableBroker(made.clock, held))
    assert sum(lots for _, lots in sent) == 5
    assert any("no exit trades what only one side holds" in text for _, text in made.alerts.texts)
    made.close()


def test_positions_that_offset_each_other_at_the_broker_are_both_exited(tmp_path: Path) -> None:
    made = _two_positions(tmp_path, Side.BUY, Side.SELL, (4, 3))
    held = {CALL.key: LOT, option(25_500).key: 3 * LOT}
    sent = _exit_all(made, UnreliableBroker(made.clock, held))
    assert sorted(sent) == [("BUY", 3), ("SELL", 4)]
    made.close()


class LateFills(RuleBasedStateMachine):
    """Random sequences of answers, fills, losses and late reports while a position is exited."""

    lots, orders = LOTS, 1

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.case = ExitCase(Path(self.folder.name), lots=self.lots)

    @rule(
        seconds=st.sampled_from([0, 5, 31, 61]),
        submits=st.lists(
            st.sampled_from(["taken", "too fast", "refused", "lost", "hidden", "unanswered"]),
            max_size=2,
        ),
        cancels=st.lists(st.sampled_from(["done", "refused", "lost", "unanswered"]), max_size=1),
    )
    def round(self, seconds: int, submits: list[str], cancels: list[str]) -> None:
        self.case.made.step(seconds)
        self.case.broker.next_submit, self.case.broker.next_cancel = submits, cancels
        self.case.request_exit()
        self.case.round()

    @precondition(lambda self: self.case.broker.open_orders())
    @rule(lots=st.integers(1, SLICED), reported=st.booleans())
    def fill(self, lots: int, reported: bool) -> None:
        order = self.case.broker.open_orders()[0]
        self.case.broker.trade(order, min(lots * LOT, order.left), reported=reported)

    @precondition(lambda self: self.case.broker.all_orders and not self.case.broker.open_orders())
    @rule(lots=st.integers(1, SLICED), reported=st.booleans())
    def fill_late(self, lots: int, reported: bool) -> None:
        """The last order was abandoned, but had traded before."""
        order = self.case.broker.all_orders[-1]
        units = min(lots * LOT, order.request.units - order.filled, self.case.held * LOT)
        if units > 0:
            self.case.broker.trade(order, units, reported=reported)

    @rule()
    def show_quotes(self) -> None:
        self.case.made.show(CALL, 150_00, 151_00)

    @rule()
    def no_bid(self) -> None:
        self.case.made.show(CALL, None, 151_00)

    @rule()
    def report_all(self) -> None:
        submits = self.case.broker.next_submit
        self.case.broker.report_all()
        self.case.broker.next_submit = submits

    @invariant()
    def holds(self) -> None:
        assert 0 <= self.case.held <= self.lots, f"{self.case.held} lots"
        assert self.case.broker.too_large == []
        live = [s for s in self.case.broker.open_orders() if not s.hidden]
        assert len(live) <= self.orders, f"{len(live)} live orders"
        assert not any("exits only reduce" in note for note in self.case.notes())

    def teardown(self) -> None:
        """Once the broker is reliable, everything is exited without a person."""
        case = self.case
        case.made.show(CALL, 150_00, 151_00)
        for _ in range(12):
            case.broker.report_all()
            case.request_exit()
            case.round()
            for order in case.broker.open_orders():
                case.broker.trade(order, order.left, reported=True)
            case.made.step(61)
        self.holds()
        assert (case.held, case.booked) == (0, 0), f"{case.held} held, {case.booked} booked"
        assert not unfinished(Reconciler(case.desk).reload())
        case.made.close()
        self.folder.cleanup()


class LateFillsInSlices(LateFills):
    """The same for a position that takes several orders to exit."""

    lots, orders = SLICED, 3


_ENOUGH = settings(
    max_examples=25,
    stateful_step_count=16,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestLateFills = LateFills.TestCase
TestLateFills.settings = _ENOUGH
TestLateFillsInSlices = LateFillsInSlices.TestCase
TestLateFillsInSlices.settings = _ENOUGH
