"""Candidates of a leg pattern over listed strikes, as row numbers; bounded by a count.

A place is strike / forward - 1 over the deviation of the contract's own expiry, in expected
moves: 0 at the money, and as far below as above where as many rupees away. Legs are chosen one
after another, each in ascending order of strike, so the list of candidates has one order on every
machine; a list longer than the bound is thinned to evenly spaced members.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from strikeloom.errors import DataError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Choice(IntEnum):
    """How the strike of a leg is chosen; all but RANGE refer to an earlier leg."""

    RANGE = 0  # every strike between two places
    WIDTH = 1  # every strike between two distances from the other leg's strike
    SAME = 2  # the strike nearest to the other leg's, no farther than the distances
    MIRROR = 3  # likewise, to the other leg's strike reflected about the forward


class StrikeList(NamedTuple):
    """Contracts that a leg may take: one right and expiry, or the underlying alone.

    Attributes
    ----------
    rows : ndarray of int64, shape (k,)
        Their numbers.
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
        Places, or distances in the leg's own expected moves, both included.
    above, below : ndarray of int64
        An earlier leg whose strike must be lower, or higher; -1 for none.
    """

    strikes: Ints
    choice: Ints
    leg: Ints
    low: Floats
    high: Floats
    above: Ints
    below: Ints


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


def combine(pattern: LegPattern, lists: Sequence[StrikeList], bound: int) -> Combinations:
    """All candidates of a pattern, or ``bound`` of them spread evenly over all.

    Raises
    ------
    DataError
        When a leg refers to a leg that is not earlier, or the bound is not positive.
    """
    _check(pattern, bound)
    places = np.zeros((1, 0), dtype=np.int64)
    scale = 1.0
    for leg in range(len(pattern.strikes)):
        first, end = _limits(pattern, lists, places, leg)
        count = np.maximum(end - first, 0)
        upto = np.cumsum(count)
        total = int(upto[-1]) if len(upto) else 0
        taken = np.arange(total)
        if total > bound:
            taken = (np.arange(bound) * total + total // 2) // bound
            scale *= total / bound
        parent = np.searchsorted(upto, taken, side="right")
        own = first[parent] + taken - (upto - count)[parent]
        places = np.concatenate((places[parent], own[:, None]), axis=1)
    return Combinations(_rows(pattern, lists, places), round(len(places) * scale))


def neighbours(pattern: LegPattern, lists: Sequence[StrikeList], rows: Ints) -> Combinations:
    """Candidates that differ from given ones by the next strike of one leg; those not given.

    A thinned search ends with a few rounds of this from its best.

    Parameters
    ----------
    pattern, lists
        Of the search.
    rows : ndarray of int64, shape (n, L)
        Candidates of it.
    """
    _check(pattern, 1)
    columns = []
    for leg, number in enumerate(pattern.strikes.tolist()):
        order = np.argsort(lists[number].rows, kind="stable")
        found = np.searchsorted(lists[number].rows, rows[:, leg], sorter=order)
        columns.append(order[found])
    places = np.stack(columns, axis=1)
    free = [leg for leg, how in enumerate(pattern.choice.tolist()) if how <= Choice.WIDTH]
    steps = np.zeros((2 * len(free), places.shape[1]), dtype=np.int64)
    for number, leg in enumerate(free):
        steps[2 * number : 2 * number + 2, leg] = (-1, 1)
    moved = (places[:, None, :] + steps).reshape(-1, places.shape[1])
    kept = np.ones(len(moved), dtype=bool)
    for leg, how in enumerate(pattern.choice.tolist()):
        first, end = _limits(pattern, lists, np.where(kept[:, None], moved, 0), leg)
        if how > Choice.WIDTH:
            moved[:, leg] = first
            kept &= first < end
        else:
            kept &= (moved[:, leg] >= first) & (moved[:, leg] < end)
    found_rows = np.unique(_rows(pattern, lists, moved[kept]), axis=0)
    known = {tuple(row) for row in rows.tolist()}
    fresh = [tuple(row) not in known for row in found_rows.tolist()]
    found_rows = found_rows[np.array(fresh, dtype=bool)]
    return Combinations(found_rows, len(found_rows))


def _check(pattern: LegPattern, bound: int) -> None:
    for leg, how in enumerate(pattern.choice.tolist()):
        others = [int(pattern.above[leg]), int(pattern.below[leg])]
        others += [int(pattern.leg[leg])] if how != Choice.RANGE else []
        if any(other >= leg for other in others):
            raise DataError(f"leg {leg} refers to leg {max(others)}; only earlier legs are chosen")
    if bound < 1:
        raise DataError(f"a bound of {bound} candidates leaves none; give 1 or more")


def _limits(
    pattern: LegPattern, lists: Sequence[StrikeList], places: Ints, leg: int
) -> tuple[Ints, Ints]:
    """First place and end in the leg's list that each row of earlier legs allows."""
    here = lists[pattern.strikes[leg]]
    place = here.place(here.strike)
    low, high = float(pattern.low[leg]), float(pattern.high[leg])
    how = Choice(int(pattern.choice[leg]))
    middle = np.zeros(len(places))
    if how is not Choice.RANGE:
        middle = here.place(_strikes(pattern, lists, places, int(pattern.leg[leg])))
        middle = -middle if how is Choice.MIRROR else middle
    slack = 1e-9  # of a move: strikes at the limits are in
    first = np.searchsorted(place, middle + low - slack, side="left")
    end = np.searchsorted(place, middle + high + slack, side="right")
    if how in (Choice.SAME, Choice.MIRROR):
        nearest = _nearest(place, middle)
        kept = (nearest >= first) & (nearest < end)
        first, end = nearest, np.where(kept, nearest + 1, nearest)
    above, below = int(pattern.above[leg]), int(pattern.below[leg])
    if above >= 0:
        lower = _strikes(pattern, lists, places, above)
        first = np.maximum(first, np.searchsorted(here.strike, lower, side="right"))
    if below >= 0:
        higher = _strikes(pattern, lists, places, below)
        end = np.minimum(end, np.searchsorted(here.strike, higher, side="left"))
    return first.astype(np.int64), end.astype(np.int64)


def _nearest(place: Floats, wanted: Floats) -> Ints:
    """Number of the place nearest to each; the lower of two that are equally near."""
    if len(place) < 2:
        return np.zeros(len(wanted), dtype=np.int64)
    return np.searchsorted(0.5 * (place[:-1] + place[1:]), wanted, side="left").astype(np.int64)


def _strikes(pattern: LegPattern, lists: Sequence[StrikeList], places: Ints, leg: int) -> Floats:
    return np.asarray(lists[pattern.strikes[leg]].strike[places[:, leg]])


def _rows(pattern: LegPattern, lists: Sequence[StrikeList], places: Ints) -> Ints:
    columns = [
        lists[number].rows[places[:, leg]] for leg, number in enumerate(pattern.strikes.tolist())
    ]
    return np.stack(columns, axis=1) if len(places) else np.zeros(places.shape, dtype=np.int64)
