"""Percentiles: windows in sessions, a refusal below the minimum, nothing from later."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import percentileofscore

from strikeloom.domain.volatility import IvRank, Regime
from strikeloom.iv_history.rank import rank, regime
from strikeloom.nse.corporate_actions import CorporateAction
from strikeloom.nse.sessions import trading_days
from strikeloom.settings.all import load_settings
from support.ranks_by_pandas import NEEDED, WINDOWS, ranks_by_pandas, same

IV = load_settings().iv
LAST = date(2026, 6, 30)
SESSIONS = trading_days(date(2025, 1, 1), LAST)


def _history(days: int, *, symbol: str = "ACME", seed: int = 1) -> pd.DataFrame:
    """The exchange's sessions up to LAST with made volatilities."""
    when = pd.to_datetime(SESSIONS[-days:]).astype("datetime64[s]")
    vols = np.random.default_rng(seed).uniform(0.1, 0.5, days)
    return pd.DataFrame({"symbol": symbol, "day": when, "atm_iv_30d": vols})


@pytest.mark.parametrize(
    ("days", "window", "needed"),
    [(19, None, 20), (20, 21, 20), (39, 21, 20), (40, 63, 40), (80, 126, 80), (160, 252, 160)],
)
def test_the_longest_window_with_enough_days_is_used(
    days: int, window: int | None, needed: int
) -> None:
    (row,) = rank(_history(days), LAST, IV)
    assert row.window_sessions == window
    assert row.needed == needed
    if window is None:
        assert row.percentile is None
        assert row.regime is None
        assert row.reason == "19 of 20 days needed in 21 sessions"
        assert row.coverage == ""
        assert row.windows[0].missing == 1
    else:
        assert row.sample == min(days, window)
        assert row.coverage == f"{min(days, window)} of {window} sessions"


@pytest.mark.parametrize("day", [day for day in SESSIONS if day.year == 2026])
def test_no_session_of_a_whole_history_lacks_a_rank_of_21_sessions(day: date) -> None:
    """A calendar month holds 17 to 23 sessions: a fifth of all months had none."""
    (row,) = rank(_history(252), day, IV)
    assert row.windows[0].sample == 21
    assert row.windows[0].percentile is not None


def test_a_session_without_a_file_makes_the_sample_smaller_not_the_window_longer() -> None:
    history = _history(60)
    holed = history.drop(index=history.index[-5])
    (row,) = rank(holed, LAST, IV)
    assert [(w.sessions, w.sample) for w in row.windows[:2]] == [(21, 20), (63, 59)]
    inside = history["atm_iv_30d"].iloc[-21:].drop(history.index[-5])
    expected = percentileofscore(inside, inside.iloc[-1], kind="mean")
    assert row.windows[0].percentile == pytest.approx(expected, abs=1e-12)


def test_a_stored_day_that_the_calendar_does_not_know_is_a_session() -> None:
    history = _history(30)
    history.loc[history.index[-3], "day"] = pd.Timestamp("2026-06-28")  # a Sunday
    (row,) = rank(history, LAST, IV)
    # the calendar's own session of that row is one more without a volatility
    assert row.windows[0].sample == 20


def test_days_in_the_next_window_are_named_when_the_first_has_moved_on() -> None:
    history = _history(30).iloc[[*range(12), *range(16, 30)]]  # four sessions lack a volatility
    (row,) = rank(history, LAST, IV)
    assert row.reason == (
        "17 of 20 days needed in 21 sessions, 26 of 40 days needed in 63 sessions"
    )


def test_every_window_has_its_sample_or_the_days_it_lacks() -> None:
    history = _history(100)
    (row,) = rank(history, LAST, IV)
    assert [window.sessions for window in row.windows] == [21, 63, 126, 252]
    assert [window.needed for window in row.windows] == [20, 40, 80, 160]
    assert row.windows[-1].percentile is None
    assert row.windows[-1].missing == 160 - 100
    for window in row.windows[:3]:
        inside = history["atm_iv_30d"].iloc[-window.sessions :]
        expected = percentileofscore(inside, inside.iloc[-1], kind="mean")
        assert (window.sample, window.percentile) == (len(inside), pytest.approx(expected))
    assert (row.percentile, row.rank) == (row.windows[2].percentile, row.windows[2].rank)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_every_day_of_any_history_is_ranked_as_pandas_ranks_it(data: st.DataObject) -> None:
    """Gaps, ties, days without a volatility, several symbols with days of their own."""
    span = SESSIONS[-data.draw(st.integers(1, 300)) :]
    # few distinct values: ties are common
    value = st.sampled_from([0.1, 0.15, 0.2, 0.2 + 2**-52, 0.3, np.nan])
    frames = []
    for symbol in ("ACME", "BETA")[: data.draw(st.integers(1, 2))]:
        vols = data.draw(st.lists(value, min_size=len(span), max_size=len(span)))
        kept = data.draw(st.lists(st.booleans(), min_size=len(span), max_size=len(span)))
        when = pd.to_datetime(span).astype("datetime64[s]")
        frame = pd.DataFrame({"symbol": symbol, "day": when, "atm_iv_30d": vols})
        frames.append(frame[np.array(kept) | (np.arange(len(span)) == len(span) - 1)])
    history = pd.concat(frames, ignore_index=True)
    expected = ranks_by_pandas(history, span)
    for day in data.draw(st.lists(st.sampled_from(span), min_size=1, max_size=4)):
        for row in rank(history, day, IV):
            same(row, expected)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), days=st.integers(1, 400))
def test_distinct_volatilities_are_ranked_as_pandas_ranks_them(seed: int, days: int) -> None:
    span = SESSIONS[-min(days, len(SESSIONS)) :]
    history = _history(len(span), seed=seed)
    expected = ranks_by_pandas(history, span)
    for day in (span[-1], span[len(span) // 2], span[0]):
        (row,) = rank(history, day, IV)
        same(row, expected)


def test_the_reference_refuses_a_wrong_rank() -> None:
    history = _history(100)
    expected = ranks_by_pandas(history, SESSIONS[-100:])
    (row,) = rank(history, LAST, IV)
    same(row, expected)
    (other,) = rank(history.assign(atm_iv_30d=history["atm_iv_30d"].to_numpy()[::-1]), LAST, IV)
    with pytest.raises(AssertionError):
        same(other, expected)


def test_the_reference_has_the_windows_of_the_settings() -> None:
    assert dict(zip(WINDOWS, NEEDED, strict=True)) == IV.windows


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


def _named(row: IvRank, symbol: str) -> IvRank:
    from dataclasses import replace

    return replace(row, symbol=symbol)


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
    assert joined == _named(whole, "LOOM")
    before = date(2026, 6, 12)
    assert rank(renamed, before, IV, [change]) == rank(history, before, IV)
