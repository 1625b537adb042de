"""Fixtures that every room's tests share."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from strikeloom.adapters.parquet.history import ParquetHistory

ROOT = Path(__file__).resolve().parents[1]

# whoever runs the tests may have a broker configured: no test reaches it, or fails for it
for _name in [name for name in os.environ if name.startswith(("DHAN_", "STRIKELOOM_DHAN_"))]:
    del os.environ[_name]
os.environ["STRIKELOOM_MODE"] = "replay"


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


@pytest.fixture(scope="session")
def synthetic_history(tmp_path_factory: pytest.TempPathFactory) -> ParquetHistory:
    """Synthetic market of seed 7, drawn once a test run, also with several workers. Read only."""
    from filelock import FileLock

    from strikeloom.adapters.parquet.history import ParquetHistory
    from strikeloom.exchange.market.synthetic import generate_synthetic

    base = tmp_path_factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    folder = shared / "synthetic-7"
    with FileLock(shared / "synthetic-7.lock"):
        history = ParquetHistory(folder, "synthetic-7")
        if not (folder / "underlyings.json").exists():
            generate_synthetic(7, history)
    return history


@pytest.fixture
def drawn_home(home: Path, synthetic_history: ParquetHistory) -> Path:
    """Home of the test's own in which the synthetic market is drawn already."""
    histories = home / "history"
    histories.mkdir(parents=True)
    folder = synthetic_history.folder
    (histories / folder.name).symlink_to(folder, target_is_directory=True)
    return home


@pytest.fixture(scope="session")
def planned_template(
    tmp_path_factory: pytest.TempPathFactory, synthetic_history: ParquetHistory
) -> Path:
    """Home whose stages 01 to 03 have run and whose plan is marked. Copied, never used."""
    from filelock import FileLock

    from strikeloom.desk import open_desk

    base = tmp_path_factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    folder = shared / "planned-home"
    with FileLock(shared / "planned-home.lock"):
        if not (folder / "done").exists():
            histories = folder / "history"
            histories.mkdir(parents=True)
            (histories / "synthetic-7").symlink_to(synthetic_history.folder)
            open_desk("synthetic", stage="execution", home=folder).store.close()
            (folder / "done").touch()
    return folder


@pytest.fixture
def planned_home(home: Path, planned_template: Path) -> Path:
    """Home of the test's own in which stages 01 to 03 have run and the plan is marked."""
    shutil.copytree(planned_template, home, symlinks=True)
    return home
