"""Stage 04 on a desk of its own making: whole, partial, abandoned, handed over, repeated."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from strikeloom import execution
from strikeloom.domain.allocations import AllocationPlan
from strikeloom.domain.instruments import Right
from strikeloom.domain.legs import Leg, Side
from strikeloom.domain.orders import IntentState, Purpose
from strikeloom.domain.proposals import Proposal
from strikeloom.domain.results import Stage, StageResult, Verdict
from strikeloom.errors import SettingsError, StageError
from strikeloom.monitor import kill, run_cycle
from strikeloom.ports.desk import Mode
from strikeloom.ports.store import MarkRow
from strikeloom.trading.lease import Lease
from strikeloom.trading.send import OrderRateLimiter
from support.desk import DAY, MadeDesk
from support.fakes import ManualClock, ist, option

SOLD, BOUGHT = option(24_800, Right.PUT), option(24_600, Right.PUT)


@pytest.fixture
def made(tmp_path: Path) -> Iterator[MadeDesk]:
    """Give a desk whose allocation of the day is done."""
    desk = MadeDesk(tmp_path)
    at = desk.clock.now()
    result = StageResult(
        run_id="plan", stage=Stage.ALLOCATION, market=desk.desk.market,
        account=desk.desk.account, day=DAY, verdict=Verdict.DONE,
        counts={"universe": 1, "done": 1, "refused": 0},
    )  # fmt: skip
    desk.store.start_run("plan", Stage.ALLOCATION, DAY, at)
    desk.store.save_allocation("plan", AllocationPlan(
        desk.desk.account, DAY, 1, (), (), 1, 0, 0, ()))  # fmt: skip
    desk.store.finish_run(result, at)
    yield desk
    desk.close()


def marked(made: MadeDesk, *proposals: Proposal, lots: int = 4) -> execution.plan.EntryPlan:
    """Mark and plan."""
    rows = [
        MarkRow(p.strategy_id, DAY, lots, n, "", made.clock.now())
        for n, p in enumerate(proposals, start=1)
    ]
    made.store.mark(rows)
    return execution.plan_entries(made.desk, execution.load_marked(made.desk))


def test_a_spread_is_entered_whole_and_reported(made: MadeDesk):
    plan = marked(made, made.spread())
    placed = execution.place(made.desk, plan)
    (name,) = placed.filled
    assert placed.units[name] == (8 * 65, 8 * 65)
    output = execution.save(made.desk, "run", plan, placed)
    assert output.result.verdict is Verdict.DONE
    assert output.result.counts == {"universe": 1, "done": 1, "refused": 0}
    assert output.result.inputs == {"allocation": "plan"}
    assert output.result.outputs == {"orders": 2, "fills": 2}
    # a limit order never trades worse than its limit: the hedge at the ask, the short at the bid
    assert output.tables["fills"]["price"].tolist() == [70.50, 119.50]


def test_the_plan_has_the_cost_at_the_worst_prices(made: MadeDesk):
    plan = marked(made, made.spread())
    (entry,) = plan.entries
    limits = dict(zip(plan.table["contract"], plan.table["limit"], strict=True))
    # slippage of 2 % beyond the far side, on the tick: 120.50 * 2 % = 2.41, 70.50 * 2 % = 1.41
    assert limits[SOLD.label] == pytest.approx(119.50 - 2.40, abs=0.05)
    assert limits[BOUGHT.label] == pytest.approx(70.50 + 1.40, abs=0.05)
    worst = round((limits[SOLD.label] - limits[BOUGHT.label]) * 100) * 4 * 65
    assert entry.premium == worst
    assert plan.summary["premium"].tolist() == [worst / 100]


def test_hedges_go_first(made: MadeDesk):
    execution.place(made.desk, marked(made, made.spread()))
    first, second = sorted(made.broker.orders(), key=lambda order: int(order.order_id[1:]))
    assert (first.instrument_key, second.instrument_key) == (BOUGHT.key, SOLD.key)


def test_a_dry_run_leaves_nothing(made: MadeDesk):
    plan = marked(made, made.spread())
    output = execution.save(made.desk, "run", plan, None)
    assert "dry run" in output.result.warnings[-1]
    assert output.result.outputs == {"orders": 0, "fills": 0}
    assert not made.store.intents()
    assert not made.broker.orders()


def test_mode_alert_records_nothing(made: MadeDesk):
    plan = marked(made, made.spread())
    with pytest.raises(SettingsError, match="mode alert sends no order and records none"):
        execution.place(replace(made.desk, mode=Mode.ALERT), plan)
    assert made.store.intents() == []


def test_running_twice_changes_nothing_and_reports_it(made: MadeDesk):
    proposal = made.spread()
    execution.place(made.desk, marked(made, proposal))
    fills = made.store.fills()
    again = execution.plan_entries(made.desk, execution.load_marked(made.desk))
    placed = execution.place(made.desk, again)
    assert placed.filled == [proposal.strategy_id]
    assert made.store.fills() == fills
    output = execution.save(made.desk, "run", again, placed)
    assert output.result.counts["done"] == 1
    assert output.result.warnings == ("0 new orders; 1 strategy was already executed",)
    assert output.result.outputs == {"orders": 0, "fills": 0}
    assert output.tables["fills"].empty


def test_only_what_this_run_placed_is_reported(made: MadeDesk):
    first = made.spread()
    execution.place(made.desk, marked(made, first))
    sold = made.show(option(24_400, Right.PUT), 39_50, 40_50)
    bought = made.show(option(24_200, Right.PUT), 19_50, 20_50)
    second = made.propose([Leg(sold, Side.SELL, 1, 40_00), Leg(bought, Side.BUY, 1, 20_00)])
    plan = marked(made, first, second)
    output = execution.save(made.desk, "run", plan, execution.place(made.desk, plan))
    assert output.result.counts["done"] == 2
    assert output.result.outputs == {"orders": 2, "fills": 2}
    assert set(output.tables["fills"]["strategy_id"]) == {second.strategy_id}
    assert "1 strategy was already executed" in output.result.warnings


def test_an_engaged_kill_switch_is_mentioned(made: MadeDesk):
    kill(made.desk, "news", flatten=False, at=made.clock.now())
    plan = marked(made, made.spread())
    output = execution.save(made.desk, "run", plan, execution.place(made.desk, plan))
    assert "kill switch engaged: news" in output.result.warnings[-1]


def test_an_abandoned_entry_stays_refused_when_run_again(made: MadeDesk):
    proposal = made.spread()
    made.show(SOLD, 119_50, 120_50, size=65)  # one lot of four can be sold, and no more comes
    placed = execution.place(made.desk, marked(made, proposal))
    assert placed.abandoned == [proposal.strategy_id]
    assert not made.broker.positions()  # what had filled is sold off again
    unwound = [i for i in made.store.intents() if i.purpose is Purpose.UNWIND]
    assert unwound
    again = execution.plan_entries(made.desk, execution.load_marked(made.desk))
    output = execution.save(made.desk, "run", again, execution.place(made.desk, again))
    assert output.result.counts == {"universe": 1, "done": 0, "refused": 1}
    assert output.result.verdict is Verdict.PARTIAL


def test_a_partial_fill_is_completed_as_quotes_come(made: MadeDesk):
    proposal = made.spread()
    made.show(SOLD, 119_50, 120_50, size=2 * 65)
    plan = marked(made, proposal)
    seen: list[int] = []

    def wait(seconds: float) -> bool:
        seen.append(sum(-p.net_units for p in made.broker.positions() if p.net_units < 0))
        made.step(seconds)
        return True

    made.desk = replace(made.desk, clock=Stepping(made.clock, wait))
    placed = execution.place(made.desk, plan)
    assert placed.filled == [proposal.strategy_id]
    assert seen[0] == 2 * 65
    assert {p.instrument_key: p.net_units for p in made.broker.positions()} == {
        SOLD.key: -4 * 65, BOUGHT.key: 4 * 65,
    }  # fmt: skip


def test_an_entry_is_not_carried_into_another_day(made: MadeDesk):
    """Half sold when the day ends: the next morning it is given up, and nothing is left."""
    proposal = made.spread()
    made.clock.at = ist("2026-02-11 15:30")
    made.step(0)
    made.show(SOLD, 119_50, 120_50, size=2 * 65)
    over = Stepping(made.clock, lambda _seconds: False)
    made.desk = replace(made.desk, clock=over)
    placed = execution.place(made.desk, marked(made, proposal))
    assert placed.open == [proposal.strategy_id]
    assert placed.units[proposal.strategy_id] == (6 * 65, 8 * 65)
    made.clock.at = ist("2026-02-12 09:15")
    made.step(0)
    made.show(SOLD, 119_50, 120_50)
    with Lease(made.home, made.store) as lease:
        for _ in range(2):
            run_cycle(made.desk, lease, OrderRateLimiter(1e6), ManualClock(ist("2026-11-01 12:00")))
            made.step()
    entries = [i for i in made.store.intents() if i.purpose is Purpose.ENTRY]
    assert {i.attempt for i in entries} == {1}
    assert not made.broker.positions()
    assert any("abandoned" in text for _, text in made.alerts.texts)


def test_an_unsent_entry_is_not_sent_on_another_day(made: MadeDesk):
    """Recorded and killed before sending: the next day's watcher refuses it."""
    plan = marked(made, made.spread())
    for entry in plan.entries:
        made.store.record_intents(entry.intents)
    made.clock.at = ist("2026-02-12 09:15")
    made.step(0)
    with Lease(made.home, made.store) as lease:
        run_cycle(made.desk, lease, OrderRateLimiter(1e6), ManualClock(ist("2026-11-01 12:00")))
    assert not made.broker.orders()
    assert {i.state for i in made.store.intents()} == {IntentState.REFUSED}
    again = execution.plan_entries(made.desk, execution.load_marked(made.desk))
    output = execution.save(made.desk, "run", again, execution.place(made.desk, again))
    assert output.result.refused == {"entry day": 1}


