"""Forwards robust to a bad quote; percentiles that never lie about their sample."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import percentileofscore

from strikeloom.quant.black76 import price
from strikeloom.quant.forwards import parity_forwards
from strikeloom.quant.ranks import standing


def test_one_bad_quote_does_not_move_the_forward() -> None:
    strikes = np.arange(90.0, 111.0, 5.0)
    call, put = price(101.3, strikes, 0.1, 0.3, True), price(101.3, strikes, 0.1, 0.3, False)
    call[2] += 7.0
    both = parity_forwards(
        np.concatenate((strikes, [200.0])),
        np.concatenate((call, [np.nan])),
        np.concatenate((put, [1.0])),
        np.ones(6),
        np.ones(6),
        np.array([0] * 5 + [2]),
        3,
    )
    assert both.forward[0] == pytest.approx(101.3, abs=1e-9)
    assert list(both.used) == [5, 0, 0]
    assert np.isnan(both.forward[1:]).all()


def test_percentile_is_scipys_mean_percentile() -> None:
    history = np.array([0.1, 0.2, 0.2, 0.3, 0.5, np.nan])
    for value in (0.05, 0.1, 0.2, 0.25, 0.5, 0.9):
        expected = percentileofscore(history[:-1], value, kind="mean")
        assert standing(value, history).percentile == pytest.approx(expected)
    assert standing(0.2, history).sample == 5
    assert np.isnan(standing(0.2, np.array([0.2, 0.2])).rank)
