"""Model-free variance against closed forms and an integral of another kind."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad

from strikeloom.quant.smile.curves import Curves
from strikeloom.quant.smile.density import density
from strikeloom.quant.smile.model_free import model_free_variance


def test_of_a_flat_smile_it_is_its_total_variance() -> None:
    total = np.array([1e-6, 0.004, 0.09, 1.0, np.nan])
    found = model_free_variance(Curves.flat(total))
    assert found[:4].tolist() == pytest.approx(total[:4].tolist(), rel=1e-9)
    assert np.isnan(found[4])


def test_of_a_skewed_smile_it_is_minus_twice_the_mean_logarithm() -> None:
    parts = (0.003, 0.06, 0.03, -0.01, 0.04, 0.02, 0.05)
    curves = Curves(*(np.array([part]) for part in parts))
    mean = quad(lambda k: k * float(density(curves, k)[0]), -3.0, 3.0, limit=400, points=[0.0])[0]
    assert model_free_variance(curves)[0] == pytest.approx(-2 * mean, rel=1e-6)
