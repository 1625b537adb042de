"""The watcher's cycle: requests, rules, missing prices, errors, stop and restart."""

from __future__ import annotations

import os
import threading
from dataclasses import replace

import pytest

from strikeloom.domain.instruments import Right
from strikeloom.domain.legs import Leg, Side
from strikeloom.domain.orders import IntentState, Purpose
from strikeloom.domain.positions import Position, RequestState
from strikeloom.errors import DataError, LeaseTaken, StoreError, Unreachable
from strikeloom.monitor import kill, request_exit, run_cycle, watch
from strikeloom.monitor.cycle import CycleReport
from strikeloom.monitor.watch import STOPPED
from strikeloom.ports.desk import Mode
from strikeloom.trading.lease import Lease
from strikeloom.trading.prepare import prepare_entry, prepare_exit
from strikeloom.trading.send import OrderRateLimiter
from support.desk import MadeDesk
from support.fakes import ManualClock, ist, option
from support.injected_faults import FaultyBroker

SOLD, BOUGHT = option(24_800, Right.PUT), option(24_600, Right.PUT)
REAL = ManualClock(ist("2026-11-01 12:00"))


def cycle(made: MadeDesk, **options) -> CycleReport:
    with Lease(made.home, made.store) as lease:
        return run_cycle(made.desk, lease, OrderRateLimiter(1e6), REAL, **options)


def lots(made: MadeDesk, position: Position) -> list[int]:
    return [leg.net_lots for leg in made.store.position(position.position_id).legs]


def exits(made: MadeDesk) -> list:
    return [i for i in made.store.intents() if i.purpose is Purpose.EXIT]


def test_a_request_is_filled_and_settled_in_one_cycle(made: MadeDesk):
    position = made.enter(made.spread(), 4)
    request_exit(made.desk, position.position_id, percent=50, who="test")
    report = cycle(made)
    assert report.requests == 1
    assert report.fills == 2
    assert lots(made, position) == [-2, 2]
    (request,) = made.store.requests()
    assert (request.state, request.note) == (RequestState.DONE, "reduced as asked")


def test_shorts_are_bought_back_before_hedges_are_sold(made: MadeDesk):
    position = made.enter(made.spread(), 4)
    request_exit(made.desk, position.position_id, who="test")
    made.show(SOLD, 119_50, 120_50, size=2 * 65)  # the short can only be half bought back
    cycle(made)
    assert lots(made, position) == [-2, 4]  # every short left still has its hedge
    assert made.store.requests()[0].state is RequestState.ACCEPTED
    made.show(SOLD, 119_50, 120_50)
    made.step()
    cycle(made)
    assert lots(made, position) == [0, 0]
    assert made.store.requests()[0].note == "closed"


def test_a_fired_rule_exits_all_and_records_the_reason(made: MadeDesk):
    position = made.enter(made.spread(), 4)
    made.show(SOLD, 10_00, 10_50)
    made.show(BOUGHT, 4_50, 5_00)
    report = cycle(made)
    assert report.fired == [next(iter(report.fired))]
    assert "profit target" in report.fired[0]
    assert lots(made, position) == [0, 0]
    assert all("profit target" in intent.why for intent in exits(made))
    fired = [d for d in made.store.decisions(position.position_id) if d.fires]
    assert [d.rule for d in fired] == ["profit target"]
    assert len(made.store.decisions(position.position_id)) == 3


def test_alert_only_alerts_and_sends_nothing(made: MadeDesk):
    position = made.enter(made.spread(), 4)
    made.show(SOLD, 10_00, 10_50)
    made.show(BOUGHT, 4_50, 5_00)
    report = cycle(made, alert_only=True)
    assert report.fired
    assert lots(made, position) == [-4, 4]
    assert not exits(made)


class Untouchable(FaultyBroker):
    """Fails the test when anything is sent."""

    def submit(self, request):
        raise AssertionError(f"sent {request}")

    def cancel(self, order_id):
        raise AssertionError(f"cancelled {order_id}")


