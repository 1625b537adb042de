"""Reaching a profit before expiry against closed forms and simulation; value on earlier dates."""

from __future__ import annotations

import numpy as np
import pytest
import QuantLib as ql
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtr

from strikeloom.quant.payoff import Legs, payoffs, profit_at
from strikeloom.quant.probability.at_expiry import Law, probability_of_profit
from strikeloom.quant.probability.reach import reach
from strikeloom.quant.probability.touch import touch
from strikeloom.quant.probability.value import LegTerms, profit_before_expiry
from strikeloom.quant.smile.curves import Curves

SPOT = np.array([100.0])
LAW = Law(SPOT, Curves.flat([0.09**2]))
ROW = np.zeros(1, dtype=np.int64)


def _legs(strikes: list, call: list, units: list, cash: float) -> Legs:
    return Legs(
        np.array([strikes], float), np.array([call]), np.array([units], float), np.array([cash])
    )


@pytest.mark.parametrize("level", [85.0, 92.0, 98.0, 101.0, 104.0, 109.0, 115.0])
def test_reaching_a_profit_on_the_underlying_is_touching_its_level(level: float) -> None:
    side = np.sign(level - 100)
    legs = _legs([0], [True], [side], -100 * side)
    found = reach(legs, np.array([abs(level - 100)]), LAW, ROW)[0]
    assert found == pytest.approx(touch(np.array([level]), SPOT, LAW)[0], abs=5e-4)


@pytest.mark.parametrize(
    ("legs", "target"),
    [
        (_legs([95, 105], [False, True], [-1, -1], 3.3), 1.65),
        (_legs([97, 92], [False, False], [-1, 1], 1.6), 0.8),
        (_legs([102], [True], [1], -2.7), 2.7),
    ],
    ids=["strangle", "vertical", "call"],
)
def test_reaching_half_agrees_with_a_simulation(legs: Legs, target: float) -> None:
    """Black prices along paths; watched at two rates, extrapolated to every moment."""
    draw = np.random.default_rng(5)
    paths, steps = 20_000, 512
    moves = 0.09 / np.sqrt(steps) * draw.normal(size=(paths, steps)) - 0.5 * 0.09**2 / steps
    prices = 100 * np.exp(np.cumsum(moves, axis=1))
    reached = {1: np.zeros(paths, dtype=bool), 4: np.zeros(paths, dtype=bool)}
    for place in range(steps):
        s = 0.09 * np.sqrt(1 - (place + 1) / steps)
        value = np.full(paths, legs.cash[0])
        for strike, call, units in zip(
            legs.strikes[0], legs.is_call[0], legs.units[0], strict=True
        ):
            sign = 1 if call else -1
            d = np.log(prices[:, place] / strike) / max(s, 1e-9) + 0.5 * s
            value += units * sign * (
                prices[:, place] * ndtr(sign * d) - strike * ndtr(sign * (d - s))
            )  # fmt: skip
        for every, seen in reached.items():
            if (place + 1) % every == 0:
                seen[value >= target] = True
    # what is missed between looks goes with the root of the time between them
    chance = 2 * reached[1].mean() - reached[4].mean()
    assert reach(legs, np.array([target]), LAW, ROW)[0] == pytest.approx(chance, abs=0.012)


def test_reaching_is_likelier_than_ending_there_and_unlimited_has_no_half() -> None:
    condor = _legs([90, 95, 105, 110], [False, False, True, True], [1, -1, -1, 1], 2.4)
    some = [condor, condor, condor]
    legs = Legs(*(np.concatenate(parts) for parts in zip(*some, strict=True)))
    law = Law(np.array([100.0, 100.0]), Curves(*(np.concatenate(p) for p in
              zip(LAW.curves, Curves.refused(1), strict=True))))  # fmt: skip
    row = np.array([0, 0, 1])
    found = reach(legs, np.array([1.2, np.inf, 1.2]), law, row)
    assert np.isnan(found[1:]).all()
    above = condor._replace(cash=condor.cash - 1.2)
    assert found[0] > probability_of_profit(payoffs(above), LAW)[0]
    assert reach(condor, np.array([-5.0]), LAW, ROW)[0] == 1.0
    assert reach(condor, np.array([9.0]), LAW, ROW)[0] == 0.0


def test_a_spread_on_an_earlier_day_is_quantlibs() -> None:
    legs = _legs([95, 105], [False, True], [-2, 1], 1.5)
    left, vol, rate = 0.12, 0.3, 0.06
    terms = LegTerms(
        Curves(*(np.tile(f, (1, 2)) for f in Curves.flat([vol * vol * 0.2]))),
        np.full((1, 2), left / 0.2),
        np.full((1, 2), np.exp(rate * left)),
        np.full((1, 2), np.exp(-rate * left)),
    )
    spots = np.array([[80.0, 97.0, 100.0, 130.0]])
    found = profit_before_expiry(spots, legs, terms)[0]
    for spot, value in zip(spots[0], found, strict=True):
        forward, deviation = spot * np.exp(rate * left), vol * np.sqrt(left)
        put = ql.blackFormula(ql.Option.Put, 95.0, forward, deviation, np.exp(-rate * left))
        call = ql.blackFormula(ql.Option.Call, 105.0, forward, deviation, np.exp(-rate * left))
        assert value == pytest.approx(1.5 - 2 * put + call, rel=1e-12)


def test_a_calendar_on_the_day_its_near_leg_expires() -> None:
    legs = _legs([100, 100], [True, True], [-1, 1], -1.2)
    curves = Curves(*(np.array([f]) for f in Curves.flat([0.3**2 * 0.1, 0.3**2 * 0.2])))
    terms = LegTerms(curves, np.array([[0.0, 0.5]]), np.ones((1, 2)), np.ones((1, 2)))
    spots = np.array([[90.0, 100.0, 112.0]])
    for spot, value in zip(spots[0], profit_before_expiry(spots, legs, terms)[0], strict=True):
        far = ql.blackFormula(ql.Option.Call, 100.0, spot, 0.3 * np.sqrt(0.1))
        assert value == pytest.approx(far - max(spot - 100, 0) - 1.2, rel=1e-12)
    gone = terms._replace(share=np.array([[-0.1, 0.5]]))
    assert np.isnan(profit_before_expiry(spots, legs, gone)).all()
    unused = legs._replace(units=np.array([[0.0, 1.0]]))
    assert np.isfinite(profit_before_expiry(spots, unused, gone)).all()


drawn = st.lists(
    st.tuples(st.integers(0, 16), st.booleans(), st.sampled_from([-2, -1, 1, 2])),
    min_size=1,
    max_size=4,
)


@given(rows=drawn, cash=st.integers(-9, 9))
@settings(max_examples=60, deadline=None)
def test_value_at_expiry_is_the_payoff(rows: list, cash: int) -> None:
    legs = _legs(
        [80.0 + 2.5 * k if k else 0.0 for k, _, _ in rows],
        [c or not k for k, c, _ in rows],
        [float(u) for *_, u in rows],
        float(cash),
    )
    spots = np.array([[60.0, 95.0, 101.0, 140.0]])
    size = (1, len(rows))
    curves = Curves(*(np.full(size, f[0]) for f in LAW.curves))
    terms = LegTerms(curves, np.zeros(size), np.ones(size), np.ones(size))
    np.testing.assert_allclose(
        profit_before_expiry(spots, legs, terms), profit_at(spots, legs), atol=1e-12
    )
