"""What became of contracts on the days after they were chosen, read from the stored lists.

Each later day is read as of itself, in its own terms; a contract that the exchange changed is
followed by its adjustments. Only a look back uses this: the choice of a day knows nothing later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from strikeloom.domain.instruments import (
    FUTURE_RIGHT,
    Instrument,
    OptionContract,
    Right,
    Share,
)
from strikeloom.domain.money import PAISE_PER_RUPEE
from strikeloom.errors import DataError
from strikeloom.ports.desk import Desk
from strikeloom.quant.quoted_width import BUSY_LOTS

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

_COLUMNS = (
    "symbol", "expiry", "strike", "right", "instrument_id", "close", "settle",
    "final_settlement", "underlying", "lots_traded",
)  # fmt: skip
_RIGHTS = {FUTURE_RIGHT: 0, Right.CALL.value: 1, Right.PUT.value: 2}
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class LaterDay:
    """Contracts at the end of a day, in the order in which they were asked for; shape (k,).

    Attributes
    ----------
    instruments : tuple of Instrument
        What each has become by that day.
    units : ndarray
        Units that replace one of the first day.
    paid : ndarray
        Paise that a unit of the first day was paid in dividends that the exchange adjusted for,
        of a future and a share.
    price : ndarray
        Rupees: the close, or the exchange's settlement price where it did not trade; of a share
        the underlying's final value where contracts on it ended that day. NaN where there is none.
    final : ndarray
        Rupees: final value of the underlying where the contract ended that day, else NaN.
    lots : ndarray of int64
        Traded in the day; of a share ``BUSY_LOTS``.
    listed : ndarray of bool
        Whether the day's list has the contract.
    unknown : dict of int to str
        Contracts of which it is not known what they became, and why.
    """

    day: date
    instruments: tuple[Instrument, ...]
    units: Floats
    paid: Floats
    price: Floats
    final: Floats
    lots: Ints
    listed: Flags
    unknown: Mapping[int, str]

    def why_not(self, place: int) -> str:
        """Why a contract has neither price nor final value that day."""
        held = self.instruments[place]
        if place in self.unknown:
            return self.unknown[place]
        if not isinstance(held, Share) and held.expiry < self.day:
            return f"{held.label} has ended, and no final value of its last day is stored"
        if not self.listed[place]:
            return f"{held.label} is not on the list of {self.day}"
        return f"{held.label} has no price on {self.day}"


class _Phase(NamedTuple):
    """What a contract is from a day on, in terms of a unit of the first day."""

    day: date
    instrument: Instrument
    units: Fraction
    paid: Fraction


class _Listed(NamedTuple):
    """Contracts of a day by an integer key, ascending; levels and final values by symbol."""

    code: Mapping[str, int]
    key: Ints
    ids: Ints
    price: Floats
    final: Floats
    lots: Ints
    levels: dict[str, float]

    def places(self, keys: Ints) -> Ints:
        """Row of each key; -1 where it is not listed."""
        if not len(self.key):
            return np.full(keys.shape, -1)
        at = np.minimum(np.searchsorted(self.key, keys), len(self.key) - 1)
        return np.where(self.key[at] == keys, at, -1)


def read_later_days(
    desk: Desk, day: date, instruments: Sequence[Instrument], until: date
) -> list[LaterDay]:
    """The day on which contracts were chosen, and each later stored day up to ``until``.

    Parameters
    ----------
    day : datetime.date
        Stored; its list names the contracts as given.

    Raises
    ------
    MissingHistory
        When the day is not stored.
    """
    later = [each for each in desk.history.as_of(until).days() if each > day]
    lists = _read_lists(desk, [day, *later], {it.symbol for it in instruments})
    keys = _keys_of(instruments, lists[day].code)
    changed, unknown = _changes(desk, instruments, keys, lists)
    found = []
    for each, listed in lists.items():
        phases = {
            place: [phase for phase in phases if phase.day <= each][-1]
            for place, phases in changed.items()
            if phases[0].day <= each
        }
        found.append(_later_day(each, listed, instruments, keys, phases, unknown))
    return found


def _later_day(
    day: date,
    listed: _Listed,
    instruments: Sequence[Instrument],
    keys: Ints,
    phases: Mapping[int, _Phase],
    unknown: Mapping[int, str],
) -> LaterDay:
    held, keys = list(instruments), keys.copy()
    units, paid = np.ones(len(held)), np.zeros(len(held))
    for place, phase in phases.items():
        held[place] = phase.instrument
        units[place], paid[place] = float(phase.units), float(phase.paid)
    if phases:
        places = list(phases)
        keys[places] = _keys_of([held[place] for place in places], listed.code)
    row = listed.places(keys)
    known = row >= 0
    price, final, lots = (
        np.where(known, column[row], empty) if len(column) else np.full(len(held), empty)
        for column, empty in ((listed.price, np.nan), (listed.final, np.nan), (listed.lots, 0))
    )
    for place in np.flatnonzero(keys < 0).tolist():
        price[place] = listed.levels.get(held[place].symbol, np.nan)
        lots[place] = BUSY_LOTS
    price[list(unknown)] = np.nan
    final[list(unknown)] = np.nan
    return LaterDay(day, tuple(held), units, paid, price, final, lots, known, unknown)


def _changes(
    desk: Desk, instruments: Sequence[Instrument], keys: Ints, lists: Mapping[date, _Listed]
) -> tuple[dict[int, list[_Phase]], dict[int, str]]:
    """Phases of the contracts that the exchange changed, and those of which it is not known.

    Only what may have changed is searched for: where a corporate action changed contracts of its
    symbol, and where its name is not on a later list or another contract's there.
    """
    first, *later = lists
    until = max(later, default=first)
    actions = desk.history.as_of(until).actions(first + timedelta(days=1), until)
    acted = {item.symbol: item.day for item in reversed(actions) if item.of_contracts}
    moved = _moved(instruments, keys, lists)
    changed: dict[int, list[_Phase]] = {}
    unknown: dict[int, str] = {}
    for place, held in enumerate(instruments):
        end = until if isinstance(held, Share) else min(until, held.expiry)
        if not moved[place] and acted.get(held.symbol, date.max) > end:
            continue
        try:
            phases = _phases(desk, held, first, end)
        except DataError as error:
            unknown[place] = str(error)
            continue
        if phases:
            changed[place] = phases
    return changed, unknown


def _phases(desk: Desk, held: Instrument, first: date, end: date) -> list[_Phase]:
    units, paid = Fraction(1), Fraction(0)
    found = []
    for change in desk.instruments.adjustments(held, first, end):
        units *= Fraction(change.new_units, change.old_units)
        paid += units * change.amount
        found.append(_Phase(change.day, change.new, units, paid))
    return found


def _moved(instruments: Sequence[Instrument], keys: Ints, lists: Mapping[date, _Listed]) -> Flags:
    """Whether a contract's name is missing from a list before its end, or another's there."""
    first, *later = lists.values()
    before = first.places(keys)
    ids = np.where(before >= 0, first.ids[before], 0) if len(first.ids) else np.zeros(len(keys))
    ends = np.array([date.min if isinstance(it, Share) else it.expiry for it in instruments])
    found = np.zeros(len(keys), dtype=bool)
    for day, listed in zip(list(lists)[1:], later, strict=True):
        row = listed.places(keys)
        now = np.where(row >= 0, listed.ids[row], 0) if len(listed.ids) else np.zeros(len(keys))
        other = (row < 0) | ((ids != 0) & (now != 0) & (now != ids))
        found |= other & (ends >= day)
    return found


def _read_lists(desk: Desk, days: Sequence[date], symbols: set[str]) -> dict[date, _Listed]:
    """Lists of each day of the symbols, under their later names too."""
    names = set(symbols)
    whole = desk.history.as_of(days[-1])
    for item in whole.actions(days[0] + timedelta(days=1), days[-1]):
        if item.symbol in names and item.successor:
            names.add(item.successor)
    wanted = sorted(names)
    code = {name: number for number, name in enumerate(wanted)}
    return {day: _read_list(desk, day, wanted, code) for day in days}


def _read_list(desk: Desk, day: date, symbols: Sequence[str], code: Mapping[str, int]) -> _Listed:
    then = desk.history.as_of(day)
    rows = then.contracts(day, symbols=symbols, columns=_COLUMNS)
    strike = np.rint(rows["strike"].to_numpy() * PAISE_PER_RUPEE).astype(np.int64)
    right = rows["right"].map(_RIGHTS).to_numpy().astype(np.int64)
    symbol = rows["symbol"].map(code).to_numpy().astype(np.int64)
    key = _packed(symbol, rows["expiry"].to_numpy(), strike, right)
    order = np.argsort(key)
    close, final = rows["close"].to_numpy(), rows["final_settlement"]
    price = np.where(np.isnan(close), rows["settle"].to_numpy(), close)
    levels = dict(zip(rows["symbol"], rows["underlying"], strict=True))
    cash = then.cash(day, day, symbols=symbols)
    levels |= dict(zip(cash["symbol"], cash["close"], strict=True))
    levels |= dict(zip(rows["symbol"][final.notna()], final.dropna(), strict=True))
    return _Listed(
        code,
        key[order],
        rows["instrument_id"].to_numpy()[order],
        price[order],
        final.to_numpy()[order],
        rows["lots_traded"].to_numpy()[order],
        levels,
    )


def _packed(symbol: Ints, expiry: NDArray[np.datetime64], strike: Ints, right: Ints) -> Ints:
    """Symbol, expiry, strike and right in the bits of one number."""
    days = expiry.astype("datetime64[D]").astype(np.int64)
    found: Ints = ((symbol << 16 | days) << 34 | strike) << 2 | right
    return found


def _keys_of(instruments: Sequence[Instrument], code: Mapping[str, int]) -> Ints:
    """Keys of contracts; -1 of a share, which no list of contracts has."""
    symbol = np.array([code[it.symbol] for it in instruments], dtype=np.int64)
    is_share = np.array([isinstance(it, Share) for it in instruments], dtype=bool)
    ends = [_EPOCH if isinstance(it, Share) else it.expiry for it in instruments]
    strike = [it.strike if isinstance(it, OptionContract) else 0 for it in instruments]
    right = [
        it.right.value if isinstance(it, OptionContract) else FUTURE_RIGHT for it in instruments
    ]
    found = _packed(
        symbol,
        np.array(ends, dtype="datetime64[D]"),
        np.array(strike, dtype=np.int64),
        np.array([_RIGHTS[each] for each in right], dtype=np.int64),
    )
    return np.where(is_share, -1, found)