@pytest.mark.parametrize("mode", [Mode.REPLAY, Mode.ALERT])
def test_alert_only_reports_what_waits_and_sends_nothing(made: MadeDesk, mode: Mode):
    position = made.enter(made.spread(), 4)
    other = made.propose([Leg(BOUGHT, Side.BUY, 1, 70_00)], "long_put")
    made.store.record_intents(prepare_entry(made.desk, other, 2))  # recorded, not yet sent
    request_exit(made.desk, position.position_id, percent=50, who="somebody")
    before = [(i.correlation_id, i.state) for i in made.store.intents()]
    looking = replace(made.desk, mode=mode, broker=Untouchable(made.broker))
    with Lease(made.home, made.store) as lease:
        report = run_cycle(
            looking, lease, OrderRateLimiter(1e6), REAL, alert_only=mode is not Mode.ALERT
        )  # fmt: skip
    assert report.failure == ""
    assert [(i.correlation_id, i.state) for i in made.store.intents()] == before
    assert made.store.requests()[0].state is RequestState.PENDING
    sentences = " | ".join(report.withheld)
    assert f"buy 130 {BOUGHT.label} of {other.strategy_id}" in sentences
    assert f"bring {position.position_id} down to (-2, 2) lots, asked by somebody" in sentences
    assert all(any(text in sent for _, sent in made.alerts.texts) for text in report.withheld)


def test_alert_only_does_not_cancel_what_rests(made: MadeDesk):
    position = made.enter(made.spread(), 4)
    made.store.record_intents(prepare_exit(made.desk, position, [0, 4], "to leave"))
    made.show(SOLD, 119_50, 140_50)
    cycle(made)
    made.step(10)
    looking = replace(made.desk, broker=Untouchable(made.broker))
    with Lease(made.home, made.store) as lease:
        report = run_cycle(looking, lease, OrderRateLimiter(1e6), REAL, alert_only=True)
    assert [text for text in report.withheld if text.startswith("cancel buy 260")]
    assert len([o for o in made.broker.orders() if not o.state.terminal]) == 1


def test_a_missing_price_is_shown_and_never_fires(made: MadeDesk):
    position = made.enter(made.spread(), 4)
    del made.feed.shown[BOUGHT.key]
    made.show(SOLD, 400_00, 401_00)  # ruinous, were the hedge worth nothing
    report = cycle(made)
    assert report.unpriced == [position.position_id]
    assert not report.fired
    assert lots(made, position) == [-4, 4]
    beat = made.store.heartbeat()
    assert beat is not None
    assert "1 without a price" in beat.note


def test_days_to_expiry_needs_no_price_but_waits_for_one_to_leave(made: MadeDesk):
    position = made.enter(made.spread(), 4)
    made.clock.at = ist("2026-02-23 10:00")
    made.feed.shown.clear()
    report = cycle(made)
    assert "days to expiry" in report.fired[0]
    assert "has no quote now" in report.blocked[0]
    assert any("cannot exit" in text for _, text in made.alerts.texts)
    made.show(SOLD, 119_50, 120_50)
    made.show(BOUGHT, 69_50, 70_50)
    cycle(made)
    assert lots(made, position) == [0, 0]


def test_a_request_without_a_price_waits_and_is_then_done(made: MadeDesk):
    position = made.enter(made.spread(), 4)
    del made.feed.shown[SOLD.key]
    request_exit(made.desk, position.position_id, who="test")
    cycle(made)
    (request,) = made.store.requests()
    assert request.state is RequestState.PENDING
    assert request.note.startswith("waits")
    made.show(SOLD, 119_50, 120_50)
    cycle(made)
    assert made.store.requests()[0].state is RequestState.DONE
    assert lots(made, position) == [0, 0]


