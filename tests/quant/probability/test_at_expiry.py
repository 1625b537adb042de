"""Odds against quadrature of the density, mpmath and QuantLib; the compiled path against numpy."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
import QuantLib as ql
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import lognorm

from strikeloom.errors import DataError
from strikeloom.quant.payoff import Legs, payoffs, profit_at
from strikeloom.quant.probability import odds as odds_module
from strikeloom.quant.probability.at_expiry import (
    Law,
    expected_loss,
    expected_value,
    lognormal,
    probability_of_profit,
    profit_zones,
    tail_mean,
    zone_probability,
)
from strikeloom.quant.probability.odds import odds
from strikeloom.quant.probability.touch import touch, touch_on_smile
from strikeloom.quant.smile.curves import Curves, total_variance
from strikeloom.quant.smile.fit import fit_smiles

FORWARD, YEARS = 101.0, 0.1


def _smile() -> Curves:
    """A steep equity smile, fitted as any other."""
    k = np.linspace(-0.3, 0.25, 23)
    vol = 0.22 - 0.35 * k + 0.9 * k * k
    one = np.zeros(len(k), dtype=np.int64)
    fit = fit_smiles(
        k, vol * vol * YEARS, np.ones(len(k)), one, np.array([YEARS]), np.zeros(1, dtype=np.int64)
    )
    return fit.curves


LAWS = {"flat": Curves.flat(np.array([0.09**2])), "smile": _smile()}
CASES = {
    "bought call": ([100], [True], [1], -4.0),
    "bull put": ([100, 90], [False, False], [-1, 1], 3.0),
    "condor": ([90, 95, 105, 110], [False, False, True, True], [1, -1, -1, 1], 2.0),
    "ratio": ([100, 110], [True, True], [1, -2], -1.0),
    "strangle sold": ([95, 105], [False, True], [-1, -1], 4.0),
    "share": ([0], [True], [1], -100.0),
    "covered call": ([0, 110], [True, True], [1, -1], -98.0),
    "collar for nothing": ([95, 105], [False, True], [1, -1], 0.0),
}


def _legs(strikes: list, call: list, units: list, cash: float) -> Legs:
    return Legs(
        np.array([strikes], float), np.array([call]), np.array([units], float), np.array([cash])
    )


def _density(law: str):
    """Density of the price from the second difference of Black's formula: nothing shared."""
    if law == "flat":
        return lognorm(s=0.09, scale=FORWARD * np.exp(-0.5 * 0.09**2)).pdf
    curves = LAWS[law]

    def put(strike: mpmath.mpf) -> mpmath.mpf:
        k = mpmath.log(strike / FORWARD)
        s = mpmath.sqrt(mpmath.mpf(_variance(curves, k)))
        d1 = -k / s + s / 2
        return strike * mpmath.ncdf(s - d1) - FORWARD * mpmath.ncdf(-d1)

    def pdf(price: float) -> float:
        with mpmath.workdps(40):
            return float(mpmath.diff(put, mpmath.mpf(price), 2))

    return pdf


def _variance(curves: Curves, k: mpmath.mpf) -> mpmath.mpf:
    """The documented closed form of a slice, in 40 digits."""
    fields = [mpmath.mpf(float(value[0])) for value in curves]
    level, left, right, lc, lw, rc, rw = fields
    x, y = k - lc, k - rc
    down = mpmath.sqrt(x * x + lw * lw) - x
    up = mpmath.sqrt(y * y + rw * rw) + y
    return level + left / 2 * down + right / 2 * up


def test_the_long_form_of_a_slice_is_its_short_one() -> None:
    for k in (-0.4, -0.05, 0.0, 0.2):
        found = total_variance(LAWS["smile"], k).w[0]
        assert found == pytest.approx(float(_variance(LAWS["smile"], mpmath.mpf(k))), rel=1e-13)


BASE = FORWARD * np.exp(np.linspace(-6.0, 3.0, 226))


def _integral(f, low: float, high: float, kinks: set[float]) -> float:
    """Quadrature over panels that are narrow in ln S and end at the kinks."""
    edges = sorted({low, high, *(x for x in {*BASE.tolist(), *kinks} if low < x < high)})
    nodes, weights = np.polynomial.legendre.leggauss(10)
    total = 0.0
    for a, b in zip(edges[:-1], edges[1:], strict=True):
        places = 0.5 * (a + b) + 0.5 * (b - a) * nodes
        values = [f(x) for x in places.tolist()]
        total += 0.5 * (b - a) * float(np.dot(weights, values))
    return total


