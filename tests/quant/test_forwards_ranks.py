"""Forwards robust to a bad quote; percentiles that never lie about their sample."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import percentileofscore

from strikeloom.quant.black76 import price
from strikeloom.quant.forwards import parity_forwards
from strikeloom.quant.ranks import standing
from strikeloom.quant.technicals import rsi


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


def test_rsi_of_wilders_worked_example() -> None:
    # the widely published 14-day worked example (StockCharts, QQQ closes of 2009-12 / 2010-01)
    closes = np.array(
        [
            44.3389,
            44.0902,
            44.1497,
            43.6124,
            44.3278,
            44.8264,
            45.0955,
            45.4245,
            45.8433,
            46.0826,
            45.8931,
            46.0328,
            45.6140,
            46.2820,
            46.2820,
            46.0028,
        ]
    )
    assert rsi(closes[:15]) == pytest.approx(70.53, abs=0.02)
    assert rsi(closes) == pytest.approx(66.32, abs=0.02)
