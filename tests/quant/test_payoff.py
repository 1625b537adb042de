"""Payoffs against hand-worked structures and brute force."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strikeloom.quant.payoff import Legs, payoffs, profit_at


def _structure(strikes: list[float], call: list[bool], units: list[float], cash: float) -> Legs:
    return Legs(
        np.array([strikes], dtype=float),
        np.array([call]),
        np.array([units], dtype=float),
        np.array([cash], dtype=float),
    )


# hand-worked: premiums a unit, one unit a leg
CASES = {
    "long call 100 at 4": (_structure([100], [True], [1], -4), np.inf, 4, [104]),
    "long put 100 at 3": (_structure([100], [False], [1], -3), 97, 3, [97]),
    "bull call 100/110 for 6": (_structure([100, 110], [True, True], [1, -1], -6), 4, 6, [106]),
    "bull put 100/90 for 3": (_structure([100, 90], [False, False], [-1, 1], 3), 3, 7, [97]),
    "condor 90/95/105/110 for 2": (
        _structure([90, 95, 105, 110], [False, False, True, True], [1, -1, -1, 1], 2),
        2,
        3,
        [93, 107],
    ),
    "short strangle 95/105 for 4": (
        _structure([95, 105], [False, True], [-1, -1], 4),
        4,
        np.inf,
        [91, 109],
    ),
    "share at 100": (_structure([0], [True], [1], -100), np.inf, 100, [100]),
    "covered call 110 at 2": (_structure([0, 110], [True, True], [1, -1], -98), 12, 98, [98]),
    "future sold at 100, put sold 90 at 2": (
        _structure([0, 90], [True, False], [-1, -1], 102),
        12,
        np.inf,
        [102],
    ),
    "collar 95/105 for nothing": (
        _structure([95, 105], [False, True], [1, -1], 0),
        95,
        np.inf,
        [95, 105],
    ),
    "butterfly 90/100/110 for 2": (
        _structure([90, 100, 110], [True] * 3, [1, -2, 1], -2),
        8,
        2,
        [92, 108],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_extremes_and_breakevens_are_exact(name: str) -> None:
    legs, profit, loss, roots = CASES[name]
    shape = payoffs(legs)
    assert (shape.max_profit[0], shape.max_loss[0]) == (profit, loss)
    found = shape.breakevens[0]
    np.testing.assert_allclose(found[~np.isnan(found)], roots, rtol=1e-14)


legs = st.lists(
    st.tuples(st.integers(0, 40), st.booleans(), st.sampled_from([-2, -1, 1, 2])),
    min_size=1,
    max_size=4,
)


@given(legs=legs, cash=st.integers(-30, 30))
@settings(max_examples=300)
def test_extremes_agree_with_brute_force(legs: list, cash: int) -> None:
    arrays = _structure(
        [5.0 * k for k, _, _ in legs],
        [c or not k for k, c, _ in legs],
        [u for *_, u in legs],
        cash,
    )
    shape = payoffs(arrays)
    spots = np.concatenate((np.arange(0, 400, 0.5), [1e6]))[None, :]
    values = profit_at(spots, arrays)[0]
    if np.isinf(shape.max_profit[0]):
        assert values[-1] > 1e5
    else:
        assert shape.max_profit[0] == pytest.approx(values.max())
    if np.isinf(shape.max_loss[0]):
        assert values[-1] < -1e5
    else:
        assert shape.max_loss[0] == pytest.approx(max(0.0, -values.min()))
    for root in shape.breakevens[0][~np.isnan(shape.breakevens[0])]:
        assert profit_at(np.array([[root]]), arrays)[0, 0] == pytest.approx(0.0, abs=1e-9)
    roots = shape.breakevens[0]
    assert (np.diff(roots[~np.isnan(roots)]) > 0).all()
    signs = np.sign(np.round(values, 9))
    for place in np.flatnonzero(signs[1:] != signs[:-1]):
        low, high = spots[0, place], spots[0, place + 1]
        if low == 0 and signs[0] == 0:
            continue  # nothing is below 0
        assert ((roots >= low - 1e-9) & (roots <= high + 1e-9)).any(), (low, high)


def test_a_row_that_is_not_finite_is_missing() -> None:
    for place, value in ((0, np.nan), (2, np.nan), (3, np.nan)):
        legs = [part.copy() for part in _structure([90, 110], [True, True], [1, -1], -6)]
        legs[place].flat[0] = value
        shape = payoffs(Legs(*legs))
        assert np.isnan([shape.max_profit[0], shape.max_loss[0]]).all()
        assert np.isnan(shape.breakevens).all()


def test_rounding_of_a_premium_makes_no_profit() -> None:
    # 0.1 + 0.2 - 0.3 is 5.6e-17, not 0: a box that costs its worth neither earns nor loses
    legs = _structure([100, 100.3, 100, 100.3], [True, True, False, False], [1, -1, -1, 1], -0.3)
    shape = payoffs(legs)
    assert (shape.max_profit[0], shape.max_loss[0]) == (0, 0)
    assert np.isnan(shape.breakevens).all()


def test_a_structure_that_cannot_lose_has_a_loss_of_zero_without_a_sign():
    """Bull put 100/90 sold for 10 and more, and a box that pays for itself."""
    for cash in (10.0, 12.0):
        loss = payoffs(_structure([100, 90], [False, False], [-1, 1], cash)).max_loss[0]
        assert (loss, bool(np.signbit(loss))) == (0.0, False)
    box = payoffs(_structure([100, 100], [True, True], [1, -1], 0.0)).max_loss[0]
    assert str(float(box)) == "0.0"
