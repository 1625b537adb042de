"""Measures of trend and momentum from price series, for many series at once.

Arrays have shape (..., n): the last axis is sessions, oldest first, leading axes are series
(symbols). Prices must be adjusted for splits. Smoothing is Wilder's (J. W. Wilder, "New Concepts
in Technical Trading Systems", 1978): the first value is a plain mean over ``days``, each later
one moves a share 1 / ``days`` towards the new observation. While a measure warms up it is NaN,
and after a session without a usable price it warms up again: a gap is never bridged.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


class Directional(NamedTuple):
    """Wilder's directional movement, 0 to 100 each, shape (..., n).

    ``adx`` is the strength of a trend whatever its direction; ``up`` above ``down`` is a rise.
    """

    adx: Floats
    up: Floats
    down: Floats


def rsi(close: ArrayLike, days: int = 14) -> Floats:
    """Relative strength index, 0 to 100.

    Parameters
    ----------
    close : array_like, shape (..., n)
    days : int, default 14

    Returns
    -------
    ndarray of float64, shape (..., n)
        The first ``days`` sessions are NaN, and those that saw neither a gain nor a loss.
    """
    steps = _steps(_positive(close))
    gain = _wilder(np.maximum(steps, 0.0), days)
    loss = _wilder(np.maximum(-steps, 0.0), days)
    with np.errstate(invalid="ignore"):
        return np.asarray(100 * gain / (gain + loss))


def directional(high: ArrayLike, low: ArrayLike, close: ArrayLike, days: int = 14) -> Directional:
    """Average directional index with both directional indicators.

    Parameters
    ----------
    high, low, close : array_like, shape (..., n)
        A session whose high is below its low, or whose close is outside, is missing.
    days : int, default 14

    Returns
    -------
    Directional
        ``up`` and ``down`` are NaN for the first ``days`` sessions, ``adx`` for the first
        2 ``days`` - 1. NaN as well where no price moved at all.
    """
    top, bottom, last = (_positive(values) for values in (high, low, close))
    sound = (top >= last) & (bottom <= last)
    top, bottom, last = (np.where(sound, values, np.nan) for values in (top, bottom, last))
    before = np.full(last.shape, np.nan)
    before[..., 1:] = last[..., :-1]
    span = np.maximum(top, before) - np.minimum(bottom, before)
    rise, fall = _steps(top), -_steps(bottom)
    missing = np.isnan(span)
    gained = np.where((rise > fall) & (rise > 0), rise, 0.0)
    lost = np.where((fall > rise) & (fall > 0), fall, 0.0)
    gained[missing] = lost[missing] = np.nan
    true_range = _wilder(span, days)
    with np.errstate(invalid="ignore", divide="ignore"):
        up = np.where(true_range > 0, 100 * _wilder(gained, days) / true_range, np.nan)
        down = np.where(true_range > 0, 100 * _wilder(lost, days) / true_range, np.nan)
        spread = np.where(up + down > 0, 100 * np.abs(up - down) / (up + down), np.nan)
    return Directional(_wilder(spread, days), up, down)


def momentum(close: ArrayLike, days: int) -> Floats:
    """Log return over ``days`` in units of its own standard deviation (unitless, t-like).

    Parameters
    ----------
    close : array_like, shape (..., n)
    days : int
        2 or more.

    Returns
    -------
    ndarray of float64, shape (..., n)
        NaN until ``days`` returns are known, and where all of them are equal.
    """
    logs = np.log(_positive(close))
    steps = _steps(logs)
    found = np.full(logs.shape, np.nan)
    if logs.shape[-1] > days:
        window = np.lib.stride_tricks.sliding_window_view(steps[..., 1:], days, axis=-1)
        spread = window.std(axis=-1, ddof=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            moved = window.sum(axis=-1) / (spread * np.sqrt(days))
        # equal returns leave a spread of rounding only
        found[..., days:] = np.where(spread > 1e-12, moved, np.nan)
    return found


def _positive(values: ArrayLike) -> Floats:
    prices = np.asarray(values, dtype=np.float64)
    return np.where(np.isfinite(prices) & (prices > 0), prices, np.nan)


def _steps(values: Floats) -> Floats:
    steps = np.full(values.shape, np.nan)
    steps[..., 1:] = values[..., 1:] - values[..., :-1]
    return steps


def _wilder(values: Floats, days: int) -> Floats:
    """Wilder's mean at each session; NaN until ``days`` values in a row are known."""
    found = np.full(values.shape, np.nan)
    run = np.zeros(values.shape[:-1])
    mean = np.zeros(values.shape[:-1])
    for place in range(values.shape[-1]):
        now = values[..., place]
        known = ~np.isnan(now)
        run = np.where(known, np.minimum(run + 1, days + 1), 0.0)
        # while warming up ``mean`` is the plain mean of the ``run`` values so far
        share = np.maximum(np.minimum(run, days), 1.0)
        mean = np.where(known, np.where(run == 1, now, mean + (now - mean) / share), 0.0)
        found[..., place] = np.where(run >= days, mean, np.nan)
    return found
