"""Strikes that legs may take, and how a pattern chooses among them; columns for the kernel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class StrikeList(NamedTuple):
    """Contracts that a leg may take: one right and expiry, or the underlying alone.

    Attributes
    ----------
    rows : ndarray of int64, shape (k,)
        Their numbers, ascending.
    strike : ndarray, shape (k,)
        Ascending, rupees; 0 for the underlying, whose place is 0.
    forward, deviation : float
        Of the expiry: forward, and volatility at it times the root of its years.
    """

    rows: Ints
    strike: Floats
    forward: float
    deviation: float

    def place(self, strike: Floats) -> Floats:
        """Of strikes, in expected moves; 0 for the underlying."""
        moves = (strike / self.forward - 1) / self.deviation
        return np.asarray(np.where(strike > 0, moves, 0.0))


class StrikeTable(NamedTuple):
    """Strike lists one after another.

    Attributes
    ----------
    rows, strike, place : ndarray, shape (sum of k,)
    first : ndarray of int64, shape (lists + 1,)
        Where each list begins, and the end of the last.
    forward, deviation : ndarray, shape (lists,)
    """

    rows: Ints
    strike: Floats
    place: Floats
    first: Ints
    forward: Floats
    deviation: Floats


def strike_table(lists: Sequence[StrikeList]) -> StrikeTable:
    """Table of lists."""
    return StrikeTable(
        np.concatenate([one.rows for one in lists]).astype(np.int64),
        np.concatenate([one.strike for one in lists]).astype(np.float64),
        np.concatenate([one.place(one.strike) for one in lists]).astype(np.float64),
        np.cumsum([0, *(len(one.rows) for one in lists)], dtype=np.int64),
        np.array([one.forward for one in lists], dtype=np.float64),
        np.array([one.deviation for one in lists], dtype=np.float64),
    )


class LegPattern(NamedTuple):
    """L legs of a structure; arrays of shape (L,).

    Attributes
    ----------
    strikes : ndarray of int64
        Number of the leg's strike list.
    choice : ndarray of int64
        A ``Choice``.
    leg : ndarray of int64
        The earlier leg that a choice refers to; any number with RANGE.
    low, high : ndarray
        Places, or distances in the leg's own expected moves, both included; any with EVEN.
    above, below : ndarray of int64
        An earlier leg whose strike must be lower, or higher; -1 for none.
    centre : ndarray of int64
        With EVEN the earlier leg at the centre; any number else.
    unlike : ndarray of int64
        With WIDTH whether the distance must exceed that of two earlier legs (1) or be less (-1),
        in rupees; 0 for neither.
    one, two : ndarray of int64
        These two legs; any numbers with 0.
    """

    strikes: Ints
    choice: Ints
    leg: Ints
    low: Floats
    high: Floats
    above: Ints
    below: Ints
    centre: Ints
    unlike: Ints
    one: Ints
    two: Ints
