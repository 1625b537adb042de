"""Realised volatility over nights on which a share stepped without being traded.

Expected figures are pandas' over the exchange's own cash file, with the night taken out by hand.
"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from strikeloom.adapters.bhavcopy import import_paths
from strikeloom.adapters.parquet.history import ParquetHistory
from strikeloom.domain.volatility import Flag
from strikeloom.iv_history import summarise_day
from strikeloom.nse.stated_steps import StatedStep
from strikeloom.settings.all import load_settings

pytestmark = pytest.mark.realdata

DAY = date(2026, 1, 1)


@pytest.fixture(scope="module")
def cash(shared_data: Path) -> pd.DataFrame:
    """Every session of the stored stocks, as published."""
    (stacked,) = (shared_data / "cm_bhavcopy").glob("fno_underlyings_*.csv.gz")
    frame = pd.read_csv(stacked, skipinitialspace=True)
    return frame.assign(day=lambda t: pd.to_datetime(t["DATE1"])).sort_values(["SYMBOL", "day"])


@pytest.fixture(scope="module")
def history(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> ParquetHistory:
    """The cash file, and of the contracts the first day of 2026 alone."""
    found = ParquetHistory(tmp_path_factory.mktemp("steps"), "nse")
    (stacked,) = (shared_data / "cm_bhavcopy").glob("fno_underlyings_*.csv.gz")
    file = "BhavCopy_NSE_FO_0_0_0_20260101_F_0000.csv.zip"
    paths = [stacked, shared_data / "fo_bhavcopy" / "udiff" / file]
    assert not import_paths(paths, found).refused
    return found


def summary(history: ParquetHistory, symbol: str) -> pd.Series:
    past, begin = history.as_of(DAY), DAY - timedelta(days=130)
    found = summarise_day(
        past.contracts(DAY, symbols=[symbol]), past.prices(begin, DAY, symbols=[symbol]), DAY,
        load_settings().iv, actions=past.actions(begin, DAY),
    )  # fmt: skip
    return found.summary.iloc[0]


def by_hand(cash: pd.DataFrame, symbols: tuple[str, ...], night: str, window: int) -> float:
    own = cash[cash["SYMBOL"].isin(symbols) & (cash["day"] <= pd.Timestamp(DAY))]
    steps = np.log(own.set_index("day")["CLOSE_PRICE"].sort_index()).diff().iloc[-window:]
    assert pd.Timestamp(night) in steps.index
    return float(steps.drop(pd.Timestamp(night)).std() * np.sqrt(250))


@pytest.mark.parametrize(
    ("symbols", "night", "window", "about"),
    [
        # with the demerger of the ice cream business averaged in: 21.9 %
        (("HINDUNILVR",), "2025-12-05", 20, 0.126),
        # of the commercial vehicles, before the share was renamed: 104 %
        (("TATAMOTORS", "TMPV"), "2025-10-14", 60, 0.2125),
    ],
)
def test_a_demerger_is_no_move(
    history: ParquetHistory,
    cash: pd.DataFrame,
    symbols: tuple[str, ...],
    night: str,
    window: int,
    about: float,
) -> None:
    row = summary(history, symbols[-1])
    expected = by_hand(cash, symbols, night, window)
    assert row[f"rv_cc_{window}"] == pytest.approx(expected, rel=1e-9)
    assert expected == pytest.approx(about, abs=0.002)
    assert Flag.BROKEN.value in row["flags"].split()


def test_an_answer_changes_the_figure(history: ParquetHistory, cash: pd.DataFrame) -> None:
    """The open of the special session shows that 40.20 rupees left the share overnight."""
    night = pd.Timestamp("2025-12-05")
    own = cash[(cash["SYMBOL"] == "HINDUNILVR") & (cash["day"] <= pd.Timestamp(DAY))]
    own = own.set_index("day")
    steps = np.log(own["CLOSE_PRICE"]).diff().iloc[-20:]
    asked = by_hand(cash, ("HINDUNILVR",), "2025-12-05", 20)
    traded = steps.copy()
    traded[night] = np.log(own.loc[night, "CLOSE_PRICE"] / own.loc[night, "OPEN_PRICE"])
    past, begin = history.as_of(DAY), DAY - timedelta(days=130)
    print_of: set[str] = set()
    answers = (
        ((None, 40.20), traded.std() * np.sqrt(250), 0.174),
        ((2462.20 / 2422.00, None), traded.std() * np.sqrt(250), 0.174),
        ((None, None), steps.std() * np.sqrt(250), 0.219),
        (None, asked, 0.126),
    )
    for answer, expected, about in answers:
        step = answer and StatedStep("HINDUNILVR", night.date(), *answer, 2462.20, "2026-01-02")
        history.state_step("HINDUNILVR", night.date(), step)
        row = summary(history, "HINDUNILVR")
        assert row["rv_cc_20"] == pytest.approx(expected, rel=1e-9)
        assert expected == pytest.approx(about, abs=0.001)
        assert (Flag.BROKEN.value in row["flags"].split()) == (answer is None)
        print_of.add(past.fingerprint(begin, ""))
    assert len(print_of) == len(answers)  # so the days that it changes are due again


def test_contracts_of_earlier_days_keep_their_strikes_whatever_was_stated(
    history: ParquetHistory,
) -> None:
    before = history.as_of(DAY).contracts(DAY, symbols=["HINDUNILVR"])
    step = StatedStep("HINDUNILVR", DAY + timedelta(days=1), None, 12.0, 2323.0, "2026-01-03")
    history.state_step("HINDUNILVR", step.day, step)
    after = history.as_of(DAY + timedelta(days=1)).contracts(DAY, symbols=["HINDUNILVR"])
    history.state_step("HINDUNILVR", step.day, None)
    pd.testing.assert_frame_equal(before, after)
