"""Candidates of a leg pattern over listed strikes, as row numbers; bounded by a count.

A place is strike / forward - 1 over the deviation of the contract's own expiry, in expected
moves: 0 at the money, and as far below as above where as many rupees away. Legs are chosen one
after another, each in ascending order of strike, so the list of candidates has one order on every
machine; a list longer than the bound is thinned to evenly spaced members.
"""

from __future__ import annotations

import importlib
from enum import IntEnum
from functools import cache
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from strikeloom.errors import DataError
from strikeloom.quant.candidates.strike_table import LegPattern, StrikeTable
from strikeloom.quant.kernel_cache import import_kernels

Ints = NDArray[np.int64]

_KERNELS = ("candidates.combination_kernel", "candidates.strike_table", "compiled")


class Choice(IntEnum):
    """How the strike of a leg is chosen; all but RANGE refer to an earlier leg."""

    RANGE = 0  # every strike between two places
    WIDTH = 1  # every strike between two distances from the other leg's strike
    SAME = 2  # the strike nearest to the other leg's, no farther than the distances
    MIRROR = 3  # likewise, to the other leg's strike reflected about the forward
    EVEN = 4  # the strike nearest to the other leg's reflected, in rupees, about the centre's


class Combinations(NamedTuple):
    """Candidates of a pattern.

    Attributes
    ----------
    rows : ndarray of int64, shape (n, L)
        Contracts of each leg.
    possible : int
        Candidates without the bound; estimated from those kept where an earlier leg's list was
        thinned already.
    """

    rows: Ints
    possible: int


def combine(pattern: LegPattern, table: StrikeTable, bound: int) -> Combinations:
    """All candidates of a pattern, or ``bound`` of them spread evenly over all.

    Raises
    ------
    DataError
        When a leg refers to a leg that is not earlier, or the bound is not positive.
    """
    _check(pattern, bound)
    rows, scale = _kernels().all_rows(pattern, table, bound)
    return Combinations(rows, round(len(rows) * scale))


def neighbours(
    pattern: LegPattern, table: StrikeTable, rows: Ints, known: Ints, farthest: int = 1
) -> Ints:
    """Candidates that differ from given ones in the strikes of one or two legs; shape (n, L).

    A thinned search ends with a few rounds of this from its best.

    Parameters
    ----------
    pattern, table
        Of the search.
    rows : ndarray of int64, shape (n, L)
        Candidates of it.
    known : ndarray of int64, shape (m, L)
        Candidates that are left out.
    farthest : int
        How many strikes up or down each of the two may move.
    """
    found: Ints = _kernels().near_rows(pattern, table, rows, known, farthest)
    return found


@cache
def _kernels() -> Any:
    name = "candidates.combination_kernel"
    if find_spec("numba") is None:
        return importlib.import_module(f"strikeloom.quant.{name}")
    return import_kernels(name, _KERNELS)


def _check(pattern: LegPattern, bound: int) -> None:
    for leg, how in enumerate(pattern.choice.tolist()):
        others = [int(pattern.above[leg]), int(pattern.below[leg])]
        others += [int(pattern.leg[leg])] if how != Choice.RANGE else []
        others += [int(pattern.centre[leg])] if how == Choice.EVEN else []
        others += [int(pattern.one[leg]), int(pattern.two[leg])] if pattern.unlike[leg] else []
        if any(other >= leg for other in others):
            raise DataError(f"leg {leg} refers to leg {max(others)}; only earlier legs are chosen")
    if bound < 1:
        raise DataError(f"a bound of {bound} candidates leaves none; give 1 or more")
