"""An entry that is given up while one of its orders still lives."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from strikeloom.domain.instruments import OptionContract, Right
from strikeloom.domain.legs import Leg, Side
from strikeloom.monitor.watch import run_cycle
from strikeloom.ports.desk import Desk
from strikeloom.trading.lease import Lease
from strikeloom.trading.prepare import prepare_entry
from strikeloom.trading.reconcile import Reconciler
from strikeloom.trading.remaining import unfinished
from strikeloom.trading.send import OrderRateLimiter
from support.desk import MadeDesk
from support.fakes import option
from support.injected_faults import Fault, FaultyBroker, Plan

PACE = OrderRateLimiter(1e6)


@pytest.fixture
def made(tmp_path: Path) -> Any:
    desk = MadeDesk(tmp_path)
    yield desk
    desk.close()


def _truth(made: MadeDesk) -> dict[str, int]:
    return {p.instrument_key: p.net_units for p in made.broker.positions()}


def _round(desk: Desk) -> None:
    with Lease(desk.home, desk.store) as lease:
        run_cycle(desk, lease, PACE, desk.clock)


def _begun(made: MadeDesk, failing: int) -> tuple[Desk, OptionContract]:
    """Two legs to buy: one fills in part and cannot be cancelled, the other is never listed."""
    bought = made.show(option(24_600, Right.PUT), 69_50, 70_50, size=130)
    absent = option(25_600)
    made.feed.show(absent, 44_50, 45_50)
    proposal = made.propose(
        [Leg(bought, Side.BUY, 1, 70_00), Leg(absent, Side.BUY, 1, 45_00)], "long_strangle"
    )
    broker = FaultyBroker(
        made.broker, cancels=Plan([Fault.TOO_MANY] * failing), book_is_complete=False
    )
    desk = replace(made.desk, broker=broker)
    desk.store.record_intents(prepare_entry(desk, proposal, 3))
    return desk, bought


def test_a_cancel_that_fails_never_doubles_the_unwinding(made: MadeDesk) -> None:
    desk, bought = _begun(made, 50)
    shown = made.feed.shown[bought.key]
    made.feed.shown[bought.key] = replace(shown, bid_size=65)
    for _ in range(8):
        _round(desk)
        assert _truth(made).get(bought.key, 0) >= 0
        made.step(5)
        made.show(bought, 69_50, 80_00, size=65)
    assert _truth(made) == {}


def test_what_fills_after_the_unwinding_is_unwound_too(made: MadeDesk) -> None:
    desk, bought = _begun(made, 2)
    for _ in range(8):
        _round(desk)
        made.step(5)
        made.show(bought, 69_50, 70_50, size=1300)
    assert _truth(made) == {}
    assert not unfinished(Reconciler(desk).reload())
