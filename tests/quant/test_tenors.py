"""Constant maturities: linear in total variance, never far beyond what is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strikeloom.quant.tenors import TenorPlace, at_tenor

YEARS = np.array([0.05, 0.1, 0.2, 0.1, 0.05])
CHAIN = np.array([0, 0, 0, 1, 2])
VOL = np.array([0.3, 0.2, 0.25, 0.4, np.nan])


def test_between_two_expiries_total_variance_is_linear() -> None:
    found = at_tenor(VOL, YEARS, CHAIN, 3, 0.08)
    total = 0.05 * 0.09 + (0.08 - 0.05) / 0.05 * (0.1 * 0.04 - 0.05 * 0.09)
    assert found.vol[0] == pytest.approx(np.sqrt(total / 0.08))
    assert found.place.tolist() == [TenorPlace.BETWEEN, TenorPlace.BEFORE, TenorPlace.NONE]
    assert (found.early[0], found.late[0]) == (0, 1)
    assert found.vol[1] == 0.4
    assert np.isnan(found.vol[2])


def test_on_an_expiry_it_is_that_expiry() -> None:
    found = at_tenor(VOL, YEARS, CHAIN, 3, 0.1)
    assert found.vol[:2].tolist() == pytest.approx([0.2, 0.4])
    assert found.place[:2].tolist() == [TenorPlace.BETWEEN, TenorPlace.BETWEEN]


def test_beyond_the_last_expiry_it_is_held_within_reach_only() -> None:
    near, far = at_tenor(VOL, YEARS, CHAIN, 3, 0.14), at_tenor(VOL, YEARS, CHAIN, 3, 0.16)
    assert (near.vol[1], near.place[1]) == (0.4, TenorPlace.AFTER)
    assert np.isnan(far.vol[1])
    assert far.place[1] == TenorPlace.NONE
    assert far.place[0] == TenorPlace.BETWEEN


@given(st.floats(0.01, 0.3), st.floats(0.05, 2.0))
def test_a_flat_term_structure_is_flat_at_every_tenor(tenor: float, vol: float) -> None:
    found = at_tenor(np.full(3, vol), YEARS[:3], CHAIN[:3], 1, tenor)
    assert found.place[0] == TenorPlace.NONE or found.vol[0] == pytest.approx(vol)
