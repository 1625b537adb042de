"""Volatilities of real days against figures computed independently of this code.

The expected at-the-money values were made with another program (Black-76 on closes, forward
from parity near the money, 6.5 %, calendar days over 365) and are stated to a tenth of a point.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from strikeloom.adapters.bhavcopy import import_paths
from strikeloom.adapters.parquet.history import ParquetHistory
from strikeloom.domain.volatility import Flag, Quality, Unsolved
from strikeloom.iv_history import DaySummary, summarise_day
from strikeloom.settings.all import load_settings

pytestmark = pytest.mark.realdata

FILES = (
    "20250101", "20250102", "20260101", "20260113", "20260114", "20260203", "20260311", "20260313",
    "20260318",
)  # fmt: skip
EXPECTED = [
    ("2026-01-01", "RELIANCE", 15.2, 1584.2),
    ("2026-02-03", "RELIANCE", 18.6, 1440.2),
    ("2026-02-03", "BANKNIFTY", 13.0, None),
    ("2026-02-03", "HDFCBANK", 16.4, None),
]


class Days:
    """Four real days, each computed once."""

    def __init__(self, history: ParquetHistory) -> None:
        self.history = history
        self.of = cache(self._of)

    def _of(self, text: str) -> DaySummary:
        day = date.fromisoformat(text)
        past, begin = self.history.as_of(day), day - timedelta(days=130)
        contracts = past.contracts(day)
        names = sorted(contracts["symbol"].unique())
        prices, actions = past.prices(begin, day, symbols=names), past.actions(begin, day)
        return summarise_day(contracts, prices, day, load_settings().iv, actions=actions)

    def row(self, day: str, symbol: str) -> pd.Series:
        summary = self.of(day).summary
        return summary[summary["symbol"] == symbol].iloc[0]


@pytest.fixture(scope="module")
def days(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Days:
    found = ParquetHistory(tmp_path_factory.mktemp("history"), "nse")
    folder = shared_data / "fo_bhavcopy" / "udiff"
    files = [folder / f"BhavCopy_NSE_FO_0_0_0_{day}_F_0000.csv.zip" for day in FILES]
    (stacked,) = (shared_data / "cm_bhavcopy").glob("fno_underlyings_*.csv.gz")
    report = import_paths([*files, stacked], found)
    assert not report.refused
    return Days(found)


@pytest.mark.parametrize(("day", "symbol", "percent", "forward"), EXPECTED)
def test_volatility_and_forward_of_liquid_names(
    days: Days, day: str, symbol: str, percent: float, forward: float | None
) -> None:
    row = days.row(day, symbol)
    assert row["forward_source"] == "parity"
    assert 100 * row["atm_iv"] == pytest.approx(percent, abs=0.25)
    if forward is not None:
        # another choice of strikes near the money; the listed future of the second is 1441.0
        assert row["forward"] == pytest.approx(forward, rel=4e-4)


@pytest.mark.parametrize(("day", "left"), [("2025-01-01", 2), ("2025-01-02", 1)])
def test_series_that_end_for_a_demerger_count_to_their_end(days: Days, day: str, left: int) -> None:
    """ITC's series of three months all ended on 2025-01-03, by the files of those days."""
    row = days.row(day, "ITC")
    assert np.isnan(row["atm_iv_30d"])
    assert row["reason"] == Unsolved.ENDS_EARLY.value
    rows = days.of(day).expiries
    rows = rows[rows["symbol"] == "ITC"]
    assert len(rows) == 3
    np.testing.assert_allclose(rows["years"], left / 365, rtol=1e-12)
    # one contract under three names has one volatility, as the share's before and after
    assert rows["atm_iv"].max() - rows["atm_iv"].min() < 0.02
    assert rows["atm_iv"].between(0.18, 0.30).all()


def test_three_old_trades_on_one_side_are_no_volatility(days: Days) -> None:
    """SAMMAANCAP: 8 lots of calls above the forward at 40 to 54 %, read as 77 % 30 days ahead.

    The days before and after it is at 42 to 45 %, and the share moves 2 % a day.
    """
    row = days.row("2026-03-11", "SAMMAANCAP")
    assert np.isnan(row["atm_iv_30d"])
    assert row["reason"] == Unsolved.THIN.value
    rows = days.of("2026-03-11").expiries
    at = (rows["symbol"] == "SAMMAANCAP") & (rows["quotes"] > 0)
    assert rows.loc[at, "atm_iv"].between(0.40, 0.54).all()


def test_a_thin_far_month_is_replaced_by_the_peer_estimate(days: Days) -> None:
    """POWERINDIA: five calls of 11 lots, once 62 % for April beside a March of 52 %.

    On the two sessions beside it April traded at 42 and 40 %, and the 30 days lay at 45 and 42.
    """
    row = days.row("2026-03-13", "POWERINDIA")
    assert row["quality"] in (Quality.B.value, Quality.C.value)
    assert 0.42 < row["atm_iv_30d"] < 0.53


