"""Prices and Greeks against QuantLib, against 40 digits, and against themselves."""

from __future__ import annotations

import numpy as np
import pytest
import QuantLib as ql
from hypothesis import given, settings
from hypothesis import strategies as st

from quant.implied import exact
from strikeloom.errors import DataError
from strikeloom.quant.black76 import Greeks, greeks, price

pytestmark = pytest.mark.usefixtures("path")

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


def _spread_out(seed: int, n: int) -> tuple[np.ndarray, ...]:
    """Wings to 36 deviations, tiny and huge variance, forwards from 1e-100 to 1e100."""
    rng = np.random.default_rng(seed)
    f = 10.0 ** np.where(rng.random(n) < 0.1, rng.uniform(-100, 100, n), rng.uniform(0, 5, n))
    t = 10.0 ** rng.uniform(-6, 0.5, n)
    v = 10.0 ** rng.uniform(-3, 1, n)
    s = v * np.sqrt(t)
    k = f * np.exp(np.clip(rng.uniform(-1, 1, n) * rng.choice([1, 5, 36], n) * s, -6, 6))
    return f, k, t, v, rng.random(n) < 0.5, rng.uniform(0.8, 1.0, n)


def test_prices_agree_with_forty_digits() -> None:
    rows = _spread_out(1, 500)
    np.testing.assert_allclose(price(*rows), exact.prices(*rows), rtol=1e-12, atol=1e-290)


@pytest.mark.parametrize("name", Greeks._fields)
def test_greeks_agree_with_derivatives_in_forty_digits(name: str) -> None:
    rows = _spread_out(2, 60)
    ours = greeks(*rows)
    expected = [exact.sensitivity(name, *row) for row in zip(*rows, strict=True)]
    f, k, t, v, _, _ = rows
    s = v * np.sqrt(t)
    d1 = np.log(f / k) / s + s / 2
    # vanna and volga cross zero at d1 d2 = 0: judged by the size of the terms they differ in
    size = {
        "vanna": np.abs(ours.vega) / f / s * (np.abs(np.log(f / k)) / s + s / 2),
        "volga": np.abs(ours.vega) * (d1**2 + s * np.abs(d1) + s) / v,
    }.get(name, np.abs(expected))
    assert np.all(np.abs(getattr(ours, name) - expected) <= 1e-12 * size + 1e-290)


@given(
    forward=st.floats(1e-3, 1e6),
    log_moneyness=st.floats(-3, 3),
    years=st.floats(1e-5, 5),
    vol=st.floats(1e-3, 10),
    more=st.floats(1.001, 2),
)
@settings(max_examples=150)
def test_prices_keep_their_bounds_parity_and_order(
    forward: float, log_moneyness: float, years: float, vol: float, more: float
) -> None:
    strike = forward * np.exp(log_moneyness)
    call, put = price(forward, strike, years, vol, [True, False], 0.9)
    slack = 1e-14 * 0.9 * max(forward, strike)
    assert call - put == pytest.approx(0.9 * (forward - strike), rel=0, abs=slack)
    assert 0.9 * max(forward - strike, 0) - slack <= call <= 0.9 * forward + slack
    assert 0.9 * max(strike - forward, 0) - slack <= put <= 0.9 * strike + slack
    assert price(forward, strike, years, vol * more, True, 0.9) >= call * (1 - 1e-13)
    assert price(forward * more, strike, years, vol, True, 0.9) >= call * (1 - 1e-13)
    assert price(forward, strike * more, years, vol, True, 0.9) <= call * (1 + 1e-13)
    # a call is a put with forward and strike exchanged
    mirrored = price(strike, forward, years, vol, False, 0.9)
    assert mirrored == pytest.approx(float(call), rel=1e-13, abs=1e-300)


def test_at_expiry_or_without_volatility_a_price_is_discounted_intrinsic_value() -> None:
    for years, vol in ((0.0, 0.3), (-1.0, 0.3), (0.1, 0.0)):
        found = price(100.0, [90.0, 100.0, 110.0], years, vol, [[True], [False]], 0.5)
        np.testing.assert_array_equal(found, [[5, 0, 0], [0, 0, 5]])
        known = greeks(100.0, [90.0, 100.0, 110.0], years, vol, [[True], [False]], 0.5)
        np.testing.assert_array_equal(known.delta, [[0.5, 0, 0], [0, 0, -0.5]])
        for other in known[1:]:
            np.testing.assert_array_equal(other, np.zeros((2, 3)))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", [0, 1, 2, 3, 5])
def test_a_row_that_lacks_a_number_is_nan_and_its_neighbours_are_not(
    bad: float, place: int
) -> None:
    arguments = [np.full(3, x) for x in (100.0, 95.0, 0.1, 0.2)] + [np.array([True] * 3)]
    arguments.append(np.full(3, 0.9))
    whole = price(*arguments)
    arguments[place][1] = bad
    for found in (price(*arguments), *greeks(*arguments)):
        assert np.isnan(found).tolist() == [False, True, False]
    assert price(*arguments)[0] == whole[0]


@pytest.mark.parametrize(
    ("f", "k", "v", "df"),
    [(0, 95, 0.2, 1), (-5, 95, 0.2, 1), (100, 0, 0.2, 1), (100, -1, 0.2, 1), (100, 95, -0.1, 1),
     (100, 95, 0.2, 0), (100, 95, 0.2, -1), (1e-310, 1, 0.2, 1)],
)  # fmt: skip
def test_a_row_outside_the_model_is_nan(f: float, k: float, v: float, df: float) -> None:
    assert np.isnan(price(f, k, 0.1, v, True, df))
    assert all(np.isnan(g) for g in greeks(f, k, 0.1, v, True, df))


def test_any_shape_and_kind_of_number_is_taken() -> None:
    strikes = np.arange(80, 121, 10)
    table = price(np.array([[100], [101]]), strikes, 1, 0.2, strikes > 90)
    assert table.shape == (2, 5)
    assert price(100, 100, 1, 0.2, True).shape == ()
    assert price(np.empty(0), 100.0, 1.0, 0.2, True).shape == (0,)
    assert greeks(
        np.empty((0, 3)), 100.0, 1.0, 0.2, np.empty(0, dtype=object).astype(bool)[:0].reshape(0, 1)
    ).delta.shape == (0, 3)
    every_other = np.asfortranarray(np.tile(strikes.astype(float), (4, 1)))[::2, ::-1]
    np.testing.assert_array_equal(
        price(100, every_other, 1, 0.2, True), price(100, every_other.copy(), 1, 0.2, True)
    )
    hidden = np.ma.masked_equal([90.0, 100.0], 100.0)
    assert np.isnan(price(hidden, 95, 1, 0.2, True)).tolist() == [False, True]


def test_calls_and_puts_are_given_by_truth_values_only() -> None:
    with pytest.raises(DataError, match="True for a call"):
        price(100, 100, 1, 0.2, np.array(["CE", "PE"]))
    with pytest.raises(DataError, match="True for a call"):
        greeks(100, 100, 1, 0.2, np.array([1.0, np.nan]))


def test_greeks_of_a_lot_are_those_of_its_units() -> None:
    one = greeks(24000.0, [23900.0, 24100.0], 0.02, 0.12, True)
    lot = one.per_lot(75)
    np.testing.assert_array_equal(lot.vega, 75 * one.vega)
    np.testing.assert_allclose(lot.per_unit(75).volga, one.volga, rtol=1e-15)
    np.testing.assert_array_equal(one.per_lot([75, 50]).delta, one.delta * [75, 50])
