"""Errors at the money against simulated markets and textbook sums."""

from __future__ import annotations

import numpy as np
import pytest
import QuantLib as ql
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from strikeloom.quant.smile.error import QuoteEvidence, at_money_error

YEARS, VOL = 19 / 365, 0.42


def _error(
    z: list[float],
    *,
    lots: float = 1e9,
    fresh: bool = True,
    error: float = 0.0,
    residual: float = 0.0,
    forward_error: float = 0.0,
) -> float:
    """Relative error of one expiry whose quotes lie ``z`` deviations from the forward."""
    count, moneyness = len(z), np.array(z) * VOL * np.sqrt(YEARS)
    evidence = QuoteEvidence(
        np.zeros(count, dtype=np.int64),
        moneyness,
        moneyness >= 0,
        np.full(count, lots),
        np.full(count, fresh),
        np.full(count, 1 / error**2 if error else 1e12),
        np.ones(count),
        np.full(count, residual),
    )
    at = (np.array([VOL]), np.array([YEARS]), np.array([forward_error]))
    return float(at_money_error(evidence, *at)[0])


@pytest.mark.parametrize(
    ("lots", "fresh", "days"), [(1, False, 0.35), (5, False, 0.15), (1, True, 0.04)]
)
def test_an_old_price_is_off_by_what_the_market_moved_since(
    lots: int, fresh: bool, days: float
) -> None:
    """Prices made on forwards of earlier, read on the closing one, by QuantLib."""
    rng = np.random.default_rng(5)
    total = VOL * np.sqrt(YEARS)
    found = []
    for step in VOL * np.sqrt(days / 250) * rng.standard_normal(4000):
        paid = ql.blackFormula(ql.Option.Call, 100.0, 100.0 * np.exp(step), total)
        try:
            read = ql.blackFormulaImpliedStdDev(ql.Option.Call, 100.0, 100.0, paid)
        except RuntimeError:
            continue
        found.append(read / total)
    assert _error([0.0], lots=lots, fresh=fresh) == pytest.approx(np.std(found), rel=0.06)


def test_equal_quotes_around_the_forward_average_out() -> None:
    # errors of 2 points each, of a volatility of 42
    assert _error([0.0] * 4, error=0.02) == pytest.approx(0.02 / 0.42 / 2, rel=1e-3)
    apart = 0.02 / 0.42 / np.sqrt(2 * np.exp(-0.5 * 0.6**2))
    assert _error([-0.6, 0.6], error=0.02) == pytest.approx(apart, rel=1e-3)


def test_quotes_that_scatter_more_than_expected_widen_the_error() -> None:
    calm, wild = (_error([0.0] * 8, error=0.02, residual=r) for r in (0.02, 0.08))
    # 8 quotes at 4 of their errors, and 2 as expected
    assert wild / calm == pytest.approx(np.sqrt((8 * 16 + 2) / 10), rel=1e-3)


def test_a_side_alone_knows_less_of_the_middle() -> None:
    both, above = _error([-0.5, 0.5], error=0.01), _error([0.5, 0.5], error=0.01)
    assert above == pytest.approx(np.hypot(both, 0.1 * 0.5), rel=1e-3)
    off = _error([0.5, 0.5], error=0.01, forward_error=0.002)
    # delta over vega at the money, for five eighths of the way
    share = 1.25 * 0.5 * 0.002 * 0.5 / norm.pdf(0) / (VOL * np.sqrt(YEARS))
    assert off == pytest.approx(np.hypot(above, share), rel=0.01)
    two_sided = _error([-0.5, 0.5], error=0.01, forward_error=0.002)
    assert two_sided == pytest.approx(both, rel=1e-6)


def test_no_quote_no_knowledge() -> None:
    empty = np.zeros(0)
    none = QuoteEvidence(empty.astype(np.int64), empty, empty > 0, empty, empty > 0, *[empty] * 3)
    values = (np.array([0.2, np.nan]), np.array([0.1, 0.1]), np.zeros(2))
    found = at_money_error(none, *values)
    assert np.isinf(found[0])
    assert np.isnan(found[1])


@given(
    st.lists(st.floats(-2.5, 2.5), min_size=1, max_size=6),
    st.floats(1, 500),
    st.floats(0.001, 0.05),
)
def test_more_and_surer_quotes_never_know_less(z: list[float], lots: float, error: float) -> None:
    old = _error(z, lots=lots, fresh=False, error=error)
    assert 0 < _error(z * 2, lots=lots, fresh=False, error=error) <= old + 1e-12
    alone = _error([0.0], lots=lots, fresh=False, error=error)
    assert _error([0.0], lots=lots, fresh=True, error=error) < alone
    assert _error([0.0], lots=2 * lots, fresh=False, error=error) < alone
    assert _error([0.0], lots=lots, fresh=False, error=2 * error) > alone


def test_a_quote_without_weight_at_the_money_has_no_influence_there() -> None:
    # 45 deviations out, where density and delta are both 0 in floating point
    near = _error([-0.5, 0.5], error=0.01, lots=20, fresh=False)
    for far in (-45.0, 45.0, -300.0):
        found = _error([-0.5, 0.5, far], error=0.01, lots=20, fresh=False)
        assert found == pytest.approx(near, rel=1e-12)


def test_the_move_since_a_trade_far_out_follows_the_tail_of_the_normal_law() -> None:
    # Mills' ratio 1 / (x + 1 / (x + 2 / (x + ...))), of an option alone 20 deviations out
    total = VOL * np.sqrt(YEARS)
    x, ratio = 20.0 - 0.5 * total, 0.0
    for level in range(60, 0, -1):
        ratio = level / (x + ratio)
    age = (0.6 / 6 + 0.05) / 250 / YEARS
    weight = np.exp(-0.5 * 400)
    expected = np.hypot(np.sqrt(age / weight) / (x + ratio), 0.1 * 20.0)
    assert _error([20.0], lots=5, fresh=False) == pytest.approx(expected, rel=1e-3)