def test_two_requests_of_one_revision_exit_once(made: MadeDesk):
    position = made.enter(made.spread(), 4)
    request_exit(made.desk, position.position_id, percent=25, who="one")
    request_exit(made.desk, position.position_id, percent=50, who="two")
    cycle(made)
    cycle(made)
    assert lots(made, position) == [-3, 3]
    states = [request.state for request in made.store.requests()]
    assert states == [RequestState.DONE, RequestState.STALE]


def test_a_request_taken_up_by_a_process_that_died_is_finished(made: MadeDesk):
    """Killed after the intents were recorded, before the request was settled."""
    position = made.enter(made.spread(), 4)
    request, _ = request_exit(made.desk, position.position_id, who="test")
    made.store.record_intents(
        prepare_exit(made.desk, position, request.target_lots, "asked by test")
    )
    cycle(made)
    assert lots(made, position) == [0, 0]
    assert len(exits(made)) == 2
    assert made.store.requests()[0].state is RequestState.DONE


def test_a_request_filled_by_a_process_that_died_is_settled(made: MadeDesk):
    """Killed after the fills, before the request was settled: revision moved on."""
    position = made.enter(made.spread(), 4)
    request, _ = request_exit(made.desk, position.position_id, percent=50, who="test")
    cycle(made)
    made.store.settle_request(request.request_id, RequestState.PENDING, "")  # as if never written
    cycle(made)
    assert lots(made, position) == [-2, 2]
    assert made.store.requests()[0].state is RequestState.DONE


def test_a_position_closed_elsewhere_makes_the_request_stale(made: MadeDesk):
    position = made.enter(made.spread(), 4)
    cycle(made)
    request_exit(made.desk, position.position_id, percent=50, who="test")
    kill(made.desk, "news", flatten=True, at=made.clock.now())
    pending = made.store.requests()[0]
    made.store.settle_request(pending.request_id, RequestState.PENDING, "")
    cycle(made)
    made.step()
    cycle(made)
    states = {request.state for request in made.store.requests()}
    assert states <= {RequestState.STALE, RequestState.DONE}
    assert all(lot in (0, -2, 2) for lot in lots(made, position))


def test_the_kill_switch_flattens_everything_and_lets_exits_through(made: MadeDesk):
    position = made.enter(made.spread(), 4)
    kill(made.desk, "news", flatten=True, at=made.clock.now())
    report = cycle(made)
    assert "kill switch" in report.fired[0]
    assert lots(made, position) == [0, 0]


def test_an_engaged_switch_alone_leaves_positions_but_takes_requests(made: MadeDesk):
    position = made.enter(made.spread(), 4)
    kill(made.desk, "news", flatten=False, at=made.clock.now())
    cycle(made)
    assert lots(made, position) == [-4, 4]
    request_exit(made.desk, position.position_id, who="test")
    cycle(made)
    assert lots(made, position) == [0, 0]


def test_the_others_are_watched_when_one_position_cannot_be_judged(made: MadeDesk):
    first = made.enter(made.spread(), 4)
    call = made.show(option(25_500), 80_00, 80_50)
    odd = replace(made.propose([Leg(call, Side.BUY, 1, 80_00)], "long_call"), exit_plan="gone")
    _rename_plan(made, odd.strategy_id)
    made.enter(odd, 1)
    made.show(SOLD, 10_00, 10_50)
    made.show(BOUGHT, 4_50, 5_00)
    report = cycle(made)
    assert lots(made, first) == [0, 0]
    assert any("not watched" in text and "gone" in text for text in report.blocked)


def _rename_plan(made: MadeDesk, name: str) -> None:
    with made.store.db.transaction() as db:
        db.execute("UPDATE strategies SET exit_plan = 'gone' WHERE strategy_id = ?", (name,))


