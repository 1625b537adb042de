"""Blend of a forecast with implied volatility, and its error."""

from __future__ import annotations

import numpy as np
import pytest

from strikeloom.quant.probability.blended_width import blended_variance, width_error


def test_a_blend_is_nearer_to_what_options_cost() -> None:
    """0.0144^0.3 x 0.0036^0.7, by hand: 0.0036 x 4^0.3 = 0.0036 x 1.515717."""
    assert blended_variance(np.array([0.0144]), np.array([0.0036]))[0] == pytest.approx(
        0.0054565795, rel=1e-6
    )


def test_two_that_agree_are_kept_and_an_unknown_one_is_unknown() -> None:
    found = blended_variance(np.array([0.01, np.nan, 0.01]), np.array([0.01, 0.01, np.nan]))
    assert found[0] == pytest.approx(0.01, rel=1e-12)
    assert np.isnan(found[1:]).all()


def test_errors_are_as_measured() -> None:
    """The table of the study (``benchmarks/forecast_width.py``)."""
    np.testing.assert_array_equal(width_error(np.array([True, False])), [0.23, 0.19])
