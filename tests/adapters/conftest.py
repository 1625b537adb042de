"""A history to write to, and one with all the real files in."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from filelock import FileLock

from strikeloom.adapters.bhavcopy import import_paths
from strikeloom.adapters.parquet.history import ParquetHistory


@pytest.fixture
def history(tmp_path: Path) -> ParquetHistory:
    """An empty history of the exchange."""
    return ParquetHistory(tmp_path / "history" / "nse", "nse")


@pytest.fixture(scope="session")
def real_history(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> ParquetHistory:
    """All real days, imported once a test run, also with several workers. Read only."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    history = ParquetHistory(shared / "real-nse", "nse")
    with FileLock(shared / "real-nse.lock"):
        if not (history.folder / "imports.jsonl").exists():
            folders = ("fo_bhavcopy/udiff", "cm_bhavcopy", "indices")
            report = import_paths([shared_data / name for name in folders], history)
            assert report.counts == {"done": 134, "same": 0, "refused": 0}, report.refused
    return history
