"""Check that the stages before a stage have run for the same day, in their order."""

from __future__ import annotations

import sys
from collections.abc import Callable

from strikeloom import allocation, iv_history, strategy_creation
from strikeloom.adapters.system_clock import SystemClock
from strikeloom.desk.marks import mark
from strikeloom.desk.runs import new_run_id
from strikeloom.desk.workers import open_workers
from strikeloom.domain.market_names import is_synthetic
from strikeloom.domain.output import StageOutput
from strikeloom.domain.results import Stage
from strikeloom.errors import StageError
from strikeloom.ports.desk import Desk


def ensure_upstream(desk: Desk, stage: Stage) -> None:
    """Check that everything ``stage`` reads has run for the desk's day.

    On a synthetic market what is missing is run now, with a note on standard error. For
    ``execution`` the plan is also marked when nothing is, on the markets that ``mark_plan`` of
    ``config/execution.yaml`` names.

    Raises
    ------
    StageError
        On any other market: which run is missing or stale, and the command to run.
    """
    order = list(Stage)
    synthetic = is_synthetic(desk.market)
    for step in order[: order.index(stage)]:
        reason = _lacking(desk, step) if step in _RUN else ""
        if not reason:
            continue
        if not synthetic:
            raise StageError(
                f"{stage} of {desk.day} on market {desk.market}: {reason}; run strikeloom run "
                f"{step} --date {desk.day}"
            )
        _note(f"{reason}; running {step} of {desk.day} on {desk.market} first")
        _run(desk, step)
    rule = desk.settings.execution.mark_plan
    marks_plan = rule == "always" or (rule == "synthetic" and synthetic)
    if stage is Stage.EXECUTION and marks_plan and not desk.store.marks(desk.day):
        rows, _ = mark(desk)
        _note(f"nothing was marked for {desk.day}; marked the {len(rows)} strategies of the plan")


def _lacking(desk: Desk, step: Stage) -> str:
    """Why a step's run cannot be used; empty when it can."""
    run = desk.store.latest_run(step, desk.day)
    if run is None:
        return f"{step} has no finished run"
    before = step.upstream
    source = None if before is None else desk.store.latest_run(before, desk.day)
    if before is not None and source is not None and run.inputs.get(before) != source.run_id:
        return f"the last run of {step} is older than the last run of {before}"
    return ""


def _run(desk: Desk, step: Stage) -> None:
    real = SystemClock()
    run_id = new_run_id(desk.day, step, real.now())
    desk.store.finish_run(_RUN[step](desk, run_id).result, real.now())


def _iv_history(desk: Desk, run_id: str) -> StageOutput:
    gaps = iv_history.find_gaps(desk)
    collected = iv_history.collect(desk, gaps, open_workers(len(gaps.todo), processes=1))
    return iv_history.save(desk, run_id, gaps, collected)


def _strategy_creation(desk: Desk, run_id: str) -> StageOutput:
    loaded = strategy_creation.load_chains(desk)
    views, unseen = strategy_creation.form_views(desk, loaded)
    built = strategy_creation.build(desk, loaded, views)
    chosen = strategy_creation.choose(desk, built)
    proposals = strategy_creation.propose(desk, chosen)
    outcomes = [*unseen, *chosen.outcomes]
    return strategy_creation.save(desk, run_id, loaded, proposals, outcomes, built.fronts)


def _allocation(desk: Desk, run_id: str) -> StageOutput:
    candidates, upstream = allocation.load_candidates(desk)
    return allocation.save(desk, run_id, allocation.allocate(desk, candidates), upstream)


def _note(text: str) -> None:
    sys.stderr.write(f"{text}\n")


_RUN: dict[Stage, Callable[[Desk, str], StageOutput]] = {
    Stage.IV_HISTORY: _iv_history,
    Stage.STRATEGY_CREATION: _strategy_creation,
    Stage.ALLOCATION: _allocation,
}
