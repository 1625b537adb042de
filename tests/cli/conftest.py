"""The command line in this process: arguments in; exit code, output and errors out."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from strikeloom import execution
from strikeloom.cli.app import main
from strikeloom.desk import open_desk, to_next_session
from strikeloom.ports.desk import Desk


@dataclass
class CommandResult:
    code: int
    out: str
    err: str


Call = Callable[..., CommandResult]


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Call]:
    """Call ``strikeloom`` in this process."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def run(*words: str) -> CommandResult:
        capsys.readouterr()
        monkeypatch.setattr(sys, "argv", ["strikeloom", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        return CommandResult(int(ended.value.code or 0), captured.out, captured.err)

    yield run
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def planned(planned_home: Path) -> Desk:
    """Stages 01 to 03 have run and their plan is marked."""
    return open_desk("synthetic")


@pytest.fixture
def traded(planned: Desk) -> Desk:
    """The plan is executed at the next day's first prices."""
    to_next_session(planned)
    execution.place(planned, execution.plan_entries(planned, execution.load_marked(planned)))
    assert planned.store.positions()
    return planned
