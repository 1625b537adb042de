"""Keep the volatility history and the ranks, and record the run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import date

from strikeloom.domain.output import StageOutput
from strikeloom.domain.results import Stage, StageResult, Verdict
from strikeloom.domain.volatility import IvSnapshot
from strikeloom.iv_history.rank import rank_days
from strikeloom.iv_history.summarise import METHOD
from strikeloom.ports.desk import Desk


def save(
    desk: Desk, run_id: str, days: Iterable[list[IvSnapshot]], *, holes: Sequence[date] = ()
) -> StageOutput:
    """Store each day as it comes (a stopped run keeps what it has), rank, and report.

    The counts are of the desk's day: every symbol of the universe is done or refused with its
    reason.
    """
    import pandas as pd

    touched: list[date] = []
    rows = 0
    for snapshots in days:
        rows += desk.store.save_iv(snapshots, METHOD)
        touched += [snapshots[0].day] if snapshots else []
    # a new day changes the standing of that day and of none before it
    ranked = sorted({*touched, desk.day})
    ranks = rank_days(desk, ranked)
    desk.store.save_ranks(ranks)
    history = desk.store.iv_history(desk.day, first=desk.day)
    refused = Counter(history.loc[history["atm_iv"].isna(), "reason"])
    done = int(history["atm_iv"].notna().sum())
    today = [row for row in ranks if row.day == desk.day]
    warnings = [f"{len(holes)} trading days have no file: {_span(holes)}"] if holes else []
    short = sum(1 for row in today if row.percentile is None and row.atm_iv is not None)
    if short:
        warnings.append(f"{short} symbols have too few days for a percentile")
    result = StageResult(
        run_id=run_id,
        stage=Stage.IV_HISTORY,
        market=desk.market,
        account=desk.account,
        day=desk.day,
        verdict=Verdict.PARTIAL if refused else Verdict.DONE,
        counts={"universe": len(history), "done": done, "refused": sum(refused.values())},
        refused=dict(refused),
        outputs={"days": len(touched), "historical_iv_summary": rows, "iv_percentiles": len(ranks)},
        warnings=tuple(warnings),
        versions={"method": METHOD},
    )
    table = pd.DataFrame([asdict(row) for row in today])
    return StageOutput(result, {"historical_iv_summary": history, "iv_percentiles": table})


def _span(days: Sequence[date]) -> str:
    shown = ", ".join(str(day) for day in days[:5])
    return shown if len(days) <= 5 else f"{shown} and {len(days) - 5} more"
