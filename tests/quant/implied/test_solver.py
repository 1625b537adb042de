"""Volatility of prices known to 40 digits, and a reason for every price that has none."""

from __future__ import annotations

import numpy as np
import pytest
import QuantLib as ql
from hypothesis import example, given, settings
from hypothesis import strategies as st

from quant.conftest import PATHS, computed_by
from quant.implied import exact
from strikeloom.quant.black76 import price
from strikeloom.quant.implied.solver import Reason, implied_vol


def _chain(seed: int, n: int, out_of_the_money: float) -> tuple[np.ndarray, ...]:
    """Options as an exchange lists them."""
    rng = np.random.default_rng(seed)
    f = np.exp(rng.uniform(np.log(80), np.log(60000), n))
    t = rng.integers(1, 92, n) / 365
    v = np.clip(np.exp(rng.normal(np.log(0.28), 0.45, n)), 0.08, 1.2)
    s = v * np.sqrt(t)
    k = f * np.exp(np.clip(rng.uniform(-5, 5, n) * s, np.log(0.7), np.log(1.3)))
    call = (k >= f) == (rng.random(n) < out_of_the_money)
    return f, k, t, v, call, np.exp(-0.065 * t)


def _vega_of(f, k, t, v) -> np.ndarray:
    s = v * np.sqrt(t)
    d1 = np.log(f / k) / s + s / 2
    return f * np.sqrt(t) * np.exp(-d1 * d1 / 2) / np.sqrt(2 * np.pi)


def _shared_error(f, k, t, v, call) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    p = exact.prices(f, k, t, v, call, np.ones(len(f)))
    vol, reason = implied_vol(p, f, k, t, call)
    used = (p > 1e-12 * f) & (p / (_vega_of(f, k, t, v) * v) < 1000)
    return np.abs(vol / v - 1), reason, used


@pytest.mark.usefixtures("path")
def test_a_chain_is_solved_to_fourteen_digits() -> None:
    f, k, t, v, call, _ = _chain(1, 1500, 1.0)
    error, reason, used = _shared_error(f, k, t, v, call)
    assert not reason.any()
    assert used.sum() > 1000
    assert error[used].max() < 1e-14


@pytest.mark.usefixtures("path")
def test_prices_in_the_money_are_given_back() -> None:
    f, k, t, v, call, df = _chain(2, 1500, 0.0)
    p = exact.prices(f, k, t, v, call, df)
    vol, reason = implied_vol(p, f, k, t, call, df)
    assert not reason.any()
    again = exact.prices(f, k, t, vol, call, df)
    np.testing.assert_allclose(again, p, rtol=1e-12)


#: Total volatility, and deviations from the money: edges of the fast domain on both sides.
_S = np.concatenate(
    [10.0 ** np.arange(-9.0, 0.0), [0.3, 0.5, 0.79, 0.8, 0.81, 0.9, 1.0, 1.5, 3.0, 7.0]]
)
_Z = np.array([0.0, 1e-9, 1e-4, 0.1, 0.5, 1.0, 3.0, 5.0, 8.0, 8.6, 8.9, 9.0, 9.1, 9.5, 15.0, 36.0])


@pytest.mark.usefixtures("path")
def test_the_edges_of_every_branch_are_solved() -> None:
    s, z, side = (x.ravel() for x in np.meshgrid(_S, _Z, [-1, 1]))
    inside = np.abs(s * z) < 6
    s, z, side = s[inside], z[inside], side[inside]
    f = np.full(s.size, 24000.0)
    k = f * np.exp(side * s * z)
    call, t = k >= f, np.full(s.size, 0.25)
    v = s / 0.5
    p = exact.prices(f, k, t, v, call, np.ones(s.size))
    vol, reason = implied_vol(p, f, k, t, call)
    has_price = p > 0
    assert not reason[has_price].any()
    # a price near its bound is uninformative: twice the effect of one rounding
    rounding = 2.3e-16 * p / (_vega_of(f, k, t, v) * v)
    error = np.abs(vol / v - 1)
    assert np.all(error[has_price] <= (1e-14 + 4 * rounding)[has_price])


