"""A broker that logs its orders: a failure to log is reported, never ignored."""

from __future__ import annotations

import logging
from pathlib import Path
from types import SimpleNamespace

import pytest

from strikeloom.adapters.logged import LoggedBroker
from strikeloom.errors import Rejected
from support.fakes import ist

NOW = ist("2026-02-11 10:00")


class Counting:
    """Takes cancellations, and makes the folder useless when asked to."""

    name, book_is_complete, reports_settlements = "counting", True, True

    def __init__(self, broken_folder: Path | None = None) -> None:
        self.calls = 0
        self.broken_folder = broken_folder

    def cancel(self, order_id: str) -> object:
        self.calls += 1
        if self.broken_folder is not None:
            (self.broken_folder / f"{NOW:%Y-%m-%d}.jsonl").unlink()
            (self.broken_folder / f"{NOW:%Y-%m-%d}.jsonl").mkdir()
        return SimpleNamespace(state="CANCELLED", reason="", order_id=order_id)


def test_an_order_call_that_cannot_be_logged_is_not_made(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("a file where the folder should be")
    behind = Counting()
    broker = LoggedBroker(behind, tmp_path / "log", lambda: NOW)  # type: ignore[arg-type]
    with pytest.raises(Rejected, match="was not sent: it cannot be logged"):
        broker.cancel("7")
    assert behind.calls == 0


def test_an_outcome_that_cannot_be_logged_is_reported(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    broker = LoggedBroker(Counting(tmp_path), tmp_path, lambda: NOW)  # type: ignore[arg-type]
    with caplog.at_level(logging.ERROR):
        assert broker.cancel("7").order_id == "7"
    assert "cancel: CANCELLED could not be logged" in caplog.text
