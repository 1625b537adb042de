"""The front against a comparison of every pair."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from strikeloom.quant.candidates.front import pareto_front


def by_pairs(columns: np.ndarray) -> list[int]:
    """Rows that none equals or exceeds throughout, of equal ones the first."""
    kept = []
    for i, row in enumerate(columns):
        beaten = np.isnan(row).any()
        for j, other in enumerate(columns):
            if i == j or np.isnan(other).any():
                continue
            better = (other >= row).all() and ((other > row).any() or j < i)
            beaten = beaten or better
        if not beaten:
            kept.append(i)
    return kept


values = st.one_of(st.integers(-3, 3).map(float), st.sampled_from([np.inf, -np.inf, np.nan]))


@given(rows=st.lists(st.tuples(*[values] * 4), max_size=40))
@settings(max_examples=200, deadline=None)
def test_the_front_is_that_of_all_pairs(rows: list) -> None:
    columns = np.array(rows, dtype=float).reshape(-1, 4)
    found = pareto_front(columns)
    assert sorted(found.tolist()) == by_pairs(columns)
    assert columns[found, 0].tolist() == sorted(columns[found, 0], reverse=True)


def test_a_large_front_of_drawn_numbers() -> None:
    columns = np.random.default_rng(2).normal(size=(700, 4))
    assert sorted(pareto_front(columns).tolist()) == by_pairs(columns)
    line = np.stack((np.arange(50.0), -np.arange(50.0)), axis=1)
    assert pareto_front(line).tolist() == list(range(49, -1, -1))
    assert pareto_front(np.repeat(line[:1], 5, axis=0)).tolist() == [0]
