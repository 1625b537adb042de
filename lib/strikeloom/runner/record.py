"""What a run leaves behind: ``runs/<date>/<stage>/<time-id>/``."""

from __future__ import annotations

import json
import logging
import os
import secrets
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from strikeloom.adapters.system_clock import SystemClock
from strikeloom.domain.output import StageOutput
from strikeloom.domain.results import Stage, StageResult
from strikeloom.ports.desk import Desk
from strikeloom.settings.all import project_root

_LOG = logging.getLogger("strikeloom")


@dataclass(frozen=True)
class Run:
    """One run and its folder."""

    run_id: str
    stage: Stage
    folder: Path


def runs_root() -> Path:
    """``STRIKELOOM_RUNS``, else ``runs`` of the project."""
    given = os.environ.get("STRIKELOOM_RUNS")
    return Path(given).expanduser() if given else project_root() / "runs"


def new_run(stage: Stage, day: date) -> Run:
    """Make a folder for a run."""
    run_id = f"{SystemClock().now():%H%M%S}-{secrets.token_hex(3)}"
    folder = runs_root() / day.isoformat() / stage.value / run_id
    (folder / "tables").mkdir(parents=True)
    return Run(run_id, stage, folder)


def begin_run(desk: Desk, stage: str, run_folder: str = "") -> Run:
    """Begin a run inside a notebook: in the runner's folder, or in one of its own.

    The package's log goes to ``log.jsonl`` of the folder.
    """
    kind = Stage(stage)
    if run_folder:
        folder = Path(run_folder)
        run = Run(folder.name, kind, folder)
    else:
        run = new_run(kind, desk.day)
        desk.store.start_run(run.run_id, kind, desk.day, SystemClock().now())
    handler = logging.FileHandler(run.folder / "log.jsonl", encoding="utf-8")
    handler.setFormatter(_JsonLines())
    _LOG.addHandler(handler)
    _LOG.setLevel(logging.INFO)
    _LOG.info("%s begins on %s for %s", stage, desk.market, desk.day)
    return run


def finish_run(desk: Desk, run: Run, output: StageOutput) -> StageResult:
    """Write the result and the tables, and close the run in the store."""
    for name, frame in output.tables.items():
        frame.to_parquet(run.folder / "tables" / f"{name}.parquet", index=False)
    write_result(run, output.result)
    desk.store.finish_run(output.result, SystemClock().now())
    _LOG.info("%s is %s: %s", run.stage.value, output.result.verdict, output.result.counts)
    return output.result


def write_result(run: Run, result: StageResult) -> None:
    """Write ``result.json``, whole or not at all."""
    part = run.folder / ".result.json.part"
    part.write_text(result.model_dump_json(indent=2) + "\n", encoding="utf-8")
    part.replace(run.folder / "result.json")


class _JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        body: dict[str, Any] = {
            "at": SystemClock().now().isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "text": record.getMessage(),
        }
        return json.dumps(body, ensure_ascii=False)
