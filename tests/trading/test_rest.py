"""An order is given its time before it is replaced, and a cancel that fails replaces nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from strikeloom.domain.legs import Leg, Side
from strikeloom.domain.orders import IntentState, OrderState
from strikeloom.ports.desk import Desk
from strikeloom.trading.lease import Lease
from strikeloom.trading.prepare import prepare_exit
from strikeloom.trading.send import OrderRateLimiter
from strikeloom.trading.work import work
from support.desk import MadeDesk
from support.fakes import option
from support.injected_faults import Fault, FaultyBroker, Plan


@pytest.fixture
def made(tmp_path: Path) -> MadeDesk:
    return MadeDesk(tmp_path)


def _leaving(made: MadeDesk, desk: Desk) -> None:
    """A position whose exit rests: the bid it was sent at has gone."""
    call = made.show(option(25_000), 150_00, 151_00)
    made.enter(made.propose([Leg(call, Side.BUY, 1, 151_00)], "long_call"), 1)
    (position,) = made.store.positions()
    made.store.record_intents(prepare_exit(made.desk, position, [0], "to leave"))
    made.show(option(25_000), 130_00, 131_00)
    _work(desk)


def _work(desk: Desk) -> None:
    with Lease(desk.home, desk.store) as lease:
        work(desk, lease, OrderRateLimiter(1e6))


def _sent(made: MadeDesk) -> list[tuple[int, IntentState]]:
    return [(i.attempt, i.state) for i in made.store.intents() if i.why == "to leave"]


def test_an_order_rests_for_the_stated_time(made: MadeDesk) -> None:
    rest = made.desk.settings.execution.rest_seconds
    _leaving(made, made.desk)
    made.step(rest - 0.5)
    _work(made.desk)
    assert _sent(made) == [(1, IntentState.WORKING)]
    made.step(0.5)
    _work(made.desk)
    assert _sent(made)[0] == (1, IntentState.ENDED)
    assert len(_sent(made)) == 2


@pytest.mark.parametrize("fault", [Fault.REJECTED, Fault.TOO_MANY, Fault.UNREACHABLE])
def test_a_cancel_that_fails_leaves_the_order_open_and_is_reported(
    made: MadeDesk, fault: Fault
) -> None:
    faulty = FaultyBroker(made.broker, cancels=Plan([fault]), book_is_complete=False)
    desk = replace(made.desk, broker=faulty)
    _leaving(made, desk)
    made.step(10)
    _work(desk)
    assert _sent(made) == [(1, IntentState.WORKING)]
    assert any("is still open: the cancel failed" in text for _, text in made.alerts.texts)
    working = [o for o in made.broker.orders() if not o.state.terminal]
    assert len(working) == 1
    made.step(10)
    _work(desk)  # the next one succeeds
    assert OrderState.CANCELLED in {o.state for o in made.broker.orders()}
