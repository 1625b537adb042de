"""Prices, Greeks and implied volatility against QuantLib and against themselves."""

from __future__ import annotations

import numpy as np
import pytest
import QuantLib as ql
from hypothesis import given, settings
from hypothesis import strategies as st

from strikeloom.quant.black76 import greeks, price
from strikeloom.quant.implied_vol import Reason, implied_vol

RNG = np.random.default_rng(3)
N = 400
F = RNG.uniform(80, 60000, N)
K = F * np.exp(RNG.uniform(-0.4, 0.4, N))
T = RNG.uniform(1 / 365, 1.0, N)
V = RNG.uniform(0.05, 1.2, N)
CALL = RNG.random(N) < 0.5
DF = np.exp(-0.065 * T)


def _oracle(measure: str) -> np.ndarray:
    out = []
    for f, k, t, v, c, d in zip(F, K, T, V, CALL, DF, strict=True):
        payoff = ql.PlainVanillaPayoff(ql.Option.Call if c else ql.Option.Put, float(k))
        black = ql.BlackCalculator(payoff, float(f), float(v * np.sqrt(t)), float(d))
        out.append(
            {
                "value": black.value(),
                "delta": black.deltaForward(),
                "gamma": black.gammaForward(),
                "vega": black.vega(float(t)),
            }[measure]
        )
    return np.array(out)


def test_prices_agree_with_quantlib() -> None:
    ours = price(F, K, T, V, CALL, DF)
    np.testing.assert_allclose(ours, _oracle("value"), rtol=1e-9, atol=1e-12 * F.max())


@pytest.mark.parametrize("name", ["delta", "gamma", "vega"])
def test_greeks_agree_with_quantlib(name: str) -> None:
    ours = getattr(greeks(F, K, T, V, CALL, DF), name)
    np.testing.assert_allclose(ours, _oracle(name), rtol=1e-9, atol=1e-14)


def test_theta_is_the_change_over_a_short_time() -> None:
    step = 1e-6
    later = price(F, K, T - step, V, CALL, DF)
    now = price(F, K, T, V, CALL, DF)
    expected = (later - now) / step / 365
    np.testing.assert_allclose(greeks(F, K, T, V, CALL, DF).theta, expected, rtol=2e-3, atol=1e-5)


@given(
    forward=st.floats(1, 1e5),
    log_moneyness=st.floats(-3, 3),
    years=st.floats(1e-4, 3),
    vol=st.floats(0.01, 3),
)
@settings(max_examples=300)
def test_the_volatility_of_a_price_is_the_volatility(
    forward: float, log_moneyness: float, years: float, vol: float
) -> None:
    strike = forward * np.exp(log_moneyness)
    is_call = strike >= forward
    value = price(forward, strike, years, vol, is_call)
    deviations = abs(log_moneyness) / (vol * np.sqrt(years))
    if value < 1e-10 * forward or deviations > 6 or value > 0.999 * min(forward, strike):
        return
    solved, reason = implied_vol(value, forward, strike, years, is_call)
    assert reason == Reason.OK
    assert solved == pytest.approx(vol, rel=1e-7)


def test_put_call_parity_holds() -> None:
    call, put = price(F, K, T, V, True, DF), price(F, K, T, V, False, DF)
    np.testing.assert_allclose(call - put, DF * (F - K), rtol=0, atol=1e-9 * F.max())


@pytest.mark.parametrize(
    ("p", "f", "k", "t", "call", "expected"),
    [
        (0.0, 100, 110, 0.1, True, Reason.AT_INTRINSIC),
        (10.0, 110, 100, 0.1, True, Reason.AT_INTRINSIC),
        (9.0, 110, 100, 0.1, True, Reason.BELOW_INTRINSIC),
        (-1.0, 100, 110, 0.1, True, Reason.BELOW_INTRINSIC),
        (100.0, 100, 90, 0.1, True, Reason.ABOVE_BOUND),
        (120.0, 100, 90, 0.1, True, Reason.ABOVE_BOUND),
        (90.0, 100, 90, 0.1, False, Reason.ABOVE_BOUND),
        (np.nan, 100, 90, 0.1, True, Reason.MISSING),
        (np.inf, 100, 90, 0.1, True, Reason.MISSING),
        (5.0, -1, 90, 0.1, True, Reason.MISSING),
        (12.0, 100, 90, 0.0, True, Reason.EXPIRED),
    ],
)
def test_a_row_without_volatility_says_why(
    p: float, f: float, k: float, t: float, call: bool, expected: Reason
) -> None:
    vol, reason = implied_vol(p, f, k, t, call)
    assert np.isnan(vol)
    assert Reason(int(reason)) is expected


def test_one_bad_row_does_not_touch_its_neighbours() -> None:
    value = price(100.0, [95.0, 100.0, 105.0], 0.1, 0.3, False)
    vol, _ = implied_vol(value, 100.0, [95.0, 100.0, 105.0], 0.1, False)
    value[1] = np.nan
    mixed, reason = implied_vol(value, 100.0, [95.0, 100.0, 105.0], 0.1, False)
    assert list(reason) == [Reason.OK, Reason.MISSING, Reason.OK]
    np.testing.assert_array_equal(mixed[[0, 2]], vol[[0, 2]])
    np.testing.assert_allclose(vol, 0.3, rtol=1e-10)
