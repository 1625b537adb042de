"""The committed outputs are what the notebooks show today, in a fresh home, in their order."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from strikeloom.runner.kernel import ensure_kernel
from support.notebook_runs import NOTEBOOKS, fresh_home

if TYPE_CHECKING:
    from strikeloom.adapters.parquet.history import ParquetHistory


@pytest.mark.slow
@pytest.mark.xdist_group("notebooks")
def test_nbval(tmp_path: Path, synthetic_history: ParquetHistory) -> None:
    ensure_kernel()
    cleaner = Path(__file__).with_name("sanitize.cfg")
    with fresh_home(tmp_path, synthetic_history.folder):
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "--nbval", "-p", "no:xdist", "-p", "no:randomly"]
            + ["-q", "--no-header", "-p", "no:cacheprovider", "-c", os.devnull]
            + ["--rootdir", str(NOTEBOOKS[0].parent), "--nbval-sanitize-with", str(cleaner)]
            + [str(path) for path in NOTEBOOKS],
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
            env={k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")},
        )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
