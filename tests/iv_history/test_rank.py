"""Percentiles: the longest permitted window, a refusal below the minimum, nothing from later."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
from scipy.stats import percentileofscore

from strikeloom.domain.volatility import Regime
from strikeloom.iv_history.rank import rank, regime
from strikeloom.nse.corporate_actions import CorporateAction
from strikeloom.settings.all import load_settings

IV = load_settings().iv
LAST = date(2026, 6, 30)


def _history(days: int, *, symbol: str = "ACME", seed: int = 1) -> pd.DataFrame:
    """Business days up to LAST with made volatilities."""
    when = pd.bdate_range(end=pd.Timestamp(LAST), periods=days).astype("datetime64[s]")
    vols = np.random.default_rng(seed).uniform(0.1, 0.5, days)
    return pd.DataFrame({"symbol": symbol, "day": when, "atm_iv_30d": vols})


@pytest.mark.parametrize(
    ("days", "window", "needed"),
    [(19, None, 20), (20, 1, 20), (39, 1, 20), (45, 3, 40), (100, 6, 80), (200, 12, 160)],
)
def test_the_longest_window_with_enough_days_is_used(
    days: int, window: int | None, needed: int
) -> None:
    (row,) = rank(_history(days), LAST, IV)
    assert row.window_months == window
    assert row.needed == needed
    if window is None:
        assert row.percentile is None
        assert row.regime is None
        assert row.reason == "19 of 20 days needed in 1 month"
        assert row.windows[0].missing == 1
    else:
        assert row.sample >= needed


def test_days_in_the_next_window_are_named_when_the_first_has_moved_on() -> None:
    history = _history(30).iloc[[*range(12), *range(16, 30)]]  # four sessions lack a volatility
    month = history["day"] > pd.Timestamp(LAST) - pd.DateOffset(months=1)
    inside = int(month.sum())
    assert inside < 20
    (row,) = rank(history, LAST, IV)
    assert row.reason == f"{inside} of 20 days needed in 1 month, 26 of 40 days needed in 3 months"


def test_the_percentile_is_scipys_over_the_window() -> None:
    history = _history(100)
    (row,) = rank(history, LAST, IV)
    inside = history[history["day"] > pd.Timestamp(LAST) - pd.DateOffset(months=6)]["atm_iv_30d"]
    assert row.sample == len(inside)
    expected = percentileofscore(inside, inside.iloc[-1], kind="mean")
    assert row.percentile == pytest.approx(expected)


def test_every_window_has_its_sample_or_the_days_it_lacks() -> None:
    history = _history(100)
    (row,) = rank(history, LAST, IV)
    assert [window.months for window in row.windows] == [1, 3, 6, 12]
    assert [window.needed for window in row.windows] == [20, 40, 80, 160]
    assert row.windows[-1].percentile is None
    assert row.windows[-1].missing == 160 - 100
    for window in row.windows[:3]:
        begin = pd.Timestamp(LAST) - pd.DateOffset(months=window.months)
        inside = history[history["day"] > begin]["atm_iv_30d"]
        expected = percentileofscore(inside, inside.iloc[-1], kind="mean")
        assert (window.sample, window.percentile) == (len(inside), pytest.approx(expected))


def test_tomorrow_cannot_change_today() -> None:
    history = _history(100)
    today = date.fromisoformat(str(history["day"].iloc[-10].date()))
    before = rank(history[history["day"] <= pd.Timestamp(today)], today, IV)
    poisoned = history.copy()
    poisoned.loc[poisoned["day"] > pd.Timestamp(today), "atm_iv_30d"] = 9.0
    assert rank(poisoned, today, IV) == before


def test_an_unsolved_day_is_refused_and_does_not_count() -> None:
    history = _history(60)
    history.loc[history.index[-1], "atm_iv_30d"] = np.nan
    (row,) = rank(history, LAST, IV)
    assert (row.atm_iv, row.percentile, row.reason) == (None, None, "no volatility today")
    history = _history(60)
    history.loc[history.index[:-1:2], "atm_iv_30d"] = np.nan
    (row,) = rank(history, LAST, IV)
    assert row.sample <= 30


@pytest.mark.parametrize(
    ("percentile", "expected"),
    [
        (0, Regime.LOW),
        (24.9, Regime.LOW),
        (25, Regime.NORMAL),
        (59.9, Regime.NORMAL),
        (60, Regime.ELEVATED),
        (80, Regime.HIGH),
        (100, Regime.HIGH),
    ],
)
def test_regimes_begin_at_their_thresholds(percentile: float, expected: Regime) -> None:
    assert regime(percentile, IV.regimes) is expected


def test_the_days_of_a_former_name_count_from_the_rename_on() -> None:
    """As LTIM, which is LTM since 2026-02-27."""
    history, when = _history(100), pd.Timestamp("2026-06-15")
    (whole,) = rank(history, LAST, IV)
    renamed = history.copy()
    renamed.loc[renamed["day"] >= when, "symbol"] = "LOOM"
    change = CorporateAction("ACME", when.date(), "rename", None, "LOOM")
    (alone,) = rank(renamed, LAST, IV)
    assert (alone.symbol, alone.percentile) == ("LOOM", None)
    (joined,) = rank(renamed, LAST, IV, [change])
    assert (joined.symbol, joined.sample) == ("LOOM", whole.sample)
    assert joined.percentile == whole.percentile
    before = date(2026, 6, 12)
    assert rank(renamed, before, IV, [change]) == rank(history, before, IV)