class Stepping:
    """Clock that does something of its own when it waits."""

    speed = 1.0

    def __init__(self, clock: ManualClock, wait) -> None:
        self._clock, self.wait = clock, wait

    def now(self):
        return self._clock.now()


def test_a_strategy_without_a_price_is_refused_and_the_others_go(made: MadeDesk):
    good = made.spread()
    call = made.show(option(25_500), None, None)
    bad = made.propose([Leg(call, Side.BUY, 1, 80_00)], "long_call")
    plan = marked(made, bad, good)
    assert [row.template for row in plan.refused] == ["long_call"]
    placed = execution.place(made.desk, plan)
    output = execution.save(made.desk, "run", plan, placed)
    assert output.result.counts == {"universe": 2, "done": 1, "refused": 1}
    assert not made.store.intents(position_id=bad.strategy_id)  # it can be planned again


def test_the_kill_switch_refuses_at_planning(made: MadeDesk):
    proposal = made.spread()
    kill(made.desk, "news", flatten=False, at=made.clock.now())
    plan = marked(made, proposal)
    assert not plan.entries
    output = execution.save(made.desk, "run", plan, execution.place(made.desk, plan))
    assert output.result.refused == {"kill switch": 1}


def test_too_little_money_is_reported_before_and_nothing_naked_remains(made: MadeDesk):
    plan = marked(made, made.spread(), lots=60)
    poor = replace(plan, available=1)
    assert "is available" in poor.warnings[0]


