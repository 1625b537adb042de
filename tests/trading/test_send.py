"""Sending one order: the pace, what is recorded before and after, and what each answer means."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from strikeloom.domain.legs import Leg, Side
from strikeloom.domain.orders import IntentState, OrderState
from strikeloom.errors import LeaseTaken
from strikeloom.ports.desk import Desk
from strikeloom.trading import send as sending
from strikeloom.trading.guard_context import guard_context
from strikeloom.trading.lease import Lease
from strikeloom.trading.prepare import prepare_entry, take_snapshot
from strikeloom.trading.reconcile import Reconciler
from strikeloom.trading.send import OrderRateLimiter, send
from support.desk import MadeDesk
from support.fakes import option
from support.injected_faults import Fault, FaultyBroker, Plan

CALL = option(25_000)


# the pace


class Time:
    """Time that passes only by sleeping and by ``at``."""

    def __init__(self) -> None:
        self.at = 1000.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds


@pytest.fixture
def passing(monkeypatch: pytest.MonkeyPatch) -> Time:
    made = Time()
    monkeypatch.setattr(sending, "time", made)
    return made


def test_orders_go_out_at_the_stated_rate(passing: Time) -> None:
    """Four a second: the first at once, then one each quarter of a second."""
    limiter, sent = OrderRateLimiter(4), []
    for _ in range(5):
        limiter.wait()
        sent.append(passing.at)
    assert sent == [1000.0, 1000.25, 1000.5, 1000.75, 1001.0]
    assert passing.slept == [0.25] * 4


def test_what_the_sending_took_itself_is_not_waited_for_again(passing: Time) -> None:
    limiter = OrderRateLimiter(4)
    limiter.wait()
    passing.at += 0.125
    limiter.wait()
    assert (passing.slept, passing.at) == ([0.125], 1000.25)
    passing.at += 0.25
    limiter.wait()
    assert passing.slept == [0.125]


def test_a_pause_is_not_made_up_for_by_a_burst(passing: Time) -> None:
    limiter = OrderRateLimiter(4)
    limiter.wait()
    passing.at += 60
    sent = []
    for _ in range(3):
        limiter.wait()
        sent.append(passing.at - 1060)
    assert sent == [0.0, 0.25, 0.5]


# one order


@pytest.fixture
def made(tmp_path: Path):
    desk = MadeDesk(tmp_path)
    yield desk
    desk.close()


class CountedPace(OrderRateLimiter):
    """Notes, each time it is waited for, in which state the intents and the broker's book are."""

    def __init__(self, made: MadeDesk) -> None:
        super().__init__(1e6)
        self._made, self.seen = made, []

    def wait(self) -> None:
        states = [intent.state for intent in self._made.store.intents()]
        self.seen.append((states, len(self._made.broker.orders())))


def _recorded(made: MadeDesk):
    """A call to buy, one lot, that the market fills at once."""
    made.show(CALL, 150_00, 151_00)
    proposal = made.propose([Leg(CALL, Side.BUY, 1, 150_00)], "long_call")
    made.store.record_intents(prepare_entry(made.desk, proposal, 1))
    (intent,) = made.store.intents()
    return intent


def _send(desk: Desk, intent, limiter: OrderRateLimiter | None = None) -> IntentState:
    with Lease(desk.home, desk.store) as lease:
        state = Reconciler(desk).reload()
        context = guard_context(desk, state, take_snapshot(desk, [intent.instrument]))
        send(desk, lease, intent, limiter or OrderRateLimiter(1e6), context)
    (stored,) = desk.store.intents()
    return stored.state


def _faulty(made: MadeDesk, *faults: Fault) -> Desk:
    broker = FaultyBroker(made.broker, submits=Plan(faults), book_is_complete=False)
    return replace(made.desk, broker=broker)


def test_an_order_waits_for_its_turn_after_it_is_marked_and_before_it_goes(
    made: MadeDesk,
) -> None:
    intent, pace = _recorded(made), CountedPace(made)
    assert _send(_faulty(made), intent, pace) is IntentState.WORKING
    assert pace.seen == [([IntentState.SENDING], 0)]
    (order,) = made.broker.orders()
    assert (order.correlation_id, order.side, order.units) == (intent.correlation_id, Side.BUY, 65)
    assert order.limit == intent.limit
    assert [known.order_id for known in made.store.orders()] == [order.order_id]


def test_the_engine_in_the_same_process_has_no_rate(made: MadeDesk) -> None:
    intent, pace = _recorded(made), CountedPace(made)
    assert _send(made.desk, intent, pace) is IntentState.WORKING
    assert pace.seen == []


@pytest.mark.parametrize(
    ("fault", "state", "orders"),
    [
        (Fault.REJECTED, IntentState.REFUSED, 0),
        (Fault.UNREACHABLE, IntentState.NEW, 0),  # it never left: it may be sent again
        (Fault.TOO_MANY, IntentState.NEW, 0),
        (Fault.REQUEST_LOST, IntentState.UNKNOWN, 0),  # not known to us whether it arrived
        (Fault.REPLY_LOST, IntentState.UNKNOWN, 1),
    ],
)
def test_an_order_is_sent_again_only_when_it_surely_never_arrived(
    made: MadeDesk, fault: Fault, state: IntentState, orders: int
) -> None:
    intent = _recorded(made)
    assert _send(_faulty(made, fault), intent) is state
    assert len(made.broker.orders()) == orders


def test_an_order_that_the_broker_reports_as_rejected_has_no_effect(made: MadeDesk) -> None:
    intent = _recorded(made)

    class Rejecting(FaultyBroker):
        def submit(self, request):
            return replace(super().submit(request), state=OrderState.REJECTED, reason="margin")

    broker = Rejecting(made.broker, book_is_complete=False)
    assert _send(replace(made.desk, broker=broker), intent) is IntentState.REFUSED
    (stored,) = made.store.intents()
    assert stored.note == "margin"


def test_an_intent_that_was_sent_is_not_sent_a_second_time(made: MadeDesk) -> None:
    intent = _recorded(made)
    _send(_faulty(made, Fault.REPLY_LOST), intent)
    with pytest.raises(LeaseTaken, match="was not sent"):
        _send(made.desk, intent)
    assert len(made.broker.orders()) == 1


def test_without_the_send_lock_nothing_is_sent(made: MadeDesk) -> None:
    intent = _recorded(made)
    with Lease(made.home, made.store) as lease:
        state = Reconciler(made.desk).reload()
        context = guard_context(made.desk, state, take_snapshot(made.desk, [CALL]))
        made.store.take_lease("of another process", 1)
        with pytest.raises(LeaseTaken, match="another process holds the send lock"):
            send(made.desk, lease, intent, OrderRateLimiter(1e6), context)
    assert made.broker.orders() == []
    assert made.store.intents()[0].state is IntentState.NEW


def test_what_a_guard_refuses_is_not_sent(made: MadeDesk) -> None:
    intent = _recorded(made)
    made.show(CALL, 900_00, 901_00)  # far from the limit it was made at
    assert _send(made.desk, intent) is IntentState.REFUSED
    assert made.broker.orders() == []
    assert "price distance" in made.store.intents()[0].note
