"""What a watcher cannot do is reported, and one failure does not hide another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import ClassVar, Literal

import pytest

from strikeloom.domain.instruments import Right
from strikeloom.domain.legs import Leg, Side
from strikeloom.domain.positions import RequestState, Urgency
from strikeloom.errors import DataError, Unreachable
from strikeloom.monitor import CycleReport, kill, request_exit, watch
from strikeloom.monitor.cycle import Watcher
from strikeloom.monitor.watch import FAILED
from strikeloom.ports.desk import Desk
from strikeloom.settings.exit_rule import ExitRule
from strikeloom.trading.lease import Lease
from strikeloom.trading.prepare import prepare_entry
from strikeloom.trading.reconcile import Reconciler
from strikeloom.trading.send import OrderRateLimiter
from support.desk import MadeDesk
from support.fakes import ManualClock, ist, option

SOLD, BOUGHT = option(24_800, Right.PUT), option(24_600, Right.PUT)
REAL = ManualClock(ist("2026-11-01 12:00"))


@pytest.fixture
def made(tmp_path: Path) -> Iterator[MadeDesk]:
    desk = MadeDesk(tmp_path)
    yield desk
    desk.close()


def _cycles(made: MadeDesk, desk: Desk | None = None) -> Callable[[], CycleReport]:
    """Run cycles of one watcher."""
    lease = Lease(made.home, made.store)
    watcher = Watcher(desk or made.desk, lease, OrderRateLimiter(1e6), REAL)

    def cycle() -> CycleReport:
        with lease:
            return watcher.cycle()

    return cycle


def _lots(made: MadeDesk, name: str) -> list[int]:
    return [leg.net_lots for leg in made.store.position(name).legs]


def _critical(made: MadeDesk) -> list[str]:
    return [text for level, text in made.alerts.texts if level == "critical"]


def test_a_position_without_a_price_is_reported_after_a_minute(made: MadeDesk) -> None:
    position = made.enter(made.spread(), 4)
    cycle = _cycles(made)
    del made.feed.shown[BOUGHT.key]
    for seconds, expected in ((0, 0), (59, 0), (1, 1), (60, 1)):
        made.step(seconds)
        cycle()
        assert len(_critical(made)) == expected
    (text,) = _critical(made)
    assert position.position_id in text
    assert BOUGHT.label in text
    assert "cannot fire" in text
    made.show(BOUGHT, 69_50, 70_50)
    cycle()
    del made.feed.shown[BOUGHT.key]
    made.step(59)
    cycle()
    made.step(59)  # counted from the last price, not from the first gap
    cycle()
    assert len(_critical(made)) == 1


class Faulty(ExitRule):
    """A rule whose arithmetic fails for a position that received a premium."""

    rule: Literal["faulty"] = "faulty"
    urgency: ClassVar = Urgency.HIGH

    def progress(self, position):
        return 0.0 / (0.0 if position.entry_premium > 0 else 1.0)

    def sentence(self, marked):
        return f"{marked.pnl}"


def _with_rule(made: MadeDesk) -> Desk:
    settings = made.desk.settings
    plans = {**settings.exits.plans, "credit": [Faulty(), *settings.exits.plans["credit"]]}
    exits = settings.exits.model_copy(update={"plans": plans})
    return replace(made.desk, settings=settings.model_copy(update={"exits": exits}))


def test_a_rule_that_fails_leaves_the_other_positions_watched(made: MadeDesk) -> None:
    made.enter(made.spread(), 1)
    call = made.show(option(25_000), 150_00, 151_00)
    other = made.enter(made.propose([Leg(call, Side.BUY, 1, 151_00)], "long_call"), 1)
    report = _cycles(made, _with_rule(made))()
    assert [marked.position.position_id for marked in report.marked][-1] == other.position_id
    assert list(report.decisions) == [other.position_id]
    (blocked,) = report.blocked
    assert "is not watched, a fault of the program: ZeroDivisionError" in blocked
    assert _critical(made) == [blocked]


def test_a_watcher_that_a_failure_ends_reports_it(
    made: MadeDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    made.enter(made.spread(), 1)

    def quotes(_contracts: object) -> None:
        raise ValueError("wrong value")

    monkeypatch.setattr(made.feed, "quotes", quotes)
    with pytest.raises(ValueError, match="wrong value"):
        watch(made.desk, REAL, once=True)
    beat = made.store.heartbeat()
    assert beat is not None
    assert beat.note == f"{FAILED}: ValueError: wrong value"
    assert _critical(made) == [f"the watcher {beat.note}; no position is watched"]


def test_one_last_day_that_cannot_be_read_stops_no_other_exit(made: MadeDesk) -> None:
    position = made.enter(made.spread(), 4)
    acme = made.show(option(1500, symbol="ACME", lot=100), 10_00, 10_20)
    made.feed.spots["ACME"] = 1500_00
    made.enter(made.propose([Leg(acme, Side.BUY, 1, 10_20)], "long_call"), 1)
    last_day = made.feed.last_day

    class DamagedFeed:
        """The last day of one symbol cannot be read."""

        def __getattr__(self, name: str) -> object:
            return getattr(made.feed, name)

        def last_day(self, symbol, expiry, since):
            if symbol == "ACME":
                raise DataError("the file of ACME is damaged")
            return last_day(symbol, expiry, since)

    cycle = _cycles(made, replace(made.desk, feed=DamagedFeed()))  # type: ignore[arg-type]
    made.step()
    made.show(SOLD, 320_00, 321_00)
    made.show(BOUGHT, 130_00, 131_00)
    assert cycle().failure == ""
    assert _lots(made, position.position_id) == [0, 0]
    assert any("ACME" in text and "file of ACME is damaged" in text for text in _critical(made))


def test_a_request_to_leave_everything_outlives_the_orders_it_waits_for(made: MadeDesk) -> None:
    position = made.enter(made.spread(), 4)
    cycle = _cycles(made)
    request_exit(made.desk, position.position_id, percent=50, who="test")
    made.show(SOLD, 119_50, 120_50, size=65)
    cycle()
    request_exit(made.desk, position.position_id, who="test")
    made.show(SOLD, 119_50, None)
    cycle()
    assert made.store.requests()[-1].note == "waits for the orders at work"
    for _ in range(3):
        made.step()
        made.show(SOLD, 119_50, 120_50)
        made.show(BOUGHT, 69_50, 70_50)
        cycle()
    assert _lots(made, position.position_id) == [0, 0]
    assert {request.state for request in made.store.requests()} == {RequestState.DONE}


def test_a_request_made_while_the_entry_fills_leaves_everything(made: MadeDesk) -> None:
    proposal = made.spread()
    made.store.record_intents(prepare_entry(made.desk, proposal, 4))
    made.show(BOUGHT, 69_50, 70_50, size=65)
    cycle = _cycles(made)
    cycle()
    request_exit(made.desk, proposal.strategy_id, who="test")
    for _ in range(5):
        made.step()
        made.show(SOLD, 119_50, 120_50)
        made.show(BOUGHT, 69_50, 70_50)
        cycle()
    assert _lots(made, proposal.strategy_id) == [0, 0]


def test_a_request_for_a_part_that_is_stale_is_reported(made: MadeDesk) -> None:
    position = made.enter(made.spread(), 4)
    cycle = _cycles(made)
    request_exit(made.desk, position.position_id, percent=50, who="left")
    request_exit(made.desk, position.position_id, percent=25, who="right")
    for _ in range(2):
        made.step()
        cycle()
    states = {request.who: request.state for request in made.store.requests()}
    assert states == {"left": RequestState.DONE, "right": RequestState.STALE}
    assert [text for _, text in made.alerts.texts] == [
        f"exit of {position.position_id} asked by right is not made: the position had changed "
        "before"
    ]


def test_a_kill_switch_set_while_the_account_is_read_is_seen(
    made: MadeDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    reconciler = Reconciler(made.desk)
    reconciler.refresh()
    write = made.store._write_row

    def slow(table: str, values: dict) -> None:
        reconciler.reload()  # a watcher in another thread reads just here
        write(table, values)

    monkeypatch.setattr(made.store, "_write_row", slow)
    kill(made.desk, "news", flatten=True, at=made.clock.now())
    assert reconciler.refresh().kill_switch.engaged


def test_an_unreachable_broker_is_reported_on_each_day(
    made: MadeDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    made.enter(made.spread(), 1)
    cycle = _cycles(made)

    def unreachable() -> None:
        raise Unreachable("no answer")

    for day in range(1, 3):
        with monkeypatch.context() as patch:
            patch.setattr(made.broker, "positions", unreachable)
            made.step(61)
            assert cycle().failure == "cycle stopped: no answer"
        made.step(61)
        assert cycle().failure == ""
        assert _critical(made) == ["cycle stopped: no answer"] * day
        made.clock.at += timedelta(days=1)
