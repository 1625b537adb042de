"""``strikeloom data step``: steps to ask about, answers, and what they change."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cli.conftest import Call
from strikeloom.adapters.bhavcopy import import_paths
from strikeloom.adapters.parquet.history import ParquetHistory
from strikeloom.nse.sessions import trading_days
from support import nse_files

DAY = "2026-02-09"
SESSIONS = trading_days(date(2025, 11, 3), date.fromisoformat(DAY))
NIGHT = SESSIONS[-8]
SHARE = "RELIANCE"
OPTION = {"TradDt": DAY, "TckrSymb": SHARE, "FinInstrmTp": "STO"}


def cash_rows() -> list[str]:
    """A calm share that loses a tenth overnight, at its usual volume."""
    draw, rows, before = np.random.default_rng(2), [], 1500.0
    for day in SESSIONS:
        first = before * (0.9 if day == NIGHT else 1.0) * np.exp(0.002 * draw.normal())
        last = first * np.exp(0.006 * draw.normal())
        high, low = max(first, last) * 1.002, min(first, last) * 0.998
        prices = " ".join(f"{price:.2f}" for price in (before, first, high, low, last))
        rows.append(f"{SHARE} EQ {day:%d-%b-%Y} {prices} 1000000")
        before = float(f"{last:.2f}")
    return rows


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files = tmp_path / "files"
    level = cash_rows()[-1].split()[7]
    nse_files.save(
        files / "fo.csv", nse_files.udiff(OPTION | {"UndrlygPric": level, "StrkPric": "1300.00"})
    )
    nse_files.save(files / "cash.csv", nse_files.cash(*cash_rows()))
    return files


def actions() -> list[tuple[str, str, float | None, float | None]]:
    from strikeloom.desk.places import places

    history = ParquetHistory(places().history("nse"), "nse")
    found = history.actions(SESSIONS[0], SESSIONS[-1])
    return [(a.symbol, a.kind, a.ratio, a.amount) for a in found if a.symbol == SHARE]


def test_a_step_is_asked_about_and_the_answer_is_recorded(
    call: Call, home: Path, folder: Path
) -> None:
    result = call("data", "import", str(folder))
    assert result.code == 0
    assert "1 price step may be no move of the market" in result.err
    listed = json.loads(call("data", "step", "--json").out)
    mine = [row for row in listed["steps"] if row["symbol"] == SHARE]
    assert [(row["date"], row["kind"]) for row in mine] == [(str(NIGHT), "asked")]
    assert actions() == [(SHARE, "asked", None, None)]
    answer = call("data", "step", SHARE.lower(), "--date", str(NIGHT), "--amount", "150")
    assert (answer.code, answer.out.split(" (stated")[0]) == (
        0, f"{SHARE}, {NIGHT}: 150 rupees a share left it"
    )  # fmt: skip
    assert actions() == [(SHARE, "stated", None, 150.0)]
    body = json.loads((home / "history" / "nse" / "stated_steps.json").read_text())
    assert body["steps"][0]["stated_at"][:2] == "20"
    assert call("data", "import", str(folder)).code == 0
    assert actions() == [(SHARE, "stated", None, 150.0)]
    assert call("data", "step", SHARE, "--date", str(NIGHT), "--real").code == 0
    assert actions() == []
    assert call("data", "step", SHARE, "--date", str(NIGHT), "--forget").code == 0
    assert actions() == [(SHARE, "asked", None, None)]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--date", str(NIGHT)], "one of --real, --ratio, --amount and --forget"),
        (["--date", str(NIGHT), "--real", "--ratio", "2"], "one of --real"),
        (["--real"], "give --date"),
        (["--date", str(NIGHT), "--amount", "99999"], "not between 0 and the last close"),
        (["--date", str(NIGHT), "--ratio", "-2"], "not the shares that replaced one"),
        (["--date", str(NIGHT), "--ratio", "nan"], "not the shares that replaced one"),
        (["--date", str(NIGHT), "--ratio", "2"], "a step of +80 % is left"),
        (["--date", str(NIGHT), "--amount", "1400"], "% is left"),
        (["--date", "2026-02-01", "--real"], "no cash prices of RELIANCE on 2026-02-01"),
        (["--date", str(NIGHT), "--forget"], "nothing was stated"),
        (["--date", "tomorrow", "--real"], "not a day"),
    ],
)
def test_an_answer_that_is_none_is_refused(
    call: Call, home: Path, folder: Path, words: list[str], why: str
) -> None:
    assert home.name == "home"
    cash = nse_files.cash(*[row for row in cash_rows() if "01-Feb-2026" not in row])
    nse_files.save(folder / "cash.csv", cash)
    assert call("data", "import", str(folder)).code == 0
    result = call("data", "step", SHARE, *words)
    assert result.code != 0
    assert why in " ".join(result.err.split())
    assert not (home / "history" / "nse" / "stated_steps.json").exists()


def test_a_record_that_is_damaged_is_named(home: Path, folder: Path) -> None:
    from strikeloom.errors import StoreError

    history = ParquetHistory(home / "history" / "nse", "nse")
    assert not import_paths([folder], history).refused
    for name in ("stated_steps.json", "price_steps.json"):
        path = home / "history" / "nse" / name
        path.write_text('{"steps": [{"symbol": 1}], "found": [{"day": "x"}]}')
        with pytest.raises(StoreError, match=f"{name} is damaged"):
            history.actions(date(2026, 1, 1), date(2026, 3, 1))
        path.write_text("{")
        with pytest.raises(StoreError, match=f"{name} is damaged"):
            history.actions(date(2026, 1, 1), date(2026, 3, 1))
        path.unlink()


def test_later_files_leave_the_search_of_a_night_alone(home: Path, folder: Path) -> None:
    """The night is judged by what was known on its day."""
    history = ParquetHistory(home / "history" / "nse", "nse")
    assert not import_paths([folder], history).refused
    (before,) = (a for a in history.actions(NIGHT, NIGHT) if a.symbol == SHARE)
    later = trading_days(date(2026, 2, 10), date(2026, 2, 13))
    last = history.cash(SESSIONS[-1], SESSIONS[-1], symbols=[SHARE])["close"].iloc[-1]
    rows = [f"{SHARE} EQ {day:%d-%b-%Y} {last} {last} {last} {last} {last} 9" for day in later]
    path = nse_files.save(folder / "later.csv", nse_files.cash(*rows))
    assert not import_paths([path], history).refused
    assert pd.Timestamp(later[-1]) in set(history.cash(later[0], later[-1])["day"])
    assert [a for a in history.actions(NIGHT, NIGHT) if a.symbol == SHARE] == [before]
