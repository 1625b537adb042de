"""Forwards: exact where prices are, steady against a bad quote, honest about their error."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strikeloom.quant.black76 import price
from strikeloom.quant.forwards import (
    CARRIED_ERROR,
    FUTURE_ERROR,
    ParityForwards,
    Source,
    best_forwards,
    call_put_pairs,
    close_variance,
    parity_forwards,
    weighted_median,
)

STRIKES = np.arange(80.0, 121.0, 5.0)
ONE = np.zeros(len(STRIKES), dtype=np.int64)


def _spread(forward: float, discount: float = 1.0) -> np.ndarray:
    both = [price(forward, STRIKES, 0.1, 0.3, call, discount) for call in (True, False)]
    return np.asarray(both[0] - both[1])


def _parity(spread: np.ndarray, *, discount: float = 1.0, sure: float = 0.001) -> ParityForwards:
    variance = np.full(len(STRIKES), 20.0)
    return parity_forwards(
        STRIKES, spread, variance, ONE, np.array([discount]), np.array([discount * sure])
    )


@given(st.floats(82, 118), st.floats(0.97, 1.0))
def test_exact_prices_give_the_forward_exactly(forward: float, discount: float) -> None:
    found = _parity(_spread(forward, discount), discount=discount)
    assert found.forward[0] == pytest.approx(forward, rel=1e-12)
    assert found.discount[0] == pytest.approx(discount, rel=1e-12)
    assert found.used[0] == len(STRIKES)


def test_many_strikes_move_the_discount_factor_to_theirs() -> None:
    # prices discounted at 0.98, a prior of 0.99 plus or minus 0.05
    found = _parity(_spread(101.3, 0.98), discount=0.99, sure=0.05)
    assert found.discount[0] == pytest.approx(0.98, abs=2e-4)
    assert found.forward[0] == pytest.approx(101.3, rel=1e-6)
    assert found.discount_error[0] < 0.01


@pytest.mark.parametrize("wrong", [7.0, -7.0, 70.0])
def test_one_bad_quote_hardly_moves_the_forward(wrong: float) -> None:
    spread = _spread(101.3)
    spread[3] += wrong
    found = _parity(spread)
    # a ninth of the strikes is 7 or 70 rupees off; a plain mean would move by 78 to 780 bp
    assert abs(found.forward[0] / 101.3 - 1) < 3e-4
    assert found.std_error[0] > _parity(_spread(101.3)).std_error[0]


def test_a_scattered_chain_has_a_larger_error() -> None:
    rng = np.random.default_rng(3)
    calm = _parity(_spread(100.0) + rng.normal(0, 0.01, len(STRIKES)))
    wild = _parity(_spread(100.0) + rng.normal(0, 1.0, len(STRIKES)))
    assert wild.std_error[0] > 3 * calm.std_error[0]


def test_rows_that_are_missing_are_left_out_and_empty_groups_are_named() -> None:
    spread = _spread(100.0)
    spread[0] = np.nan
    variance = np.full(len(STRIKES), 20.0)
    variance[1] = np.inf
    flat, sure = np.ones(3), np.full(3, 0.001)
    found = parity_forwards(STRIKES, spread, variance, ONE + 1, flat, sure)
    assert list(found.used) == [0, len(STRIKES) - 2, 0]
    assert np.isnan(found.forward[[0, 2]]).all()
    assert found.forward[1] == pytest.approx(100.0)


def test_pairs_are_the_calls_and_puts_of_one_strike() -> None:
    strike = np.array([100.0, 100.0, 105.0, 105.0, 110.0, 100.0])
    is_call = np.array([True, False, False, True, True, True])
    group = np.array([0, 0, 0, 0, 0, 1])
    calls, puts = call_put_pairs(strike, is_call, group)
    assert (calls.tolist(), puts.tolist()) == ([0, 3], [1, 2])


def test_an_old_close_counts_for_less_than_a_fresh_one() -> None:
    lots = np.array([1.0, 1.0, 100.0, 100.0])
    fresh = np.array([True, False, True, False])
    found = close_variance(lots, fresh)
    assert found[0] < found[1]
    assert found[2] < found[3]
    assert found[2] < found[0]


def test_the_weighted_median_is_that_of_the_repeated_values() -> None:
    values = np.array([3.0, 1.0, 2.0, 9.0])
    weights = np.array([2.0, 3.0, 1.0, 1.0])
    repeated = np.repeat(values, weights.astype(int))
    group = np.zeros(4, dtype=np.int64)
    assert weighted_median(values, weights, group, 2)[0] == np.median(repeated)
    assert np.isnan(weighted_median(values, weights, group, 2)[1])


def test_sources_come_in_their_order() -> None:
    years = np.array([0.1, 0.2, 0.3, 0.1, 0.2, 0.1, 0.1])
    chain = np.array([0, 0, 0, 1, 1, 2, 3])
    nan = np.nan
    parity = ParityForwards(
        np.array([100.0, 101.0, nan, nan, nan, 50.0, nan]),
        np.array([0.0005, 0.01, nan, nan, nan, 0.01, nan]),
        np.ones(7),
        np.ones(7),
        np.zeros(7, dtype=np.int64),
    )
    future = np.array([999.0, 101.5, nan, nan, nan, nan, nan])
    spot = np.array([99.0, 99.0, 99.0, 70.0, 70.0, 49.0, nan])
    errors = {"carry_error": np.full(7, 0.02), "most_error": 0.0015}
    found = best_forwards(parity, future, spot, years, chain, 0.06, **errors)
    assert found.source.tolist() == [
        Source.PARITY,  # sharp
        Source.FUTURE,  # parity is too coarse
        Source.CARRIED,  # from the expiry before it
        Source.SPOT,
        Source.SPOT,
        Source.PARITY,  # coarse, but there is nothing better
        Source.NONE,
    ]
    assert found.forward[2] == pytest.approx(101.5 * np.exp(0.06 * 0.1))
    expected = np.sqrt(FUTURE_ERROR**2 + CARRIED_ERROR**2 + (0.02 * 0.1) ** 2)
    assert found.std_error[2] == pytest.approx(expected)
    assert found.forward[4] == pytest.approx(70 * np.exp(0.06 * 0.2))
    assert np.isnan(found.forward[6])


def test_a_dividend_before_the_expiry_is_in_the_forward_and_in_what_is_carried_from_it() -> None:
    # spot 100 pays 3 before the first expiry: its options know, the spot does not
    known = 100.0 * np.exp(0.06 * 0.1) - 3.0
    parity = ParityForwards(
        np.array([known, np.nan]),
        np.array([0.0005, np.nan]),
        np.ones(2),
        np.ones(2),
        np.zeros(2, dtype=np.int64),
    )
    found = best_forwards(
        parity,
        np.full(2, np.nan),
        np.full(2, 100.0),
        np.array([0.1, 0.2]),
        np.zeros(2, dtype=np.int64),
        0.06,
        carry_error=np.full(2, 0.03),
        most_error=0.0015,
    )
    assert found.forward.tolist() == pytest.approx([known, known * np.exp(0.06 * 0.1)])


@pytest.mark.parametrize(
    ("error", "carry", "source"),
    [(0.006, 0.008, Source.CARRIED), (0.002, 0.008, Source.PARITY), (0.006, 0.03, Source.PARITY)],
)
def test_a_coarse_parity_yields_to_what_is_known_better_from_another_expiry(
    error: float, carry: float, source: Source
) -> None:
    """BANKNIFTY on 2025-01-02: one old pair for September, 60 basis points, after a good March.

    Half a year of an index's carry is known to 40 of them and 10 at once, so March carried on
    knows more; were it a stock's, to 150.
    """
    parity = ParityForwards(
        np.array([52543.0, np.nan, 54736.0]),
        np.array([0.00025, np.nan, error]),
        np.ones(3),
        np.ones(3),
        np.array([8, 0, 1]),
    )
    years, nothing = np.array([0.230, 0.479, 0.729]), np.full(3, np.nan)
    errors = {"carry_error": np.full(3, carry), "most_error": 0.0015}
    found = best_forwards(parity, nothing, nothing, years, np.zeros(3, dtype=np.int64), 0.065,
                          **errors)  # fmt: skip
    assert found.source.tolist() == [Source.PARITY, Source.CARRIED, source]
    carried = 52543 * np.exp(0.065 * 0.499)
    expected = carried if source == Source.CARRIED else 54736
    assert found.forward[2] == pytest.approx(expected, rel=1e-9)
    assert found.forward[1] == pytest.approx(52543 * np.exp(0.065 * 0.249))


def test_what_is_carried_comes_from_the_expiry_that_knows_it_best() -> None:
    """A year after one future and a week before another, from which it is carried back."""
    parity = ParityForwards(*np.full((4, 3), np.nan), np.zeros(3, dtype=np.int64))
    future, years = np.array([100.0, np.nan, 108.0]), np.array([0.1, 1.1, 1.12])
    errors = {"carry_error": np.full(3, 0.03), "most_error": 0.0015}
    found = best_forwards(
        parity, future, np.full(3, 99.0), years, np.zeros(3, dtype=np.int64), 0.06, **errors
    )
    assert found.forward[1] == pytest.approx(108 * np.exp(-0.06 * 0.02))
