"""Many ticks within a second neither use up attempts nor wear out the broker."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from strikeloom.domain.instruments import Right
from strikeloom.domain.legs import Leg, Side
from strikeloom.domain.orders import IntentState, OrderState, Purpose
from strikeloom.errors import DataError, Rejected, Unreachable
from strikeloom.monitor import CycleReport, kill
from strikeloom.monitor.cycle import Watcher
from strikeloom.ports.desk import Desk
from strikeloom.trading.lease import Lease
from strikeloom.trading.prepare import prepare_entry
from strikeloom.trading.reconcile import Reconciler
from strikeloom.trading.send import OrderRateLimiter
from strikeloom.trading.work import work
from support.desk import MadeDesk
from support.fakes import ManualClock, ist, option

CALL = option(25_000, Right.CALL)
SOLD, BOUGHT = option(24_800, Right.PUT), option(24_600, Right.PUT)
TICK = 0.05


@pytest.fixture
def made(tmp_path: Path) -> Iterator[MadeDesk]:
    desk = MadeDesk(tmp_path)
    yield desk
    desk.close()


class Watched:
    """A watcher that lives over many cycles."""

    def __init__(self, made: MadeDesk, desk: Desk | None = None) -> None:
        self.lease = Lease(made.home, made.store)
        real = ManualClock(ist("2026-11-01 12:00"))
        self.watcher = Watcher(desk or made.desk, self.lease, OrderRateLimiter(1e6), real)

    def cycle(self) -> CycleReport:
        with self.lease:
            return self.watcher.cycle()


class ReportingBroker:
    """A broker that counts its readings and reports changes as the test sets them."""

    def __init__(self, made: MadeDesk, changes: int | None = None) -> None:
        self._broker, self.changes, self.reads = made.broker, changes, 0

    def __getattr__(self, name: str) -> object:
        return getattr(self._broker, name)

    def change_count(self) -> int | None:
        return self.changes

    def orders(self) -> list:
        self.reads += 1
        return self._broker.orders()


def _show_spread(made: MadeDesk) -> None:
    made.show(SOLD, 119_50, 120_50)
    made.show(BOUGHT, 69_50, 70_50)


def _lots(made: MadeDesk, name: str) -> list[int]:
    return [leg.net_lots for leg in made.store.position(name).legs]


@pytest.mark.parametrize("cause", ["crossed quote", "broker refuses"])
def test_a_refusal_of_a_fifth_of_a_second_costs_seconds_not_a_minute(
    made: MadeDesk, cause: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    position = made.enter(made.spread(), 4)
    watched = Watched(made)
    watched.cycle()
    kill(made.desk, "crash", flatten=True, at=made.clock.now())
    began, submit = made.clock.now(), made.broker.submit

    def refuse(_request: object) -> None:
        raise Rejected("try again")

    if cause == "broker refuses":
        monkeypatch.setattr(made.broker, "submit", refuse)
    while any(_lots(made, position.position_id)):
        made.step(TICK)
        if (made.clock.now() - began).total_seconds() > 0.2:
            monkeypatch.setattr(made.broker, "submit", submit)
            _show_spread(made)
        elif cause == "crossed quote":
            made.show(SOLD, 121_00, 120_00)
        watched.cycle()
        assert made.clock.now() - began < timedelta(seconds=5)


def test_an_order_rests_from_when_it_was_sent(made: MadeDesk) -> None:
    watched = Watched(made)
    made.store.record_intents(prepare_entry(made.desk, made.spread(), 1))
    made.step(10)  # the watcher was busy
    made.show(SOLD, 115_00, 120_50)
    watched.cycle()
    for pause, state in ((TICK, OrderState.PENDING), (2.9, OrderState.PENDING)):
        made.step(pause)
        made.show(SOLD, 115_00, 120_50)
        watched.cycle()
        (sold,) = [o for o in made.broker.orders() if o.side is Side.SELL]
        assert sold.state is state
    made.step(0.1)  # 3.05 seconds
    watched.cycle()
    assert OrderState.CANCELLED in {o.state for o in made.broker.orders()}


def test_an_exit_without_attempts_left_stays_in_the_book(
    made: MadeDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A market that falls by a percent while an order travels: the sale never meets its limit."""
    made.show(CALL, 150_00, 151_00)
    made.enter(made.propose([Leg(CALL, Side.BUY, 1, 151_00)], "long_call"), 1)
    kill(made.desk, "leave", flatten=True, at=made.clock.now())
    submit = made.broker.submit

    def late(request):
        bid = int(request.limit * 0.99) // 5 * 5
        made.show(CALL, bid, bid + 100)
        return submit(request)

    monkeypatch.setattr(made.broker, "submit", late)
    watched, without = Watched(made), 0
    for _ in range(75):
        made.step(1)
        watched.cycle()
        without += all(order.state.terminal for order in made.broker.orders())
    assert without == 0
    assert len([i for i in made.store.intents() if i.purpose is Purpose.EXIT]) == 4


def test_without_order_updates_ticks_read_the_broker_once_a_second(made: MadeDesk) -> None:
    broker = ReportingBroker(made)
    watched = Watched(made, replace(made.desk, broker=broker))
    made.enter(made.spread(), 1)
    watched.cycle()
    broker.reads = 0
    for _ in range(100):
        made.clock.wait(0.01)
        watched.cycle()
    assert broker.reads == 1


@pytest.mark.parametrize("error", [Unreachable("no answer"), DataError("no file")])
def test_a_reading_that_was_not_taken_in_is_read_again_at_once(
    made: MadeDesk, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker = ReportingBroker(made, 1)
    desk = replace(made.desk, broker=broker)
    made.show(CALL, 150_00, 151_00)
    proposal = made.propose([Leg(CALL, Side.BUY, 1, 151_00)], "long_call")
    made.store.record_intents(prepare_entry(desk, proposal, 1))
    made.show(CALL, 160_00, 161_00)  # the order rests
    reconciler = Reconciler(desk)
    with Lease(made.home, made.store) as lease:
        work(desk, lease, OrderRateLimiter(1e6), reconciler)
    made.show(CALL, 150_00, 151_00)
    made.clock.wait(0.1)
    record_fills = made.store.record_fills

    def fail(_fills: object) -> int:
        raise error

    broker.changes = 2  # it reports the fill, and the store cannot take it
    monkeypatch.setattr(made.store, "record_fills", fail)
    with pytest.raises(type(error)):
        reconciler.refresh()
    monkeypatch.setattr(made.store, "record_fills", record_fills)
    state = reconciler.refresh()
    assert list(state.positions) == [proposal.strategy_id]
    assert state.new_fills == 1
    (intent,) = made.store.intents()
    assert intent.state is IntentState.FILLED
