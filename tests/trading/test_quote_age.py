"""A quote that is too old for the desk's mode prices no order and lets no rule fire."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from strikeloom.domain.instruments import Right
from strikeloom.domain.orders import Purpose
from strikeloom.domain.positions import RequestState
from strikeloom.errors import GuardError, NoQuote
from strikeloom.monitor import request_exit, run_cycle
from strikeloom.ports.desk import Desk, Mode
from strikeloom.trading.lease import Lease
from strikeloom.trading.prepare import prepare_entry
from strikeloom.trading.send import OrderRateLimiter
from support.desk import MadeDesk, check_now
from support.fakes import ManualClock, option

#: As ``config/desk.yaml`` states them.
AGES = {Mode.REPLAY: 900, Mode.SIMULATE: 30, Mode.PAPER: 30, Mode.ALERT: 30, Mode.LIVE: 15}
SOLD, BOUGHT = option(24_800, Right.PUT), option(24_600, Right.PUT)


@pytest.fixture
def made(tmp_path: Path) -> Iterator[MadeDesk]:
    desk = MadeDesk(tmp_path)
    yield desk
    desk.close()


def _cycle(desk: Desk):
    with Lease(desk.home, desk.store) as lease:
        return run_cycle(desk, lease, OrderRateLimiter(1e6), desk.clock)


@pytest.mark.parametrize(("mode", "most"), AGES.items())
def test_each_mode_has_its_age(made: MadeDesk, mode: Mode, most: int) -> None:
    proposal, desk = made.spread(), replace(made.desk, mode=mode)
    made.clock.wait(most)
    (intent, *_) = prepare_entry(desk, proposal, 1)
    check_now(desk, intent)
    made.clock.wait(1)
    with pytest.raises(NoQuote, match=rf"{most + 1} s old, {most} s are allowed in mode {mode}"):
        prepare_entry(desk, proposal, 1)
    with pytest.raises(GuardError, match=r"quote age: .* s old") as refused:
        check_now(desk, intent)
    assert refused.value.facts["guard"] == "quote age"


def test_quotes_age_as_fast_as_the_clock_runs(made: MadeDesk) -> None:
    class Fast(ManualClock):
        speed = 60.0

    clock = Fast(made.clock.at)
    desk = replace(made.desk, mode=Mode.PAPER, clock=clock)
    proposal = made.spread()
    clock.wait(60 * 30)
    assert prepare_entry(desk, proposal, 1)
    clock.wait(1)
    with pytest.raises(NoQuote, match="1801 s old"):
        prepare_entry(desk, proposal, 1)


def test_an_exit_waits_for_a_fresh_quote_by_name_and_then_goes(made: MadeDesk) -> None:
    position = made.enter(made.spread(), 2)
    desk = replace(made.desk, mode=Mode.PAPER)
    request_exit(desk, position.position_id, who="test")
    made.clock.wait(31)
    report = _cycle(desk)
    assert report.unpriced == [position.position_id]
    (request,) = desk.store.requests()
    assert request.state is RequestState.PENDING
    assert "its quote is 31 s old, 30 s are allowed in mode paper" in request.note
    assert not [i for i in desk.store.intents() if i.purpose is Purpose.EXIT]
    made.step(5)
    _cycle(desk)
    assert desk.store.positions() == []


def test_no_rule_fires_on_an_old_quote(made: MadeDesk) -> None:
    made.enter(made.spread(), 4)
    made.show(SOLD, 10_00, 10_50)
    made.show(BOUGHT, 4_50, 5_00)  # the profit target is met, thirty-one seconds ago
    desk = replace(made.desk, mode=Mode.PAPER)
    made.clock.wait(31)
    report = _cycle(desk)
    assert report.fired == []
    (marked,) = report.marked
    assert marked.missing == tuple(f"{c.label} (older than 30 s)" for c in (SOLD, BOUGHT))