@pytest.mark.parametrize(
    ("day", "index"), [("2026-01-01", 9.19), ("2026-02-03", 12.90), ("2026-03-18", 18.72)]
)
def test_the_exchanges_method_comes_to_the_exchanges_index(
    days: Days, day: str, index: float
) -> None:
    """India VIX as NSE published it that day; it is no input."""
    assert 100 * days.row(day, "NIFTY")["vix_method"] == pytest.approx(index, abs=0.1)
    assert np.isnan(days.row(day, "RELIANCE")["vix_method"])


def test_every_symbol_ends_with_a_number_or_a_reason(days: Days) -> None:
    for text in ("2026-01-01", "2026-02-03"):
        summary = days.of(text).summary
        contracts = days.history.contracts(date.fromisoformat(text))
        assert set(summary["symbol"]) == set(contracts["symbol"])
        unsolved = summary["atm_iv_30d"].isna()
        assert (summary.loc[unsolved, "reason"] != "").all()
        assert ((summary["quality"] == "") == unsolved).all()
        assert unsolved.mean() < 0.02
        carried = summary["flags"].str.contains(Flag.CARRIED.value)
        assert ((summary["quality"] == Quality.C.value) == carried).all()


def test_the_forward_agrees_with_the_listed_future(days: Days) -> None:
    rows = days.of("2026-02-03").expiries
    front = rows.dropna(subset=["future", "parity_forward"]).groupby("symbol").head(1)
    gaps = (front["parity_forward"] / front["future"] - 1).abs()[front["parity_strikes"] >= 3]
    assert len(gaps) > 190
    assert gaps.median() <= 0.0005
    assert gaps.quantile(0.9) <= 0.0015


def test_a_split_moves_neither_implied_nor_realised_volatility(days: Days) -> None:
    # KOTAKBANK, five shares for one on 2026-01-14: the raw close falls by 80 %
    before, after = (days.row(day, "KOTAKBANK") for day in ("2026-01-13", "2026-01-14"))
    assert before["spot"] / after["spot"] == pytest.approx(5, rel=0.02)
    assert abs(after["atm_iv_30d"] - before["atm_iv_30d"]) < 0.02
    for name in ("rv_cc_10", "rv_cc_20", "rv_pk_20", "rv_gk_20", "rv_yz_20", "rv_cc_60"):
        # a day leaves the window and one enters; a false fall of 80 % would add 4.0 or more
        assert abs(after[name] - before[name]) < 0.06, name


def test_carried_far_volatilities_are_near_those_that_traded(days: Days) -> None:
    """Leave the far expiry out where it traded: within 1.5 points in the median."""
    rows = days.of("2026-02-03").expiries
    solved = rows[(rows["quality"] == "A") & (rows["years"] > 2 / 365)]
    table = solved.pivot_table(index="symbol", columns="expiry", values="atm_iv")
    near, far = (table[pd.Timestamp(day)].to_numpy() for day in ("2026-02-24", "2026-03-30"))
    from strikeloom.quant.peers import carry

    missed = []
    for row in np.flatnonzero(np.isfinite(near) & np.isfinite(far))[::5]:
        others = np.arange(len(near)) != row
        missed.append(abs(carry(near, far, others).vol[row] - far[row]))
    assert len(missed) > 20
    assert np.median(missed) < 0.015


def test_trading_time_changes_the_year_of_a_volatility_and_nothing_else(days: Days) -> None:
    day = date(2026, 2, 3)
    names = ["NIFTY", "RELIANCE", "TCS"]
    contracts = days.history.as_of(day).contracts(day, symbols=names)
    prices = days.history.as_of(day).prices(day - timedelta(days=130), day, symbols=names)
    settings = load_settings().iv
    by_basis = {
        basis: summarise_day(
            contracts, prices, day, settings.model_copy(update={"year_basis": basis})
        ).summary.set_index("symbol")
        for basis in ("calendar", "trading")
    }
    calendar, trading = by_basis["calendar"], by_basis["trading"]
    assert (calendar["expiry"] == trading["expiry"]).all()
    expiry = calendar.loc["RELIANCE", "expiry"]
    assert str(expiry.date()) == "2026-02-24"
    # 15 sessions are ahead, none of them special: 4 to 24 February
    assert trading.loc["RELIANCE", "years"] == pytest.approx(15 / 250, rel=1e-12)
    assert calendar.loc["RELIANCE", "years"] == pytest.approx(21 / 365, rel=1e-12)
    for same in ("forward", "forward_error", "strikes_used", "vix_method"):
        np.testing.assert_allclose(trading[same], calendar[same], rtol=1e-12)
    spread = (trading["atm_iv"] / calendar["atm_iv"]) ** 2
    np.testing.assert_allclose(spread, calendar["years"] / trading["years"], rtol=1e-3)


def test_a_demerger_before_a_rename_is_no_trade_of_the_later_name(days: Days) -> None:
    """TATAMOTORS, 660.75 then open 400.00 on 2025-10-14, is TMPV since 2025-10-24.

    With that night its volatility over 60 sessions would be 106 %.
    """
    row = days.row("2026-01-01", "TMPV")
    assert Flag.BROKEN in row["flags"].split()
    long = np.array([row[f"rv_{name}_60"] for name in ("cc", "pk", "gk", "yz")])
    assert ((long > 0.1) & (long < 0.4)).all()
    # the last 20 sessions are all later
    assert 0.1 < row["rv_cc_20"] < 0.4
