"""A month of covered calls, collars and futures, beside an account worked out by hand.

A fraction of ``benchmarks/by_hand.py``: fewer symbols, an expiry with its deliveries, a split.
"""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest

from strikeloom.adapters.bhavcopy import import_paths
from strikeloom.adapters.parquet.history import ParquetHistory

pytestmark = pytest.mark.realdata

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "by_hand.py"


@pytest.fixture(scope="module")
def script() -> dict[str, Any]:
    return runpy.run_path(str(SCRIPT))


@pytest.fixture(scope="module")
def history(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> ParquetHistory:
    stored = ParquetHistory(tmp_path_factory.mktemp("history") / "nse", "nse")
    folder = shared_data / "fo_bhavcopy" / "udiff"
    days = list(folder.glob("*_202601*.zip"))
    assert len(days) == 20
    assert not import_paths([*days, shared_data / "cm_bhavcopy"], stored).refused
    return stored


def played(
    script: dict[str, Any],
    history: ParquetHistory,
    data: Path,
    folder: Path,
    days: slice,
    plan: Any,
) -> dict[str, int]:
    """What was done; every evening must be as by hand, to the paisa."""
    read = script["zipped_day"](data / "fo_bhavcopy" / "udiff")
    lines = script["play"](history, history.days()[days], read, plan, folder)
    *wrong, (_, _), (_, counts) = lines
    assert wrong == []
    pairs = (pair.split(": ") for pair in counts[8:-1].replace("'", "").split(", "))
    return {kind: int(count) for kind, count in pairs}


def test_covered_calls_and_collars_over_an_expiry(script, history, shared_data, tmp_path) -> None:
    """Bought and sold shares, charges, a roll, options that end in cash and in deliveries."""
    plan = script["covered"](script["STOCKS"][:4])
    done = played(script, history, shared_data, tmp_path, slice(-9, None), plan)
    assert done["share"] >= 4
    assert done["option"] >= 6
    assert done["refused"] == 0


def test_futures_through_a_split(script, history, shared_data, tmp_path) -> None:
    """Settled daily at the exchange's prices; MCX was split five to one on 2026-01-02."""
    plan = script["outright"](4, also=["MCX"])
    done = played(script, history, shared_data, tmp_path, slice(0, 4), plan)
    assert done["future"] >= 8
    assert done["refused"] == 0
