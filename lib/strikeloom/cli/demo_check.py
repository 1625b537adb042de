"""``demo --check``: the demo day with every step verified, in a temporary home."""

from __future__ import annotations

import os
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

from strikeloom.cli import console
from strikeloom.cli.demo_day import ANALYSIS, MARKET, child
from strikeloom.desk import mark, open_desk
from strikeloom.domain.positions import RequestState
from strikeloom.domain.results import Stage, Verdict
from strikeloom.errors import SettingsError, StageError, StrikeloomError
from strikeloom.nse.sessions import next_trading_day
from strikeloom.ports.desk import Desk
from strikeloom.runner import run_stage
from strikeloom.trading.lease import held_elsewhere

T = TypeVar("T")

_WAIT_SECONDS = 45.0
_OK = 200


@dataclass
class Report:
    """Steps so far: name, whether it passed, what was observed, seconds."""

    steps: list[tuple[str, bool, str, float]] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Every step passed."""
        return all(good for _, good, _, _ in self.steps)

    def step(self, name: str, do: Callable[[], str]) -> None:
        """Run a step, print its result, and continue only when it passed.

        Raises
        ------
        StageError
            When it failed.
        """
        begun = time.monotonic()
        with console.err.status(name, spinner="dots"):
            try:
                seen, good = do(), True
            except (StrikeloomError, OSError) as error:
                seen, good = str(error), False
        took = time.monotonic() - begun
        self.steps.append((name, good, seen, took))
        console.print_line(f"{'PASS' if good else 'FAIL'}  {took:5.1f} s  {name}: {seen}")
        if not good:
            raise StageError(seen)


def check_demo() -> bool:
    """Run the day, press an exit button, and verify that store and broker closed the position.

    Returns
    -------
    bool
        Whether every step passed.
    """
    report = Report()
    begun = time.monotonic()
    with _temporary_home() as home:
        try:
            _play(report, home)
        except StageError:
            _show_logs(home)
    took = time.monotonic() - begun
    verdict = "passed" if report.passed else "FAILED"
    console.print_line(f"demo --check {verdict}: {len(report.steps)} steps in {took:.0f} s")
    return report.passed


def _play(report: Report, home: Path) -> None:
    report.step("synthetic market generated", _generated)
    desk = open_desk(MARKET)
    for stage in ANALYSIS:
        report.step(f"notebook {stage.notebook}", partial(_ran, desk, stage))
    report.step("strategies marked", lambda: f"{len(mark(desk)[0])} of the plan")
    report.step(f"notebook {Stage.EXECUTION.notebook}", lambda: _ran(desk, Stage.EXECUTION))
    report.step("store and broker agree", lambda: _agree(desk))
    day = next_trading_day(desk.day)
    with ExitStack() as running:
        running.enter_context(
            child("watch", "--market", desk.market, "--date", str(day), "--interval", "0.5")
        )
        report.step("watcher alive", lambda: _alive(desk))
        running.enter_context(child("monitor", "--market", desk.market, "--port", "0"))
        url = ""

        def answers() -> str:
            nonlocal url
            url = _address(home)
            return _guarded(url)

        report.step("page answers, only with its token", answers)
        name = desk.store.positions()[0].position_id
        report.step("exit button pressed on the page", lambda: _pressed(url, name))
        report.step("position closed at store and broker", lambda: _closed(desk, name))
    report.step("watcher ended, send lock free", lambda: _ended(desk))


@contextmanager
def _temporary_home() -> Iterator[Path]:
    """Temporary home and runs; the environment is restored afterwards."""
    names = ("STRIKELOOM_HOME", "STRIKELOOM_RUNS", "STRIKELOOM_MARKET")
    before = {name: os.environ.get(name) for name in names}
    with tempfile.TemporaryDirectory(prefix="strikeloom-check-", ignore_cleanup_errors=True) as top:
        values = (str(Path(top) / "home"), str(Path(top) / "runs"), MARKET)
        os.environ.update(zip(names, values, strict=True))
        try:
            yield Path(top) / "home"
        finally:
            for name, value in before.items():
                os.environ.pop(name, None)
                if value is not None:
                    os.environ[name] = value


def _generated() -> str:
    desk = open_desk(MARKET, progress=lambda _done, _total: None)
    days = desk.history.days()
    quotes = desk.history.quote_times(next_trading_day(days[-1]))
    if not quotes:
        raise StageError("the day after the last has no quotes")
    return f"{desk.market}, {len(days)} days and {len(quotes)} snapshots of the next"


def _ran(desk: Desk, stage: Stage) -> str:
    result, made = run_stage(desk, stage)
    if result.verdict is Verdict.FAILED:
        raise StageError(result.error)
    left = {path.name for path in made.folder.iterdir()}
    wanted = {"result.json", "parameters.yaml", "log.jsonl", "tables", stage.notebook}
    if wanted - left:
        raise StageError(f"the run folder lacks {', '.join(sorted(wanted - left))}")
    counts = result.counts
    if not counts["done"]:
        raise StageError(f"nothing was done: {result.refused}")
    return f"{result.verdict}, {counts['done']} of {counts['universe']} done"


def _agree(desk: Desk) -> str:
    ours: dict[str, int] = {}
    positions = desk.store.positions()
    for leg in (leg for position in positions for leg in position.legs):
        ours[leg.instrument.key] = ours.get(leg.instrument.key, 0) + leg.net_units
    theirs = {p.instrument_key: p.net_units for p in desk.broker.positions()}
    held = {key: units for key, units in ours.items() if units}
    if not held or held != theirs:
        raise StageError(f"store holds {held}, the broker {theirs}")
    return f"{len(positions)} positions, {len(held)} contracts"


def _alive(desk: Desk) -> str:
    beat = _await(desk.store.heartbeat, "no heartbeat was written")
    return f"process {beat.pid}, {beat.note}"


def _address(home: Path) -> str:
    from strikeloom.views.monitor.serve import read_address

    def read() -> str | None:
        try:
            return read_address(home)
        except SettingsError:
            return None

    return _await(read, "the page did not start")


def _guarded(url: str) -> str:
    def status(address: str) -> int:
        # the address sets a cookie and redirects, as in a browser
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        try:
            with opener.open(address, timeout=30) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return int(error.code)

    bare = url.partition("?")[0]
    with_token, without = status(url), status(bare)
    if with_token != _OK or without == _OK:
        raise StageError(f"the page answers {with_token} with its token and {without} without")
    return f"{bare} answers {with_token} with its token, {without} without"


def _pressed(url: str, position_id: str) -> str:
    from strikeloom.views.monitor.probe import press_button

    method = press_button(url, position_id, 100, timeout=_WAIT_SECONDS)
    return f"100 % of {position_id}, {method}"


def _closed(desk: Desk, position_id: str) -> str:
    def closed() -> str | None:
        position = desk.store.position(position_id)
        requests = [r for r in desk.store.requests() if r.position_id == position_id]
        if position.is_open or not requests or requests[-1].state is not RequestState.DONE:
            return None
        return f"{position.revision} fills, request {requests[-1].request_id} done"

    seen = _await(closed, f"position {position_id} is still open")
    # rules may be closing other positions right now, so check only this one's contracts
    gone = {leg.instrument.key for leg in desk.store.position(position_id).legs}
    shared = {leg.instrument.key for p in desk.store.positions() for leg in p.legs if leg.net_units}
    left = gone & {p.instrument_key for p in desk.broker.positions()} - shared
    if left:
        raise StageError(f"the broker still holds {', '.join(sorted(left))}")
    return seen


def _ended(desk: Desk) -> str:
    if held_elsewhere(desk.home, desk.store):
        raise StageError("a process still holds the account's send lock")
    return "no process holds it"


def _await(look: Callable[[], T | None], otherwise: str) -> T:
    """Call ``look`` until it returns a value, at most 45 seconds."""
    deadline = time.monotonic() + _WAIT_SECONDS
    while time.monotonic() < deadline:
        found = look()
        if found is not None:
            return found
        time.sleep(0.2)
    raise StageError(f"{otherwise} within {_WAIT_SECONDS:.0f} seconds")


def _show_logs(home: Path) -> None:
    for log in sorted(home.glob("*.log")):
        tail = log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:]
        for line in tail:
            console.note(f"{log.name}: {line}")
