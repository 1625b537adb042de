"""Store a plan and record the run."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from strikeloom.allocation.divide import refusal_kind
from strikeloom.domain.allocations import AllocationPlan
from strikeloom.domain.frames import Schema
from strikeloom.domain.money import rupees_text
from strikeloom.domain.output import StageOutput
from strikeloom.domain.results import Stage, StageResult, Verdict
from strikeloom.ports.desk import Desk

if TYPE_CHECKING:
    import pandas as pd

#: One row a strategy; ``capital`` to ``expected_income`` in rupees, ``refused`` is the
#: reason for no lots.
ALLOCATIONS = Schema(
    "allocations",
    {
        "strategy_id": "text", "symbol": "text", "template": "text", "sector": "text",
        "tier": "text", "stance": "text", "lots": "count", "capital": "price",
        "max_loss": "price", "expected_income": "price", "score": "number", "refused": "text",
    },
    ("strategy_id",),
)  # fmt: skip


def save(
    desk: Desk, run_id: str, plan: AllocationPlan, upstream: str, *, dry_run: bool = False
) -> StageOutput:
    """Store the plan (not on a dry run) and report; the shortfall is a warning, not a failure."""
    if not dry_run:
        desk.store.save_allocation(run_id, plan)
    refused = Counter(refusal_kind(row.reason) for row in plan.refused)
    warnings = []
    if plan.shortfall:
        warnings.append(
            f"expected income {rupees_text(plan.expected_income)} a month misses the target "
            f"{rupees_text(plan.target_income)} by {rupees_text(plan.shortfall)}"
        )
    result = StageResult(
        run_id=run_id,
        stage=Stage.ALLOCATION,
        market=desk.market,
        account=desk.account,
        day=desk.day,
        verdict=Verdict.DONE,
        counts={
            "universe": len(plan.rows) + len(plan.refused),
            "done": len(plan.rows),
            "refused": len(plan.refused),
        },
        refused=dict(refused),
        inputs={Stage.STRATEGY_CREATION.value: upstream},
        outputs={"lots": sum(row.lots for row in plan.rows)} | ({"dry_run": 1} if dry_run else {}),
        warnings=tuple(warnings),
    )
    return StageOutput(result, {"allocations": plan_table(plan)})


def plan_table(plan: AllocationPlan) -> pd.DataFrame:
    """One row a strategy, refused ones with their reason; money in rupees."""
    given = [
        (
            row.strategy_id,
            row.symbol,
            row.template,
            row.sector,
            row.tier.value,
            row.stance.value,
            row.lots,
            row.capital / 100,
            float("inf") if row.max_loss is None else row.max_loss / 100,
            row.expected_income / 100,
            row.score,
            "",
        )
        for row in plan.rows
    ]
    refused = [
        (row.strategy_id, row.symbol, row.template, "", "", "", 0, 0.0, 0.0, 0.0, None, row.reason)
        for row in plan.refused
    ]
    return ALLOCATIONS.table([*given, *refused])
