"""Stage runs in the store."""

from __future__ import annotations

from datetime import date, datetime

from strikeloom.adapters.sqlite.rows import insert
from strikeloom.adapters.sqlite.store_part import StorePart
from strikeloom.domain.results import Stage, StageResult, Verdict


class RunRows(StorePart):
    """``ports.store.RunStore``."""

    def start_run(self, run_id: str, stage: Stage, day: date, at: datetime) -> None:
        """Record that a run has begun."""
        values = {
            **self.key,
            "run_id": run_id,
            "stage": stage.value,
            "day": day.isoformat(),
            "verdict": "running",
            "started": at.isoformat(),
        }
        with self.db.transaction() as db:
            db.execute(insert("runs", values), values)

    def finish_run(self, result: StageResult, at: datetime) -> None:
        """Record how a run ended (also one that was never started)."""
        values = {
            **self.key,
            "run_id": result.run_id,
            "stage": result.stage.value,
            "day": result.day.isoformat(),
            "verdict": result.verdict.value,
            "started": at.isoformat(),
            "finished": at.isoformat(),
            "result": result.model_dump_json(),
            "error": result.error,
        }
        conflict = (
            "ON CONFLICT (market, account, run_id) DO UPDATE SET verdict = :verdict, "
            "finished = :finished, result = :result, error = :error"
        )
        with self.db.transaction() as db:
            db.execute(insert("runs", values, conflict=conflict), values)

    def latest_run(self, stage: Stage, day: date) -> StageResult | None:
        """Latest run of the stage for the trade date that ended done or partial."""
        found = self.db.rows(
            "SELECT result FROM runs WHERE market = ? AND account = ? AND stage = ? AND day = ? "
            "AND verdict IN (?, ?) ORDER BY finished DESC, rowid DESC LIMIT 1",
            (*self.pair, stage.value, day.isoformat(), Verdict.DONE, Verdict.PARTIAL),
        )
        return StageResult.model_validate_json(found[0]["result"]) if found else None

    def runs(self, limit: int = 50) -> list[dict[str, object]]:
        """Runs, newest first."""
        found = self.db.rows(
            "SELECT run_id, stage, day, verdict, started, finished, error FROM runs "
            "WHERE market = ? AND account = ? ORDER BY rowid DESC LIMIT ?",
            (*self.pair, limit),
        )
        return [dict(row) for row in found]
