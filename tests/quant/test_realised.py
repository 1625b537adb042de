"""Realised volatility: QuantLib's estimators, pandas, the papers' sums, and a known process."""

from __future__ import annotations

import math
import statistics

import numpy as np
import pandas as pd
import pytest
import QuantLib as ql
from hypothesis import given, settings
from hypothesis import strategies as st

from strikeloom.errors import DataError
from strikeloom.quant import realised

YEAR = 248.0
RANGE_ONLY = (realised.garman_klass, realised.rogers_satchell)


def _bars(sessions: int, seed: int = 5) -> tuple[np.ndarray, ...]:
    """Some plausible bars: open, high, low, close."""
    draw = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(0.012 * draw.normal(size=sessions)))
    before = np.concatenate(([100.0], close[:-1]))
    first = before * np.exp(0.006 * draw.normal(size=sessions))
    top = np.maximum(first, close) * np.exp(0.004 * np.abs(draw.normal(size=sessions)))
    bottom = np.minimum(first, close) * np.exp(-0.004 * np.abs(draw.normal(size=sessions)))
    return first, top, bottom, close


def _quantlib(estimator: object, bars: tuple[np.ndarray, ...]) -> np.ndarray:
    """Variance a session of QuantLib's one-session estimators (a year of one session)."""
    first, top, bottom, close = (values.tolist() for values in bars)
    start = ql.Date(2, 1, 2023)
    dates = ql.DateVector([start + i for i in range(len(first))])
    prices = ql.IntervalPriceVector(
        [
            ql.IntervalPrice(o, c, h, low)
            for o, h, low, c in zip(first, top, bottom, close, strict=True)
        ]
    )
    found = estimator.calculate(ql.IntervalPriceTimeSeries(dates, prices))  # type: ignore[attr-defined]
    return np.square(np.array(found.values()))


def test_parkinson_and_garman_klass_are_quantlibs() -> None:
    bars = _bars(40)
    first, top, bottom, close = bars
    window = 10
    for mine, theirs in (
        (realised.parkinson(top, bottom, window, YEAR), ql.ParkinsonSigma(1.0)),
        (realised.garman_klass(first, top, bottom, close, window, YEAR), ql.GarmanKlassSigma5(1.0)),
    ):
        daily = _quantlib(theirs, bars)
        # QuantLib leaves out the first bar of a series
        assert len(daily) in (39, 40)
        expected = pd.Series(daily).rolling(window).mean().to_numpy() * YEAR
        np.testing.assert_allclose(mine[-20:], np.sqrt(expected[-20:]), rtol=1e-12)


def test_close_to_close_is_pandas_rolling_deviation() -> None:
    close = _bars(60)[3]
    steps = np.log(pd.Series(close)).diff()
    expected = steps.rolling(20).std() * math.sqrt(YEAR)
    np.testing.assert_allclose(realised.close_to_close(close, 20, YEAR), expected, rtol=1e-9)
    zero_mean = np.sqrt((steps**2).rolling(20).mean() * YEAR)
    found = realised.close_to_close(close, 20, YEAR, demean=False)
    np.testing.assert_allclose(found, zero_mean, rtol=1e-9)


def test_rogers_satchell_and_yang_zhang_are_the_papers_sums() -> None:
    n = 12
    first, top, bottom, close = (values.tolist() for values in _bars(n + 1))
    rs = [
        math.log(h / c) * math.log(h / o) + math.log(low / c) * math.log(low / o)
        for o, h, low, c in zip(first[1:], top[1:], bottom[1:], close[1:], strict=True)
    ]
    night = [math.log(first[i] / close[i - 1]) for i in range(1, n + 1)]
    body = [math.log(c / o) for o, c in zip(first[1:], close[1:], strict=True)]
    k = 0.34 / (1.34 + (n + 1) / (n - 1))
    expected = (
        statistics.variance(night) + k * statistics.variance(body) + (1 - k) * statistics.fmean(rs)
    )
    bars = [np.array(values) for values in (first, top, bottom, close)]
    found = realised.rogers_satchell(*bars, n, YEAR)
    assert found[-1] == pytest.approx(math.sqrt(statistics.fmean(rs) * YEAR), rel=1e-12)
    assert realised.yang_zhang(*bars, n, YEAR)[-1] == pytest.approx(
        math.sqrt(expected * YEAR), rel=1e-12
    )


def test_estimators_find_the_volatility_of_a_known_process() -> None:
    """Drift and nights in the process: ignoring one biases an estimator, as in the papers."""
    draw = np.random.default_rng(11)
    sessions, steps, day, night, drift = 2_000, 400, 0.012, 0.006, 0.010
    moves = day / math.sqrt(steps) * draw.normal(size=(sessions, steps)) + drift / steps
    inside = np.concatenate((np.zeros((sessions, 1)), np.cumsum(moves, axis=1)), axis=1)
    jumps = night * draw.normal(size=sessions)
    ends = np.cumsum(jumps + inside[:, -1])
    starts = np.concatenate(([0.0], ends[:-1])) + jumps
    # a path seen at 400 moments misses its extremes by 0.5826 steps on average (Broadie,
    # Glasserman and Kou 1997)
    miss = 0.5826 * day / math.sqrt(steps)
    bars = [
        np.exp(values)
        for values in (
            starts,
            starts + inside.max(axis=1) + miss,
            starts + inside.min(axis=1) - miss,
            ends,
        )
    ]
    _, top, bottom, close = bars
    window = sessions - 1
    whole, body = math.sqrt(day**2 + night**2), day
    assert realised.yang_zhang(*bars, window, 1.0)[-1] == pytest.approx(whole, rel=0.02)
    assert realised.close_to_close(close, window, 1.0)[-1] == pytest.approx(whole, rel=0.04)
    assert realised.rogers_satchell(*bars, window, 1.0)[-1] == pytest.approx(body, rel=0.03)
    assert realised.parkinson(top, bottom, window, 1.0)[-1] > 1.1 * body
    assert realised.close_to_close(close, window, 1.0, demean=False)[-1] > 1.1 * whole
    mean = float(np.nanmean(realised.daily_variance(*bars)))
    assert mean > day**2 + night**2


