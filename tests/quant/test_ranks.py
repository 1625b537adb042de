"""Percentiles that never lie about their sample."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import percentileofscore

from strikeloom.quant.ranks import standing


def test_percentile_is_scipys_mean_percentile() -> None:
    history = np.array([0.1, 0.2, 0.2, 0.3, 0.5, np.nan])
    for value in (0.05, 0.1, 0.2, 0.25, 0.5, 0.9):
        expected = percentileofscore(history[:-1], value, kind="mean")
        assert standing(value, history).percentile == pytest.approx(expected)
    assert standing(0.2, history).sample == 5
    assert np.isnan(standing(0.2, np.array([0.2, 0.2])).rank)
