"""Level of a later smile at a horizon, against the variance that the near one leaves."""

from __future__ import annotations

import numpy as np
import pytest

from strikeloom.quant.probability.at_expiry import Law
from strikeloom.quant.probability.left_variance import left_scale
from strikeloom.quant.smile.curves import Curves

PRICES = 100 * np.exp(np.linspace(-6, 6, 241)[None, :] * 0.08)


def _scale(near: float, far: float, strike: float, share: float = 0.5) -> float:
    found = left_scale(
        Law(np.array([100.0]), Curves.flat([near])), PRICES, Curves.flat([far]),
        np.array([share]), np.array([1.01]), np.array([strike]),
    )  # fmt: skip
    return float(found[0])


@pytest.mark.parametrize("strike", [85.0, 101.0, 120.0])
@pytest.mark.parametrize(("near", "far"), [(0.0064, 0.0128), (0.0064, 0.010), (0.0064, 0.02)])
def test_flat_smiles_leave_the_difference_of_their_variances(
    near: float, far: float, strike: float
) -> None:
    assert _scale(near, far, strike) * 0.5 * far == pytest.approx(far - near, rel=3e-3)


def test_a_near_smile_above_the_later_one_leaves_next_to_nothing() -> None:
    assert _scale(0.0064, 0.005, 101.0) < 1e-5


def test_a_refused_smile_is_missing() -> None:
    assert np.isnan(_scale(0.0064, np.nan, 101.0))
    assert np.isnan(_scale(np.nan, 0.0128, 101.0))
