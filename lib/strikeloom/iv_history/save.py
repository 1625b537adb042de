"""Store the volatility history and the ranks, and record the run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date

from strikeloom.domain.output import StageOutput
from strikeloom.domain.results import Stage, StageResult, Verdict
from strikeloom.errors import DataError
from strikeloom.iv_history.day import METHOD
from strikeloom.iv_history.load import SUMMARY, Gaps
from strikeloom.iv_history.pairs import PAIR_CHANGES, latest_pairs, sentence
from strikeloom.iv_history.rank import RANKED, rank_days, rank_table
from strikeloom.ports.desk import Desk
from strikeloom.ports.workers import Done


def keep(desk: Desk, day: date) -> int:
    """Copy the summary of a day, written by a worker, into the store. Returns its rows."""
    return desk.store.save_iv(desk.partitions.read(day, SUMMARY), METHOD)


def save(desk: Desk, run_id: str, gaps: Gaps, collected: Iterable[Done]) -> StageOutput:
    """Collect the missing days (a stopped run keeps those done), rank, and report.

    The counts are of the desk's day: every symbol of the universe is done, or refused with its
    reason.

    Raises
    ------
    DataError
        When the desk's own day failed; the other days are kept.
    """
    outcomes = list(collected)
    changed = [item.item for item in outcomes if not item.error]
    failed = {item.item: item.error for item in outcomes if item.error}
    if desk.day in failed:
        raise DataError(f"{desk.day} could not be computed: {failed[desk.day]}")
    ranks = rank_days(desk, _to_rank(desk, changed))
    desk.store.save_ranks(ranks)
    history = desk.store.iv_history(desk.day, first=desk.day)
    refused = Counter(history.loc[history[RANKED].isna(), "reason"])
    done = int(history[RANKED].notna().sum())
    today = [row for row in ranks if row.day == desk.day]
    warnings = [f"{day} could not be computed: {why}" for day, why in sorted(failed.items())]
    if gaps.holes:
        warnings.append(f"{len(gaps.holes)} trading days have no file: {_span(gaps.holes)}")
    short = sum(1 for row in today if row.percentile is None and row.atm_iv is not None)
    if short:
        warnings.append(f"{short} symbols have too few days for a percentile")
    pairs = latest_pairs(desk)
    if moved := sentence(pairs):
        warnings.append(moved)
    result = StageResult(
        run_id=run_id,
        stage=Stage.IV_HISTORY,
        market=desk.market,
        account=desk.account,
        day=desk.day,
        verdict=Verdict.PARTIAL if refused or failed else Verdict.DONE,
        counts={"universe": len(history), "done": done, "refused": sum(refused.values())},
        refused=dict(refused),
        outputs={"days": len(changed), "iv_percentiles": len(ranks)},
        warnings=tuple(warnings),
        versions={"method": METHOD},
    )
    tables = {
        "historical_iv_summary": history,
        "iv_percentiles": rank_table(today),
        PAIR_CHANGES.name: pairs,
    }
    return StageOutput(result, tables)


def _to_rank(desk: Desk, changed: Sequence[date]) -> list[date]:
    """Days whose ranks change, ascending.

    A day changes its own ranks and those of later days. Days that a stopped run had computed
    were not ranked by it; days ranked over other windows than those of the settings are again.
    """
    stored = desk.store.iv_history(desk.day, columns=("symbol", "day"))
    days = {stamp.date() for stamp in stored["day"].unique()}
    if stored.empty:
        return [desk.day]
    # a day is ranked for all symbols at once: the symbol with most days covers nearly all
    name = str(stored["symbol"].value_counts().idxmax())
    own = {stamp.date() for stamp in stored.loc[stored["symbol"] == name, "day"]}
    windows = sorted(desk.settings.iv.windows.items())
    ranked = {
        rank.day
        for rank in desk.store.rank_history(name, desk.day)
        if [(window.sessions, window.needed) for window in rank.windows] == windows
    }
    first = min({*changed, desk.day, *(own - ranked)})
    return sorted(day for day in {*days, desk.day} if day >= first)


def _span(days: Sequence[date]) -> str:
    shown = ", ".join(str(day) for day in days[:5])
    return shown if len(days) <= 5 else f"{shown} and {len(days) - 5} more"
