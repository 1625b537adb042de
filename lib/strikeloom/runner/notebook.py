"""Run a stage's notebook through papermill and leave its folder, also when it fails."""

from __future__ import annotations

import difflib
import importlib.metadata
import logging
from pathlib import Path
from typing import Any

import yaml

from strikeloom.adapters.system_clock import SystemClock
from strikeloom.domain.results import Stage, StageResult, Verdict
from strikeloom.errors import SettingsError
from strikeloom.ports.desk import Desk
from strikeloom.runner.kernel import KERNEL, ensure_kernel
from strikeloom.runner.record import Run, new_run, write_result
from strikeloom.settings.all import project_root


def run_stage(
    desk: Desk, stage: Stage, parameters: dict[str, Any] | None = None
) -> tuple[StageResult, Run]:
    """Execute the notebook of a stage for the desk's market and day.

    Returns
    -------
    result, run
        A failed run returns too, with verdict ``failed`` and the error.

    Raises
    ------
    SettingsError
        When a parameter is not one of the notebook's.
    """
    source = project_root() / "notebooks" / stage.notebook
    given = dict(parameters or {})
    _known(source, given)
    run = new_run(stage, desk.day)
    values = {
        "market": desk.market,
        "day": desk.day.isoformat(),
        "run_folder": str(run.folder),
        **given,
    }
    (run.folder / "parameters.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")
    desk.store.start_run(run.run_id, stage, desk.day, SystemClock().now())
    error = _execute(source, run.folder / source.name, values)
    written = run.folder / "result.json"
    if not error and written.exists():
        return StageResult.model_validate_json(written.read_text(encoding="utf-8")), run
    result = StageResult(
        run_id=run.run_id,
        stage=stage,
        market=desk.market,
        account=desk.account,
        day=desk.day,
        verdict=Verdict.FAILED,
        counts={},
        versions={"strikeloom": importlib.metadata.version("strikeloom")},
        error=error or "the notebook ended without a result",
    )
    write_result(run, result)
    desk.store.finish_run(result, SystemClock().now())
    return result, run


def _execute(source: Path, target: Path, values: dict[str, Any]) -> str:
    """Run the notebook; the error of its cell, empty when there is none."""
    import papermill
    from nbclient.exceptions import DeadKernelError

    ensure_kernel()
    logging.getLogger("papermill").setLevel(logging.ERROR)
    try:
        papermill.execute_notebook(
            source,
            target,
            parameters=values,
            kernel_name=KERNEL,
            progress_bar=False,
            cwd=str(source.parent),
            log_output=False,
        )
    except papermill.PapermillExecutionError as error:
        return f"{error.ename}: {error.evalue}"
    except DeadKernelError:
        return "the notebook's kernel died"
    return ""


def _known(source: Path, given: dict[str, Any]) -> None:
    import nbformat

    cells = nbformat.reads(source.read_text(encoding="utf-8"), as_version=4).cells
    tagged = [c for c in cells if "parameters" in c.metadata.get("tags", [])]
    names = [
        line.split("=")[0].split(":")[0].strip()
        for line in tagged[0].source.splitlines()
        if "=" in line and not line.startswith("#")
    ]
    for name in given:
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1, cutoff=0.4)
            hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(names)}"
            raise SettingsError(f"{source.name} has no parameter {name}; {hint}")
