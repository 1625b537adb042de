"""Percentiles that never lie about their sample."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import percentileofscore

from strikeloom.quant.ranks import rank_in_history


def test_percentile_is_scipys_mean_percentile() -> None:
    history = np.array([0.1, 0.2, 0.2, 0.3, 0.5, np.nan])
    values = np.array([0.05, 0.1, 0.2, 0.25, 0.5, 0.9])
    found = rank_in_history(values, np.tile(history, (6, 1)))
    expected = [percentileofscore(history[:-1], value, kind="mean") for value in values]
    assert found.percentile.tolist() == pytest.approx(expected)
    assert found.sample.tolist() == [5] * 6
    assert found.rank[1:5].tolist() == pytest.approx([0, 25, 37.5, 100])


def test_nothing_to_stand_in_is_no_number() -> None:
    history = np.array([[0.2, 0.2], [np.nan, np.nan], [0.1, 0.2]])
    found = rank_in_history(np.array([0.2, 0.2, np.nan]), history)
    assert found.percentile[0] == 50
    assert np.isnan(found.rank[0])
    assert np.isnan(found.percentile[1:]).all()
    assert found.sample.tolist() == [2, 0, 2]
    assert np.isnan(rank_in_history(np.array([1.0]), np.empty((1, 0))).percentile[0])
