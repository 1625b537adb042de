"""Keep a plan and record the run."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from strikeloom.domain.allocations import AllocationPlan
from strikeloom.domain.money import rupees_text
from strikeloom.domain.output import StageOutput
from strikeloom.domain.results import Stage, StageResult, Verdict
from strikeloom.ports.desk import Desk

if TYPE_CHECKING:
    import pandas as pd


def save(
    desk: Desk, run_id: str, plan: AllocationPlan, upstream: str, *, dry_run: bool = False
) -> StageOutput:
    """Store the plan (not on a dry run) and report; the shortfall is a warning, not a failure."""
    if not dry_run:
        desk.store.save_allocation(run_id, plan)
    refused = Counter(row.reason for row in plan.refused)
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
        outputs={"lots": sum(row.lots for row in plan.rows), "dry_run": int(dry_run)},
        warnings=tuple(warnings),
    )
    return StageOutput(result, {"allocations": plan_table(plan)})


def plan_table(plan: AllocationPlan) -> pd.DataFrame:
    """One row a strategy, refused ones with their reason; money in rupees."""
    import pandas as pd

    rows = [
        {
            "strategy_id": row.strategy_id,
            "symbol": row.symbol,
            "template": row.template,
            "sector": row.sector,
            "tier": row.tier.value,
            "stance": row.stance.value,
            "lots": row.lots,
            "capital": row.capital / 100,
            "max_loss": float("inf") if row.max_loss is None else row.max_loss / 100,
            "expected_income": row.expected_income / 100,
            "score": row.score,
            "refused": "",
        }
        for row in plan.rows
    ]
    rows += [
        {
            "strategy_id": row.strategy_id,
            "symbol": row.symbol,
            "template": row.template,
            "sector": "",
            "tier": "",
            "stance": "",
            "lots": 0,
            "capital": 0.0,
            "max_loss": 0.0,
            "expected_income": 0.0,
            "score": float("nan"),
            "refused": row.reason,
        }
        for row in plan.refused
    ]
    return pd.DataFrame(rows)
