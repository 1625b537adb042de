"""Record an execution run."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from strikeloom.domain.counted import counted
from strikeloom.domain.frames import Schema
from strikeloom.domain.instruments import symbol_of
from strikeloom.domain.output import StageOutput
from strikeloom.domain.results import Stage, StageResult, Verdict
from strikeloom.execution.place import Placed
from strikeloom.execution.plan import EntryPlan
from strikeloom.ports.desk import Desk

if TYPE_CHECKING:
    import pandas as pd

#: One row per fill, price and charges in rupees.
FILLS = Schema(
    "fills",
    {
        "strategy_id": "text", "contract": "text", "symbol": "text", "side": "text",
        "units": "count", "price": "price", "charges": "price", "at": "time", "kind": "text",
    },
    (),
)  # fmt: skip
_LOG = logging.getLogger("strikeloom.execution")


def save(desk: Desk, run_id: str, plan: EntryPlan, placed: Placed | None) -> StageOutput:
    """Result of the run; ``placed`` is ``None`` on a dry run, which records and sends nothing.

    Every marked strategy counts as done (all its legs traded, now or in an earlier run) or as
    refused with its reason. Orders and fills are those of the strategies placed now.
    """
    refused = Counter(_reason_kind(row.reason) for row in plan.refused)
    warnings = list(plan.warnings)
    if placed is None:
        done = len(plan.entries) + len(plan.entered)
        warnings.append("dry run: nothing was sent")
    else:
        done = len(placed.filled)
        refused.update(_reasons(desk, placed))
        if placed.by_watcher:
            warnings.append("the running watcher sent the orders")
    warnings += _earlier(plan, placed)
    switch = desk.store.kill_switch()
    if switch.engaged:
        warnings.append(
            f"kill switch engaged: {switch.reason}; entries are refused until strikeloom resume"
        )
    count = sum(refused.values())
    now = [] if placed is None else list(plan.intents)
    orders = sum(len(desk.store.orders(position_id=name)) for name in now)
    fills = fills_table(desk, now)
    result = StageResult(
        run_id=run_id,
        stage=Stage.EXECUTION,
        market=desk.market,
        account=desk.account,
        day=desk.day,
        verdict=Verdict.PARTIAL if count else Verdict.DONE,
        counts={"universe": done + count, "done": done, "refused": count},
        refused=dict(refused),
        inputs={Stage.ALLOCATION.value: plan.upstream},
        outputs={"orders": orders, "fills": len(fills)},
        warnings=tuple(warnings),
    )
    tables = {"plan": plan.table, "summary": plan.summary, "fills": fills}
    return StageOutput(result, tables)


def _earlier(plan: EntryPlan, placed: Placed | None) -> list[str]:
    """What earlier runs did with the marked strategies."""
    open_ = set(placed.open) if placed else set()
    executed = [name for name in plan.entered if name not in open_]
    working = [name for name in plan.entered if name in open_]
    texts = []
    if executed:
        were = "was" if len(executed) == 1 else "were"
        new = "" if plan.entries else "0 new orders; "
        texts.append(f"{new}{counted(len(executed), 'strategy')} {were} already executed")
    if working:
        texts.append(f"{counted(len(working), 'strategy')} begun by an earlier run, still working")
    return texts


def _reasons(desk: Desk, placed: Placed) -> list[str]:
    """Reason for each strategy that did not become a position."""
    reasons = []
    for name in placed.open:
        filled, wanted = placed.units[name]
        reasons.append("partly filled, still working" if filled else "still working")
        if filled:
            _LOG.warning("%s has %d of %d units so far", name, filled, wanted)
    for name in placed.abandoned:
        notes = [i.note for i in desk.store.intents(position_id=name) if i.note]
        specific = [note for note in notes if not note.startswith("entry abandoned")]
        reasons.append(_reason_kind((specific or notes or ["not filled"])[0]))
    return reasons


def _reason_kind(reason: str) -> str:
    """Part of a reason before its colon, under which it is counted."""
    return reason.split(":", maxsplit=1)[0]


def fills_table(desk: Desk, strategy_ids: Sequence[str]) -> pd.DataFrame:
    """``FILLS`` of these strategies, in time order."""
    wanted = set(strategy_ids)
    by_name = {intent.correlation_id: intent for intent in desk.store.intents()}
    return FILLS.table(
        (
            by_name[f.correlation_id].position_id,
            by_name[f.correlation_id].instrument.label,
            symbol_of(f.instrument_key),
            f.side.word,
            f.units,
            f.price / 100,
            f.charges / 100,
            f.at,
            f.kind,
        )
        for f in desk.store.fills()
        if by_name[f.correlation_id].position_id in wanted
    )
