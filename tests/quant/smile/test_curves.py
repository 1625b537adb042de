"""Curves against the formula in the papers' letters, 50-digit derivatives and known slices."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

from quant.smile.cases import GOOD, VOGT, from_svi
from strikeloom.quant.smile.curves import Curves, durrleman, shrink, total_variance, volatility

K = np.linspace(-3, 3, 1201)


def _exact(k, a, b, rho, m, sigma):
    x = k - mpmath.mpf(m)
    return mpmath.mpf(a) + mpmath.mpf(b) * (
        mpmath.mpf(rho) * x + mpmath.sqrt(x * x + mpmath.mpf(sigma) ** 2)
    )


@pytest.mark.parametrize("k", [-40.0, -0.7, 0.0, 0.011, 0.3, 55.0])
def test_variance_and_its_derivatives_match_fifty_digits(k: float) -> None:
    params = (0.003, 0.06, -0.35, 0.01, 0.08)
    found = total_variance(from_svi(*params), k)
    with mpmath.workdps(50):
        for order, value in enumerate(found):
            exact = mpmath.diff(lambda x: _exact(x, *params), mpmath.mpf(k), order)
            assert float(value) == pytest.approx(float(exact), rel=1e-11, abs=1e-300)


def test_a_flat_wing_keeps_its_digits_far_out() -> None:
    """right = 0: w = level + left width^2 / (4x) asymptotically; a difference would lose it."""
    curve = Curves(*map(np.float64, (0.01, 0.4, 0.0, 0.0, 0.1, 0.0, 0.1)))
    assert float(total_variance(curve, 1e9).d2w) > 0
    extra = float(total_variance(curve._replace(level=np.float64(0)), 1e6).w)
    assert extra == pytest.approx(0.4 * 0.01 / 4e6, rel=1e-9)


def test_durrleman_condemns_vogts_slice_and_clears_the_others() -> None:
    g = durrleman(VOGT, K)
    assert g.min() < -0.005
    assert 0.5 < K[g.argmin()] < 1.1
    for name, curve in GOOD.items():
        assert durrleman(curve, K).min() > 0, name


def test_refused_slices_and_missing_places_are_not_a_number() -> None:
    curves = Curves.refused(2)
    assert np.isnan(total_variance(curves, [[0.0], [1.0]]).w).all()
    assert np.isnan(total_variance(GOOD["month"], np.nan).w)
    assert np.isnan(Curves.flat([0.0, -1.0, np.nan]).level).all()
    assert np.isnan(volatility(GOOD["month"], 0.0, [0.0, -1.0])).all()
    assert volatility(Curves.flat(0.04), 0.3, 0.25) == pytest.approx(0.4)


def test_infinity_has_the_slopes_of_the_wings() -> None:
    w, dw, d2w = total_variance(GOOD["month"], [-np.inf, np.inf])
    assert np.isinf(w).all()
    assert dw.tolist() == [-GOOD["month"].left, GOOD["month"].right]
    assert d2w.tolist() == [0, 0]
    assert total_variance(Curves.flat(0.01), np.inf).w == 0.01


@pytest.mark.parametrize("name", GOOD)
def test_less_time_keeps_the_slice_free_of_arbitrage(name: str) -> None:
    shares = np.linspace(0.02, 1.0, 30)[:, None]
    curves = shrink(GOOD[name], shares)
    assert (durrleman(curves, K).min(axis=1) > 0).all()
    assert (np.diff(total_variance(curves, K).w, axis=0) > 0).all()
    again = shrink(shrink(GOOD[name], 0.5), 0.5)
    assert np.allclose(again, shrink(GOOD[name], 0.25), rtol=1e-14)
    assert np.isnan(shrink(GOOD[name], [0.0, 1.5, -1, np.nan])[0]).all()


def test_slices_are_picked_by_legs() -> None:
    curves = Curves(*np.arange(21.0).reshape(7, 3))
    picked = curves.pick([[0, 2], [1, 1]])
    assert picked.left_centre.tolist() == [[9, 11], [10, 10]]
