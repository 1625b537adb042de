"""Enumeration of a pattern's candidates, compiled; the words are in ``combinations``."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from strikeloom.quant.candidates.strike_table import LegPattern, StrikeTable
from strikeloom.quant.compiled import compiled

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

WIDTH, SAME, MIRROR, EVEN = 1, 2, 3, 4  # of ``Choice``
_SLACK = 1e-9  # of a move, or rupees: strikes at the limits are in


@compiled
def _below(values: Floats, level: float) -> int:
    """How many ascending values are below a level."""
    first, end = 0, len(values)
    while first < end:
        middle = (first + end) // 2
        if values[middle] < level:
            first = middle + 1
        else:
            end = middle
    return first


@compiled
def _upto(values: Floats, level: float) -> int:
    """How many ascending values are at or below a level."""
    first, end = 0, len(values)
    while first < end:
        middle = (first + end) // 2
        if values[middle] <= level:
            first = middle + 1
        else:
            end = middle
    return first


@compiled
def _nearest(values: Floats, wanted: float) -> int:
    """Number of the ascending value nearest to a wanted one; the lower of two equally near."""
    at = _below(values, wanted)
    if at == len(values) or (at > 0 and not 0.5 * (values[at - 1] + values[at]) < wanted):
        return at - 1
    return at


@compiled
def _strike_of(pattern: LegPattern, table: StrikeTable, places: Ints, leg: int) -> float:
    return float(table.strike[table.first[pattern.strikes[leg]] + places[leg]])


@compiled
def _place(pattern: LegPattern, table: StrikeTable, places: Ints, leg: int, number: int) -> float:
    """Place of a leg's strike in the expected moves of a list."""
    own = pattern.strikes[leg]
    forward, deviation = table.forward[number], table.deviation[number]
    if forward == table.forward[own] and deviation == table.deviation[own]:
        return float(table.place[table.first[own] + places[leg]])
    strike = _strike_of(pattern, table, places, leg)
    return float((strike / forward - 1) / deviation) if strike > 0 else 0.0


@compiled
def _even(strike: Floats, wanted: float) -> tuple[int, int]:
    """The strike nearest to a wanted one, as a range: empty where the list ends before it."""
    high = min(max(_below(strike, wanted), 1), len(strike) - 1)
    low = max(high - 1, 0)
    at = low if wanted - strike[low] <= strike[high] - wanted else high
    near = abs(strike[at] - wanted) <= 0.5 * (strike[high] - strike[low]) + _SLACK
    return at, at + 1 if near else at


@compiled
def _unlike(
    pattern: LegPattern, table: StrikeTable, places: Ints, leg: int, strike: Floats
) -> tuple[int, int]:
    """Strikes farther from the other leg's than two legs are apart, or nearer, as a range."""
    beside = _strike_of(pattern, table, places, pattern.leg[leg])
    apart = abs(
        _strike_of(pattern, table, places, pattern.one[leg])
        - _strike_of(pattern, table, places, pattern.two[leg])
    )
    wider, above = pattern.unlike[leg] > 0, pattern.low[leg] + pattern.high[leg] > 0
    level = beside + apart if above else beside - apart
    if wider == above:
        return _upto(strike, level + _SLACK), len(strike)
    return 0, _below(strike, level - _SLACK)


@compiled
def _limits(pattern: LegPattern, table: StrikeTable, places: Ints, leg: int) -> tuple[int, int]:
    """First place and end in the leg's list that the places of the earlier legs allow."""
    number = pattern.strikes[leg]
    begin, end = table.first[number], table.first[number + 1]
    place, strike = table.place[begin:end], table.strike[begin:end]
    if not len(place):
        return 0, 0
    how = pattern.choice[leg]
    if how == EVEN:
        centre = _strike_of(pattern, table, places, pattern.centre[leg])
        first, end = _even(
            strike, 2 * centre - _strike_of(pattern, table, places, pattern.leg[leg])
        )
    else:
        middle = 0.0
        if how >= WIDTH:
            middle = _place(pattern, table, places, pattern.leg[leg], number)
        if how == MIRROR:
            middle = -middle
        first = _below(place, middle + pattern.low[leg] - _SLACK)
        end = _upto(place, middle + pattern.high[leg] + _SLACK)
        if how >= SAME:
            nearest = _nearest(place, middle)
            first, end = nearest, nearest + 1 if first <= nearest < end else nearest
    if how == WIDTH and pattern.unlike[leg] != 0:
        low, high = _unlike(pattern, table, places, leg, strike)
        first, end = max(first, low), min(end, high)
    if pattern.above[leg] >= 0:
        lower = _strike_of(pattern, table, places, pattern.above[leg])
        first = max(first, _upto(strike, lower))
    if pattern.below[leg] >= 0:
        higher = _strike_of(pattern, table, places, pattern.below[leg])
        end = min(end, _below(strike, higher))
    return first, end


