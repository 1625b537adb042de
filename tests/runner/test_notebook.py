"""Real kernels, small notebooks: what a run leaves when it ends well, fails, or is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import nbformat
import pandas as pd
import pytest
import yaml

from strikeloom.domain.results import Stage, StageResult, Verdict
from strikeloom.errors import SettingsError
from strikeloom.ports.desk import Desk
from strikeloom.runner import run_stage
from strikeloom.runner.record import close_dead_runs
from support.small_notebooks import SAVES

Write = Callable[..., None]

pytestmark = pytest.mark.xdist_group("kernels")


def _runs(desk: Desk) -> list[tuple[str, str]]:
    return [(str(row["stage"]), str(row["verdict"])) for row in desk.store.runs()]


def test_a_run_leaves_its_folder(desk: Desk, write: Write) -> None:
    write(SAVES)
    result, run = run_stage(desk, Stage.ALLOCATION, {"capital": "5"})
    assert result.verdict is Verdict.DONE
    assert sorted(p.name for p in run.folder.iterdir()) == [
        "03_allocation.ipynb", "log.jsonl", "parameters.yaml", "result.json", "tables",
    ]  # fmt: skip
    assert run.run_id == "/".join(run.folder.parts[-3:])
    assert run.run_id.startswith("2026-06-10/allocation/")
    assert yaml.safe_load((run.folder / "parameters.yaml").read_text()) == {
        "capital": 5, "market": "synthetic-7", "day": "2026-06-10",
    }  # fmt: skip
    kept = StageResult.model_validate_json((run.folder / "result.json").read_text())
    assert kept == result
    assert kept.counts == {"universe": 3, "done": 2, "refused": 1}
    assert {"strikeloom", "python"} <= set(kept.versions)
    assert pd.read_parquet(run.folder / "tables" / "numbers.parquet")["capital"].tolist() == [5]
    log = [json.loads(line) for line in (run.folder / "log.jsonl").read_text().splitlines()]
    assert log
    assert all({"at", "level", "from", "text"} == set(line) for line in log)
    latest = desk.store.latest_run(Stage.ALLOCATION, desk.day)
    assert latest is not None
    assert latest.run_id == run.run_id


def test_a_failing_notebook_leaves_the_same_with_the_error(desk: Desk, write: Write) -> None:
    write("from strikeloom.errors import StageError\nraise StageError('upstream is missing')")
    result, run = run_stage(desk, Stage.ALLOCATION)
    assert result.verdict is Verdict.FAILED
    assert result.error == "upstream is missing"
    left = {path.name for path in run.folder.iterdir()}
    assert left == {"03_allocation.ipynb", "log.jsonl", "parameters.yaml", "result.json", "tables"}
    cells = nbformat.read(run.folder / "03_allocation.ipynb", as_version=4).cells
    assert any(o.output_type == "error" for c in cells for o in c.get("outputs", []))
    assert _runs(desk) == [("allocation", "failed")]
    assert desk.store.latest_run(Stage.ALLOCATION, desk.day) is None


def test_a_failure_after_the_result_is_a_failure(desk: Desk, write: Write) -> None:
    write(SAVES, "1 / 0")
    result, _ = run_stage(desk, Stage.ALLOCATION)
    assert result.error == "ZeroDivisionError: division by zero"
    assert _runs(desk) == [("allocation", "failed")]


def test_a_notebook_without_a_result_has_failed(desk: Desk, write: Write) -> None:
    write("1 + 1")
    assert "without a result" in run_stage(desk, Stage.ALLOCATION)[0].error


def test_a_kernel_that_dies_is_reported(desk: Desk, write: Write) -> None:
    write("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    assert "kernel died" in run_stage(desk, Stage.ALLOCATION)[0].error
    assert _runs(desk) == [("allocation", "failed")]


def test_a_dry_run_leaves_nothing_to_build_on(desk: Desk, write: Write) -> None:
    write(SAVES)
    result, run = run_stage(desk, Stage.ALLOCATION, {"dry_run": True})
    assert result.verdict is Verdict.DONE
    assert (run.folder / "result.json").exists()
    assert _runs(desk) == []


def test_unknown_parameters_are_refused_before_anything_is_left(
    desk: Desk, write: Write, tmp_path: Path
) -> None:
    write(SAVES)
    with pytest.raises(SettingsError, match="did you mean capital"):
        run_stage(desk, Stage.ALLOCATION, {"captal": 1})
    assert not (tmp_path / "runs").exists()
    assert _runs(desk) == []


_KILLED = """
import signal
import sys
from pathlib import Path
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job may ignore it
from strikeloom.desk import open_desk
from strikeloom.domain.results import Stage
from strikeloom.runner import notebook
notebook.notebooks_folder = lambda: Path(sys.argv[1])
notebook.run_stage(open_desk("synthetic"), Stage.ALLOCATION)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_run_that_is_killed_is_shown_as_failed(
    desk: Desk, write: Write, tmp_path: Path, number: signal.Signals
) -> None:
    mark = tmp_path / "kernel"
    write(f"import os, time; open({str(mark)!r}, 'w').write(str(os.getpid())); time.sleep(300)")
    process = subprocess.Popen(
        [sys.executable, "-c", _KILLED, str(tmp_path / "notebooks")],
        stderr=(tmp_path / "output").open("w"),
        start_new_session=True,
    )
    deadline = time.monotonic() + 240
    while not (mark.exists() and mark.read_text()) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert _runs(desk) == [("allocation", "running")]
    assert close_dead_runs(desk) == []  # it lives
    process.send_signal(number)
    process.wait(240)
    dead = close_dead_runs(desk)
    assert len(dead) == (1 if number is signal.SIGKILL else 0)
    assert _runs(desk) == [("allocation", "failed")]
    folder = tmp_path / "runs" / str(desk.store.runs()[0]["run_id"])
    result = StageResult.model_validate_json((folder / "result.json").read_text())
    assert (
        "its process ended unexpectedly" if dead else "stopped: KeyboardInterrupt"
    ) in result.error
    _gone(int(mark.read_text()))
    # the script's own traceback at most, not the cell's
    output = (tmp_path / "output").read_text()
    assert "never retrieved" not in output
    assert "CellExecutionError" not in output


def _gone(pid: int) -> None:
    """The kernel ends with the process that started it."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.2)
    pytest.fail(f"kernel {pid} is still there")
