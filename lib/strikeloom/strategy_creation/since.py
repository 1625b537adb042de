"""What structures would have earned since the day on which they were chosen.

Each is opened at the prices of its legs and closed at the end of a later day, with half the
measured width and the charges of an order on each way. It ends when the first of its options does:
that one is settled as the exchange does it, and what ends later is closed at its price of the day.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from strikeloom.domain.instruments import InstrumentKind
from strikeloom.domain.legs import Leg
from strikeloom.domain.money import PAISE_PER_RUPEE
from strikeloom.nse.charges import Segment, depository_charge, segment_of
from strikeloom.nse.order_charges import order_charges
from strikeloom.ports.desk import Desk
from strikeloom.quant.quoted_width import delta_one_width, quoted_width
from strikeloom.strategy_creation.later_days import LaterDay, read_later_days
from strikeloom.strategy_creation.settled import EndingLeg, ended

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

_SEGMENTS = (Segment.OPTION, Segment.FUTURE, Segment.DELIVERY)
_PART = 1e-6  # of a unit; what an adjustment leaves of one is paid apart


class ValuedBy(StrEnum):
    """What the value of a structure rests on."""

    PRICES = "prices"
    SETTLEMENT = "settlement"
    BOTH = "settlement and prices"


@dataclass(frozen=True, slots=True)
class EarnedSince:
    """What one unit of a structure would have earned.

    Attributes
    ----------
    earned : int or None
        Paise after the costs of opening and closing; ``None`` where no later day has all prices.
    day : datetime.date or None
        Day at whose end; the last with all prices.
    final : bool
        Its first option has ended: it earns no more.
    by : ValuedBy or None
    reason : str
        Why nothing is known, or nothing later than ``day``; empty where all is.
    path : tuple of (datetime.date, int)
        The same on each day with all prices, ascending; the last is ``earned``.
    """

    earned: int | None
    day: date | None
    final: bool
    by: ValuedBy | None
    reason: str
    path: tuple[tuple[date, int], ...]


class _Columns(NamedTuple):
    """Legs of all structures, one row each; shape (m,).

    Attributes
    ----------
    structure, place : ndarray of int64
        Structure, and place of the instrument among those of the days.
    units, price : ndarray of int64
        Signed units and paise, as opened.
    segment : ndarray of int64
        Place in ``_SEGMENTS``.
    is_index : ndarray of bool
    """

    structure: Ints
    place: Ints
    units: Ints
    price: Ints
    segment: Ints
    is_index: Flags

    def among(self, rows: Flags) -> _Columns:
        """The chosen rows."""
        return _Columns(
            self.structure[rows],
            self.place[rows],
            self.units[rows],
            self.price[rows],
            self.segment[rows],
            self.is_index[rows],
        )


def earned_since(
    desk: Desk, day: date, structures: Sequence[Sequence[Leg]], until: date = date.max
) -> list[EarnedSince]:
    """What structures of a day would have earned until a later stored day.

    Parameters
    ----------
    structures : sequence of sequences of Leg
        With the prices at which each leg would have been opened at the end of ``day``.
    until : datetime.date, optional
        Default: the last stored day.

    Raises
    ------
    MissingHistory
        When the day is not stored.
    """
    held = list(
        {leg.instrument.key: leg.instrument for legs in structures for leg in legs}.values()
    )
    return earned_over(structures, read_later_days(desk, day, held, until))


def earned_over(structures: Sequence[Sequence[Leg]], days: Sequence[LaterDay]) -> list[EarnedSince]:
    """What structures would have earned over days that were read.

    Parameters
    ----------
    days : sequence of LaterDay
        The day on which they were opened, then later ones, ascending; of all their instruments.

    Raises
    ------
    DataError
        When a charge is not on record for a day.
    """
    first, *later = days
    legs, count = _columns(structures, first), len(structures)
    opened = -_sums(
        legs.units * legs.price + _costs(legs, legs.units, legs.price, first), legs, count
    )
    earned = np.full((len(later), count), np.nan)
    ends = np.full(count, len(later) - 1)
    lacking = np.full((len(later), count), -1)
    whole = np.zeros(count, dtype=bool)
    final = np.zeros(count, dtype=bool)
    for row, day in enumerate(later):
        if final.all():
            break
        mine = legs.among(~final[legs.structure])
        ending = _ending(mine, day, count)
        closed = _closed(mine, day, ending, count)
        earned[row] = np.where(final, np.nan, opened + closed.value)
        lacking[row] = closed.lacking
        ends[ending], whole[ending] = row, closed.whole[ending]
        final |= ending
    return [
        _earned(later, earned[:, each], lacking[:, each], *ended_at, first.day)
        for each, ended_at in enumerate(
            zip(ends.tolist(), final.tolist(), whole.tolist(), strict=True)
        )
    ]


class _Closed(NamedTuple):
    """Structures closed at the end of a day; shape (n,).

    Attributes
    ----------
    value : ndarray
        Paise received after the costs of closing; NaN where a price is missing.
    lacking : ndarray of int64
        Place of an instrument without a price; -1 where none lacks it.
    whole : ndarray of bool
        All of it was settled.
    """

    value: Floats
    lacking: Ints
    whole: Flags


def _columns(structures: Sequence[Sequence[Leg]], first: LaterDay) -> _Columns:
    place = {held.key: number for number, held in enumerate(first.instruments)}
    segment = [_SEGMENTS.index(segment_of(held)) for held in first.instruments]
    is_index = [held.kind is InstrumentKind.INDEX for held in first.instruments]
    rows = [
        (number, place[leg.instrument.key], leg.signed_units, leg.price)
        for number, legs in enumerate(structures)
        for leg in legs
    ]
    table: Ints = np.array(rows, dtype=np.int64).reshape(-1, 4)
    structure, at, units, price = table.T
    kinds = np.array(segment, dtype=np.int64)[at], np.array(is_index, dtype=bool)[at]
    return _Columns(structure, at, units, price, *kinds)


def _sums(values: NDArray[np.generic], legs: _Columns, count: int) -> Floats:
    """Sum over the legs of each structure."""
    return np.bincount(legs.structure, values, count).astype(np.float64)


def _ending(legs: _Columns, day: LaterDay, count: int) -> Flags:
    """Structures of which an option ends that day; a future of those without options."""
    option = legs.segment == _SEGMENTS.index(Segment.OPTION)
    has_options = _sums(option, legs, count) > 0
    over = ~np.isnan(day.final[legs.place]) & (option | ~has_options[legs.structure])
    return _sums(over, legs, count) > 0


def _closed(legs: _Columns, day: LaterDay, ending: Flags, count: int) -> _Closed:
    at, of = legs.place, legs.structure
    size = np.floor(np.abs(legs.units) * day.units[at] + _PART)
    units = (np.sign(legs.units) * size).astype(np.int64)
    price = np.rint(day.price[at] * PAISE_PER_RUPEE)
    is_share = legs.segment == _SEGMENTS.index(Segment.DELIVERY)
    settles = ending[of] & (is_share | ~np.isnan(day.final[at]))
    lacks = np.isnan(price) & ~(settles & ~is_share)
    paise = np.where(np.isnan(price), 0, price).astype(np.int64)
    value = units * paise - _costs(legs, -units, paise, day)
    total = _sums(np.where(settles, 0, value) + legs.units * day.paid[at], legs, count)
    lacking = np.full(count, -1)
    lacking[of[lacks]] = at[lacks]
    groups: dict[int, list[EndingLeg]] = {}
    final = np.rint(day.final[at] * PAISE_PER_RUPEE)
    level = np.where(is_share, paise, np.where(settles & ~is_share, final, 0)).astype(np.int64)
    for row in np.flatnonzero(settles & (lacking[of] < 0)).tolist():
        leg = EndingLeg(day.instruments[at[row]], int(units[row]), int(level[row]))
        groups.setdefault(int(of[row]), []).append(leg)
    for structure, mine in groups.items():
        paid, charges = ended(mine, day.day)
        total[structure] += paid - charges
    total[lacking >= 0] = np.nan
    return _Closed(total, lacking, _sums(~settles, legs, count) == 0)


def _costs(legs: _Columns, units: Ints, price: Ints, day: LaterDay) -> Ints:
    """Paise that an order of each leg costs that day: charges and half the measured width.

    Parameters
    ----------
    units : ndarray of int64
        To buy, or negative to sell.
    price : ndarray of int64
        Paise.
    """
    found = np.zeros(len(units), dtype=np.int64)
    for number, segment in enumerate(_SEGMENTS):
        mine = legs.segment == number
        if not mine.any():
            continue
        size, buys = np.abs(units[mine]), units[mine] > 0
        found[mine] = order_charges(size * price[mine], buys, segment, day.day)
        width = quoted_width if segment is Segment.OPTION else delta_one_width
        lots = day.lots[legs.place[mine]]
        whole = width(price[mine] / PAISE_PER_RUPEE, lots, legs.is_index[mine])
        found[mine] += np.rint(size * whole * PAISE_PER_RUPEE / 2).astype(np.int64)
        if segment is Segment.DELIVERY:  # shares that are sold leave the account
            found[mine] += np.where(buys, 0, depository_charge(day.day))
    return found


def _earned(
    later: Sequence[LaterDay],
    earned: Floats,
    lacking: Ints,
    end: int,
    final: bool,
    whole: bool,
    first: date,
) -> EarnedSince:
    """Result of one structure; arrays over the later days."""
    known = np.flatnonzero(~np.isnan(earned)).tolist()
    path = tuple((later[row].day, int(earned[row])) for row in known)
    if not later:
        return EarnedSince(None, None, False, None, f"no day after {first} is stored", ())
    reason = later[end].why_not(int(lacking[end])) if lacking[end] >= 0 else ""
    if not path:
        return EarnedSince(None, None, False, None, reason, ())
    final = final and not reason
    by = (ValuedBy.SETTLEMENT if whole else ValuedBy.BOTH) if final else ValuedBy.PRICES
    return EarnedSince(path[-1][1], path[-1][0], final, by, reason, path)
