"""Fills that come late: an exit takes off what is held, never more, and never waits for ever."""

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
from support.unreliable_broker import WaywardBroker

CALL, LOT, LOTS = option(25_000), 65, 4
#: More than one order may carry: the freeze quantity of NIFTY is 1,800 units.
SLICED = 60


class Leaving:
    """A position that is left at a wayward broker."""

    def __init__(self, folder: Path, side: Side = Side.BUY, lots: int = LOTS) -> None:
        self.lots = lots
        self.made = made = MadeDesk(folder)
        made.show(CALL, 150_00, 151_00)
        legs = [Leg(CALL, side, 1, 150_00)]
        self.position: Position = made.enter(made.propose(legs, "one_leg"), lots)
        self.sign = int(side)
        self.broker = WaywardBroker(made.clock, {CALL.key: self.sign * lots * LOT})
        self.desk = replace(made.desk, broker=self.broker)
        self.leave()

    def leave(self) -> None:
        position = self.made.store.position(self.position.position_id)
        if position.is_open and not unfinished(Reconciler(self.desk).reload()):
            self.made.store.record_intents(prepare_exit(self.desk, position, [0], "to leave"))

    def round(self) -> None:
        with Lease(self.made.home, self.made.store) as lease:
            work(self.desk, lease, OrderRateLimiter(1e6))

    @property
    def held(self) -> int:
        """Lots in truth, positive while the sign is the one of the position."""
        return self.sign * self.broker.held[CALL.key] // LOT

    @property
    def booked(self) -> int:
        position = self.made.store.position(self.position.position_id)
        return self.sign * position.legs[0].net_lots

    def notes(self) -> list[str]:
        return [i.note for i in self.made.store.intents() if i.purpose is Purpose.EXIT]


@pytest.fixture(params=[Side.BUY, Side.SELL])
def leaving(tmp_path: Path, request: Any) -> Any:
    case = Leaving(tmp_path, request.param)
    yield case
    case.made.close()


def test_a_late_fill_makes_the_next_attempt_smaller(leaving: Leaving) -> None:
    leaving.round()
    leaving.made.step(5)
    leaving.broker.next_submit = ["too fast"]
    leaving.round()  # cancelled, given up; its successor is recorded and not sent
    (first,) = leaving.broker.slips
    leaving.broker.trade(first, LOT, told=True)
    leaving.made.step(5)
    leaving.round()
    assert leaving.booked == leaving.held == LOTS - 1
    assert [s.request.units for s in leaving.broker.live()] == [(LOTS - 1) * LOT]
    assert leaving.broker.doubled == []
    assert not any("exits only reduce" in note for note in leaving.notes())


def test_a_fill_that_only_the_positions_show_is_not_sold_again(leaving: Leaving) -> None:
    leaving.round()
    leaving.broker.trade(leaving.broker.slips[0], LOT, told=False)
    leaving.made.step(5)
    leaving.round()
    assert [s.request.units for s in leaving.broker.live()] == [(LOTS - 1) * LOT]
    assert leaving.broker.doubled == []
    leaving.broker.tell_all()
    leaving.broker.trade(leaving.broker.live()[0], (LOTS - 1) * LOT, told=True)
    leaving.made.step(5)
    leaving.round()
    assert leaving.booked == leaving.held == 0
    assert not unfinished(Reconciler(leaving.desk).reload())


def test_a_late_order_beside_its_successor_is_called_back_with_it(leaving: Leaving) -> None:
    leaving.broker.next_submit = ["hidden"]
    leaving.round()
    while len(leaving.broker.slips) < 2:
        leaving.made.step(31)
        leaving.round()  # given up after the wait; the next attempt is at work
    late, successor = leaving.broker.slips
    late.hidden, late.live = False, True
    leaving.broker.trade(late, LOT, told=True)
    leaving.round()
    # both are called back; what goes out instead is what is held
    assert not late.live
    assert not successor.live
    assert sum(s.left for s in leaving.broker.live()) <= leaving.held * LOT
    leaving.made.step(61)
    leaving.round()
    assert sum(s.left for s in leaving.broker.live()) == leaving.held * LOT == 3 * LOT


def test_a_fill_told_after_its_day_is_found_by_the_positions_that_differ(leaving: Leaving) -> None:
    leaving.round()
    (first,) = leaving.broker.slips
    leaving.made.step(5)
    leaving.broker.next_submit = ["too fast"]
    leaving.round()  # cancelled and given up; its successor is not sent
    leaving.broker.trade(first, LOT, told=False)
    leaving.broker.tell_all()
    leaving.made.step(24 * 3600)
    leaving.round()
    assert leaving.booked == leaving.held == LOTS - 1
    leaving.made.step(61)
    leaving.round()
    assert sum(s.left for s in leaving.broker.live()) == (LOTS - 1) * LOT
    assert leaving.broker.doubled == []


def test_an_order_of_yesterday_without_an_answer_is_settled_by_its_number(
    leaving: Leaving,
) -> None:
    leaving.broker.next_submit = ["hidden"]
    leaving.round()
    (slip,) = leaving.broker.slips
    leaving.broker.trade(slip, LOT, told=True)
    leaving.made.step(24 * 3600)
    slip.hidden = slip.live = False
    leaving.round()
    assert leaving.booked == LOTS  # nobody can find it without its number
    (doubtful,) = leaving.desk.store.intents(states={IntentState.UNKNOWN})
    name = doubtful.correlation_id
    resolve_unknown(leaving.desk, name, arrived=True, who="test", number=slip.number)
    for _ in range(3):
        leaving.made.step(31)
        leaving.round()
    assert leaving.booked == leaving.held == LOTS - 1
    assert sum(s.left for s in leaving.broker.live()) == (LOTS - 1) * LOT
    assert leaving.broker.doubled == []
    with pytest.raises(BrokerError, match="already recorded"):
        resolve_unknown(leaving.desk, name, arrived=True, who="test", number=slip.number)


