"""Repeatable random numbers: the same seeds always give the same number."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

_STEP = np.uint64(0x9E3779B97F4A7C15)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def hashed_uniform(*seeds: ArrayLike) -> NDArray[np.float64]:
    """Uniform numbers in [0, 1) of integer seeds, broadcast.

    The mixing steps are those of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
    """
    mixed = np.zeros((), dtype=np.uint64)
    with np.errstate(over="ignore"):
        for seed in seeds:
            mixed = mixed * np.uint64(31) + np.asarray(seed).astype(np.int64).astype(np.uint64)
            mixed = mixed + _STEP
            mixed = (mixed ^ (mixed >> np.uint64(30))) * _FIRST
            mixed = (mixed ^ (mixed >> np.uint64(27))) * _SECOND
            mixed = mixed ^ (mixed >> np.uint64(31))
    return np.asarray((mixed >> np.uint64(11)).astype(np.float64) * 2.0**-53)
