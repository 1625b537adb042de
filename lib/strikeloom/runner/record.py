"""The record of a run: ``runs/<date>/<stage>/<HHMMSS-id>/``.

A run's id is its folder under the runs' root. The process that runs it holds a file lock in the
folder; a run that is still ``running`` in the store while the lock is free has died.
"""

from __future__ import annotations

import importlib.metadata
import json
import logging
import platform
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from strikeloom.adapters.system_clock import SystemClock
from strikeloom.desk.places import places
from strikeloom.desk.runs import new_run_id
from strikeloom.domain.output import StageOutput
from strikeloom.domain.results import Stage, StageResult, Verdict
from strikeloom.errors import SettingsError
from strikeloom.ports.desk import Desk

_LOG = logging.getLogger("strikeloom")
_LOCK_FILE = ".running"


@dataclass(frozen=True)
class Run:
    """One run and its folder.

    Attributes
    ----------
    keep : bool
        Whether the run is recorded in the store. A dry run leaves only its folder, which no
        later stage reads.
    lock : filelock.FileLock, optional
        Held by the process that began the run, until it ends.
    """

    run_id: str
    stage: Stage
    folder: Path
    keep: bool = True
    lock: FileLock | None = field(default=None, repr=False, compare=False)


def new_run(desk: Desk, stage: Stage, *, keep: bool = True) -> Run:
    """Make a folder, hold its lock, and record in the store that the run has begun."""
    at = SystemClock().now()
    run_id = new_run_id(desk.day, stage, at)
    folder = places().runs / run_id
    (folder / "tables").mkdir(parents=True)
    lock = FileLock(folder / _LOCK_FILE)
    lock.acquire()
    if keep:
        desk.store.start_run(run_id, stage, desk.day, at)
    return Run(run_id, stage, folder, keep, lock)


def begin_run(desk: Desk, stage: str, run_folder: str = "", *, keep: bool = True) -> Run:
    """Begin a run inside a notebook: in the runner's folder, or in one of its own.

    The package's log goes to ``log.jsonl`` of the folder from here on.

    Raises
    ------
    SettingsError
        When ``run_folder`` is not a folder.
    """
    kind = Stage(stage)
    if run_folder:
        folder = Path(run_folder)
        if not folder.is_dir():
            raise SettingsError(f"run_folder {run_folder!r} is not a folder; leave it empty")
        run = Run("/".join(folder.parts[-3:]), kind, folder, keep)
    else:
        run = new_run(desk, kind, keep=keep)
    log_to(run)
    _LOG.info("%s of %s begins on market %s", kind.value, desk.day, desk.market)
    return run


def finish_run(desk: Desk, run: Run, output: StageOutput) -> StageResult:
    """Write the result and the tables, and close the run in the store."""
    for name, frame in output.tables.items():
        frame.to_parquet(run.folder / "tables" / f"{name}.parquet", index=False)
    result = output.result.model_copy(
        update={"versions": {**output.result.versions, **_versions()}}
    )
    close_run(desk, run, result)
    return result


def fail_run(desk: Desk, run: Run, error: str) -> StageResult:
    """Write the record of a run that failed."""
    result = StageResult(
        run_id=run.run_id,
        stage=run.stage,
        market=desk.market,
        account=desk.account,
        day=desk.day,
        verdict=Verdict.FAILED,
        counts={},
        versions=_versions(),
        error=error,
    )
    close_run(desk, run, result)
    return result


def close_run(desk: Desk, run: Run, result: StageResult) -> None:
    """Write ``result.json`` atomically, then the store, then release the lock."""
    part = run.folder / ".result.part"
    part.write_text(result.model_dump_json(indent=2) + "\n", encoding="utf-8")
    part.replace(run.folder / "result.json")
    if run.keep:
        desk.store.finish_run(result, SystemClock().now())
    level = logging.ERROR if result.verdict is Verdict.FAILED else logging.INFO
    _LOG.log(level, "%s: %s", result.verdict.value, result.error or result.counts)
    release(run)


def release(run: Run) -> None:
    """End the run's log and release its lock."""
    _end_logs(run.folder)
    if run.lock is not None:
        run.lock.release()
        (run.folder / _LOCK_FILE).unlink(missing_ok=True)


def close_dead_runs(desk: Desk) -> list[str]:
    """Close runs whose process ended without closing them. Returns their ids."""
    dead = []
    for row in desk.store.runs():
        folder = places().runs / str(row["run_id"])
        if row["verdict"] != "running" or _is_held(folder):
            continue
        run = Run(str(row["run_id"]), Stage(str(row["stage"])), folder)
        folder.mkdir(parents=True, exist_ok=True)
        fail_run(desk, run, "its process ended unexpectedly: killed, or the machine stopped")
        (folder / _LOCK_FILE).unlink(missing_ok=True)
        dead.append(run.run_id)
    return dead


def log_to(run: Run) -> None:
    """Send the package's log to the run's ``log.jsonl``, and to no other run's."""
    _end_logs()
    _LOG.addHandler(_RunLog(run.folder / "log.jsonl"))
    _LOG.setLevel(logging.INFO)


def _end_logs(folder: Path | None = None) -> None:
    """Send the package's log to no run's folder, or not to this one, any more."""
    for old in [h for h in _LOG.handlers if isinstance(h, _RunLog)]:
        if folder is None or Path(old.baseFilename).parent == folder.absolute():
            _LOG.removeHandler(old)
            old.close()
            _LOG.setLevel(logging.NOTSET)


def _is_held(folder: Path) -> bool:
    if not (folder / _LOCK_FILE).exists():
        return False
    try:
        with FileLock(folder / _LOCK_FILE, timeout=0):
            return False
    except Timeout:
        return True


def _versions() -> dict[str, str]:
    return {
        "strikeloom": importlib.metadata.version("strikeloom"),
        "python": platform.python_version(),
    }


class _RunLog(logging.FileHandler):
    """One JSON object a line."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, encoding="utf-8")
        self.setFormatter(_JsonLines())


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        body: dict[str, Any] = {
            "at": SystemClock().now().isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "from": record.name,
            "text": record.getMessage(),
        }
        return json.dumps(body, ensure_ascii=False)
