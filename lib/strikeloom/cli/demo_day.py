"""The steps of the demo day, the same that a person would run by hand."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from strikeloom.cli import console
from strikeloom.cli.stages import report
from strikeloom.desk import desk_home, mark, open_desk, places
from strikeloom.desk.keys import environment
from strikeloom.desk.places import notebooks_folder
from strikeloom.domain.folders import project_root
from strikeloom.domain.results import Stage, Verdict
from strikeloom.errors import LeaseTaken, StageError
from strikeloom.nse.sessions import next_trading_day
from strikeloom.ports.desk import Desk
from strikeloom.runner import run_stage
from strikeloom.trading.lease import held_elsewhere

MARKET = "synthetic"
ANALYSIS = (Stage.IV_HISTORY, Stage.STRATEGY_CREATION, Stage.ALLOCATION)
_GRACE_SECONDS = 10.0


def show_demo(port: int | None = None) -> None:
    """Run the demo day and serve the page until Ctrl-C.

    Raises
    ------
    LeaseTaken
        When a demo is already running in this home.
    StageError
        When a stage fails.
    """
    from strikeloom.views.monitor.serve import serve

    _use_demo_home()
    desk = open_market()
    for stage in ANALYSIS:
        run(desk, stage)
    rows, _ = mark(desk)
    console.print_line(f"marked {len(rows)} strategies")
    run(desk, Stage.EXECUTION)
    with child("watch", "--market", desk.market, "--date", str(next_trading_day(desk.day))) as log:
        console.print_line(f"watcher started; its log is {log}")
        serve(
            notebooks_folder() / Stage.MONITOR.notebook,
            desk.home,
            port=desk.settings.monitor.port if port is None else port,
            parameters={"market": desk.market},
            ready=lambda address: console.print_line(
                f"\nOpen the monitor page: {address.url}\nCtrl-C ends the demo."
            ),
        )


def open_market() -> Desk:
    """Open the synthetic market; generate it first when it is not stored."""
    from rich.progress import Progress

    with Progress(console=console.err, transient=True, disable=not console.err.is_terminal) as bar:
        task = bar.add_task("generating the synthetic market", total=None)
        return open_desk(
            MARKET,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )


def run(desk: Desk, stage: Stage) -> None:
    """Run a stage's notebook and print the outcome.

    Raises
    ------
    StageError
        When it failed; names the run folder.
    """
    with console.err.status(f"running notebook {stage.notebook}", spinner="dots"):
        result, made = run_stage(desk, stage, {})
    if result.verdict is Verdict.FAILED:
        raise StageError(f"{stage} failed: {result.error}. See {made.folder}")
    report(result, made)


@contextmanager
def child(*arguments: str) -> Iterator[Path]:
    """Run a strikeloom command as a child process in its own group; end it by process id.

    Its output goes to a file in the home, whose path is yielded.
    """
    home = desk_home()
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    log = home / f"{arguments[0]}.log"
    with log.open("w", encoding="utf-8") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "strikeloom.cli", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield log
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(_GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _use_demo_home() -> None:
    """Use the demo's home; the default one is emptied at each start, except for the market."""
    os.environ["STRIKELOOM_MARKET"] = MARKET
    if environment("STRIKELOOM_HOME"):
        return
    home = project_root() / ".strikeloom-demo"
    os.environ["STRIKELOOM_HOME"] = str(home)
    if not home.exists():
        return
    desk = open_market()
    if held_elsewhere(home, desk.store):
        raise LeaseTaken(f"a demo is already running in {home}; end it with Ctrl-C first")
    desk.store.close()
    where = places()
    for path in (where.store, where.quotes):
        for file in path.parent.glob(f"{path.name}*"):
            file.unlink()
    shutil.rmtree(home / "accounts", ignore_errors=True)
