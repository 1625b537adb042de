"""Each stage over the whole real universe, one day, through papermill, against its bar.

    .venv/bin/python benchmarks/stage_runs.py ../shared/data

Needs a folder with the exchange's files (``fo_bhavcopy/udiff``, ``cm_bhavcopy``, ``indices``).
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DAY, BAR = "2026-02-10", 15.0


def main(data: Path) -> None:
    """Import, run the four stages twice, and print seconds and counts."""
    from strikeloom.adapters.bhavcopy.importer import import_paths
    from strikeloom.desk import mark, open_desk, places
    from strikeloom.desk.markets import EXCHANGE, open_history
    from strikeloom.domain.results import Stage
    from strikeloom.runner import run_stage

    history = open_history(EXCHANGE, places())
    begun = time.monotonic()
    report = import_paths(
        [data / "fo_bhavcopy" / "udiff", data / "cm_bhavcopy", data / "indices"], history
    )
    rows = sum(item.rows for item in report.files)
    print(f"import: {len(report.files)} files, {rows:,} rows, {time.monotonic() - begun:.1f} s")
    desk = open_desk(EXCHANGE, DAY)
    ids: list[set[str]] = []
    for turn in ("first", "again"):
        for stage in list(Stage)[:4]:
            # all days before are summarised once; the bar is for one day
            if turn == "first" and stage is Stage.IV_HISTORY:
                run_stage(open_desk(EXCHANGE, "2026-02-09"), stage, {})
            if stage is Stage.EXECUTION:
                mark(desk)
            begun = time.monotonic()
            result, _ = run_stage(desk, stage, {})
            took = time.monotonic() - begun
            print(
                f"{turn:<6}{stage.value:<18}{took:5.1f} s, {took / BAR:.2f} of the bar; "
                f"{result.verdict.value} {result.counts} {result.error}"
            )
        ids.append({row.strategy_id for row in desk.store.proposals(desk.day)})
    print(f"same {len(ids[0])} strategies both times: {ids[0] == ids[1]}")


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        sys.exit(f"no exchange files in {folder}; name their folder")
    with tempfile.TemporaryDirectory() as top:
        os.environ["STRIKELOOM_HOME"] = str(Path(top) / "home")
        os.environ["STRIKELOOM_RUNS"] = str(Path(top) / "runs")
        main(folder)
