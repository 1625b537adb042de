"""Proofs on the whole line against minimisation by scipy, theorems and published slices."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from quant.smile.cases import GOOD, VOGT, ssvi
from strikeloom.quant.smile.certificate import LEAST_G, no_butterfly, no_crossing
from strikeloom.quant.smile.curves import Curves, durrleman, total_variance

U = np.linspace(-14, 14, 4001)


def _row(curve: Curves) -> np.ndarray:
    return np.array([float(field) for field in curve])


def _least(work, curve: Curves) -> float:
    """Global minimum over the line: dense grids around both centres, then polished."""
    found = []
    wings = ((curve.left_centre, curve.left_width), (curve.right_centre, curve.right_width))
    for centre, width in wings:
        place = lambda u, c=centre, s=width: float(c) + float(s) * np.sinh(u)  # noqa: E731
        values = work(place(U))
        at = U[np.argmin(values)]
        near = minimize_scalar(
            lambda u, place=place: float(work(place(u))),
            bounds=(at - 0.02, at + 0.02),
            method="bounded",
            options={"xatol": 1e-12},
        )
        found += [float(near.fun), float(values.min())]
    return min(found)


def _shape(s, level, slopes, centres, widths) -> Curves:
    wings = [s * slopes[0], s * slopes[1]]
    for centre, width in zip(centres, widths, strict=True):
        wings += [s * centre, s * np.exp(width)]
    return Curves(*map(np.float64, (s * s * level, *wings)))


def _pair(low: float, high: float):
    one = st.floats(low, high)
    return st.one_of(one.map(lambda v: (v, v)), st.tuples(one, one))


shapes = st.builds(
    _shape,
    st.floats(0.003, 0.8),
    st.floats(-2, 1.5),
    st.tuples(st.floats(0.001, 2.4), st.floats(0.001, 2.4)),
    _pair(-3, 3),
    _pair(-3, 3),
)


@settings(max_examples=300, deadline=None)
@given(shapes)
def test_butterfly_proof_agrees_with_minimisation(curve: Curves) -> None:
    with np.errstate(all="ignore"):
        w = _least(lambda k: total_variance(curve, k).w, curve)
        g = _least(lambda k: durrleman(curve, k), curve) if w > 1e-9 else -1.0
    steep = max(curve.left, curve.right) >= 2
    if steep or w <= 0 or (w > 1e-9 and g < LEAST_G * 0.9):
        assert not no_butterfly(_row(curve))
    elif w > 1e-9 and g > LEAST_G * 1.1:
        assert no_butterfly(_row(curve))


def test_published_slices_are_judged_right() -> None:
    assert not no_butterfly(_row(VOGT))
    for name, curve in GOOD.items():
        assert no_butterfly(_row(curve)), name
    assert not no_butterfly(_row(VOGT._replace(left=np.float64(2.0))))
    for broken in (np.nan, np.inf):
        assert not no_butterfly(_row(VOGT._replace(left_centre=np.float64(broken))))


@pytest.mark.parametrize("rho", [-0.9, -0.3, 0.0, 0.6])
@pytest.mark.parametrize("theta", [0.001, 0.04, 0.9])
def test_every_slice_of_the_ssvi_theorem_is_proved(theta: float, rho: float) -> None:
    """Gatheral and Jacquier 2014, theorem 4.2: sufficient conditions, just inside."""
    most = min(4 / (theta * (1 + abs(rho))), 2 / np.sqrt(theta * (1 + abs(rho))))
    for part in (0.1, 0.6, 0.999):
        assert no_butterfly(_row(ssvi(theta, rho, part * most)))


def test_the_border_is_found_to_six_digits() -> None:
    """Raise Vogt's slice until it is free: the level at which scipy's minimum of g is zero."""
    low, high = 0.0, 0.05
    for _ in range(45):
        middle = 0.5 * (low + high)
        raised = VOGT._replace(level=VOGT.level + middle)
        low, high = (low, middle) if no_butterfly(_row(raised)) else (middle, high)
    at_border = VOGT._replace(level=VOGT.level + high)
    assert _least(lambda k: durrleman(at_border, k), at_border) == pytest.approx(LEAST_G, abs=1e-6)


@settings(max_examples=300, deadline=None)
@given(shapes, shapes, st.floats(-0.5, 3), st.floats(0, 0.4), st.floats(0, 0.4))
def test_calendar_proof_agrees_with_minimisation(low, high, lift, left, right) -> None:
    scale = max(float(low.left_width), float(low.left), float(low.right), 1e-3)
    high = high._replace(
        left=low.left + left * scale,
        right=low.right + right * scale,
        level=low.level + lift * scale * scale,
    )
    step = lambda k: total_variance(high, k).w - total_variance(low, k).w  # noqa: E731
    least = min(_least(step, low), _least(step, high))
    size = abs(float(low.level)) + abs(float(high.level)) + scale
    if least < -1e-9 * size:
        assert not no_crossing(_row(low), _row(high))
    elif least > 1e-4 * size and min(left, right) > 1e-3:
        assert no_crossing(_row(low), _row(high))


def test_a_flatter_wing_crosses_somewhere_however_far() -> None:
    low = _row(GOOD["month"])
    high = low.copy()
    high[0] += 1.0
    assert no_crossing(low, high)
    assert no_crossing(low, low)
    assert not no_crossing(high, low)
    high[2] *= 1 - 1e-6
    assert not no_crossing(low, high)
