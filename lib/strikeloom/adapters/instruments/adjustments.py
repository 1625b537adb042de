"""What the exchange made of a contract on later days, from the stored lists of contracts.

Neither id nor name is an identity: ids are reused, and at a dividend names pass to other
contracts. A contract continues from one list to the next where it keeps its id and right and is
what the corporate actions between them make of it; without any, where only its expiry was moved
or its lot changed. A future has no strike: its lot is multiplied where a share becomes several and
its price divided; at a dividend it keeps its name and is carried forward at its settlement price
less the dividend; it ends at a demerger, as options do. Sources: NSE Clearing, adjustment of
contracts for corporate actions; of one dividend NCL/CMPT/71225 of 2025-11-11.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np

from strikeloom.domain.adjustments import ContractAdjustment, lot_changed
from strikeloom.domain.instruments import (
    FUTURE_RIGHT,
    Contract,
    FutureContract,
    OptionContract,
)
from strikeloom.domain.money import PAISE_PER_RUPEE, paise, rupees
from strikeloom.errors import DataError
from strikeloom.nse.corporate_actions import CorporateAction
from strikeloom.ports.history import History

if TYPE_CHECKING:
    import pandas as pd

_STEP = 5.01  # paise; an adjusted strike is rounded to the tick of 5 paise
_VALUE_KEPT = 0.02  # a lot is rounded to whole units

#: Contracts of a symbol on a stored day.
ReadListed = Callable[[date, str], "pd.DataFrame"]
#: Contract of a row of that table on a day; with the lot given where the file has none.
MakeContract = Callable[["pd.Series", date, int], Contract]


class AdjustmentSearch:
    """Follows contracts through the stored lists of a history.

    Without a corporate action of its symbol only the first and the last list are read, unless
    the contract is missing from the last.
    """

    def __init__(self, history: History, listed: ReadListed, make: MakeContract) -> None:
        self._history = history
        self._listed = listed
        self._make = make

    def adjustments(
        self, instrument: Contract, held_since: date, until: date
    ) -> list[ContractAdjustment]:
        """As ``ports.instruments.Instruments.adjustments``, over the stored days."""
        days = self._history.days()
        first = max(0, bisect_right(days, held_since) - 1)
        days = days[first : bisect_right(days, until)]
        if len(days) < 2:
            return []
        actions = self._history.actions(held_since + timedelta(days=1), days[-1])
        actions = [item for item in actions if item.of_contracts]
        found: list[ContractAdjustment] = []
        held, place = instrument, 0
        while True:
            step = self._next(held, days, place, actions, held_since)
            if step is None:
                return found
            place, change = step
            found.append(change)
            if not isinstance(change.new, Contract):
                return found
            held = change.new

    def is_listed(self, instrument: Contract, day: date) -> bool:
        """Whether the list of a stored day has a contract of this name."""
        return self._row(instrument, day) is not None

    def _next(
        self,
        held: Contract,
        days: Sequence[date],
        place: int,
        actions: Sequence[CorporateAction],
        since: date,
    ) -> tuple[int, ContractAdjustment] | None:
        """First adjustment after a place among the days, and the place of its day."""
        end = bisect_right(days, held.expiry) - 1
        mine = [item for item in actions if item.symbol == held.symbol]
        while place < end:
            begin = max(days[place], since)
            later = [item.day for item in mine if item.day > begin]
            effective = bisect_left(days, min(later)) if later else len(days)
            quiet = min(end, effective - 1)
            moved = self._moved(held, days, place, quiet, since)
            if moved is not None:
                return moved
            if effective > end:
                return None
            before, day = days[effective - 1], days[effective]
            due = [item for item in mine if max(before, since) < item.day <= day]
            if any(item.kind == "demerger" for item in due):
                return None  # the contract ended; another of the same name may follow
            old = self._row(held, before) if before >= since else None
            change = self._adjusted(held, old, due, day)
            if change is not None:
                return effective, change
            place = effective
        return None

    def _moved(
        self, held: Contract, days: Sequence[date], first: int, last: int, since: date
    ) -> tuple[int, ContractAdjustment] | None:
        """First change of the expiry or the lot alone, where the contract listed last differs."""
        if last <= first or self._is_same(held, days[first], days[last]):
            return None
        seen: tuple[pd.Series, date] | None = None  # it may be on no list for a while between
        for place in range(first, last + 1):
            day = days[place]
            change = self._moved_on(held, *seen, day, since) if seen else None
            if change is not None:
                return place, change
            row = self._row(held, day)
            seen = (row, day) if row is not None else seen
        return None

    def _moved_on(
        self, held: Contract, old: pd.Series, before: date, day: date, since: date
    ) -> ContractAdjustment | None:
        """Change of the expiry or the lot alone since the list that had the contract before."""
        ids = bool(old["instrument_id"])  # without them only a lot is seen to change
        rows = self._rows(day, held.symbol, held)
        new = self._by_id(old, rows) if ids else self._row(held, day)
        if new is None or new["strike"] != old["strike"]:
            return None
        instrument = self._make(new, day, held.lot_size)
        if instrument.key == held.key:
            then = self._lot(old, held, before)
            changed = instrument.lot_size not in (then, held.lot_size)
            return lot_changed(then, instrument, day) if changed else None
        if before < since and self._row(held, day) is not None:
            return None
        text = (
            f"the exchange moved the expiry {held.expiry} of {held.symbol} to {instrument.expiry} "
            f"on {day}"
        )
        return ContractAdjustment(held.key, instrument, 1, 1, day, text)

    def _adjusted(
        self,
        held: Contract,
        old: pd.Series | None,
        due: Sequence[CorporateAction],
        day: date,
    ) -> ContractAdjustment | None:
        """The contract as adjusted for the actions of a day; ``None`` where it is unchanged.

        Raises
        ------
        DataError
            When its contracts changed by no rule known.
        """
        symbol, strike, ratio, known = held.symbol, float(_strike(held)), 1.0, True
        paid = 0
        for item in sorted(due, key=lambda each: (each.day, not each.successor)):
            symbol = item.successor or symbol
            ratio *= item.ratio or 1.0
            if isinstance(held, OptionContract):
                strike = strike / (item.ratio or 1.0) - (item.amount or 0.0) * PAISE_PER_RUPEE
            elif item.amount:
                paid += paise(item.amount, what="dividend")
            known &= item.kind != "unexplained"
        rows = self._rows(day, symbol, held)
        new = self._by_id(old, rows) if old is not None else None
        if new is None and (old is None or not old["instrument_id"] or not _have_ids(rows)):
            same = rows[(rows["right"] == _right(held))]
            same = same[same["expiry"] == np.datetime64(held.expiry)] if known else same[:0]
            gap = (same["strike"] * PAISE_PER_RUPEE - strike).abs().to_numpy()
            new = same.iloc[int(gap.argmin())] if len(same) and gap.min() <= _STEP else None
        before = (int(old["lot_size"]) if old is not None else 0) or held.lot_size
        instrument = self._make(new, day, round(before * ratio)) if new is not None else None
        if not known:
            ratio = instrument.lot_size / before if instrument is not None else 1.0
            if instrument is None or not _keeps_value(held, before, instrument):
                raise DataError(
                    f"what {held.key} became on {day} is not known: {_cause(due, 1.0, before)}; "
                    "compare the holding with the broker's before anything is sent",
                    key=held.key,
                )
        elif instrument is None or abs(_strike(instrument) - strike) > _STEP:
            # the exchange removed what no one held, its id may be another contract's: by the rule
            if not len(rows):
                return None
            instrument = self._unlisted(held, rows, strike, round(before * ratio), day)
        if instrument.key == held.key and instrument.lot_size == before and not paid:
            return None
        last = max(item.day for item in due)
        return ContractAdjustment(
            held.key,
            instrument,
            *_units(ratio, instrument, before),
            last,
            _cause(due, ratio, before),
            amount=paid,
        )

    def _unlisted(
        self, held: Contract, rows: pd.DataFrame, strike: float, lot: int, day: date
    ) -> Contract:
        """What a contract has become that is listed no more, with the tick of its fellows."""
        fellow = self._make(rows.iloc[0], day, lot)
        if not isinstance(fellow, OptionContract) or not isinstance(held, OptionContract):
            return replace(fellow, expiry=held.expiry, lot_size=lot)
        on_tick = max(fellow.tick, round(strike / fellow.tick) * fellow.tick)
        return replace(fellow, expiry=held.expiry, strike=on_tick, right=held.right, lot_size=lot)

    def _is_same(self, held: Contract, first: date, last: date) -> bool:
        """Whether the contract of a name on one day is that of the same name on a later one.

        Of the same lot, too.
        """
        old, new = self._row(held, first), self._row(held, last)
        if new is None or old is None:
            return new is not None and self._lot(new, held, last) == held.lot_size
        ids = int(old["instrument_id"]), int(new["instrument_id"])
        if all(ids) and ids[0] != ids[1]:
            return False
        return self._lot(new, held, last) in (self._lot(old, held, first), held.lot_size)

    def _lot(self, row: pd.Series, held: Contract, day: date) -> int:
        """Lot of a row of a day; on record, or that of the holding, where the file has none."""
        return int(row["lot_size"]) or self._make(row, day, held.lot_size).lot_size

    def _row(self, held: Contract, day: date) -> pd.Series | None:
        """Row of a contract in the list of a day, by its name."""
        rows = self._rows(day, held.symbol, held)
        rows = rows[
            (rows["expiry"] == np.datetime64(held.expiry))
            & (rows["strike"] == rupees(_strike(held)))
            & (rows["right"] == _right(held))
        ]
        return rows.iloc[0] if len(rows) else None

    def _by_id(self, old: pd.Series, rows: pd.DataFrame) -> pd.Series | None:
        """Row of the contract that has the id and right of an earlier one."""
        if not old["instrument_id"]:
            return None
        same = (rows["instrument_id"] == old["instrument_id"]) & (rows["right"] == old["right"])
        found = rows[same]
        return found.iloc[0] if len(found) == 1 else None

    def _rows(self, day: date, symbol: str, held: Contract) -> pd.DataFrame:
        """Options of a symbol on a day, or its futures where a future is held."""
        rows = self._listed(day, symbol)
        futures = rows["right"] == FUTURE_RIGHT
        return rows[futures if isinstance(held, FutureContract) else ~futures]


def _strike(held: Contract) -> int:
    return held.strike if isinstance(held, OptionContract) else 0


def _right(held: Contract) -> str:
    return held.right.value if isinstance(held, OptionContract) else FUTURE_RIGHT


def _keeps_value(held: Contract, lot_before: int, new: Contract) -> bool:
    """Whether strike and lot both changed and a lot is worth as much at its strike as before.

    Of a future, which has no strike, that is not known.
    """
    if not isinstance(held, OptionContract) or not isinstance(new, OptionContract):
        return False
    kept = new.strike * new.lot_size / (held.strike * lot_before)
    return new.lot_size != lot_before and abs(kept - 1) <= _VALUE_KEPT


def _have_ids(rows: pd.DataFrame) -> bool:
    return bool((rows["instrument_id"] != 0).any())


def _units(ratio: float, new: Contract, lot_before: int) -> tuple[int, int]:
    """Units that replace others: a lot for a lot where the quantity changes."""
    return (1, 1) if ratio == 1 else (new.lot_size, lot_before)


def _cause(due: Sequence[CorporateAction], ratio: float, lot_before: int) -> str:
    text = "; ".join(str(item) for item in due)
    part = lot_before * ratio % 1
    if min(part, 1 - part) < 1e-6:
        return text
    return f"{text}; the exchange pays the fraction of a unit in cash, which is not booked here"
