"""Payoffs against hand-worked structures, brute force and quadrature."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import lognorm

from strikeloom.quant.payoff import payoffs, profit_at
from strikeloom.quant.probability import expected_value, probability_of_profit


def _one(strikes: list[float], call: list[bool], units: list[float], cash: float):
    return (
        np.array([strikes], dtype=float),
        np.array([call]),
        np.array([units], dtype=float),
        np.array([cash], dtype=float),
    )


# hand-worked: premiums a unit, one unit a leg
CASES = {
    "long call 100 at 4": (_one([100], [True], [1], -4), np.inf, 4, [104]),
    "long put 100 at 3": (_one([100], [False], [1], -3), 97, 3, [97]),
    "bull call 100/110 for 6": (_one([100, 110], [True, True], [1, -1], -6), 4, 6, [106]),
    "bull put 100/90 for 3": (_one([100, 90], [False, False], [-1, 1], 3), 3, 7, [97]),
    "condor 90/95/105/110 for 2": (
        _one([90, 95, 105, 110], [False, False, True, True], [1, -1, -1, 1], 2),
        2,
        3,
        [93, 107],
    ),
    "short strangle 95/105 for 4": (
        _one([95, 105], [False, True], [-1, -1], 4),
        4,
        np.inf,
        [91, 109],
    ),
    "butterfly 90/100/110 for 2": (
        _one([90, 100, 110], [True] * 3, [1, -2, 1], -2),
        8,
        2,
        [92, 108],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_extremes_and_breakevens_are_exact(name: str) -> None:
    legs, profit, loss, roots = CASES[name]
    shape = payoffs(*legs)
    assert (shape.max_profit[0], shape.max_loss[0]) == (profit, loss)
    found = shape.breakevens[0]
    np.testing.assert_allclose(found[~np.isnan(found)], roots, rtol=1e-14)


legs = st.lists(
    st.tuples(st.integers(1, 40), st.booleans(), st.sampled_from([-2, -1, 1, 2])),
    min_size=1,
    max_size=4,
)


@given(legs=legs, cash=st.integers(-30, 30))
@settings(max_examples=300)
def test_extremes_agree_with_brute_force(legs: list, cash: int) -> None:
    arrays = _one(
        [5.0 * k for k, _, _ in legs], [c for _, c, _ in legs], [u for *_, u in legs], cash
    )
    shape = payoffs(*arrays)
    spots = np.concatenate((np.arange(0, 400, 0.5), [1e6]))[None, :]
    values = profit_at(spots, *arrays)[0]
    if np.isinf(shape.max_profit[0]):
        assert values[-1] > 1e5
    else:
        assert shape.max_profit[0] == pytest.approx(values.max())
    if np.isinf(shape.max_loss[0]):
        assert values[-1] < -1e5
    else:
        assert shape.max_loss[0] == pytest.approx(max(0.0, -values.min()))
    for root in shape.breakevens[0][~np.isnan(shape.breakevens[0])]:
        assert profit_at(np.array([[root]]), *arrays)[0, 0] == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("name", CASES)
def test_probability_and_mean_agree_with_quadrature(name: str) -> None:
    arrays = CASES[name][0]
    forward, deviation = 101.0, 0.09
    shape = payoffs(*arrays)
    law = lognorm(s=deviation, scale=forward * np.exp(-0.5 * deviation**2))

    def profit(s: float) -> float:
        return float(profit_at(np.array([[s]]), *arrays)[0, 0])

    kinks = sorted({*arrays[0][0], *shape.breakevens[0][~np.isnan(shape.breakevens[0])]})
    edges = [1.0, *kinks, 250.0]
    pop = mean = 0.0
    for low, high in zip(edges[:-1], edges[1:], strict=True):
        mean += quad(lambda s: profit(s) * law.pdf(s), low, high, epsabs=1e-12)[0]
        if profit(0.5 * (low + high)) > 0:
            pop += quad(law.pdf, low, high, epsabs=1e-12)[0]
    f, d = np.array([forward]), np.array([deviation])
    assert probability_of_profit(shape, f, d)[0] == pytest.approx(pop, abs=1e-8)
    assert expected_value(*arrays, f, d)[0] == pytest.approx(mean, abs=1e-7)
