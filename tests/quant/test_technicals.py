"""Wilder's measures against TA-Lib and his worked example; gaps; flow against brute force."""

from __future__ import annotations

import numpy as np
import pytest
import talib
from hypothesis import given, settings
from hypothesis import strategies as st

from strikeloom.quant.flow import max_pain, put_call, walls
from strikeloom.quant.technicals import directional, momentum, rsi

# the widely published 14-day worked example (StockCharts, QQQ closes of 2009-12 / 2010-01)
WORKED = np.array(
    [
        [44.3389, 44.0902, 44.1497, 43.6124, 44.3278, 44.8264, 45.0955, 45.4245],
        [45.8433, 46.0826, 45.8931, 46.0328, 45.6140, 46.2820, 46.2820, 46.0028],
    ]
).ravel()


def _bars(sessions: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    close = 300 * np.exp(np.cumsum(0.015 * draw.normal(size=sessions)))
    top = close * np.exp(0.01 * draw.random(sessions))
    bottom = close * np.exp(-0.01 * draw.random(sessions))
    return top, bottom, close


def test_rsi_of_wilders_worked_example() -> None:
    found = rsi(WORKED)
    assert np.isnan(found[:14]).all()
    assert found[14] == pytest.approx(70.53, abs=0.02)
    assert found[15] == pytest.approx(66.32, abs=0.02)


@pytest.mark.parametrize("days", [2, 9, 14])
def test_rsi_is_ta_libs(days: int) -> None:
    close = _bars(120, days)[2]
    np.testing.assert_allclose(rsi(close, days), talib.RSI(close, days), rtol=1e-10)


def test_directional_comes_to_ta_libs() -> None:
    """TA-Lib seeds its sums with one session less, so the two meet as the seed fades."""
    top, bottom, close = _bars(600, 3)
    mine = directional(top, bottom, close)
    pairs = (
        (mine.up, talib.PLUS_DI(top, bottom, close)),
        (mine.down, talib.MINUS_DI(top, bottom, close)),
        (mine.adx, talib.ADX(top, bottom, close)),
    )
    for found, theirs in pairs:
        np.testing.assert_allclose(found[300:], theirs[300:], rtol=1e-6)
    assert np.isnan(mine.up[:14]).all()
    assert np.isfinite(mine.up[14:]).all()
    assert np.isnan(mine.adx[:27]).all()
    assert np.isfinite(mine.adx[27:]).all()


def test_momentum_is_the_t_statistic_of_the_mean_return() -> None:
    from scipy.stats import ttest_1samp

    close = _bars(40, 8)[2]
    steps = np.diff(np.log(close))
    for place in (10, 25, 39):
        expected = ttest_1samp(steps[place - 10 : place], 0.0).statistic
        assert momentum(close, 10)[place] == pytest.approx(expected)
    assert np.isnan(momentum(close, 10)[:10]).all()


def test_nothing_is_made_up() -> None:
    flat = np.full(40, 100.0)
    assert np.isnan(rsi(flat)).all()
    assert np.isnan(momentum(flat, 5)).all()
    assert np.isnan(directional(flat, flat, flat).adx).all()
    short = _bars(10, 1)[2]
    assert np.isnan(rsi(short)).all()
    assert np.isnan(momentum(short, 10)).all()


def test_after_a_gap_a_measure_warms_up_again() -> None:
    top, bottom, close = _bars(90, 4)
    broken = close.copy()
    broken[40] = np.nan
    found, after = rsi(broken), rsi(close[41:])
    np.testing.assert_allclose(found[:40], rsi(close)[:40])
    assert np.isnan(found[40:55]).all()
    np.testing.assert_allclose(found[55:], after[14:])
    trend = directional(top, bottom, broken)
    np.testing.assert_allclose(trend.adx[41:], directional(top[41:], bottom[41:], close[41:]).adx)


def test_series_stand_alone() -> None:
    bars = [_bars(60, seed) for seed in (1, 2)]
    together = directional(*(np.stack(pair) for pair in zip(*bars, strict=True)))
    for row, alone in enumerate(bars):
        np.testing.assert_allclose(together.adx[row], directional(*alone).adx)


chains = st.lists(
    st.tuples(st.integers(1, 12), st.booleans(), st.integers(0, 9)), min_size=1, max_size=30
)


@given(first=chains, second=chains)
@settings(max_examples=200, deadline=None)
def test_flow_agrees_with_brute_force(first: list, second: list) -> None:
    rows = [(0, *row) for row in first] + [(1, *row) for row in second]
    group = np.array([row[0] for row in rows])
    strike = np.array([10.0 * row[1] for row in rows])
    is_call = np.array([row[2] for row in rows])
    amount = np.array([float(row[3]) for row in rows])
    forward = np.array([61.0, 32.0])
    pain = max_pain(strike, amount, is_call, group)
    ratio = put_call(amount, is_call, group, 2)
    wall = walls(strike, amount, is_call, forward, group, 2)
    for chain in (0, 1):
        own = (group == chain) & (amount > 0)
        calls, puts = own & is_call, own & ~is_call
        if not calls.any():
            assert np.isnan([ratio[chain], pain[chain], wall.call[chain]]).all()
            continue
        assert ratio[chain] == pytest.approx(amount[puts].sum() / amount[calls].sum())
        most = amount[calls].max()
        far = min(abs(np.log(strike[i] / forward[chain])) for i in np.flatnonzero(calls)
                  if amount[i] == most)  # fmt: skip
        assert abs(np.log(wall.call[chain] / forward[chain])) == pytest.approx(far)
        assert most in amount[calls & (strike == wall.call[chain])]
        if not puts.any():
            assert np.isnan([pain[chain], wall.put[chain]]).all()
            continue

        def total_value(level: float, calls: np.ndarray = calls, puts: np.ndarray = puts) -> float:
            up = np.maximum(level - strike[calls], 0) @ amount[calls]
            return float(up + np.maximum(strike[puts] - level, 0) @ amount[puts])

        levels = np.unique(strike[own])
        least = min(total_value(level) for level in levels)
        assert total_value(pain[chain]) == pytest.approx(least)
        assert pain[chain] == min(x for x in levels if total_value(x) <= least + 1e-9)


def test_rows_without_an_amount_are_left_out() -> None:
    strike = np.array([90.0, 100.0, 110.0, 100.0])
    is_call = np.array([True, True, True, False])
    amount = np.array([np.nan, 5.0, -3.0, 10.0])
    group = np.zeros(4, dtype=np.int64)
    assert put_call(amount, is_call, group, 1)[0] == 2.0
    assert max_pain(strike, amount, is_call, group)[0] == 100.0
    found = walls(strike, amount, is_call, np.array([101.0]), group, 1)
    assert (found.call[0], found.put[0]) == (100.0, 100.0)
