"""Enumeration against nested loops; bound, neighbours and the meaning of each choice."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strikeloom.errors import DataError
from strikeloom.quant.candidates.combinations import (
    Choice,
    combine,
    neighbours,
)
from strikeloom.quant.candidates.strike_table import (
    LegPattern,
    StrikeList,
    strike_table,
)

FORWARD, LATER_FORWARD = 100.0, 101.0
DEVIATION, LATER_DEVIATION = 0.05, 0.08
STRIKES = np.arange(85.0, 117.5, 2.5)
COUNT = len(STRIKES)
CALLS = StrikeList(np.arange(COUNT), STRIKES, FORWARD, DEVIATION)
PUTS = StrikeList(np.arange(COUNT) + 100, STRIKES, FORWARD, DEVIATION)
#: The later expiry lists every other strike.
LATER = StrikeList(np.arange(COUNT)[::2] + 200, STRIKES[::2], LATER_FORWARD, LATER_DEVIATION)
UNDERLYING = StrikeList(np.array([300]), np.array([0.0]), FORWARD, DEVIATION)
LISTS = [CALLS, PUTS, LATER, UNDERLYING]
TABLE = strike_table(LISTS)


def pattern(*legs: tuple[int, Choice, int, float, float, int, int]) -> LegPattern:
    """Legs: list, choice, other leg, low, high, above, below; an even one about the leg before."""
    none = [0] * len(legs)
    centre = [max(0, number - 2) for number in range(len(legs))]
    columns = [*zip(*legs, strict=True), centre, none, none, none]
    kinds = (np.int64, np.int64, np.int64, float, float, *[np.int64] * 6)
    return LegPattern(*(np.array(c, dtype=k) for c, k in zip(columns, kinds, strict=True)))


CONDOR = pattern(
    (1, Choice.RANGE, -1, -2.5, -0.3, -1, -1),
    (1, Choice.WIDTH, 0, 0.3, 1.5, 0, -1),
    (0, Choice.RANGE, -1, 0.3, 2.5, 1, -1),
    (0, Choice.WIDTH, 2, 0.3, 1.5, 2, -1),
)
CALENDAR = pattern(
    (0, Choice.RANGE, -1, -2.0, 2.0, -1, -1),
    (2, Choice.SAME, 0, -0.2, 0.2, -1, -1),
)
MIRRORED = pattern(
    (1, Choice.RANGE, -1, -2.5, -0.2, -1, -1),
    (0, Choice.MIRROR, 0, -0.3, 0.3, 0, -1),
)
COVERED = pattern(
    (3, Choice.RANGE, -1, 0.0, 0.0, -1, -1),
    (0, Choice.RANGE, -1, 0.0, 2.0, -1, -1),
)
LADDER = pattern(
    (0, Choice.RANGE, -1, -1.0, 1.0, -1, -1),
    (0, Choice.RANGE, -1, -2.0, 2.0, -1, 0),
    (0, Choice.RANGE, -1, -2.0, 2.0, 0, -1),
)
BUTTERFLY = pattern(
    (0, Choice.RANGE, -1, -1.0, 1.0, -1, -1),
    (0, Choice.WIDTH, 0, -1.5, -0.2, -1, 0),
    (2, Choice.EVEN, 1, 0.0, 0.0, 0, -1),
)
#: The far wing wider than the near one, of calls and of puts; the second spread the narrower one.
BROKEN_CALLS = pattern(
    (0, Choice.RANGE, -1, -1.0, 1.0, -1, -1),
    (0, Choice.WIDTH, 0, 0.2, 1.0, 0, -1),
    (0, Choice.WIDTH, 1, 0.2, 1.5, 1, -1),
)._replace(unlike=np.array([0, 0, 1]), two=np.array([0, 0, 1]))
BROKEN_PUTS = pattern(
    (1, Choice.RANGE, -1, -1.0, 1.0, -1, -1),
    (1, Choice.WIDTH, 0, -1.0, -0.2, -1, 0),
    (1, Choice.WIDTH, 1, -1.5, -0.2, -1, 1),
)._replace(unlike=np.array([0, 0, 1]), two=np.array([0, 0, 1]))
BROKEN_CONDOR = CONDOR._replace(
    unlike=np.array([0, 0, 0, -1]), one=np.array([0, 0, 0, 1]), two=np.array([0, 0, 0, 0])
)
TREE = BROKEN_PUTS._replace(unlike=np.array([0, 0, -1]))
ALL = {
    "broken calls": BROKEN_CALLS,
    "broken puts": BROKEN_PUTS,
    "broken condor": BROKEN_CONDOR,
    "tree": TREE,
    "butterfly": BUTTERFLY,
    "condor": CONDOR,
    "calendar": CALENDAR,
    "mirrored": MIRRORED,
    "covered": COVERED,
    "ladder": LADDER,
}


def by_loops(wanted: LegPattern) -> list[tuple[int, ...]]:
    """Every combination of strikes, kept where the words of the choices hold."""
    lists = [LISTS[n] for n in wanted.strikes]
    kept = []
    for places in product(*(range(len(one.strike)) for one in lists)):
        strike = [one.strike[p] for one, p in zip(lists, places, strict=True)]
        fits = True
        for leg, one in enumerate(lists):
            moves = [0.0 if k == 0 else (k / one.forward - 1) / one.deviation for k in strike]
            choice, other = wanted.choice[leg], wanted.leg[leg]
            low, high = wanted.low[leg] - 1e-9, wanted.high[leg] + 1e-9
            if choice == Choice.RANGE:
                fits &= low <= moves[leg] <= high
            elif choice == Choice.WIDTH:
                fits &= low <= moves[leg] - moves[other] <= high
                apart = abs(strike[wanted.one[leg]] - strike[wanted.two[leg]])
                fits &= wanted.unlike[leg] <= 0 or abs(strike[leg] - strike[other]) > apart
                fits &= wanted.unlike[leg] >= 0 or abs(strike[leg] - strike[other]) < apart
            elif choice == Choice.EVEN:
                away = np.abs(one.strike - (2 * strike[wanted.centre[leg]] - strike[other]))
                # half of the 5 between the later strikes
                fits &= places[leg] == int(np.argmin(away)) and away.min() <= 2.5
            else:
                middle = moves[other] if choice == Choice.SAME else -moves[other]
                away = [abs((k / one.forward - 1) / one.deviation - middle) for k in one.strike]
                fits &= places[leg] == int(np.argmin(away))
                fits &= low <= moves[leg] - middle <= high
            if wanted.above[leg] >= 0:
                fits &= strike[leg] > strike[wanted.above[leg]]
            if wanted.below[leg] >= 0:
                fits &= strike[leg] < strike[wanted.below[leg]]
        if fits:
            kept.append(tuple(int(one.rows[p]) for one, p in zip(lists, places, strict=True)))
    return kept


@pytest.mark.parametrize("name", ALL)
def test_combinations_are_those_of_nested_loops(name: str) -> None:
    found = combine(ALL[name], TABLE, 10**6)
    expected = by_loops(ALL[name])
    assert found.possible == len(expected) > 0
    assert [tuple(row) for row in found.rows.tolist()] == sorted(
        expected, key=lambda row: tuple(r % 100 for r in row)
    )


@pytest.mark.parametrize("bound", [1, 7, 40, 150])
def test_a_bounded_list_is_spread_evenly_over_all(bound: int) -> None:
    everything = combine(LADDER, TABLE, 10**6).rows.tolist()
    found = combine(LADDER, TABLE, bound)
    assert len(found.rows) == min(bound, len(everything))
    places = [everything.index(row) for row in found.rows.tolist()]
    assert places == sorted(set(places))
    assert abs(found.possible - len(everything)) <= 0.35 * len(everything)
    if bound >= 40:
        assert np.diff(places).max() <= 6 * len(everything) / bound
    again = combine(LADDER, TABLE, bound)
    np.testing.assert_array_equal(found.rows, again.rows)


def test_a_pattern_without_strikes_gives_nothing() -> None:
    none = CONDOR._replace(low=CONDOR.low + 20, high=CONDOR.high + 20)
    found = combine(none, TABLE, 100)
    assert (found.rows.shape, found.possible) == ((0, 4), 0)
    assert neighbours(none, TABLE, found.rows, found.rows).shape == (0, 4)
    empty = StrikeList(np.zeros(0, dtype=np.int64), np.zeros(0), FORWARD, DEVIATION)
    assert combine(CONDOR, strike_table([CALLS, empty]), 100).rows.shape == (0, 4)
    assert combine(CALENDAR, strike_table([CALLS, PUTS, empty]), 100).rows.shape == (0, 2)


@pytest.mark.parametrize("farthest", [1, 2])
@pytest.mark.parametrize("name", ALL)
def test_neighbours_differ_in_one_or_two_legs_and_belong_to_the_pattern(
    name: str, farthest: int
) -> None:
    wanted = ALL[name]
    everything = {tuple(row) for row in combine(wanted, TABLE, 10**6).rows.tolist()}
    start = combine(wanted, TABLE, 3).rows
    near = neighbours(wanted, TABLE, start, start, farthest)
    found = {tuple(row) for row in near.tolist()}
    assert len(found) == len(near)
    free = [leg for leg in range(len(wanted.strikes)) if wanted.choice[leg] <= Choice.WIDTH]
    expected = {
        row
        for row in everything
        for one in start.tolist()
        if 1 <= sum(row[leg] != one[leg] for leg in free) <= 2
        and max(abs(row[leg] - one[leg]) for leg in free) <= farthest
    }
    assert found == expected - {tuple(row) for row in start.tolist()}


def test_what_is_known_is_no_neighbour() -> None:
    start = combine(CONDOR, TABLE, 1).rows
    near = neighbours(CONDOR, TABLE, start, start)
    known = np.concatenate((start, near[:5]))
    np.testing.assert_array_equal(neighbours(CONDOR, TABLE, start, known), near[5:])


@given(
    low=st.floats(-2, 0), width=st.floats(0, 2), bound=st.integers(1, 60), seed=st.integers(0, 9)
)
@settings(max_examples=60, deadline=None)
def test_no_bound_is_exceeded_and_no_row_is_foreign(
    low: float, width: float, bound: int, seed: int
) -> None:
    draw = np.random.default_rng(seed)
    strikes = np.unique(np.round(draw.uniform(80, 120, 12), 1))
    one = StrikeList(np.arange(len(strikes)), strikes, FORWARD, DEVIATION)
    wanted = pattern(
        (0, Choice.RANGE, -1, low, low + width, -1, -1), (0, Choice.WIDTH, 0, 0.0, 1.0, 0, -1)
    )
    everything = {tuple(row) for row in combine(wanted, strike_table([one]), 10**6).rows.tolist()}
    found = [tuple(row) for row in combine(wanted, strike_table([one]), bound).rows.tolist()]
    assert len(found) == len(set(found)) == min(bound, len(everything)) or bound < 12
    assert set(found) <= everything
    assert len(found) <= bound


def test_wrong_patterns_are_refused() -> None:
    with pytest.raises(DataError, match="leg 1 refers to leg 2"):
        combine(CONDOR._replace(leg=np.array([-1, 2, -1, 2])), TABLE, 10)
    later = CONDOR._replace(unlike=np.array([0, 0, 1, 0]), one=np.array([0, 0, 3, 0]))
    with pytest.raises(DataError, match="leg 2 refers to leg 3"):
        combine(later, TABLE, 10)
    with pytest.raises(DataError, match="leg 0 refers to leg 1"):
        combine(CONDOR._replace(above=np.array([1, 0, 1, 2])), TABLE, 10)
    with pytest.raises(DataError, match="leaves none"):
        combine(CONDOR, TABLE, 0)
