"""How far a kernel is, seen from outside of it."""

from __future__ import annotations

import threading
from pathlib import Path

from strikeloom.domain.results import Stage
from strikeloom.runner.progress import followed, forget, report_progress
from strikeloom.runner.record import Run


def test_what_a_step_reports_is_shown(tmp_path: Path) -> None:
    run = Run("id", Stage.IV_HISTORY, tmp_path)
    seen: list[tuple[int, int]] = []
    arrived = threading.Event()

    def show(done: int, total: int) -> None:
        seen.append((done, total))
        arrived.set()

    with followed(tmp_path, show):
        report_progress(run)(3, 59)
        assert arrived.wait(10)
    assert seen[-1] == (3, 59)
    forget(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_no_report_or_nonsense_shows_nothing(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    (tmp_path / ".progress").write_text("half a lin", encoding="utf-8")
    over = threading.Event()
    with followed(tmp_path, lambda *two: seen.append(two)):
        over.wait(0.5)
    assert seen == []
    with followed(tmp_path, None):
        pass
