"""Measures of trend and flow that a market view is formed from. Standard definitions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def momentum(closes: Floats) -> float:
    """Total return over the window divided by its own volatility (t-like, unitless).

    Parameters
    ----------
    closes : ndarray, shape (n,)
        Split-adjusted, oldest first; needs 3 or more, else NaN.
    """
    if len(closes) < 3:
        return float("nan")
    steps = np.diff(np.log(closes))
    spread = float(steps.std(ddof=1))
    return float(steps.sum() / (spread * np.sqrt(len(steps)))) if spread > 0 else float("nan")


def rsi(closes: Floats, days: int = 14) -> float:
    """Relative strength index with Wilder's smoothing (Wilder 1978), 0 to 100.

    NaN with fewer than ``days`` + 1 closes or a flat series.
    """
    if len(closes) <= days:
        return float("nan")
    steps = np.diff(closes)
    gains, losses = np.maximum(steps, 0.0), np.maximum(-steps, 0.0)
    gain, loss = float(gains[:days].mean()), float(losses[:days].mean())
    for up, down in zip(gains[days:], losses[days:], strict=True):
        gain += (float(up) - gain) / days
        loss += (float(down) - loss) / days
    return 100 * gain / (gain + loss) if gain + loss > 0 else float("nan")
