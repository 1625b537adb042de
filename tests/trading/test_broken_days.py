"""A book that hides what was accepted, a cancel that is refused, a night, another day."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from strikeloom.domain.orders import Fill, IntentState, Order
from strikeloom.monitor import CycleReport, run_cycle
from strikeloom.ports.desk import Desk
from strikeloom.trading.lease import Lease
from strikeloom.trading.prepare import prepare_entry, prepare_exit
from strikeloom.trading.send import OrderRateLimiter
from support.desk import MadeDesk
from support.fakes import ist
from support.injected_faults import Fault, FaultyBroker, Plan

PACE = OrderRateLimiter(1e6)
WAIT = 31


@pytest.fixture
def made(tmp_path: Path) -> Any:
    desk = MadeDesk(tmp_path)
    yield desk
    desk.close()


class HidingBroker(FaultyBroker):
    """Accepts orders; book and trades do not show them until ``shown``."""

    hides = True

    def orders(self) -> list[Order]:
        return [] if self.hides else super().orders()

    def fills(self) -> list[Fill]:
        return [] if self.hides else super().fills()


def _round(desk: Desk) -> CycleReport:
    with Lease(desk.home, desk.store) as lease:
        return run_cycle(desk, lease, PACE, desk.clock)


def test_what_was_accepted_is_not_sent_again_while_the_book_hides_it(made: MadeDesk) -> None:
    proposal = made.spread()
    made.desk.store.record_intents(prepare_entry(made.desk, proposal, 2))
    made.show(proposal.legs[1].instrument, 75_00, 90_00)  # it rests
    broker = HidingBroker(made.broker, book_is_complete=False)
    desk = replace(made.desk, broker=broker)
    for _ in range(6):
        _round(desk)
        made.step(WAIT)
    assert len(made.broker.orders()) == 1
    assert any("status unknown" in text for _, text in made.alerts.texts)
    broker.hides = False
    for _ in range(4):
        made.step(WAIT)
        _round(desk)
    (position,) = desk.store.positions()
    assert [leg.net_lots for leg in position.legs] == [-2, 2]


def test_a_resting_order_of_yesterday_ends_with_its_day(made: MadeDesk) -> None:
    proposal = made.spread()
    position = made.enter(proposal, 2)
    made.store.record_intents(prepare_exit(made.desk, position, [0, 0], "test"))
    made.show(proposal.legs[0].instrument, 119_50, 150_50)
    broker = HidingBroker(made.broker, book_is_complete=False)
    broker.hides = False
    desk = replace(made.desk, broker=broker)
    _round(desk)
    assert len(desk.store.intents(states={IntentState.WORKING})) == 1
    made.clock.at = ist("2026-02-12 09:20")
    made.show(proposal.legs[0].instrument, 119_50, 120_50)
    made.step(0)
    broker.hides = True  # the book of the new day
    _round(desk)
    made.step(WAIT)
    _round(desk)
    assert any("ended with its day" in text for _, text in made.alerts.texts)
    broker.hides = False
    for _ in range(3):
        made.step(WAIT)
        _round(desk)
    assert made.broker.positions() == []


def test_a_late_order_that_cannot_be_cancelled_stops_nothing_else(made: MadeDesk) -> None:
    proposal = made.spread()
    made.desk.store.record_intents(prepare_entry(made.desk, proposal, 2))
    made.show(proposal.legs[1].instrument, 75_00, 90_00)
    broker = FaultyBroker(
        made.broker,
        submits=Plan([Fault.LATE_ORDER]),
        late_looks=6,
        cancels=Plan([Fault.REJECTED] * 9),
        book_is_complete=False,
    )
    desk = replace(made.desk, broker=broker)
    for _ in range(5):
        assert _round(desk).failure == ""
        made.step(WAIT)
    assert any("abandoned and is not cancelled" in text for _, text in made.alerts.texts)


def test_an_exit_waits_for_the_next_session(made: MadeDesk) -> None:
    position = made.enter(made.spread(), 2)
    made.clock.at = ist("2026-02-11 20:00")
    made.step(0)
    made.store.record_intents(prepare_exit(made.desk, position, [0, 0], "test"))
    before = len(made.store.intents())
    for _ in range(5):
        _round(made.desk)
        made.step(5)
    assert len(made.store.intents()) == before
    made.clock.at = ist("2026-02-12 09:16")
    made.step(0)
    for _ in range(2):
        _round(made.desk)
        made.step(5)
    assert made.broker.positions() == []