def test_a_running_watcher_sends_and_the_clock_is_left_to_it(made: MadeDesk):
    plan = marked(made, made.spread())
    before = made.clock.now()
    rounds: list[float] = []
    with Lease(made.home, made.store) as lease:

        def pause(seconds: float) -> None:
            rounds.append(seconds)
            run_cycle(made.desk, lease, OrderRateLimiter(1e6), ManualClock(ist("2026-11-01 12:00")))

        placed = execution.place(made.desk, plan, pause=pause)
    assert placed.by_watcher
    assert len(placed.filled) == 1
    assert made.clock.now() == before
    output = execution.save(made.desk, "run", plan, placed)
    assert "the running watcher sent the orders" in output.result.warnings


def test_a_watcher_that_does_nothing_is_waited_for_only_so_long(made: MadeDesk):
    plan = marked(made, made.spread())
    rounds: list[float] = []
    with Lease(made.home, made.store):
        placed = execution.place(made.desk, plan, patience=3, pause=rounds.append)
    assert sum(rounds) == 3
    assert len(placed.open) == 1
    output = execution.save(made.desk, "run", plan, placed)
    assert output.result.refused == {"still working": 1}


def test_a_watcher_that_ends_gives_the_orders_back(made: MadeDesk):
    plan = marked(made, made.spread())
    lease = Lease(made.home, made.store).__enter__()
    placed = execution.place(made.desk, plan, pause=lambda _: lease.__exit__(None, None, None))
    assert len(placed.filled) == 1


def test_the_close_that_made_the_signal_is_never_traded_at(made: MadeDesk):
    proposal = made.spread()
    made.clock.at = ist(f"{DAY} 15:30")
    with pytest.raises(StageError, match="later prices"):
        marked(made, proposal)


def test_nothing_marked_names_the_command_that_marks(made: MadeDesk):
    with pytest.raises(StageError, match="strikeloom mark --all"):
        execution.load_marked(made.desk)
    with pytest.raises(StageError, match="SNOBODY"):
        execution.load_marked(made.desk, ["SNOBODY"])
