"""Every kind of damage of the soak, once, on an eighth of the contracts of a real day."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

pytestmark = pytest.mark.realdata

SOAK = Path(__file__).parents[3] / "benchmarks" / "soak" / "damaged_files.py"


def test_every_kind_of_damage_is_refused_or_named(shared_data: Path, tmp_path: Path) -> None:
    soak = runpy.run_path(str(SOAK))
    results = soak["run"](shared_data, tmp_path, rounds=1, share=8)
    assert len({(item.kind.file, item.kind.name) for item in results}) >= 100
    wrong = [(item.kind.file, item.kind.name, item.outcome, item.message) for item in results
             if not item.right]  # fmt: skip
    assert wrong == []
