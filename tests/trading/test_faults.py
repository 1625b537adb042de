"""Order handling under a broker that loses requests and answers, with random faults.

The broker behind stays truthful, so what the desk believes is compared with what happened.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from strikeloom.domain.instruments import Right
from strikeloom.domain.legs import Leg, Side
from strikeloom.domain.orders import IntentState, OrderState, Purpose
from strikeloom.domain.positions import Position
from strikeloom.domain.proposals import Proposal
from strikeloom.errors import BrokerError, LeaseTaken, UnknownOutcome
from strikeloom.ports.desk import Desk
from strikeloom.trading.lease import Lease, held_elsewhere
from strikeloom.trading.prepare import prepare_entry, prepare_exit
from strikeloom.trading.reconcile import Reconciler, reconcile
from strikeloom.trading.remaining import unfinished
from strikeloom.trading.send import OrderRateLimiter
from strikeloom.trading.unresolved import resolve_unknown
from strikeloom.trading.work import work
from support.desk import MadeDesk
from support.fakes import option
from support.injected_faults import Fault, FaultyBroker, Plan

PACE = OrderRateLimiter(1e6)
LOTS = 3


def _condor(made: MadeDesk) -> Proposal:
    legs = []
    for strike, right, side, price in (
        (24_400, Right.PUT, Side.BUY, 40_00),
        (24_700, Right.PUT, Side.SELL, 90_00),
        (25_300, Right.CALL, Side.SELL, 95_00),
        (25_600, Right.CALL, Side.BUY, 45_00),
    ):
        instrument = made.show(option(strike, right), price - 50, price + 50)
        legs.append(Leg(instrument, side, 1, price))
    return made.propose(legs, "iron_condor")


def _round(desk: Desk) -> None:
    """One round as the watcher has it: a broker that cannot be read is tried again later."""
    with Lease(desk.home, desk.store) as lease:
        try:
            work(desk, lease, PACE)
        except BrokerError:
            return


def _truth(made: MadeDesk) -> dict[str, int]:
    return {p.instrument_key: p.net_units for p in made.broker.positions()}


def _sane(made: MadeDesk, proposal: Proposal) -> None:
    """Invariants at any moment, on the broker's own record."""
    held = _truth(made)
    for leg in proposal.legs:
        net = held.get(leg.instrument.key, 0)
        full = leg.signed_units * LOTS
        assert net * full >= 0, f"{leg.instrument.label} has the wrong sign: {net}"
        assert abs(net) <= abs(full), f"{leg.instrument.label} holds {net}, planned {full}"
        live = [
            o
            for o in made.broker.orders()
            if o.instrument_key == leg.instrument.key and not o.state.terminal
        ]
        assert len(live) <= 1, f"{leg.instrument.label} has {len(live)} live orders"


faults = st.fixed_dictionaries(
    {
        Fault.UNREACHABLE: st.floats(0, 0.15),
        Fault.REQUEST_LOST: st.floats(0, 0.15),
        Fault.REPLY_LOST: st.floats(0, 0.15),
        Fault.TOO_MANY: st.floats(0, 0.1),
        Fault.LATE_ORDER: st.floats(0, 0.15),
    }
)


