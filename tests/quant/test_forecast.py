"""The autoregression against sums by hand and a process whose coefficients are known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strikeloom.errors import DataError
from strikeloom.quant.forecast import fit_har, har_forecast


def _process(series: int, sessions: int, noise: float, seed: int = 1) -> np.ndarray:
    """ln v(t+1) = c + 0.3 ln v(t) + 0.35 ln mean of 5 + 0.25 ln mean of 22 + noise."""
    draw = np.random.default_rng(seed)
    v = np.exp(-8 + 0.3 * draw.normal(size=(series, sessions)))
    for t in range(22, sessions):
        middle = (
            -0.8
            + 0.3 * np.log(v[:, t - 1])
            + 0.35 * np.log(v[:, t - 5 : t].mean(axis=1))
            + 0.25 * np.log(v[:, t - 22 : t].mean(axis=1))
        )
        v[:, t] = np.exp(middle + noise * draw.normal(size=series))
    return v


def test_known_coefficients_are_found() -> None:
    har = fit_har(_process(200, 300, 0.3), 1)
    assert har.weights == pytest.approx((0.3, 0.35, 0.25), abs=0.02)
    assert har.constant == pytest.approx(-0.8, abs=0.15)
    assert har.noise == pytest.approx(0.09, rel=0.03)
    assert har.rows == 200 * (300 - 22)


def test_a_fit_is_the_normal_equations_row_by_row() -> None:
    v, horizon = _process(8, 70, 0.4, 3), 4
    v[2, 30] = np.nan
    v[5, 50] = 0.0
    rows, targets = [], []
    for one in v:
        for t in range(21, 70 - horizon):
            window = one[t - 21 : t + horizon + 1]
            if not all(x > 0 for x in window):
                continue
            rows.append([
                1.0, math.log(one[t]), math.log(sum(one[t - 4 : t + 1]) / 5),
                math.log(sum(one[t - 21 : t + 1]) / 22),
            ])  # fmt: skip
            targets.append(math.log(sum(one[t + 1 : t + 1 + horizon]) / horizon))
    x, y = np.array(rows), np.array(targets)
    expected = np.linalg.solve(x.T @ x, x.T @ y)
    har = fit_har(v, horizon)
    assert har.rows == len(rows)
    np.testing.assert_allclose([har.constant, *har.weights], expected, rtol=1e-8)
    noise = float(np.mean((y - x @ expected) ** 2))
    assert har.noise == pytest.approx(noise)
    last = v[0]
    row = [1.0, *(math.log(last[-n:].mean()) for n in (1, 5, 22))]
    assert har_forecast(har, v)[0] == pytest.approx(math.exp(row @ expected + noise / 2))


def test_a_month_with_a_hole_has_no_forecast_and_too_little_is_refused() -> None:
    v = _process(20, 60, 0.3)
    har = fit_har(v, 5)
    v[0, -3] = np.nan
    v[1, -23] = np.nan
    found = har_forecast(har, v)
    assert np.isnan(found[0])
    assert np.isfinite(found[1:]).all()
    assert np.isnan(har_forecast(har, v[:, -21:])).all()
    with pytest.raises(DataError, match="needs 200 sessions"):
        fit_har(v[:, :30], 5)
    with pytest.raises(DataError, match="1 or more"):
        fit_har(v, 0)


@given(scale=st.floats(1e-6, 1e6), seed=st.integers(0, 99))
@settings(max_examples=25, deadline=None)
def test_a_forecast_has_the_unit_of_what_it_is_made_from(scale: float, seed: int) -> None:
    v = _process(10, 60, 0.3, seed)
    found = har_forecast(fit_har(v, 5), v)
    np.testing.assert_allclose(
        har_forecast(fit_har(scale * v, 5), scale * v), scale * found, rtol=1e-6
    )
