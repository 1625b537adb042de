"""On a synthetic market, run what a stage needs and does not find. Says what it runs."""

from __future__ import annotations

from datetime import datetime

from strikeloom import allocation, iv_history, strategy_creation
from strikeloom.domain.results import Stage
from strikeloom.ports.desk import Desk
from strikeloom.ports.store import MarkRow


def ensure_upstream(desk: Desk, stage: Stage) -> None:
    """Run each missing stage before ``stage``, first things first."""
    before = [s for s in Stage if list(Stage).index(s) < list(Stage).index(stage)]
    for item in before:
        if item is Stage.EXECUTION or desk.store.latest_run(item, desk.day) is not None:
            continue
        print(f"{item.value} has not run for {desk.day} on {desk.market}: running it once")  # noqa: T201
        _RUN[item](desk, f"upstream-{item.value}-{desk.day}")
    if stage is Stage.EXECUTION and not desk.store.marks(desk.day):
        mark_allocated(desk, desk.clock.now())


def mark_allocated(desk: Desk, at: datetime) -> int:
    """Mark every allocated strategy of the day. Returns the new marks."""
    plan = desk.store.allocation(desk.day)
    rows = plan.rows if plan else ()
    return desk.store.mark(
        [
            MarkRow(row.strategy_id, desk.day, row.lots, number, "", at)
            for number, row in enumerate(rows, start=1)
        ]
    )


def _iv_history(desk: Desk, run_id: str) -> None:
    missing, holes = iv_history.missing_days(desk)
    output = iv_history.save(desk, run_id, iv_history.summarise_days(desk, missing), holes=holes)
    desk.store.finish_run(output.result, desk.clock.now())


def _strategy_creation(desk: Desk, run_id: str) -> None:
    loaded = strategy_creation.load_chains(desk)
    views, unseen = strategy_creation.form_views(desk, loaded)
    structures, unbuilt = strategy_creation.build(desk, loaded, views)
    risks = strategy_creation.evaluate(structures)
    proposals, unfit = strategy_creation.score(desk, structures, risks)
    output = strategy_creation.save(desk, run_id, loaded, proposals, unseen, unbuilt, unfit)
    desk.store.finish_run(output.result, desk.clock.now())


def _allocation(desk: Desk, run_id: str) -> None:
    candidates, source = allocation.load_candidates(desk)
    plan = allocation.allocate(desk, candidates)
    output = allocation.save(desk, run_id, plan, source)
    desk.store.finish_run(output.result, desk.clock.now())


_RUN = {
    Stage.IV_HISTORY: _iv_history,
    Stage.STRATEGY_CREATION: _strategy_creation,
    Stage.ALLOCATION: _allocation,
}
