"""Fixtures that every room's tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder with real exchange files; the test is skipped by name where it is absent."""
    folder = Path(os.environ.get("STRIKELOOM_SHARED", ROOT.parent / "shared")) / "data"
    if not folder.is_dir():
        pytest.skip(f"real exchange files are absent: {folder} (set STRIKELOOM_SHARED)")
    return folder


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the test a desk home and run folder of its own."""
    folder = tmp_path / "home"
    monkeypatch.setenv("STRIKELOOM_HOME", str(folder))
    monkeypatch.setenv("STRIKELOOM_RUNS", str(tmp_path / "runs"))
    return folder
