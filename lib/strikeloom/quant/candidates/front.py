"""The Pareto front: candidates that no other is at least as good as in everything."""

from __future__ import annotations

import importlib
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

from strikeloom.quant.kernel_cache import import_kernels

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_KERNELS = ("candidates.front_kernel", "compiled")


def pareto_front(columns: Floats) -> Ints:
    """Rows of the front, exactly, by a sort and one pass.

    Parameters
    ----------
    columns : ndarray, shape (n, d)
        More is better in each: negate what should be small (a margin). A row with a missing
        value is on no front; infinite values count as what they are.

    Returns
    -------
    ndarray of int64, shape (k,)
        Best in the first column first. Of rows that are equal in all columns the first.
    """
    known = np.flatnonzero(~np.isnan(columns).any(axis=1))
    # whatever exceeds a row, or equals it and is listed before it, is sorted before it
    keys = [-column for column in columns[known].T[::-1]]
    order = known[np.lexsort((known, *keys))]
    name = "candidates.front_kernel"
    if find_spec("numba") is None:
        kernel = importlib.import_module(f"strikeloom.quant.{name}")
    else:
        kernel = import_kernels(name, _KERNELS)
    kept = np.zeros(len(order), dtype=np.bool_)
    kernel.mark_front(np.ascontiguousarray(columns[order], dtype=np.float64), kept)
    return np.asarray(order[kept])
