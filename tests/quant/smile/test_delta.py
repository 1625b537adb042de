"""Deltas on the smile against QuantLib's delta calculator and 40-digit Black deltas."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
import QuantLib as ql
from hypothesis import given
from hypothesis import strategies as st

from quant.smile.cases import GOOD
from strikeloom.quant.smile.curves import Curves, total_variance
from strikeloom.quant.smile.delta import delta_to_strike, strike_to_delta, wings


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("is_call", [True, False])
def test_delta_of_a_strike_is_quantlibs(name: str, is_call: bool) -> None:
    curve, forward, discount = GOOD[name], 100.0, 0.97
    kind = ql.Option.Call if is_call else ql.Option.Put
    for k in (-0.2, -0.01, 0.0, 0.03, 0.25):
        deviation = float(np.sqrt(total_variance(curve, k).w))
        # forward delta of the undiscounted option: spot at the forward, no rates
        theirs = ql.BlackDeltaCalculator(kind, ql.DeltaVolQuote.Fwd, forward, 1.0, 1.0, deviation)
        expected = theirs.deltaFromStrike(forward * np.exp(k))
        assert strike_to_delta(curve, k, is_call) == pytest.approx(expected, abs=1e-14)
        found = strike_to_delta(curve, k, is_call, discount)
        assert found == pytest.approx(discount * expected, abs=1e-14)


def test_strike_of_a_delta_on_a_flat_smile_is_quantlibs() -> None:
    curve = Curves.flat(0.04)
    for size in (0.02, 0.1, 0.25, 0.5, 0.9):
        for sign, kind in ((1, ql.Option.Call), (-1, ql.Option.Put)):
            theirs = ql.BlackDeltaCalculator(kind, ql.DeltaVolQuote.Fwd, 100.0, 1.0, 1.0, 0.2)
            strike = theirs.strikeFromDelta(sign * size)
            found = 100 * np.exp(delta_to_strike(curve, sign * size, sign > 0))
            # its inverse normal is good to nine digits
            assert found == pytest.approx(strike, rel=1e-8)


@given(
    name=st.sampled_from(sorted(GOOD)),
    size=st.floats(1e-6, 1 - 1e-6),
    is_call=st.booleans(),
    discount=st.floats(0.5, 1.0),
)
def test_delta_and_strike_are_inverse(name, size, is_call, discount) -> None:
    delta = (size if is_call else -size) * discount
    k = delta_to_strike(GOOD[name], delta, is_call, discount)
    assert strike_to_delta(GOOD[name], k, is_call, discount) == pytest.approx(delta, rel=1e-9)


def test_the_strike_of_a_delta_satisfies_forty_digits() -> None:
    curve = GOOD["steep"]
    k = float(delta_to_strike(curve, -0.1, False))
    with mpmath.workdps(40):
        s = mpmath.sqrt(mpmath.mpf(float(total_variance(curve, k).w)))
        d1 = -mpmath.mpf(k) / s + s / 2
        assert float(mpmath.ncdf(d1) - 1) == pytest.approx(-0.1, abs=1e-14)


def test_impossible_deltas_are_not_a_number() -> None:
    month = GOOD["month"]
    assert np.isnan(delta_to_strike(month, [0.0, 1.0, -0.2, 1.4, np.nan], True)).all()
    assert np.isnan(delta_to_strike(month, [0.0, -1.0, 0.2], False)).all()
    assert np.isnan(delta_to_strike(month, 0.98, True, 0.97))
    assert np.isnan(delta_to_strike(Curves.refused(1), 0.3, True)).all()


def test_wings_read_the_skew() -> None:
    curves = Curves(*(np.stack(v) for v in zip(GOOD["long"], GOOD["flat"], strict=True)))
    found = wings(curves, [0.5, 0.5])
    assert found.risk_reversal[0] < -0.02  # puts dear: rho is -0.6
    assert found.butterfly[0] > 0
    assert found.risk_reversal[1] == pytest.approx(0, abs=1e-15)
    assert found.at_money[1] == pytest.approx(np.sqrt(0.02))
    k_put = delta_to_strike(curves.pick(0), -0.25, False)
    expected = np.sqrt(total_variance(curves.pick(0), k_put).w / 0.5)
    assert found.put[0] == pytest.approx(float(expected), rel=1e-14)
