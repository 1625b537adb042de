"""Daily bars over a night on which a share stepped without being traded; TA-Lib is the oracle."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
import talib

from strikeloom.nse.corporate_actions import CorporateAction
from strikeloom.quant.technicals import rsi
from strikeloom.strategy_creation.bars import DailyBars, without_steps

NIGHT = 60
DAYS = np.arange("2025-10-01", "2026-01-29", dtype="datetime64[D]")
STEP = CorporateAction("GAVE", DAYS[NIGHT].item(), "demerger", None)


def bars(left: float) -> DailyBars:
    """Two shares; of GAVE a part leaves overnight, so that ``left`` of its price remains."""
    draw = np.random.default_rng(9)
    close = 500 * np.exp(np.cumsum(0.012 * draw.normal(size=(2, len(DAYS))), axis=1))
    before = np.concatenate([np.full((2, 1), 500.0), close[:, :-1]], axis=1)
    first = before * np.exp(0.004 * draw.normal(size=before.shape))
    first[0, NIGHT] = before[0, NIGHT]
    high, low = np.maximum(first, close) * 1.003, np.minimum(first, close) * 0.997
    for side in (first, high, low, close):
        side[0, NIGHT:] *= left
    return DailyBars({"GAVE": 0, "KEPT": 1}, np.stack([DAYS, DAYS]), first, high, low, close)


@pytest.mark.parametrize("left", [0.94, 0.35])
def test_what_left_a_share_is_no_loss_of_strength(left: float) -> None:
    found, whole = bars(left), bars(1.0)
    stepped = rsi(found.close)[0, NIGHT + 2]
    without_steps(found, [STEP])
    expected = talib.RSI(whole.close[0], 14)[14:]
    np.testing.assert_allclose(rsi(found.close)[0, 14:], expected, rtol=1e-9)
    assert stepped < expected[NIGHT + 2 - 14] - 10
    for mine, theirs in zip(found[2:], whole[2:], strict=True):
        np.testing.assert_allclose(mine[1], theirs[1])
        np.testing.assert_allclose(mine[0], theirs[0] * left)


def test_prices_before_a_step_without_an_open_are_cleared() -> None:
    found = bars(0.5)
    found.open[0, NIGHT] = np.nan
    without_steps(found, [STEP])
    assert np.isnan(found.close[0, :NIGHT]).all()
    assert np.isfinite(found.close[0, NIGHT:]).all()


def test_a_step_outside_the_bars_changes_nothing() -> None:
    found, whole = bars(0.5), bars(0.5)
    steps = [
        CorporateAction("GAVE", DAYS[0].item(), "demerger", None),
        CorporateAction("GAVE", date(2026, 3, 1), "demerger", None),
        CorporateAction("OTHER", STEP.day, "asked", None),
    ]
    without_steps(found, steps)
    np.testing.assert_array_equal(found.close, whole.close)