@pytest.mark.usefixtures("path")
def test_strikes_far_from_the_forward_are_solved() -> None:
    for ratio in (0.3535, 0.3536, 0.499, 0.5, 0.501, 1.414, 1.999, 2.0, 2.001, 2.829, 2.83, 20.0):
        f = np.full(6, 100.0)
        k = f * ratio
        v = np.abs(np.log(ratio)) / np.array([0.3, 1.0, 3.0, 8.0, 20.0, 36.0])
        call, one = k >= f, np.ones(6)
        p = exact.prices(f, k, one, v, call, one)
        vol, reason = implied_vol(p, f, k, one, call)
        assert not reason.any()
        rounding = 2.3e-16 * p / (_vega_of(f, k, one, v) * v)
        assert np.all(np.abs(vol / v - 1) <= 1e-14 + 4 * rounding), ratio


@pytest.mark.usefixtures("path")
@pytest.mark.parametrize("scale", [1e-300, 1e-100, 1e-5, 1e8, 1e100, 1e300])
def test_the_unit_of_money_does_not_matter(scale: float) -> None:
    k = np.array([80.0, 95.0, 100.0, 105.0, 130.0])
    p = exact.prices(np.full(5, 100.0), k, np.ones(5), np.full(5, 0.2), k >= 100, np.ones(5))
    vol, reason = implied_vol(p * scale, 100.0 * scale, k * scale, 1.0, k >= 100)
    assert not reason.any()
    np.testing.assert_allclose(vol, 0.2, rtol=1e-13)


@pytest.mark.usefixtures("path")
def test_one_minute_and_one_second_before_expiry_are_solved() -> None:
    minute = 1 / (365 * 24 * 60)
    t = np.array([minute, minute / 60, minute, minute / 60])
    f, k = np.full(4, 24000.0), np.array([24000.0, 24000.0, 24001.0, 23999.9])
    v = np.array([0.12, 0.12, 0.2, 0.1])
    p = exact.prices(f, k, t, v, k >= f, np.ones(4))
    vol, reason = implied_vol(p, f, k, t, k >= f)
    assert not reason.any()
    np.testing.assert_allclose(vol, v, rtol=1e-14)


@pytest.mark.usefixtures("path")
def test_even_the_smallest_number_is_a_price() -> None:
    """A denormal price has few digits, but far out its volatility hardly depends on them."""
    p = np.array([5e-324, 1e-320, 1e-310, 1e-305])
    vol, reason = implied_vol(p, 100.0, 150.0, 1.0, True)
    assert not reason.any()
    again = [float(exact.price(100, 150, 1, v, True)) for v in vol]
    np.testing.assert_allclose(again, p, rtol=1e-6, atol=5e-324)


@pytest.mark.usefixtures("path")
def test_volatilities_agree_with_quantlib() -> None:
    f, k, t, v, call, df = _chain(4, 200, 1.0)
    p = exact.prices(f, k, t, v, call, df)
    vol, _ = implied_vol(p, f, k, t, call, df)
    theirs = [
        ql.blackFormulaImpliedStdDev(
            ql.Option.Call if c else ql.Option.Put, float(b), float(a), float(x), float(d),
            0.0, ql.nullDouble(), 1e-15, 1000,
        )
        for a, b, x, c, d in zip(f, k, p, call, df, strict=True)
    ]  # fmt: skip
    np.testing.assert_allclose(vol * np.sqrt(t), theirs, rtol=1e-8)


