"""The self-check of an installation, started as a user does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from strikeloom.cli import demo_check, demo_day
from strikeloom.cli.demo_check import Report
from strikeloom.errors import StageError


@pytest.mark.slow
@pytest.mark.xdist_group("notebooks")
def test_demo_check_passes_and_leaves_nothing(tmp_path: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "strikeloom.cli", "demo", "--check"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env=environment,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "demo --check passed: 12 steps" in done.stdout
    assert done.stdout.count("PASS") == 12
    assert not list(tmp_path.glob("strikeloom-check-*"))


def test_a_failing_step_is_reported_and_ends_the_check(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails() -> str:
        raise StageError("made to fail")

    monkeypatch.setattr(demo_check, "_generated", fails)
    before = {k: v for k, v in os.environ.items() if k.startswith("STRIKELOOM")}
    assert demo_check.check_demo() is False
    result = capsys.readouterr().out
    assert "FAIL" in result
    assert "made to fail" in result
    assert "demo --check FAILED: 1 steps" in result
    assert {k: v for k, v in os.environ.items() if k.startswith("STRIKELOOM")} == before


def test_the_report_passes_when_every_step_does() -> None:
    report = Report()
    report.step("one", lambda: "seen")
    assert report.passed
    with pytest.raises(StageError, match="no disk"):
        report.step("two", lambda: (_ for _ in ()).throw(OSError("no disk")))
    assert not report.passed


def test_a_child_is_ended_by_its_id(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with demo_day.child("schedule", "--list") as log:
        pass
    assert log == home / "schedule.log"
