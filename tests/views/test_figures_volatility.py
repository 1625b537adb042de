"""Volatility figures: every symbol, every grade and every refused quote is drawn."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from strikeloom.domain.volatility import IV_SUMMARY, IvRank
from strikeloom.iv_history.rank import rank_table
from strikeloom.views.figures import (
    cone_figure,
    grades_figure,
    movers_figure,
    percentile_figure,
    smile_figure,
    term_figure,
)

DAYS = pd.to_datetime(["2026-03-17", "2026-03-18", "2026-03-19"]).astype("datetime64[s]")
SYMBOLS = [f"SYM{n:03d}" for n in range(212)]


@pytest.fixture(scope="module")
def history() -> pd.DataFrame:
    rows = pd.MultiIndex.from_product([SYMBOLS, DAYS], names=["symbol", "day"]).to_frame(
        index=False
    )
    numbers = [n for n, f in IV_SUMMARY.columns.items() if f == "number"]
    rng = np.random.default_rng(5)
    for name in numbers:
        rows[name] = rng.uniform(0.1, 0.5, len(rows))
    rows["quality"] = "A"
    rows.loc[rows["symbol"] == "SYM003", "quality"] = "C"
    rows.loc[rows["symbol"] == "SYM004", ["quality", "atm_iv_30d"]] = ["", np.nan]
    return rows


def test_grades_add_up_to_the_universe_every_day_and_holes_are_shown(history: pd.DataFrame) -> None:
    figure = grades_figure(history, holes=[date(2026, 3, 16), date(2026, 3, 20)])
    drawn = {bar.name: list(bar.y) for bar in figure.data}
    assert drawn["A both sides traded"] == [210] * 3
    assert drawn["C carried from peers"] == [1] * 3
    assert drawn["none"] == [1] * 3
    assert list(figure.data[-1].x) == ["20 Mar 2026"]  # of the days shown, not before them


def test_the_heat_map_has_one_legible_tile_a_symbol() -> None:
    ranks = pd.DataFrame(
        {
            "symbol": SYMBOLS,
            "day": DAYS[2],
            "atm_iv": 0.2,
            "percentile": np.linspace(0, 100, 212),
            "window_sessions": 63.0,
            "sample": 45,
            "reason": "",
        }
    )
    ranks.loc[ranks.index[:2], "percentile"] = np.nan
    figure = percentile_figure(ranks)
    tiles = [text for line in figure.data[0].text for text in line if text]
    assert len(tiles) == 212
    assert tiles[0] == "SYM211<br><b>100</b>"
    assert tiles[-2:] == ["SYM000<br>–", "SYM001<br>–"]
    assert len(figure.layout.annotations) == 212
    assert figure.layout.height >= 30 * 18
    title = figure.layout.title.text
    assert title == "Percentile of 210 symbols over 45 sessions on 19 Mar 2026, 2 without one"
    shown = [text for line in figure.data[0].customdata for text in line]
    assert shown[0] == "SYM211: 20.0 %, 45 of 63 sessions"
    ranks.loc[5, "window_sessions"], ranks.loc[5, "sample"] = 21.0, 20
    assert "over 20 to 45 sessions" in percentile_figure(ranks).layout.title.text


def test_a_day_without_any_percentile_is_drawn_too() -> None:
    day = date(2026, 2, 2)
    short = [IvRank(s, day, 0.2, None, None, None, None, 3, 20, "17 more days needed")
             for s in SYMBOLS]  # fmt: skip
    figure = percentile_figure(rank_table(short))
    assert "0 symbols on 02 Feb 2026, 212 without one" in figure.layout.title.text
    assert {v for line in figure.data[0].z for v in line} == {None}
    assert "0 symbols" in percentile_figure(rank_table([])).layout.title.text


def test_the_first_day_of_a_history_is_drawn(history: pd.DataFrame) -> None:
    first = history[history["day"] == DAYS[0]]
    assert "no earlier day" in movers_figure(first).layout.title.text
    for figure in (cone_figure(first, symbol="SYM003"), term_figure(first, symbol="SYM003")):
        assert figure.data


def test_movers_exclude_carried_volatilities(history: pd.DataFrame) -> None:
    firm = history.copy()
    firm.loc[(firm["symbol"] == "SYM003") & (firm["day"] == DAYS[2]), "atm_iv_30d"] = 9.0
    figure = movers_figure(firm, count=5)
    names, moved = list(figure.data[0].y), list(figure.data[0].x)
    assert len(names) == 10
    assert "SYM003" not in names
    assert moved == sorted(moved)
    table = history.pivot_table(index="day", columns="symbol", values="atm_iv_30d")
    assert moved[-1] == pytest.approx(100 * table.diff().iloc[-1].drop(["SYM003"]).max(), abs=0.006)
    assert "from 18 Mar 2026 to 19 Mar 2026" in figure.layout.title.text
    alone = movers_figure(history[history["day"] == DAYS[0]])
    assert "no earlier day" in alone.layout.title.text


def test_a_refused_quote_is_drawn_and_counted() -> None:
    points = pd.DataFrame(
        {
            "symbol": "ACME",
            "expiry": pd.Timestamp("2026-03-30"),
            "what": ["fresh", "old", "refused", "fit", "fit"],
            "moneyness": [-0.1, 0.0, 0.1, -0.1, 0.1],
            "vol": [0.3, 0.2, 0.9, 0.3, 0.25],
        }
    )
    figure = smile_figure(points)
    assert "3 quotes, 1 refused" in figure.layout.title.text
    crossed = next(part for part in figure.data if part.name.endswith("refused"))
    assert (list(crossed.x), list(crossed.y)) == ([10.0], [90.0])
    (curve,) = (part for part in figure.data if part.mode == "lines")
    assert list(curve.y) == [30.0, 25.0]


def test_only_quotes_of_drawn_smiles_are_counted() -> None:
    near, far = pd.Timestamp("2026-03-30"), pd.Timestamp("2026-04-28")
    points = pd.DataFrame(
        {
            "symbol": "ACME",
            "expiry": [near, near, near, far, far],
            "what": ["fresh", "refused", "fit", "refused", "fit"],
            "moneyness": 0.0,
            "vol": 0.3,
        }
    )
    assert "2 quotes, 1 refused" in smile_figure(points, expiries=1).layout.title.text


def test_a_gap_in_the_history_is_not_a_week(history: pd.DataFrame) -> None:
    """Six stored days may span a year, so the day is named."""
    old = pd.to_datetime(["2025-01-06", "2025-01-07", "2025-01-08"]).astype("datetime64[s]")
    parts = [history.assign(day=history["day"].replace(dict(zip(DAYS, old, strict=True)))), history]
    drawn = pd.concat(parts, ignore_index=True)
    names = [part.name for part in term_figure(drawn, symbol="SYM007").data]
    assert names[-2:] == ["19 Mar 2026", "06 Jan 2025"]


def test_cone_and_term_draw_the_history(history: pd.DataFrame) -> None:
    rows = history[history["symbol"] == "SYM007"]
    cone = {part.name: part for part in cone_figure(history, symbol="SYM007").data if part.name}
    assert list(cone["implied now"].x) == [7, 30, 60, 90]
    assert cone["implied now"].y[1] == pytest.approx(100 * rows["atm_iv_30d"].iloc[-1], abs=0.006)
    assert cone["median"].y[1] == pytest.approx(100 * rows["rv_cc_20"].median(), abs=0.006)
    axis = cone_figure(history, symbol="SYM007").layout.xaxis.title.text
    assert axis == "calendar days (realised on 3 days, 17 Mar 2026 to 19 Mar 2026)"
    term = {part.name: part for part in term_figure(history, symbol="SYM007").data if part.name}
    assert term["19 Mar 2026"].y[3] == pytest.approx(100 * rows["atm_iv_90d"].iloc[-1], abs=0.006)
    assert len(term) == 2  # the band and today: five sessions before are not known
