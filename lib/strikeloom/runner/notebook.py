"""Run a stage's notebook through papermill; its folder is written also when it fails."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from strikeloom import errors
from strikeloom.desk.modes import MODE
from strikeloom.desk.places import notebooks_folder
from strikeloom.domain.progress import Progress
from strikeloom.domain.results import Stage, StageResult
from strikeloom.ports.desk import Desk, Mode
from strikeloom.runner.kernel import KERNEL, ensure_kernel, private_channels
from strikeloom.runner.parameters import given_parameters
from strikeloom.runner.progress import followed, forget
from strikeloom.runner.record import Run, close_dead_runs, fail_run, log_to, new_run, release
from strikeloom.settings.yaml_file import write_yaml

_CELL_SECONDS = 1800  # a cell that takes longer hangs: the run fails and its kernel is ended


def run_stage(
    desk: Desk,
    stage: Stage,
    parameters: dict[str, Any] | None = None,
    *,
    progress: Progress | None = None,
) -> tuple[StageResult, Run]:
    """Execute the notebook of a stage for the desk's market and day.

    Parameters
    ----------
    progress : callable, optional
        Called with pieces done and pieces in all whenever a step of the notebook reports.

    Returns
    -------
    result, run
        A failed run returns too, with verdict ``failed`` and the error.

    Raises
    ------
    SettingsError
        When a parameter is not one of the notebook's, or not of its type.
    """
    source = notebooks_folder() / stage.notebook
    given = given_parameters(parameters or {}, source)
    ensure_kernel()
    close_dead_runs(desk)
    run = new_run(desk, stage, keep=given.get("database", True) and not given.get("dry_run"))
    log_to(run)
    values = {
        **given,
        "market": desk.market,
        "day": desk.day.isoformat(),
        "run_folder": str(run.folder),
    }
    shown = {name: value for name, value in values.items() if name != "run_folder"}
    write_yaml(run.folder / "parameters.yaml", shown)
    try:
        with _mode_in_environment(desk.mode), followed(run.folder, progress):
            error = _execute(source, run.folder / source.name, values)
    except BaseException as stopped:
        fail_run(desk, run, f"stopped: {type(stopped).__name__}")
        raise
    finally:
        forget(run.folder)
    written = run.folder / "result.json"
    if error or not written.exists():
        return fail_run(desk, run, error or "the notebook ended without a result"), run
    release(run)
    return StageResult.model_validate_json(written.read_text(encoding="utf-8")), run


@contextmanager
def _mode_in_environment(mode: Mode) -> Iterator[None]:
    """Let the kernel, which inherits the environment, open a desk of the caller's mode."""
    before = os.environ.get(MODE)
    os.environ[MODE] = mode.value
    try:
        yield
    finally:
        if before is None:
            del os.environ[MODE]
        else:
            os.environ[MODE] = before


def _execute(source: Path, target: Path, values: dict[str, Any]) -> str:
    """Run the notebook, and return the error of its cell, empty when there is none."""
    import papermill
    from nbclient.exceptions import CellTimeoutError, DeadKernelError

    logging.getLogger("papermill").setLevel(logging.ERROR)
    try:
        with private_channels() as config:
            papermill.execute_notebook(
                source,
                target,
                parameters=values,
                kernel_name=KERNEL,
                language="python",
                progress_bar=False,
                cwd=str(source.parent),
                log_output=False,
                execution_timeout=_CELL_SECONDS,
                config=config,
            )
    except papermill.PapermillExecutionError as error:
        if issubclass(getattr(errors, str(error.ename), Exception), errors.StrikeloomError):
            return str(error.evalue)  # its message is a sentence already
        return f"{error.ename}: {error.evalue}"
    except CellTimeoutError:
        return f"a cell ran longer than {_CELL_SECONDS} seconds and was stopped"
    except DeadKernelError:
        return "the notebook's kernel died: killed, or out of memory"
    except KeyboardInterrupt:
        # the traceback of the stopped cell would be printed at the end
        logging.getLogger("asyncio").setLevel(logging.CRITICAL)
        raise
    return ""