@pytest.mark.parametrize("law", LAWS)
def test_odds_agree_with_quadrature_of_the_density(law: str) -> None:
    pdf = _density(law)
    low, high = float(BASE[0]), float(BASE[-1])
    mass = {}

    def weight(x: float) -> float:
        if x not in mass:
            mass[x] = float(pdf(x))
        return mass[x]

    at = Law(np.array([FORWARD]), LAWS[law])
    for name, case in CASES.items():
        legs = _legs(*case)
        shape = payoffs(legs)

        def profit(s: float, legs: Legs = legs) -> float:
            return float(profit_at(np.array([[s]]), legs)[0, 0])

        roots = shape.breakevens[0]
        kinks = {*legs.strikes[0].tolist(), *roots[~np.isnan(roots)].tolist()}
        edges = [low, *sorted(x for x in kinks if x > low), high]
        mean = _integral(lambda s, profit=profit: profit(s) * weight(s), low, high, kinks)
        loss = _integral(lambda s, profit=profit: min(profit(s), 0) * weight(s), low, high, kinks)
        chance = sum(
            _integral(weight, a, b, kinks)
            for a, b in zip(edges[:-1], edges[1:], strict=True)
            if profit(0.5 * (a + b)) > 1e-12
        )
        assert probability_of_profit(shape, at)[0] == pytest.approx(chance, abs=1e-9), name
        assert expected_value(legs, at)[0] == pytest.approx(mean, abs=1e-7), name
        assert expected_loss(shape, at)[0] == pytest.approx(loss, abs=1e-7), name


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("share", [0.05, 0.25])
def test_tail_means_agree_with_the_sorted_outcomes(law: str, share: float) -> None:
    """A million evenly probable outcomes by the quantile function of the law, sorted by payoff."""
    from strikeloom.quant.smile.density import cdf

    k = np.linspace(-4.0, 2.0, 1_000_001)
    below = cdf(LAWS[law].pick(0), k)
    even = (np.arange(400_000) + 0.5) / 400_000
    outcomes = FORWARD * np.exp(np.interp(even, below, k))
    at = Law(np.array([FORWARD]), LAWS[law])
    for name, case in CASES.items():
        legs = _legs(*case)
        profits = np.sort(profit_at(outcomes[None, :], legs)[0])
        worst = profits[: round(share * len(profits))].mean()
        found = tail_mean(legs, at, share)[0]
        assert found == pytest.approx(worst, rel=5e-4, abs=2e-3), name


def test_a_flat_law_is_the_lognormal_to_the_last_digits() -> None:
    with mpmath.workdps(30):
        s = mpmath.mpf("0.09")
        for level in (60.0, 97.3, 101.0, 140.0):
            z = mpmath.log(mpmath.mpf(level) / FORWARD) / s + s / 2
            found = zone_probability(
                np.zeros((1, 1)), np.array([[level]]), Law(np.array([FORWARD]), LAWS["flat"])
            )[0, 0]
            assert found == pytest.approx(float(mpmath.ncdf(z)), rel=1e-12)


def test_zones_of_profit_and_of_nothing() -> None:
    low, high = profit_zones(payoffs(_legs(*CASES["collar for nothing"])))
    zones = [(a, b) for a, b in zip(low[0], high[0], strict=True) if b > a]
    assert zones == [(0.0, 95.0)]
    low, high = profit_zones(payoffs(_legs(*CASES["bought call"])))
    assert [(a, b) for a, b in zip(low[0], high[0], strict=True) if b > a] == [(104.0, np.inf)]


def test_what_is_missing_stays_missing() -> None:
    legs = _legs(*CASES["condor"])
    shape = payoffs(legs)
    for law in (
        Law(np.array([FORWARD]), Curves.refused(1)),
        Law(np.array([np.nan]), LAWS["flat"]),
        Law(np.array([-1.0]), LAWS["flat"]),
    ):
        assert np.isnan(probability_of_profit(shape, law)).all()
        assert np.isnan(expected_value(legs, law)).all()
        assert np.isnan(expected_loss(shape, law)).all()
        assert np.isnan(tail_mean(legs, law, 0.05)).all()
        assert np.isnan(touch(np.array([90.0]), np.array([100.0]), law)).all()
    for share in (0.0, 0.7, -1.0):
        with pytest.raises(DataError, match="tail"):
            tail_mean(legs, Law(np.array([FORWARD]), LAWS["flat"]), share)


def test_a_lognormal_law_has_its_forward_and_variance() -> None:
    law = lognormal([100.0, 100.0], [0.3**2 * 0.25, 0.0])
    assert law.forward[0] == 100.0
    assert total_variance(law.curves, 0.0).w[0] == pytest.approx(0.3**2 * 0.25)
    assert np.isnan(law.cdf(0.0)[1])


