"""The surface between expiries, and the search for arbitrage, against known cases."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import simpson

from quant.smile.cases import GOOD, VOGT, ssvi
from strikeloom.quant.smile import density as slice_density
from strikeloom.quant.smile.arbitrage import find_arbitrage
from strikeloom.quant.smile.curves import Curves, shrink, total_variance
from strikeloom.quant.smile.surface import between, call, cdf, density, variance

YEARS = np.array([0.5, 0.04, 0.2, 0.3])
#: Ascending in time: the second, third, first; the last is refused.
PARTS = [ssvi(0.05, -0.5, 4.0), ssvi(0.002, -0.2, 25.0), ssvi(0.015, -0.6, 8.0)]
CURVES = Curves(*(np.append(np.stack(v), np.nan) for v in zip(*PARTS, strict=True)))
K = np.linspace(-1.2, 1.2, 2401)


def test_the_parts_are_free_of_arbitrage() -> None:
    found = find_arbitrage(CURVES, YEARS, np.zeros(4, dtype=np.int64))
    assert not found.butterfly.any()
    assert not found.calendar.any()
    assert np.isnan(found.least_g).tolist() == [False, False, False, True]
    assert np.isnan(found.least_step).tolist() == [False, True, False, True]


def test_at_an_expiry_the_surface_is_its_slice() -> None:
    for i in range(3):
        mix = between(CURVES, YEARS, YEARS[i])
        assert np.allclose(variance(mix, K), total_variance(CURVES.pick(i), K).w, rtol=1e-12)
        assert np.array_equal(cdf(mix, K), slice_density.cdf(CURVES.pick(i), K))


def test_at_the_forward_total_variance_is_linear_in_time() -> None:
    times = np.array([0.04, 0.1, 0.2, 0.25, 0.5])
    found = variance(between(CURVES, YEARS, times), 0.0)
    assert found == pytest.approx(np.interp(times, [0.04, 0.2, 0.5], [0.002, 0.015, 0.05]))


def test_prices_rise_with_time_and_densities_are_whole_and_never_negative() -> None:
    times = np.linspace(0.005, 0.5, 40)[:, None]
    mix = between(CURVES, YEARS, times)
    prices = call(mix, K)
    assert (np.diff(prices, axis=0) >= -1e-16).all()
    p = density(mix, K)
    assert (p >= 0).all()
    wide = np.linspace(-4, 4, 16001)
    assert np.allclose(simpson(density(mix, wide), x=wide, axis=1), 1, atol=1e-6)
    assert np.allclose(simpson(density(mix, wide) * np.exp(wide), x=wide, axis=1), 1, atol=1e-6)
    # between the neighbours in volatility terms, and the density is the curvature of the price
    w = variance(between(CURVES, YEARS, 0.3), K)
    assert (w >= total_variance(PARTS[2], K).w * (1 - 1e-9)).all()
    assert (w <= total_variance(PARTS[0], K).w * (1 + 1e-9)).all()


def test_before_the_first_expiry_its_own_shape_shrinks() -> None:
    found = variance(between(CURVES, YEARS, 0.01), K)
    assert np.allclose(found, total_variance(shrink(PARTS[1], 0.25), K).w, rtol=1e-13)


def test_outside_the_surface_is_refused() -> None:
    mix = between(CURVES, YEARS, [0.0, -1.0, 0.51, np.nan, 0.3])
    assert np.isnan(variance(mix, 0.1)).tolist() == [True] * 4 + [False]
    assert np.isnan(cdf(mix, 0.1)).tolist() == [True] * 4 + [False]
    assert np.isnan(call(between(Curves.refused(2), YEARS[:2], 0.3), 0.0))


def test_arbitrage_is_found_where_it_is() -> None:
    low, high = GOOD["month"], VOGT
    dear = low._replace(level=low.level + 0.002)
    flat = dear._replace(right=low.right * 0.999, level=dear.level + 1)
    steep = Curves(*map(np.float64, (1.0, 2.0, 0.1, 0.0, 0.1, 0.0, 0.1)))
    rows = [dear, low, high, steep, flat, low]
    curves = Curves(*(np.stack(v) for v in zip(*rows, strict=True)))
    surface = np.array([0, 0, 1, 2, 3, 3])
    found = find_arbitrage(curves, np.array([0.1, 0.2, 0.1, 0.1, 0.3, 0.2]), surface)
    assert found.butterfly.tolist() == [False, False, True, True, False, False]
    # only far out does the flatter wing cross: as the slopes show
    assert found.calendar.tolist() == [False, True, False, False, True, False]
