"""Probability of profit, mean and extremes of many structures at once.

A part of the analyst's library: a first screening of tens of thousands of candidates
(``benchmarks/probability.py``). Proposals use ``at_expiry``, which its tests compare it with.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from strikeloom.quant.kernel_cache import import_kernels
from strikeloom.quant.payoff import Legs, payoffs
from strikeloom.quant.probability.at_expiry import Law, expected_value, probability_of_profit

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_KERNELS = ("probability.odds_kernel", "compiled")
_COMPILED_FROM = 8_192  # structures that numpy does in the time numba takes to load


class Odds(NamedTuple):
    """One row a structure, shape (n,), rupees. NaN where the law or the legs are missing.

    ``max_profit`` and ``max_loss`` as in ``payoff.Payoffs``: ``inf`` is unlimited, a loss is
    positive.
    """

    probability_of_profit: Floats
    expected_value: Floats
    max_profit: Floats
    max_loss: Floats


def odds(legs: Legs, law: Law, row: Ints, *, threads: int = 1) -> Odds:
    """Probability of profit, mean payoff and extremes at expiry of each structure.

    A small batch runs in numpy (``at_expiry``), a large one in a compiled kernel of the same
    formulas, which agree to rounding; without numba every batch runs in numpy.

    Parameters
    ----------
    legs : Legs
        n structures of up to L legs.
    law : Law
        m laws, one an underlying and expiry.
    row : ndarray of int64, shape (n,)
        Law of each structure, 0 to m - 1.
    threads : int, default 1
        Threads of the compiled kernel.
    """
    if len(row) < _COMPILED_FROM or find_spec("numba") is None:
        return _in_numpy(legs, law, row)
    return _compiled(legs, law, row, threads)


def _in_numpy(legs: Legs, law: Law, row: Ints) -> Odds:
    each = Law(law.forward[row], law.curves.pick(row))
    shape = payoffs(legs)
    chance, mean = probability_of_profit(shape, each), expected_value(legs, each)
    return Odds(chance, mean, shape.max_profit, shape.max_loss)


def _compiled(legs: Legs, law: Law, row: Ints, threads: int) -> Odds:
    odds_rows = import_kernels("probability.odds_kernel", _KERNELS).odds_rows
    curves = np.stack(law.curves, axis=-1)
    count = len(row)
    out = np.empty((count, 5))
    # every compiled call sees one kind of arrays: contiguous, of the types the kernel knows
    columns = Legs(
        np.ascontiguousarray(legs.strikes),
        np.ascontiguousarray(legs.is_call),
        np.ascontiguousarray(legs.units),
        np.ascontiguousarray(legs.cash),
    )
    forward, place = np.ascontiguousarray(law.forward), np.ascontiguousarray(row)

    def fill(first: int, last: int) -> None:
        odds_rows(first, last, columns, place, forward, curves, out)

    if threads == 1:
        fill(0, count)
    else:
        edges = np.linspace(0, count, threads + 1).astype(np.int64).tolist()
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(fill, edges[:-1], edges[1:]))
    chance, mean, most, least, tail = out.T
    missing = np.isnan(least) | np.isnan(most) | np.isnan(tail)
    most = np.where(tail > 0, np.inf, most)
    loss = np.where(tail < 0, np.inf, np.maximum(0.0, -least))
    return Odds(chance, mean, np.where(missing, np.nan, most), np.where(missing, np.nan, loss))