@pytest.mark.parametrize("level", [70.0, 92.0, 99.9, 100.1, 110.0, 150.0])
@pytest.mark.parametrize("carry", [0.0, 0.065, -0.3])
def test_touches_are_quantlibs_one_touch(level: float, carry: float) -> None:
    spot, vol, years = 100.0, 0.35, 0.5
    today = ql.Date(2, 1, 2023)
    ql.Settings.instance().evaluationDate = today
    count = ql.Actual365Fixed()
    end = today + 182
    years = 182 / 365
    process = ql.BlackScholesMertonProcess(
        ql.QuoteHandle(ql.SimpleQuote(spot)),
        ql.YieldTermStructureHandle(ql.FlatForward(today, -carry, count)),
        ql.YieldTermStructureHandle(ql.FlatForward(today, 0.0, count)),
        ql.BlackVolTermStructureHandle(ql.BlackConstantVol(today, ql.NullCalendar(), vol, count)),
    )
    side = ql.Option.Call if level > spot else ql.Option.Put
    option = ql.VanillaOption(
        ql.CashOrNothingPayoff(side, level, 1.0), ql.AmericanExercise(today, end, True)
    )
    option.setPricingEngine(ql.AnalyticDigitalAmericanEngine(process))
    law = Law(np.array([spot * np.exp(carry * years)]), Curves.flat([vol * vol * years]))
    assert touch(np.array([level]), np.array([spot]), law)[0] == pytest.approx(
        option.NPV(), abs=1e-10
    )


def test_touches_on_a_smile() -> None:
    """Ordered by distance, never rarer than an end beyond, and the closed form's on a flat one."""
    law = Law(np.array([FORWARD, FORWARD]), Curves(*(np.concatenate(pair) for pair in
              zip(LAWS["smile"], LAWS["flat"], strict=True))))  # fmt: skip
    levels = np.array([70.0, 85.0, 95.0, 99.0, 102.0, 108.0, 118.0])
    spot = np.full(7, 100.0)
    found = touch_on_smile(levels, spot, law, np.zeros(7, dtype=np.int64))
    one = Law(law.forward[:1], law.curves.pick([0]))
    below = zone_probability(np.zeros((1, 7)), levels[None, :], one)[0]
    beyond = np.where(levels > 100, 1 - below, below)
    assert (found >= beyond - 1e-3).all()
    assert (np.diff(found[levels < 100]) > 0).all()
    assert (np.diff(found[levels > 100]) < 0).all()
    flat = touch_on_smile(levels, spot, law, np.ones(7, dtype=np.int64))
    each = Law(np.full(7, FORWARD), Curves.flat(np.full(7, 0.09**2)))
    np.testing.assert_allclose(flat, touch(levels, spot, each), atol=4e-3)
    assert touch_on_smile(np.array([100.0, np.nan, -1.0]), spot[:3], law, np.zeros(3, int))[
        0
    ] == pytest.approx(1.0)
    with pytest.raises(DataError, match="touch_on_smile"):
        touch(np.array([90.0]), np.array([100.0]), one)


legs_drawn = st.lists(
    st.tuples(st.integers(0, 16), st.booleans(), st.sampled_from([-2, -1, 0, 1, 2])),
    min_size=1,
    max_size=5,
)


@given(drawn=st.lists(st.tuples(legs_drawn, st.integers(-9, 9)), min_size=1, max_size=6))
@settings(max_examples=150, deadline=None)
def test_the_compiled_path_agrees_with_numpy(drawn: list) -> None:
    width = 5
    rows = [(legs + [(legs[0][0], False, 0)] * (width - len(legs)), cash) for legs, cash in drawn]
    legs = Legs(
        np.array([[80.0 + 2.5 * k if k else 0.0 for k, _, _ in row] for row, _ in rows]),
        np.array([[c or not k for k, c, _ in row] for row, _ in rows]),
        np.array([[float(u) for *_, u in row] for row, _ in rows]),
        np.array([float(cash) for _, cash in rows]),
    )
    law = Law(
        np.array([FORWARD, 95.0, 100.0]),
        Curves(
            *(
                np.concatenate(pair)
                for pair in zip(LAWS["smile"], LAWS["flat"], Curves.refused(1), strict=True)
            )
        ),
    )
    row = (np.arange(len(rows)) % 3).astype(np.int64)
    slow = odds(legs, law, row)
    fast = odds_module._compiled(legs, law, row, 2)
    for mine, theirs in zip(fast, slow, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-9, atol=1e-9)


def test_quad_of_scipy_agrees_too() -> None:
    legs = _legs(*CASES["condor"])
    law = lognorm(s=0.09, scale=FORWARD * np.exp(-0.5 * 0.09**2))
    mean = quad(
        lambda s: float(profit_at(np.array([[s]]), legs)[0, 0]) * law.pdf(s),
        20,
        400,
        points=[90, 95, 105, 110],
        epsabs=1e-12,
        limit=200,
    )[0]
    found = expected_value(legs, Law(np.array([FORWARD]), LAWS["flat"]))[0]
    assert found == pytest.approx(mean, abs=1e-9)