CASES = [
    # price, forward, strike, years, is call, discount
    (0.0, 100, 110, 0.1, True, 1.0, Reason.AT_INTRINSIC),
    (0.0, 110, 100, 0.1, False, 1.0, Reason.AT_INTRINSIC),
    (10.0, 110, 100, 0.1, True, 1.0, Reason.AT_INTRINSIC),
    (10.0 * 0.987, 110, 100, 0.1, True, 0.987, Reason.AT_INTRINSIC),
    (0.9737 * (24013.35 - 23950.0), 24013.35, 23950.0, 0.1, True, 0.9737, Reason.AT_INTRINSIC),
    (np.nextafter(10.0, 0), 110, 100, 0.1, True, 1.0, Reason.AT_INTRINSIC),
    (9.0, 110, 100, 0.1, True, 1.0, Reason.BELOW_INTRINSIC),
    (-1.0, 100, 110, 0.1, True, 1.0, Reason.BELOW_INTRINSIC),
    (-5e-324, 100, 110, 0.1, True, 1.0, Reason.BELOW_INTRINSIC),
    (100.0, 100, 90, 0.1, True, 1.0, Reason.ABOVE_BOUND),
    (95.0, 100, 90, 0.1, True, 0.95, Reason.ABOVE_BOUND),
    (0.9371 * 101.7, 101.7, 90, 0.1, True, 0.9371, Reason.ABOVE_BOUND),
    (120.0, 100, 90, 0.1, True, 1.0, Reason.ABOVE_BOUND),
    (90.0, 100, 90, 0.1, False, 1.0, Reason.ABOVE_BOUND),
    (91.0, 100, 90, 0.1, False, 1.0, Reason.ABOVE_BOUND),
    (np.nextafter(100.0, 0), 100, 90, 0.1, True, 1.0, Reason.NO_VEGA),
    (np.nextafter(90.0, 0), 100, 90, 0.1, False, 1.0, Reason.NO_VEGA),
    (12.0, 100, 90, 0.0, True, 1.0, Reason.EXPIRED),
    (12.0, 100, 90, -1.0, True, 1.0, Reason.EXPIRED),
    (120.0, 100, 90, 0.0, True, 1.0, Reason.EXPIRED),
    (np.nan, 100, 90, 0.0, True, 1.0, Reason.MISSING),
    (5.0, 0, 90, 0.1, True, 1.0, Reason.MISSING),
    (5.0, -1, 90, 0.1, True, 1.0, Reason.MISSING),
    (5.0, 100, 0, 0.1, True, 1.0, Reason.MISSING),
    (5.0, 100, -90, 0.1, True, 1.0, Reason.MISSING),
    (5.0, 100, 90, 0.1, True, 0.0, Reason.MISSING),
    (5.0, 100, 90, 0.1, True, -0.5, Reason.MISSING),
    *(
        (*(x if at != place else bad for at, x in enumerate((12.0, 100, 90, 0.1))), True,
         bad if place == 4 else 1.0, Reason.MISSING)
        for place in range(5) for bad in (np.nan, np.inf, -np.inf)
    ),
]  # fmt: skip


@pytest.mark.usefixtures("path")
@pytest.mark.parametrize(("p", "f", "k", "t", "call", "df", "expected"), CASES)
def test_a_row_without_volatility_has_its_reason(
    p: float, f: float, k: float, t: float, call: bool, df: float, expected: Reason
) -> None:
    vol, reason = implied_vol(p, f, k, t, call, df)
    assert np.isnan(vol)
    assert Reason(int(reason)) is expected


@pytest.mark.usefixtures("path")
def test_bad_rows_do_not_touch_their_neighbours() -> None:
    f, k, t, v, call, df = _chain(5, 3000, 0.8)
    p = price(f, k, t, v, call, df)
    alone, _ = implied_vol(p, f, k, t, call, df)
    columns = [np.insert(x, np.arange(0, 3000, 20), 0) for x in (p, f, k, t, call, df)]
    cases = [CASES[n % len(CASES)] for n in range(150)]
    at = np.arange(0, 3000, 20) + np.arange(150)
    for column, number in zip(columns, range(6), strict=True):
        column[at] = [case[number] for case in cases]
    vol, reason = implied_vol(*columns)
    assert reason[at].tolist() == [case[6] for case in cases]
    assert np.isnan(vol[at]).all()
    np.testing.assert_allclose(np.delete(vol, at), alone, rtol=4e-16)


