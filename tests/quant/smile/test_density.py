"""Distribution against independent quadrature, 40-digit differentiation and the lognormal."""

from __future__ import annotations

from itertools import pairwise

import mpmath
import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from quant.smile.cases import GOOD
from strikeloom.quant.smile.curves import Curves, total_variance
from strikeloom.quant.smile.density import call, cdf, density, mean_below, put, quantile

PLACES = np.array([-2.5, -1.0, -0.3, 0.0, 0.4, 1.5, 3.0])  # standard deviations


def _k(curve: Curves, deviations=PLACES):
    return np.asarray(deviations) * np.sqrt(total_variance(curve, 0.0).w)


def _integral(curve: Curves, low: float, high: float, power: int) -> float:
    spread = float(np.sqrt(total_variance(curve, 0.0).w))
    cuts = [x for x in np.arange(-60, 61, 1.5) * spread if low < x < high]
    edges = [low, *cuts, high]
    pieces = [
        quad(lambda k: float(density(curve, k)) * np.exp(power * k), a, b, epsabs=1e-14)[0]
        for a, b in pairwise(edges)
    ]
    return float(np.sum(pieces))


@pytest.mark.parametrize("name", GOOD)
def test_density_holds_all_probability_and_its_mean_is_the_forward(name: str) -> None:
    curve = GOOD[name]
    reach = 400 * float(np.sqrt(total_variance(curve, 0.0).w))
    assert _integral(curve, -reach, reach, 0) == pytest.approx(1, abs=1e-9)
    assert _integral(curve, -reach, reach, 1) == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("name", GOOD)
def test_probability_and_partial_mean_are_integrals_of_the_density(name: str) -> None:
    curve = GOOD[name]
    bottom = -400 * float(np.sqrt(total_variance(curve, 0.0).w))
    for k in _k(curve).tolist():
        assert cdf(curve, k) == pytest.approx(_integral(curve, bottom, k, 0), abs=1e-10)
        assert mean_below(curve, k) == pytest.approx(_integral(curve, bottom, k, 1), abs=1e-10)


def _put_40(curve: Curves, x):
    level, left, right, *bends = (mpmath.mpf(float(v)) for v in curve)
    k = mpmath.log(x)
    y, z = k - bends[0], k - bends[2]
    w = level + left / 2 * (mpmath.sqrt(y * y + bends[1] ** 2) - y)
    w += right / 2 * (mpmath.sqrt(z * z + bends[3] ** 2) + z)
    s = mpmath.sqrt(w)
    d2 = -k / s - s / 2
    return x * mpmath.ncdf(-d2) - mpmath.ncdf(-d2 - s)


@pytest.mark.parametrize("name", ["week", "month", "steep", "event"])
def test_closed_forms_match_forty_digit_derivatives_of_the_put(name: str) -> None:
    curve = GOOD[name]
    with mpmath.workdps(40):
        for k in _k(curve).tolist():
            x = mpmath.exp(mpmath.mpf(k))
            first = mpmath.diff(lambda v: _put_40(curve, v), x, 1)
            second = mpmath.diff(lambda v: _put_40(curve, v), x, 2)
            assert float(put(curve, k)) == pytest.approx(float(_put_40(curve, x)), abs=2e-16)
            assert float(cdf(curve, k)) == pytest.approx(float(first), rel=1e-11)
            assert float(density(curve, k)) == pytest.approx(float(second * x), rel=1e-10)


def test_a_flat_smile_is_the_lognormal() -> None:
    k = np.linspace(-1, 1, 41)
    flat = Curves.flat(0.09)
    assert np.allclose(cdf(flat, k), norm.cdf(k, -0.045, 0.3), atol=1e-15)
    assert np.allclose(density(flat, k), norm.pdf(k, -0.045, 0.3), rtol=1e-13)
    assert np.allclose(quantile(flat, [0.01, 0.5, 0.99]), norm.ppf([0.01, 0.5, 0.99], -0.045, 0.3))


@pytest.mark.parametrize("name", GOOD)
def test_parity_ends_and_inverse(name: str) -> None:
    curve = GOOD[name]
    k = _k(curve)
    assert np.allclose(call(curve, k) - put(curve, k), 1 - np.exp(k), atol=1e-15)
    assert cdf(curve, [-np.inf, np.inf]).tolist() == [0, 1]
    assert mean_below(curve, [-np.inf, np.inf]).tolist() == [0, 1]
    assert density(curve, [-np.inf, np.inf]).tolist() == [0, 0]
    assert [float(call(curve, np.inf)), float(put(curve, -np.inf))] == [0, 0]
    assert [float(call(curve, -np.inf)), float(put(curve, np.inf))] == [1, np.inf]
    p = np.array([1e-9, 0.001, 0.2, 0.5, 0.9, 0.9999])
    assert np.allclose(cdf(curve, quantile(curve, p)), p, rtol=1e-10)
    assert quantile(curve, [0.0, 1.0]).tolist() == [-np.inf, np.inf]
    assert np.isnan(quantile(curve, [-0.1, 1.1, np.nan])).all()


def test_deep_options_do_not_vanish() -> None:
    """A call 20 deviations out under 10 %: 40-digit value, where 1 - N would be zero."""
    flat = Curves.flat(0.01)
    with mpmath.workdps(40):
        exact = _put_40(flat, mpmath.exp(-2)) * 1
    assert float(put(flat, -2.0)) == pytest.approx(float(exact), rel=1e-12)


def test_refused_slices_have_no_distribution() -> None:
    refused = Curves.refused(1)
    for work in (density, cdf, mean_below, call, put):
        assert np.isnan(work(refused, [0.1, np.inf, -np.inf])).all()
    assert np.isnan(quantile(refused, [0.0, 0.3, 1.0])).all()
