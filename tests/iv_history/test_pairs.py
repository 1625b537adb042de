"""Another pair of expiries behind 30 days: what that alone did, worked out by hand."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from strikeloom.iv_history import pair_changes, summarise_day
from strikeloom.iv_history.pairs import sentence
from strikeloom.settings.all import load_settings
from support.few_symbols import history_of
from support.synthetic_chains import walk

FIRST = date(2026, 1, 1)


def _expiries(
    day: date, ahead: dict[int, float], symbol: str = "ACME", quality: str = "A"
) -> pd.DataFrame:
    """Rows of a day: volatility by days from 1 January to the expiry."""
    rows = [
        (symbol, pd.Timestamp(day), pd.Timestamp(FIRST + timedelta(days=days)), vol, quality)
        for days, vol in ahead.items()
    ]
    table = pd.DataFrame(rows, columns=["symbol", "day", "expiry", "term_iv", "quality"])
    table["years"] = (table["expiry"] - table["day"]).dt.days / 365
    return table.astype({"day": "datetime64[s]", "expiry": "datetime64[s]"})


def _line(first: tuple[int, float], second: tuple[int, float], days: int = 30) -> float:
    """Volatility on a line of total variance."""
    (t1, v1), (t2, v2) = first, second
    share = (days - t1) / (t2 - t1)
    return float(np.sqrt(((1 - share) * v1**2 * t1 + share * v2**2 * t2) / days))


def test_the_same_pair_is_no_change() -> None:
    before = _expiries(FIRST, {25: 0.2, 53: 0.3})
    now = _expiries(FIRST + timedelta(days=1), {25: 0.2, 53: 0.4})
    assert pair_changes(pd.concat([before, now])).empty


def test_a_nearer_expiry_that_holds_the_event_moved_the_figure() -> None:
    """An event between 29 and 36 days: its variance is spread over 57 days, then over 36."""
    before = _expiries(FIRST, {29: 0.12, 57: 0.2})
    now = _expiries(FIRST + timedelta(days=1), {29: 0.12, 36: 0.22, 57: 0.2})
    (row,) = pair_changes(pd.concat([before, now])).to_dict("records")
    expected = _line((28, 0.12), (35, 0.22)) - _line((28, 0.12), (56, 0.2))
    assert row["moved"] == pytest.approx(expected, rel=1e-9)
    assert expected > 0.01
    assert (row["former_late"].date(), row["late"].date()) == (date(2026, 2, 27), date(2026, 2, 6))
    assert f"ACME {100 * expected:+.1f}" in sentence(pair_changes(pd.concat([before, now])))


def test_when_the_former_pair_has_ended_both_are_read_the_day_before() -> None:
    before = _expiries(FIRST, {3: 0.5, 31: 0.3, 59: 0.25})
    now = _expiries(FIRST + timedelta(days=1), {3: np.nan, 31: 0.35, 59: 0.25})
    (row,) = pair_changes(pd.concat([before, now])).to_dict("records")
    assert row["early"] == row["late"]
    assert row["moved"] == pytest.approx(0.3 - _line((3, 0.5), (31, 0.3)), rel=1e-9)


def test_a_pair_unknown_on_both_days_has_no_number() -> None:
    before = _expiries(FIRST, {20: 0.2, 40: 0.3})
    now = _expiries(FIRST + timedelta(days=1), {26: 0.2, 54: 0.3})
    changes = pair_changes(pd.concat([before, now]))
    assert changes["moved"].isna().tolist() == [True]
    assert sentence(changes) == ""


def test_new_and_lost_symbols_have_no_row() -> None:
    before = _expiries(FIRST, {25: 0.2, 53: 0.3}, "OLD")
    now = _expiries(FIRST + timedelta(days=1), {25: 0.2, 53: 0.3}, "NEW")
    assert pair_changes(pd.concat([before, now])).empty


@pytest.mark.realdata
def test_the_election_entered_the_figure_with_its_own_week(
    shared_data: Path, tmp_path: Path
) -> None:
    """Votes were counted on 2024-06-04: the expiry of 6 June had it, 30 May had not.

    From 2 to 3 May 2024 the figure rose from 12.5 to 16.1 %; India VIX from 13.4 to 14.6.
    """
    days = [date(2024, 5, 2), date(2024, 5, 3)]
    history = history_of(shared_data, tmp_path, ["NIFTY"], days)
    settings, nothing = load_settings().iv, walk(["NIFTY"], days).head(0)
    before, now = (
        summarise_day(history.contracts(day), nothing, day, settings).expiries for day in days
    )
    (row,) = pair_changes(pd.concat([before, now])).to_dict("records")
    assert str(row["late"].date()) == "2024-06-06"
    assert 0.020 < row["moved"] < 0.025