@compiled
def _as_rows(pattern: LegPattern, table: StrikeTable, places: Ints) -> Ints:
    rows = np.empty(places.shape, dtype=np.int64)
    for leg in range(places.shape[1]):
        begin = table.first[pattern.strikes[leg]]
        for at in range(len(places)):
            rows[at, leg] = table.rows[begin + places[at, leg]]
    return rows


@compiled
def all_rows(pattern: LegPattern, table: StrikeTable, bound: int) -> tuple[Ints, float]:
    """Candidates, and how many of all each one is for: leg by leg, thinned to the bound."""
    legs = len(pattern.strikes)
    places, scale = np.zeros((1, legs), dtype=np.int64), 1.0
    for leg in range(legs):
        count = len(places)
        first, upto = np.empty(count, dtype=np.int64), np.empty(count, dtype=np.int64)
        total = 0
        for at in range(count):
            begin, end = _limits(pattern, table, places[at], leg)
            total += max(0, end - begin)
            first[at], upto[at] = begin, total
        kept = min(total, bound)
        made = np.empty((kept, legs), dtype=np.int64)
        parent = 0
        for number in range(kept):
            taken = (number * total + total // 2) // bound if total > bound else number
            while upto[parent] <= taken:
                parent += 1
            made[number] = places[parent]
            before = upto[parent - 1] if parent > 0 else 0
            made[number, leg] = first[parent] + taken - before
        if total > bound:
            scale *= total / bound
        places = made
    return _as_rows(pattern, table, places), scale


@compiled
def _is_new(seen: Ints, count: int, slots: Ints) -> bool:
    """Whether row ``count`` differs from those before it; it is then noted in the hash table."""
    size = len(slots)
    code = 0
    for value in seen[count]:
        code = (code * 1_000_003 + value) % 2_147_483_647
    slot = code % size
    while slots[slot] >= 0:
        same = True
        for leg in range(seen.shape[1]):
            if seen[slots[slot], leg] != seen[count, leg]:
                same = False
                break
        if same:
            return False
        slot = (slot + 1) % size
    slots[slot] = count
    return True


@compiled
def _place_of(rows: Ints, row: int) -> int:
    """Number of a row among ascending ones."""
    first, end = 0, len(rows)
    while first < end:
        middle = (first + end) // 2
        if rows[middle] < row:
            first = middle + 1
        else:
            end = middle
    return first


@compiled
def _fits(pattern: LegPattern, table: StrikeTable, places: Ints, first: int) -> bool:
    """Whether places belong to the pattern from a leg on; those that follow others are set."""
    for leg in range(first, len(places)):
        begin, end = _limits(pattern, table, places, leg)
        if pattern.choice[leg] > WIDTH:
            places[leg] = begin
        if not begin <= places[leg] < end:
            return False
    return True


@compiled
def near_rows(
    pattern: LegPattern, table: StrikeTable, rows: Ints, known: Ints, farthest: int
) -> Ints:
    """Candidates that differ from ``rows`` in one or two freely chosen legs; not ``known``."""
    legs = rows.shape[1]
    free = np.flatnonzero(pattern.choice <= WIDTH)
    places, moved = np.empty(legs, dtype=np.int64), np.empty(legs, dtype=np.int64)
    steps = 2 * farthest + 1
    most = len(free) * steps + len(free) * (len(free) - 1) // 2 * steps * steps
    seen = np.empty((len(known) + len(rows) * most + 1, legs), dtype=np.int64)
    slots = np.full(2 * len(seen), -1, dtype=np.int64)
    count = 0
    for at in range(len(known)):
        seen[count] = known[at]
        count += _is_new(seen, count, slots)
    before = count
    for at in range(len(rows)):
        for leg in range(legs):
            number = pattern.strikes[leg]
            listed = table.rows[table.first[number] : table.first[number + 1]]
            places[leg] = _place_of(listed, rows[at, leg])
        for one in range(len(free)):
            for two in range(one, len(free)):
                for step in range(-farthest, farthest + 1):
                    for other in range(-farthest, farthest + 1):
                        if step == 0 or (other == 0) != (one == two):
                            continue
                        moved[:] = places
                        moved[free[one]] += step
                        moved[free[two]] += other
                        if not _fits(pattern, table, moved, free[one]):
                            continue
                        for leg in range(legs):
                            begin = table.first[pattern.strikes[leg]]
                            seen[count, leg] = table.rows[begin + moved[leg]]
                        count += _is_new(seen, count, slots)
    return seen[before:count]