@pytest.mark.parametrize("path", PATHS)
@given(
    forward=st.floats(1e-2, 1e6),
    log_moneyness=st.floats(-3, 3),
    years=st.floats(1e-5, 5),
    vol=st.floats(1e-3, 10),
    discount=st.floats(0.3, 1),
)
@example(forward=100.0, log_moneyness=0.0, years=1.0, vol=0.2, discount=1.0)
@settings(max_examples=150)
def test_the_volatility_of_a_price_is_the_volatility(
    path: str, forward: float, log_moneyness: float, years: float, vol: float, discount: float
) -> None:
    strike = forward * np.exp(log_moneyness)
    is_call = strike >= forward
    with computed_by(path):
        value = float(price(forward, strike, years, vol, is_call, discount))
        solved, reason = implied_vol(value, forward, strike, years, is_call, discount)
        mirrored, _ = implied_vol(value, strike, forward, years, not is_call, discount)
    if value < 1e-290:
        return
    vega = discount * _vega_of(forward, strike, years, vol)
    rounding = 1e-15 * value / (vega * vol) if vega > 0 else np.inf
    if rounding > 1e-3:
        assert reason in (Reason.OK, Reason.NO_VEGA, Reason.ABOVE_BOUND)
        return
    assert reason == Reason.OK
    assert solved == pytest.approx(vol, rel=1e-12 + 10 * rounding)
    assert mirrored == pytest.approx(float(solved), rel=1e-13 + 10 * rounding)


@pytest.mark.usefixtures("path")
def test_a_higher_price_is_a_higher_volatility() -> None:
    p = np.geomspace(1e-12, 99.9, 20000)
    vol, reason = implied_vol(p, 100.0, 110.0, 0.5, True)
    assert not reason.any()
    assert np.all(np.diff(vol) > 0)


@pytest.mark.usefixtures("path")
def test_any_shape_and_kind_of_number_is_taken() -> None:
    strikes = np.array([90, 100, 110])
    p = price(np.array([[100.0], [102.0]]), strikes, 0.1, 0.3, strikes > 95)
    vol, reason = implied_vol(p, np.array([[100], [102]]), strikes, 0.1, strikes > 95)
    assert vol.shape == reason.shape == (2, 3)
    assert (vol.dtype, reason.dtype) == (np.float64, np.int8)
    np.testing.assert_allclose(vol, 0.3, rtol=1e-13)
    flipped, _ = implied_vol(
        p.T[::-1].T, np.array([[100], [102]]), strikes[::-1], 0.1, strikes[::-1] > 95
    )
    np.testing.assert_array_equal(flipped[:, ::-1], vol)
    assert implied_vol(5, 100, 100, 1, True)[0].shape == ()
    assert implied_vol([], 100.0, 100.0, 1.0, True)[1].shape == (0,)
    assert implied_vol([5.0, None], 100.0, 100.0, 1.0, True)[1].tolist() == [0, Reason.MISSING]
    read_only = np.array([5.0, 6.0])
    read_only.setflags(write=False)
    assert implied_vol(read_only, 100.0, 100.0, 1.0, True)[1].tolist() == [0, 0]


def test_both_paths_agree() -> None:
    f, k, t, v, call, df = _chain(6, 40000, 0.8)
    p = price(f, k, t, v, call, df)
    p[::50] *= 0.5
    p[::997] = 1e-200 * f[::997]
    found = {}
    for name in PATHS:
        with computed_by(name):
            found[name] = implied_vol(p, f, k, t, call, df)
    np.testing.assert_array_equal(found["numpy"][1], found["compiled"][1])
    np.testing.assert_allclose(found["numpy"][0], found["compiled"][0], rtol=1e-13)