@given(
    rates=faults,
    looks=st.floats(0, 0.2),
    seed=st.integers(0, 10**6),
    thin=st.lists(st.booleans(), min_size=4, max_size=4),
    leave=st.sampled_from([0, 1, 2]),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_fault_doubles_an_order_or_turns_a_position(
    rates: dict[Fault, float], looks: float, seed: int, thin: list[bool], leave: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        made = MadeDesk(Path(folder))
        proposal = _condor(made)
        for leg, scarce in zip(proposal.legs, thin, strict=True):
            if scarce:
                made.show(leg.instrument, leg.price - 50, leg.price + 50, size=65)
        cancels = {k: v for k, v in rates.items() if k is not Fault.LATE_ORDER}
        broker = FaultyBroker(
            made.broker,
            submits=Plan(rates=rates, seed=seed),
            cancels=Plan(rates=cancels, seed=seed + 1),
            looks=Plan(rates={Fault.UNREACHABLE: looks}, seed=seed + 2),
            late_looks=3,
            book_is_complete=False,
        )
        desk = replace(made.desk, broker=broker)
        desk.store.record_intents(prepare_entry(desk, proposal, LOTS))
        for _ in range(12):
            _round(desk)
            _sane(made, proposal)
            made.step(20)
        calm = made.desk
        for _ in range(6):
            made.step(60)
            _round(calm)
            _sane(made, proposal)
        _exit(made, proposal, desk, leave)
        _agree(made)
        made.close()


def _exit(made: MadeDesk, proposal: Proposal, faulty: Desk, leave: int) -> None:
    """Leave what was entered down to ``leave`` lots, under faults and then in calm."""
    held = [p for p in made.store.positions() if p.position_id == proposal.strategy_id]
    if not held or unfinished(Reconciler(made.desk).reload()):
        return
    position = held[0]
    target = [_towards_zero(leg.net_lots, leave) for leg in position.legs]
    made.store.record_intents(prepare_exit(made.desk, position, target, "test"))
    for desk in [faulty] * 8 + [made.desk] * 6:
        _round(desk)
        _sane(made, proposal)
        made.step(60)
    after = made.store.position(proposal.strategy_id)
    assert [leg.net_lots for leg in after.legs] == target
    assert not unfinished(Reconciler(made.desk).reload())


def _towards_zero(lots: int, leave: int) -> int:
    return max(-leave, min(leave, lots))


def _agree(made: MadeDesk) -> None:
    report = reconcile(made.desk)
    assert report.differences == []
    assert report.unresolved == []


@pytest.fixture
def made(tmp_path: Path) -> Any:
    desk = MadeDesk(tmp_path)
    yield desk
    desk.close()


def _enter(made: MadeDesk, broker: FaultyBroker) -> tuple[Desk, Proposal]:
    proposal = made.spread()
    desk = replace(made.desk, broker=broker)
    desk.store.record_intents(prepare_entry(desk, proposal, 2))
    return desk, proposal


def _position(made: MadeDesk, proposal: Proposal) -> Position:
    return made.store.position(proposal.strategy_id)


def test_a_lost_answer_is_looked_up_and_never_sent_again(made: MadeDesk) -> None:
    broker = FaultyBroker(made.broker, submits=Plan([Fault.REPLY_LOST]), book_is_complete=False)
    desk, proposal = _enter(made, broker)
    for _ in range(3):
        _round(desk)
        made.step(5)
    assert [leg.net_lots for leg in _position(made, proposal).legs] == [-2, 2]
    assert len(made.broker.orders()) == 2


def test_a_lost_request_stays_unresolved_for_the_stated_wait(made: MadeDesk) -> None:
    wait = made.desk.settings.execution.unknown_wait_seconds
    broker = FaultyBroker(made.broker, submits=Plan([Fault.REQUEST_LOST]), book_is_complete=False)
    desk, proposal = _enter(made, broker)
    _round(desk)
    assert desk.store.intents()[0].state is IntentState.UNKNOWN
    made.step(wait / 2)
    _round(desk)
    assert made.broker.orders() == []
    made.step(wait)
    _round(desk)
    _round(desk)
    assert [leg.net_lots for leg in _position(made, proposal).legs] == [-2, 2]
    assert any("never reached the broker" in text for _, text in made.alerts.texts)


def test_a_fast_clock_does_not_shorten_the_wait(made: MadeDesk) -> None:
    """At 60 times real time a request is on its way for 60 times as many of the desk's seconds."""
    wait = made.desk.settings.execution.unknown_wait_seconds
    broker = FaultyBroker(made.broker, submits=Plan([Fault.REQUEST_LOST]), book_is_complete=False)
    desk, _ = _enter(made, broker)
    made.clock.speed = 60.0
    for _ in range(3):
        _round(desk)
        made.step(15 * wait)
    assert made.broker.orders() == []
    made.step(30 * wait)
    _round(desk)
    assert any("never reached the broker" in text for _, text in made.alerts.texts)


def test_an_exit_that_is_always_refused_is_not_sent_every_moment(made: MadeDesk) -> None:
    execution = made.desk.settings.execution
    position = made.enter(made.spread(), 2)
    before = len(made.store.intents())
    broker = FaultyBroker(made.broker, submits=Plan([Fault.REJECTED] * 99))
    desk = replace(made.desk, broker=broker)
    desk.store.record_intents(prepare_exit(desk, position, [0, 0], "test"))
    for _ in range(60):
        made.step(5)
        _round(desk)
    legs = 1  # the short closes first; its hedge waits for it
    tries = len(made.store.intents()) - before - legs - 1
    seconds = 60 * 5
    assert execution.max_attempts - 1 < tries
    assert tries <= execution.max_attempts + seconds / execution.exit_retry_seconds


def test_the_short_waits_until_its_hedge_is_complete(made: MadeDesk) -> None:
    proposal = made.spread()
    hedge = proposal.legs[1].instrument
    made.show(hedge, 69_50, 70_50, size=65)
    desk = made.desk
    desk.store.record_intents(prepare_entry(desk, proposal, 2))
    _round(desk)
    sold = proposal.legs[0].instrument.key
    assert _truth(made) == {hedge.key: 65}
    assert all(o.instrument_key != sold for o in made.broker.orders())
    made.step(60)
    _round(desk)
    assert [leg.net_lots for leg in _position(made, proposal).legs] == [-2, 2]


@pytest.mark.parametrize("bid", [None, 80_00], ids=["no bid", "a wide market"])
def test_an_entry_that_cannot_be_completed_is_unwound(made: MadeDesk, bid: int | None) -> None:
    proposal = made.spread()
    sold = proposal.legs[0].instrument
    made.desk.store.record_intents(prepare_entry(made.desk, proposal, 2))
    made.show(sold, bid, 120_50)
    for _ in range(8):
        _round(made.desk)
        made.step(60)
    assert _truth(made) == {}
    assert not unfinished(Reconciler(made.desk).reload())
    assert any("abandoned" in text for _, text in made.alerts.texts)
    assert all(not leg.net_units for leg in _position(made, proposal).legs)


def test_a_refused_leg_leaves_nothing_naked(made: MadeDesk) -> None:
    broker = FaultyBroker(made.broker, submits=Plan([Fault.NONE, Fault.REJECTED]))
    desk, _ = _enter(made, broker)
    for _ in range(4):
        _round(desk)
        made.step(60)
    assert _truth(made) == {}
    purposes = [i.purpose for i in desk.store.intents()]
    assert Purpose.UNWIND in purposes


def test_an_order_that_arrives_late_is_cancelled(made: MadeDesk) -> None:
    wait = made.desk.settings.execution.unknown_wait_seconds
    proposal = made.spread()
    hedge = proposal.legs[1].instrument
    # an order that rests: the limit is below the ask by the time it arrives
    made.desk.store.record_intents(prepare_entry(made.desk, proposal, 2))
    made.show(hedge, 75_00, 90_00)
    broker = FaultyBroker(
        made.broker, submits=Plan([Fault.LATE_ORDER]), late_looks=6, book_is_complete=False
    )
    desk = replace(made.desk, broker=broker)
    for _ in range(8):
        _round(desk)
        made.step(wait + 1)
        live = [
            o
            for o in made.broker.orders()
            if o.instrument_key == hedge.key and not o.state.terminal
        ]
        assert len(live) <= 2
    states = {o.state for o in made.broker.orders() if o.instrument_key == hedge.key}
    assert OrderState.PENDING not in states
    assert any("after its intent was abandoned" in text for _, text in made.alerts.texts)


def test_a_person_can_resolve_an_unresolved_order(made: MadeDesk) -> None:
    broker = FaultyBroker(made.broker, submits=Plan([Fault.REQUEST_LOST]), book_is_complete=False)
    desk, _ = _enter(made, broker)
    _round(desk)
    (unresolved,) = [i for i in desk.store.intents() if i.state is IntentState.UNKNOWN]
    resolve_unknown(desk, unresolved.correlation_id, arrived=False, who="test")
    assert desk.store.intents(states={IntentState.UNKNOWN}) == []
    with pytest.raises(BrokerError, match="is not unresolved"):
        resolve_unknown(desk, unresolved.correlation_id, arrived=False, who="test")


def test_an_unresolved_cancel_blocks_the_leg(made: MadeDesk) -> None:
    proposal = made.spread()
    hedge = proposal.legs[1].instrument
    made.desk.store.record_intents(prepare_entry(made.desk, proposal, 2))
    made.show(hedge, 75_00, 90_00)
    broker = FaultyBroker(
        made.broker,
        cancels=Plan([Fault.REQUEST_LOST, Fault.REQUEST_LOST]),
        book_is_complete=False,
    )
    desk = replace(made.desk, broker=broker)
    for _ in range(3):
        _round(desk)
        orders = [o for o in made.broker.orders() if o.instrument_key == hedge.key]
        assert sum(1 for o in orders if not o.state.terminal) == 1
        made.step(10)


def test_two_processes_cannot_send_for_one_account(made: MadeDesk) -> None:
    with Lease(made.home, made.store) as lease:
        assert held_elsewhere(made.home, made.store)
        with pytest.raises(LeaseTaken, match="another process sends"), Lease(made.home, made.store):
            pass
        assert lease.token
    assert not held_elsewhere(made.home, made.store)


def test_who_lost_the_lease_cannot_send(made: MadeDesk) -> None:
    proposal = made.spread()
    made.store.record_intents(prepare_entry(made.desk, proposal, 1))
    with Lease(made.home, made.store) as lease:
        made.store.take_lease("someone else", 1)
        with pytest.raises(LeaseTaken, match="another process holds the send lock"):
            work(made.desk, lease, PACE)
    assert made.broker.orders() == []


def test_a_broker_that_cannot_be_read_changes_nothing(made: MadeDesk) -> None:
    broker = FaultyBroker(made.broker, looks=Plan([Fault.REQUEST_LOST] * 3))
    desk, _ = _enter(made, broker)
    before = desk.store.intents()
    with Lease(desk.home, desk.store) as lease, pytest.raises(UnknownOutcome):
        work(desk, lease, PACE)
    assert desk.store.intents() == before
