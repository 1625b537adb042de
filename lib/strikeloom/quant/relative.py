"""A series beside a market: beta, and return beyond it; for many series at once.

Arrays have shape (..., n): the last axis is sessions, oldest first. Returns are logarithmic; a
session that either side lacks is left out of both.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

_FEWEST = 40  # common sessions


class Relation(NamedTuple):
    """Least-squares line of returns on the market's, shape (...).

    NaN with fewer than 40 common sessions, or where the market did not move. ``deviation`` is the
    daily standard deviation of what the line leaves; ``sample`` the sessions used.
    """

    beta: Floats
    deviation: Floats
    sample: NDArray[np.int64]


def relation(returns: ArrayLike, market: ArrayLike) -> Relation:
    """Beta to a market and the deviation of the rest.

    Parameters
    ----------
    returns : array_like, shape (..., n)
    market : array_like, shape (n,) or (..., n)
    """
    own = np.asarray(returns, dtype=np.float64)
    common = np.broadcast_to(np.asarray(market, dtype=np.float64), own.shape)
    known = np.isfinite(own) & np.isfinite(common)
    count = known.sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        x, y = _centred(common, known, count), _centred(own, known, count)
        spread = (x * x).sum(axis=-1)
        beta = (x * y).sum(axis=-1) / spread
        rest = np.where(known, y - beta[..., None] * x, 0.0)
        deviation = np.sqrt((rest * rest).sum(axis=-1) / (count - 2))
    enough = (count >= _FEWEST) & (spread > 0)
    return Relation(
        np.where(enough, beta, np.nan), np.where(enough, deviation, np.nan), np.asarray(count)
    )


def excess(returns: ArrayLike, market: ArrayLike, found: Relation, days: int) -> Floats:
    """Return beyond beta times the market's over the last ``days``, in its own deviations.

    Returns
    -------
    ndarray, shape (...)
        Unitless, t-like; NaN where one of these days is missing on either side.
    """
    own = np.asarray(returns, dtype=np.float64)[..., -days:]
    common = np.broadcast_to(np.asarray(market, dtype=np.float64)[..., -days:], own.shape)
    if own.shape[-1] < days:
        return np.full(own.shape[:-1], np.nan)
    beyond = (own - found.beta[..., None] * common).sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        scaled = beyond / (found.deviation * np.sqrt(days))
    return np.asarray(np.where(found.deviation > 0, scaled, np.nan))


def range_place(high: ArrayLike, low: ArrayLike, close: ArrayLike, days: int) -> Floats:
    """Place of the last close between the lowest low and the highest high of the last ``days``.

    Parameters
    ----------
    high, low, close : array_like, shape (..., n)

    Returns
    -------
    ndarray, shape (...)
        0 at the low, 1 at the high; NaN while days are missing, and where no price moved.
    """
    top, bottom, last = (np.asarray(v, dtype=np.float64)[..., -days:] for v in (high, low, close))
    if top.shape[-1] < days:
        return np.full(top.shape[:-1], np.nan)
    highest, lowest = top.max(axis=-1), bottom.min(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        place = (last[..., -1] - lowest) / (highest - lowest)
    return np.asarray(np.where(highest > lowest, place, np.nan))


def _centred(values: Floats, known: NDArray[np.bool_], count: NDArray[np.int64]) -> Floats:
    mean = np.where(known, values, 0.0).sum(axis=-1) / count
    return np.where(known, values - mean[..., None], 0.0)
