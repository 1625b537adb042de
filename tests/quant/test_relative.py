"""Beta, excess return and place in the range beside a plain least-squares line."""

import numpy as np
import pytest

from strikeloom.quant.relative import excess, range_place, relation


def _drawn(sessions=60):
    draw = np.random.default_rng(8)
    market = 0.01 * draw.normal(size=sessions)
    own = 1.3 * market + 0.012 * draw.normal(size=sessions) + 0.001
    return own, market


def test_beta_is_the_slope_of_a_least_squares_line():
    own, market = _drawn()
    found = relation(own, market)
    slope, start = np.polyfit(market, own, 1)
    rest = own - start - slope * market
    assert found.beta == pytest.approx(slope)
    assert found.deviation == pytest.approx(np.sqrt((rest**2).sum() / 58))
    assert excess(own, market, found, 20) == pytest.approx(
        (own[-20:] - slope * market[-20:]).sum() / (found.deviation * np.sqrt(20))
    )


def test_a_session_that_either_side_lacks_is_left_out():
    own, market = _drawn()
    gap = own.copy()
    gap[[3, 17]] = np.nan
    known = np.isfinite(gap)
    both = relation(np.stack([gap, own]), market)
    assert both.beta[0] == pytest.approx(np.polyfit(market[known], own[known], 1)[0])
    assert both.beta[1] == pytest.approx(np.polyfit(market, own, 1)[0])
    assert both.sample.tolist() == [58, 60]
    # a missing day inside the window gives no excess return
    gap[-5] = np.nan
    assert np.isnan(excess(gap, market, relation(gap, market), 20))


def test_too_little_is_no_figure():
    own, market = _drawn(39)
    assert np.isnan(relation(own, market).beta)
    own, market = _drawn()
    assert np.isnan(relation(own, np.zeros(60)).beta)
    assert np.isnan(relation(own, np.full(60, np.nan)).beta)
    assert np.isnan(excess(own, market, relation(own, market), 61))


def test_the_place_in_a_range():
    high, low = np.array([10.0, 12.0, 11.0]), np.array([8.0, 9.0, 10.0])
    assert range_place(high, low, np.array([9.0, 11.0, 11.0]), 3) == pytest.approx(0.75)
    assert np.isnan(range_place(high, low, np.array([9.0, 11.0, 11.0]), 4))
    flat = np.full(3, 10.0)
    assert np.isnan(range_place(flat, flat, flat, 3))
    missing = np.array([np.nan, 12.0, 11.0])
    assert np.isnan(range_place(missing, low, np.array([9.0, 11.0, 11.0]), 3))