def test_a_bad_session_is_missing_in_every_window_that_holds_it() -> None:
    for fault in (
        (0, 5, np.nan),
        (1, 5, 0.0),
        (2, 5, 1e9),
        (3, 5, -1.0),
        (0, 5, np.inf),
        (3, 5, 1e6),
    ):
        bars = [values.copy() for values in _bars(20)]
        clean = _bars(20)
        bars[fault[0]][fault[1]] = fault[2]
        for estimator in (*RANGE_ONLY, realised.yang_zhang):
            found, whole = estimator(*bars, 4, YEAR), estimator(*clean, 4, YEAR)
            touched = np.isnan(found) & ~np.isnan(whole)
            # a close is also the start of the next night
            last = 9 if estimator is realised.yang_zhang else 8
            assert np.flatnonzero(touched).tolist() == list(range(max(5, 3), last + 1)), fault
            np.testing.assert_array_equal(found[~touched], whole[~touched])


def test_windows_that_are_not_full_are_missing() -> None:
    bars = _bars(6)
    assert np.isnan(realised.yang_zhang(*bars, 5, YEAR)[:5]).all()
    assert np.isfinite(realised.yang_zhang(*bars, 5, YEAR)[5])
    assert np.isnan(realised.close_to_close(bars[3], 6, YEAR)).all()
    assert np.isnan(realised.parkinson(bars[1], bars[2], 7, YEAR)).all()
    for bad in (1, 0, -3):
        with pytest.raises(DataError, match="2 or more"):
            realised.parkinson(bars[1], bars[2], bad, YEAR)
    with pytest.raises(DataError, match="different shapes"):
        realised.garman_klass(bars[0], bars[1], bars[2], bars[3][:3], 2, YEAR)


@given(scale=st.floats(1e-3, 1e4), seed=st.integers(0, 999), window=st.integers(2, 6))
@settings(max_examples=50, deadline=None)
def test_a_change_of_unit_changes_nothing_and_series_stand_alone(
    scale: float, seed: int, window: int
) -> None:
    both = [np.stack(pair) for pair in zip(_bars(12, seed), _bars(12, seed + 1), strict=True)]
    for estimator in (*RANGE_ONLY, realised.yang_zhang):
        found = estimator(*both, window, YEAR)
        np.testing.assert_allclose(
            estimator(*(scale * values for values in both), window, YEAR), found, rtol=1e-6
        )
        np.testing.assert_array_equal(
            found[1], estimator(*(values[1] for values in both), window, YEAR)
        )


def test_a_night_left_out_is_no_part_of_its_windows() -> None:
    """By pandas, which averages the values that are there (``min_periods``)."""
    first, top, bottom, close = _bars(60)
    night, window = 30, 20
    for values in (first, top, bottom, close):
        values[:night] *= 1.7  # no trade: the share is another one since
    out = np.arange(60) == night
    steps = pd.Series(np.log(close)).diff()
    steps[night] = np.nan
    rolled = steps.rolling(window, min_periods=window - 1)
    complete = slice(window + 1, None)
    np.testing.assert_allclose(
        realised.close_to_close(close, window, YEAR, nights_out=out)[complete],
        (rolled.std() * math.sqrt(YEAR))[complete],
        rtol=1e-12,
    )
    np.testing.assert_allclose(
        realised.close_to_close(close, window, YEAR, demean=False, nights_out=out)[complete],
        np.sqrt((steps**2).rolling(window, min_periods=window - 1).mean() * YEAR)[complete],
        rtol=1e-12,
    )
    overnight = pd.Series(np.log(first[1:] / close[:-1]), index=range(1, 60))
    overnight[night] = np.nan
    rest = realised.yang_zhang(first, top, bottom, close, window, YEAR) ** 2 / YEAR
    whole = pd.Series(np.log(first[1:] / close[:-1]), index=range(1, 60))
    rest -= whole.rolling(window).var().reindex(range(60)).to_numpy()
    rest += overnight.rolling(window, min_periods=window - 1).var().reindex(range(60)).to_numpy()
    np.testing.assert_allclose(
        realised.yang_zhang(first, top, bottom, close, window, YEAR, nights_out=out)[complete],
        np.sqrt(rest * YEAR)[complete],
        rtol=1e-9,
    )


def test_a_window_of_which_most_nights_are_left_out_has_no_volatility() -> None:
    close = _bars(30)[3]
    out = np.zeros(30, dtype=bool)
    out[10:16] = True
    found = realised.close_to_close(close, 10, YEAR, nights_out=out)
    assert np.isnan(found[15:19]).all()
    assert np.isfinite(found[20:]).all()


def test_a_missing_price_beside_a_night_left_out_stays_missing() -> None:
    close = _bars(30)[3]
    close[22] = np.nan
    out = np.arange(30) == 25
    assert np.isnan(realised.close_to_close(close, 5, YEAR, nights_out=out)[22:28]).all()