@pytest.mark.parametrize("error", [Unreachable("no line"), DataError("no file")])
def test_an_error_stops_the_cycle_and_is_reported(made: MadeDesk, monkeypatch, error):
    position = made.enter(made.spread(), 4)
    made.show(SOLD, 10_00, 10_50)
    made.show(BOUGHT, 4_50, 5_00)

    def fail(*_):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(made.broker if isinstance(error, Unreachable) else made.feed,
                      "orders" if isinstance(error, Unreachable) else "quotes", fail)  # fmt: skip
        report = cycle(made)
    assert str(error) in report.failure
    assert lots(made, position) == [-4, 4]
    beat = made.store.heartbeat()
    assert beat is not None
    assert str(error) in beat.note
    cycle(made)  # and goes on when it is over
    assert lots(made, position) == [0, 0]


def test_heartbeats_carry_both_times_and_the_process(made: MadeDesk):
    cycle(made)
    beat = made.store.heartbeat()
    assert beat is not None
    assert (beat.at, beat.real_at, beat.pid) == (made.clock.now(), REAL.now(), os.getpid())


def test_what_the_watcher_saw_is_in_the_cache(made: MadeDesk):
    made.enter(made.spread(), 4)
    cycle(made)
    assert set(made.desk.quotes.get([SOLD.key, BOUGHT.key])) == {SOLD.key, BOUGHT.key}


def test_peaks_are_kept_and_do_not_fall(made: MadeDesk):
    position = made.enter(made.spread(), 4)
    made.show(SOLD, 100_00, 100_50)
    cycle(made)
    peak = made.store.peaks()[position.position_id]
    made.show(SOLD, 130_00, 130_50)
    cycle(made)
    assert made.store.peaks()[position.position_id] == peak


def test_decisions_of_a_rule_removed_from_the_plan_are_deleted(made: MadeDesk):
    position = made.enter(made.spread(), 4)
    cycle(made)
    assert len(made.store.decisions(position.position_id)) == 3
    plans = {
        **made.desk.settings.exits.plans,
        "credit": made.desk.settings.exits.plans["credit"][:1],
    }
    exits_ = made.desk.settings.exits.model_copy(update={"plans": plans})
    settings = made.desk.settings.model_copy(update={"exits": exits_})
    made.desk = replace(made.desk, settings=settings)
    cycle(made)
    assert [d.rule for d in made.store.decisions(position.position_id)] == ["profit target"]


def test_only_one_watcher_an_account(made: MadeDesk):
    with Lease(made.home, made.store), pytest.raises(LeaseTaken, match="watcher"):
        watch(made.desk, REAL, once=True)


def test_watch_once_is_one_cycle_and_records_that_it_ended(made: MadeDesk):
    seen: list[CycleReport] = []
    last = watch(made.desk, REAL, once=True, on_cycle=seen.append)
    assert seen == [last]
    beat = made.store.heartbeat()
    assert beat is not None
    assert beat.note == STOPPED
    with Lease(made.home, made.store):
        pass  # the lock is free again


def test_watch_goes_on_until_stopped_and_serves_when_the_market_has_ended(made: MadeDesk):
    """A replayed day is over: time does not move, requests are still taken."""
    position = made.enter(made.spread(), 4)
    made.clock.wait = lambda _seconds: False  # type: ignore[method-assign]
    pauses: list[float] = []
    stop = threading.Event()

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 2:
            request_exit(made.desk, position.position_id, who="test")
        if len(pauses) == 4:
            stop.set()

    watch(made.desk, REAL, stop=stop.is_set, pause=pause)
    assert lots(made, position) == [0, 0]
    assert len(pauses) == 4
    assert all(0 < seconds <= 1 for seconds in pauses)


def test_a_store_that_fails_for_a_while_is_waited_for(made: MadeDesk, monkeypatch):
    position = made.enter(made.spread(), 4)
    request_exit(made.desk, position.position_id, who="test")
    real_orders, left = made.store.record_orders, [3]

    def busy(orders):
        left[0] -= 1
        if left[0] >= 0:
            raise StoreError("database is locked")
        real_orders(orders)

    monkeypatch.setattr(made.store, "record_orders", busy)
    seen: list[CycleReport] = []
    watch(made.desk, REAL, stop=lambda: bool(seen), on_cycle=seen.append, pause=lambda _: None)
    assert lots(made, position) == [0, 0]
    assert sum("locked" in text for _, text in made.alerts.texts) == 3
    assert len([order for order in made.broker.orders() if order.units == 260]) == 4


