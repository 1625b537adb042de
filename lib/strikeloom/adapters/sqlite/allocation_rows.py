"""Allocation plans in the store."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date

from strikeloom.adapters.sqlite.rows import insert
from strikeloom.adapters.sqlite.store_part import StorePart
from strikeloom.domain.allocations import AllocationPlan, AllocationRefusal, AllocationRow
from strikeloom.domain.templates import Stance, Tier


class AllocationRows(StorePart):
    """The allocation part of ``ports.store.MarketStore``."""

    def save_allocation(self, run_id: str, plan: AllocationPlan) -> None:
        """Store a plan; the latest of the day is the current one."""
        head = {
            **self.key,
            "run_id": run_id,
            "day": plan.day.isoformat(),
            "capital": plan.capital,
            "cash_left": plan.cash_left,
            "expected_income": plan.expected_income,
            "target_income": plan.target_income,
            "binding": json.dumps(plan.binding),
        }
        rows = [
            {
                **self.key,
                "run_id": run_id,
                **asdict(row),
                "tier": row.tier.value,
                "stance": row.stance.value,
            }
            for row in plan.rows
        ]
        refused = [
            {
                **self.key,
                "run_id": run_id,
                "strategy_id": row.strategy_id,
                "symbol": row.symbol,
                "template": row.template,
                "lots": 0,
                "capital": 0,
                "expected_income": 0,
                "score": 0.0,
                "refused": row.reason,
            }
            for row in plan.refused
        ]
        with self.db.transaction() as db:
            db.execute(insert("allocation_runs", head), head)
            for values in (rows, refused):
                if values:
                    db.executemany(insert("allocations", values[0]), values)

    def allocation(self, day: date) -> AllocationPlan | None:
        """Current plan of the account for the day."""
        heads = self.db.rows(
            "SELECT * FROM allocation_runs WHERE market = ? AND account = ? AND day = ? "
            "ORDER BY seq DESC LIMIT 1",
            (*self.pair, day.isoformat()),
        )
        if not heads:
            return None
        head = heads[0]
        rows = self.db.rows(
            "SELECT * FROM allocations WHERE market = ? AND account = ? AND run_id = ? "
            "ORDER BY capital DESC, strategy_id",
            (*self.pair, head["run_id"]),
        )
        return AllocationPlan(
            account=self.account,
            day=day,
            capital=head["capital"],
            rows=tuple(
                AllocationRow(
                    r["strategy_id"],
                    r["symbol"],
                    r["template"],
                    r["sector"],
                    Tier(r["tier"]),
                    Stance(r["stance"]),
                    r["lots"],
                    r["capital"],
                    r["max_loss"],
                    r["expected_income"],
                    r["score"],
                )
                for r in rows
                if not r["refused"]
            ),
            refused=tuple(
                AllocationRefusal(r["strategy_id"], r["symbol"], r["template"], r["refused"])
                for r in rows
                if r["refused"]
            ),
            cash_left=head["cash_left"],
            expected_income=head["expected_income"],
            target_income=head["target_income"],
            binding=tuple(json.loads(head["binding"])),
        )
