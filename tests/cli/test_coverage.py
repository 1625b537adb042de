"""``strikeloom data status``: months, missing days by name, the figure."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from cli.conftest import Call
from strikeloom.adapters.bhavcopy import import_paths
from strikeloom.adapters.parquet.history import ParquetHistory
from strikeloom.views.figures import coverage_figure
from support import nse_files

#: Of the ten sessions from 2026-01-28 on, a Sunday (2026-02-01) among them, these are stored.
STORED = ("2026-01-28", "2026-01-29", "2026-02-02", "2026-02-06", "2026-02-09")


@pytest.fixture
def holed(home: Path, tmp_path: Path) -> Path:
    files = [
        nse_files.save(tmp_path / "files" / f"{day}.csv", nse_files.udiff({"TradDt": day}))
        for day in STORED
    ]
    assert not import_paths(files, ParquetHistory(home / "history" / "nse", "nse")).refused
    return home


def test_holes_are_named_weekend_sessions_too(call: Call, holed: Path) -> None:
    lines = call("data", "status").out.splitlines()
    assert lines[2].split() == ["nse", "2026-01-28", "2026-02-09", "5", "5"]
    january, february = (line.split() for line in lines if line.startswith("2026-"))
    assert january == ["2026-01", "3", "2", "████████░░░░", "0", "0", "0", "2026-01-30"]
    assert february[:4] == ["2026-02", "7", "3", "█████░░░░░░░"]
    assert " ".join(february[7:]) == "2026-02-01, 2026-02-03 to 2026-02-05"


def test_the_same_as_json(call: Call, holed: Path) -> None:
    (body,) = json.loads(call("data", "status", "--market", "nse", "--json").out)
    named = ["2026-01-30", "2026-02-01", "2026-02-03", "2026-02-04", "2026-02-05"]
    assert (body["days"], body["missing"]) == (5, named)
    assert [(m["month"], m["sessions"], m["contracts"]) for m in body["months"]] == [
        ("2026-01", 3, 2),
        ("2026-02", 7, 3),
    ]


def test_days_without_ids_are_reported_with_what_they_lack(
    call: Call, holed: Path, tmp_path: Path
) -> None:
    assert "old layout" not in call("data", "status").err
    body = nse_files.legacy({"TradDt": "2026-02-10"})
    old = nse_files.save(tmp_path / "old.csv", body)
    assert not import_paths([old], ParquetHistory(holed / "history" / "nse", "nse")).refused
    result = " ".join(call("data", "status").err.split())
    assert "1 days from 2026-02-10 to 2026-02-10 are in the exchange's old layout" in result
    assert "that lowered strikes, only where they are on record" in result
    assert "A series that ends before its expiry is known on its last day only" in result
    (body,) = json.loads(call("data", "status", "--json").out)
    assert body["days_without_ids"] == ["2026-02-10"]


def test_a_figure_is_written(call: Call, holed: Path, tmp_path: Path) -> None:
    target = tmp_path / "coverage.html"
    assert call("data", "status", "--plot", str(target)).code == 0
    assert "plotly" in target.read_text(encoding="utf-8")[:100_000]
    assert call("data", "status", "--plot", str(tmp_path / "no" / "where.html")).code == 1


def test_without_stored_data_the_remedy_is_named(call: Call, home: Path) -> None:
    assert "data fetch --from DAY" in call("data", "status").out
    assert "market nse is not stored" in call("data", "status", "--market", "nse").out


def test_the_figure_draws_sessions_held_and_missing() -> None:
    months = pd.DataFrame(
        {
            "month": ["2026-01", "2026-02"],
            "held": [20, 20],
            "missing": [[], [date(2026, 2, 1)]],
            "worked_out": [20, 3],
        }
    )
    figure = coverage_figure({"nse": months})
    held, missing, done = figure.data
    # one month alone, read as a date, had an axis of milliseconds
    assert figure.layout.xaxis.type == "category"
    assert list(held.y) == [20, 20]
    assert list(missing.y) == [0, 1]
    assert list(missing.customdata) == ["", "2026-02-01"]
    assert list(done.y) == [20, 3]


@pytest.mark.parametrize(
    "words",
    [
        ("run", "allocation", "--latest"),
        ("run", "iv-history", "--latest", "--date", "2026-02-09"),
    ],
)
def test_latest_is_today_s_history_alone(call: Call, home: Path, words: tuple[str, ...]) -> None:
    assert call(*words).code == 2


def test_latest_needs_a_broker(call: Call, holed: Path) -> None:
    result = call("run", "iv-history", "--latest", "--market", "nse", "--mode", "replay")
    assert result.code == 1
    assert "has no broker to ask" in result.err