def test_a_late_fill_of_an_entry_counts_towards_it(tmp_path: Path) -> None:
    made = MadeDesk(tmp_path)
    made.show(CALL, 150_00, 151_00)
    proposal = made.propose([Leg(CALL, Side.BUY, 1, 150_00)], "one_leg")
    broker = WaywardBroker(made.clock, {CALL.key: 0})
    desk = replace(made.desk, broker=broker)
    made.store.record_intents(prepare_entry(desk, proposal, LOTS))
    with Lease(made.home, made.store) as lease:
        work(desk, lease, OrderRateLimiter(1e6))
        made.step(5)
        broker.next_submit = ["too fast"]
        work(desk, lease, OrderRateLimiter(1e6))
        broker.trade(broker.slips[0], LOT, told=True)
        made.step(5)
        work(desk, lease, OrderRateLimiter(1e6))
    assert [s.request.units for s in broker.live()] == [(LOTS - 1) * LOT]
    made.close()


def _two(tmp_path: Path, first: Side, second: Side, lots: tuple[int, int]) -> MadeDesk:
    """Two positions in one contract."""
    made = MadeDesk(tmp_path)
    made.show(CALL, 150_00, 151_00)
    hedge = made.show(option(25_500), 10_00, 10_50)
    made.enter(made.propose([Leg(CALL, first, 1, 150_00)], "one_leg"), lots[0])
    other = [Leg(CALL, second, 1, 150_00), Leg(hedge, Side.BUY, 1, 10_00)]
    made.enter(made.propose(other, "two_legs"), lots[1])
    return made


def _leave_all(made: MadeDesk, broker: WaywardBroker) -> list[tuple[str, int]]:
    desk = replace(made.desk, broker=broker)
    for position in made.store.positions():
        target = [0 if leg.contract == CALL else leg.net_lots for leg in position.legs]
        made.store.record_intents(prepare_exit(desk, position, target, "to leave"))
    with Lease(made.home, made.store) as lease:
        work(desk, lease, OrderRateLimiter(1e6))
    return [(s.request.side.word, s.request.units // LOT) for s in broker.live()]


def test_two_positions_together_never_sell_more_than_the_broker_holds(tmp_path: Path) -> None:
    made = _two(tmp_path, Side.BUY, Side.BUY, (4, 3))
    held = {CALL.key: 5 * LOT, option(25_500).key: 3 * LOT}  # two lots were sold elsewhere
    sent = _leave_all(made, WaywardBroker(made.clock, held))
    assert sum(lots for _, lots in sent) == 5
    assert any("no exit trades what only one side holds" in text for _, text in made.heard.texts)
    made.close()


def test_positions_that_offset_each_other_at_the_broker_are_both_left(tmp_path: Path) -> None:
    made = _two(tmp_path, Side.BUY, Side.SELL, (4, 3))
    held = {CALL.key: LOT, option(25_500).key: 3 * LOT}
    sent = _leave_all(made, WaywardBroker(made.clock, held))
    assert sorted(sent) == [("BUY", 3), ("SELL", 4)]
    made.close()


class LateFills(RuleBasedStateMachine):
    """Random sequences of answers, fills, losses and late words while a position is left."""

    lots, orders = LOTS, 1

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.case = Leaving(Path(self.folder.name), lots=self.lots)

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
        self.case.leave()
        self.case.round()

    @precondition(lambda self: self.case.broker.live())
    @rule(lots=st.integers(1, SLICED), told=st.booleans())
    def fill(self, lots: int, told: bool) -> None:
        slip = self.case.broker.live()[0]
        self.case.broker.trade(slip, min(lots * LOT, slip.left), told=told)

    @precondition(lambda self: self.case.broker.slips and not self.case.broker.live())
    @rule(lots=st.integers(1, SLICED), told=st.booleans())
    def fill_late(self, lots: int, told: bool) -> None:
        """The last order was given up; a trade in it was on its way."""
        slip = self.case.broker.slips[-1]
        units = min(lots * LOT, slip.request.units - slip.filled, self.case.held * LOT)
        if units > 0:
            self.case.broker.trade(slip, units, told=told)

    @rule()
    def show_quotes(self) -> None:
        self.case.made.show(CALL, 150_00, 151_00)

    @rule()
    def no_bid(self) -> None:
        self.case.made.show(CALL, None, 151_00)

    @rule()
    def tell(self) -> None:
        submits = self.case.broker.next_submit
        self.case.broker.tell_all()
        self.case.broker.next_submit = submits

    @invariant()
    def holds(self) -> None:
        assert 0 <= self.case.held <= self.lots, f"{self.case.held} lots"
        assert self.case.broker.doubled == []
        live = [s for s in self.case.broker.live() if not s.hidden]
        assert len(live) <= self.orders, f"{len(live)} live orders"
        assert not any("exits only reduce" in note for note in self.case.notes())

    def teardown(self) -> None:
        """In calm everything is left, and nobody had to act."""
        case = self.case
        case.made.show(CALL, 150_00, 151_00)
        for _ in range(12):
            case.broker.tell_all()
            case.leave()
            case.round()
            for slip in case.broker.live():
                case.broker.trade(slip, slip.left, told=True)
            case.made.step(61)
        self.holds()
        assert (case.held, case.booked) == (0, 0), f"{case.held} held, {case.booked} booked"
        assert not unfinished(Reconciler(case.desk).reload())
        case.made.close()
        self.folder.cleanup()


class LateFillsInSlices(LateFills):
    """The same of a position that takes several orders to leave."""

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