def test_a_store_that_never_comes_back_ends_the_watcher(made: MadeDesk, monkeypatch):
    made.enter(made.spread(), 4)

    def gone(*_, **__):
        raise StoreError("disk full")

    monkeypatch.setattr(made.store, "positions", gone)
    with pytest.raises(StoreError, match="disk full"):
        watch(made.desk, REAL, pause=lambda _: None)
    with Lease(made.home, made.store):
        pass


def test_an_expired_position_is_settled_and_left_alone(made: MadeDesk):
    position = made.enter(made.spread(), 4)
    request_exit(made.desk, position.position_id, percent=50, who="test")
    made.feed.shown.clear()  # nothing can be traded any more
    made.clock.at = ist("2026-02-24 15:30")
    made.feed.settlements["NIFTY", SOLD.expiry] = 24_700_00
    cycle(made)
    after = made.store.position(position.position_id)
    assert not after.is_open
    # 24700 settles the 24800 put at 100 and the 24600 put at nothing
    received = (119_50 - 70_50) * 260
    charges = sum(leg.charges for leg in after.legs)
    assert sum(leg.realised for leg in after.legs) - charges == received - 100_00 * 260 - charges
    assert made.store.requests()[0].state in (RequestState.STALE, RequestState.REFUSED)
    count = len(made.store.intents())
    made.clock.at = ist("2026-02-25 10:00")
    cycle(made)
    assert len(made.store.intents()) == count


def test_an_exit_at_work_when_the_contract_expires_comes_to_an_end(made: MadeDesk):
    """Half bought back, then settled: nothing is sent for it ever after."""
    position = made.enter(made.spread(), 4)
    request_exit(made.desk, position.position_id, who="test")
    made.show(SOLD, 119_50, 120_50, size=2 * 65)
    cycle(made)
    assert lots(made, position) == [-2, 4]
    made.feed.shown.clear()
    made.clock.at = ist("2026-02-24 15:30")
    made.feed.settlements["NIFTY", SOLD.expiry] = 24_900_00
    cycle(made)
    assert lots(made, position) == [0, 0]
    made.clock.at = ist("2026-02-25 10:00")
    cycle(made)
    count = len(made.store.intents())
    alerts = len(made.alerts.texts)
    for _ in range(3):
        made.step()
        cycle(made)
    assert len(made.store.intents()) == count
    assert len(made.alerts.texts) == alerts
    assert made.store.requests()[0].state is RequestState.DONE
    assert not made.store.intents(states={IntentState.WORKING, IntentState.SENDING})


class _SilentClock:
    """Raises on the first calls."""

    speed = 1.0

    def __init__(self, clock: ManualClock, silent: range) -> None:
        self.clock, self.silent, self.calls = clock, silent, 0

    def now(self):
        self.calls += 1
        if self.calls in self.silent:
            raise Unreachable("the local exchange does not report its time")
        return self.clock.now()

    def wait(self, seconds: float) -> bool:
        self.now()
        return self.clock.wait(seconds)


@pytest.mark.parametrize("first", [1, 2, 9, 10, 11])
def test_a_clock_that_is_silent_for_a_while_is_waited_for(made: MadeDesk, first: int):
    silent = _SilentClock(made.clock, range(first, first + 3))
    reports: list[CycleReport] = []
    desk = replace(made.desk, clock=silent)
    watch(
        desk,
        made.clock,
        stop=lambda: len(reports) > 3,
        on_cycle=reports.append,
        pause=lambda _: None,
    )
    assert len(reports) == 4
    assert any("trying again: the local exchange" in text for _, text in made.alerts.texts)
