"""Roots of many falling functions at once: Newton steps kept inside a shrinking bracket."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_STEPS = 200


def falling_root(
    value: Callable[[Floats], Floats],
    slope: Callable[[Floats], Floats],
    start: Floats,
    scale: Floats,
) -> Floats:
    """Root of each of the strictly falling functions.

    Parameters
    ----------
    value, slope : callable
        The functions and their derivatives, elementwise over an array of points.
    start : ndarray
        First guesses.
    scale : ndarray
        First widths of the search around them, positive; doubled until the sign changes.

    Returns
    -------
    ndarray
        To rounding; NaN where a function is NaN or never changes sign.
    """
    at, width = (np.array(a, dtype=np.float64) for a in np.broadcast_arrays(start, scale))
    low, high = np.full(at.shape, -np.inf), np.full(at.shape, np.inf)
    for _ in range(_STEPS):
        found = value(at)
        low = np.where(found >= 0, at, low)
        high = np.where(found <= 0, at, high)
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            step = at - found / slope(at)
        open_, inner = np.isinf(low) | np.isinf(high), (step > low) & (step < high)
        reach = np.where(found > 0, at + width, at - width)
        near = inner & np.isfinite(step) & (np.abs(step - at) <= width)
        with np.errstate(invalid="ignore"):
            middle = 0.5 * (low + high)
        following = np.where(near, step, np.where(open_, reach, middle))
        following = np.where(found == 0, at, following)
        width = np.where(open_, 2 * width, high - low)
        moved = np.abs(following - at)
        at = following
        if bool(np.all((moved <= 4e-16 * np.abs(at)) | np.isnan(found))):
            break
    return np.where(np.isnan(value(at)), np.nan, at)
