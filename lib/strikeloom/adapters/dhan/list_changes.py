"""What became of a held instrument, from the broker's lists of successive days.

An instrument keeps its id from list to list as long as it lives; of a share a list shows no more
than another symbol. That it was adjusted is taken as
shown where its expiry alone was moved, where the lot of nearly all contracts of its expiry became
another, or where nearly all options of its underlying changed by one rule: strikes divided while
lots were multiplied, strikes lowered by one amount, or another symbol. A future's lot is multiplied
where the options' are; where their strikes are lowered it is carried forward at a price that is
lower by the same amount.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from statistics import median
from typing import NamedTuple

from strikeloom.adapters.dhan.day_list import DayList, ListedInstrument
from strikeloom.domain.adjustments import ContractAdjustment, lot_changed
from strikeloom.domain.instruments import (
    Contract,
    FutureContract,
    Instrument,
    OptionContract,
    Share,
)
from strikeloom.domain.money import PAISE_PER_RUPEE
from strikeloom.errors import DataError

_FEWEST, _NEARLY_ALL = 6, 0.9  # continuing contracts that show a rule
_STEP = 5.01  # paise; an adjusted strike is rounded to the tick of 5 paise
_LOT_ROUNDING = 0.02

ReadList = Callable[[date], DayList]
_Pair = tuple[OptionContract, OptionContract]


class _DayRule(NamedTuple):
    """What changed nearly all options of an underlying.

    ``multiplied``: their lots were; ``amount``: paise by which their strikes were lowered;
    ``shown``: number of options that show it.
    """

    text: str
    multiplied: bool = False
    amount: int = 0
    shown: int = 0


def list_adjustments(
    held: Instrument, days: Sequence[date], read: ReadList
) -> list[ContractAdjustment]:
    """Adjustments of an instrument over days with a list, oldest first.

    Only the first and the last list are read, unless the instrument is missing from the last or
    has another id or lot there, or strikes of a future's underlying differ.

    Parameters
    ----------
    held : Instrument
        As it is named on the first of the days.
    """
    found: list[ContractAdjustment] = []
    for place in range(1, len(days)):
        if _is_same(held, read(days[place - 1]), read(days[-1])):
            break
        change = _change(held, read(days[place - 1]), read(days[place]), days[place])
        if change is not None:
            found.append(change)
            held = change.new
    return found


def _is_same(held: Instrument, first: DayList, last: DayList) -> bool:
    old, new = (item.entries(held.symbol).get(held.key) for item in (first, last))
    if old is None:
        return True
    if new is None or new.security != old.security:
        return False
    same = new.instrument.lot_size == old.instrument.lot_size
    return same and not (isinstance(held, FutureContract) and _restruck(held.symbol, first, last))


def _restruck(symbol: str, first: DayList, last: DayList) -> bool:
    """Whether an option of an underlying has another strike by now."""
    return any(
        isinstance(it := item.instrument, OptionContract)
        and isinstance(now := _continues(item, last), OptionContract)
        and (it.strike, it.right, it.expiry) != (now.strike, now.right, now.expiry)
        for item in first.entries(symbol).values()
    )


def _change(
    held: Instrument, before: DayList, after: DayList, day: date
) -> ContractAdjustment | None:
    """Adjustment between two successive lists; ``None`` where none is shown."""
    old = before.entries(held.symbol).get(held.key)
    new = _continues(old, after) if old is not None else None
    if old is None or new is None:
        return None
    if not isinstance(held, Share) and not isinstance(new, Share):
        return _contract_change(held, old.instrument.lot_size, new, before, after, day)
    text = f"{held.symbol} became {new.symbol} on {day}"
    return ContractAdjustment(held.key, new, 1, 1, day, text) if new != held else None


def _contract_change(
    held: Contract, lot_before: int, new: Contract, before: DayList, after: DayList, day: date
) -> ContractAdjustment | None:
    if held.expiry < day or _right(new) != _right(held):
        return None
    rule = _rule_of_day(held, new, before, after, day)
    lowered = isinstance(held, FutureContract) and rule is not None and rule.amount > 0
    if new.key == held.key and not lowered and (rule is None or not rule.multiplied):
        return _lot_change(held, lot_before, new, before, after, day)
    if new.key != held.key and new.symbol == held.symbol and _strike(new) == _strike(held):
        text = f"the exchange moved the expiry {held.expiry} of {held.symbol} to {new.expiry}"
        return ContractAdjustment(held.key, new, 1, 1, day, f"{text} on {day}")
    return None if rule is None else _ruled(held, lot_before, new, rule, day)


def _strike(it: Contract) -> int:
    return it.strike if isinstance(it, OptionContract) else 0


def _right(it: Contract) -> str:
    return it.right.value if isinstance(it, OptionContract) else ""


def _rule_of_day(
    held: Contract, new: Contract, before: DayList, after: DayList, day: date
) -> _DayRule | None:
    """Rule that nearly all options of the underlying show; ``None`` for none."""
    if isinstance(held, OptionContract) and new.key == held.key:
        return None
    pairs = [
        (it, now)
        for item in before.entries(held.symbol).values()
        if isinstance(it := item.instrument, OptionContract) and it.expiry >= day
        if isinstance(now := _continues(item, after), OptionContract)
    ]
    changed = [pair for pair in pairs if pair[0].key != pair[1].key]
    if len(changed) < max(_FEWEST, _NEARLY_ALL * len(pairs)):
        return None
    if isinstance(held, OptionContract) and (held, new) not in changed:
        return None
    rule = _rule(changed)
    return None if rule is None else rule._replace(shown=len(changed))


def _ruled(
    held: Contract, lot_before: int, new: Contract, rule: _DayRule, day: date
) -> ContractAdjustment:
    units = (new.lot_size, lot_before) if rule.multiplied else (1, 1)
    cause = f"{held.symbol} on {day}: {rule.text} (by {rule.shown} contracts of the broker's list)"
    paid = rule.amount if isinstance(new, FutureContract) else 0
    return ContractAdjustment(held.key, new, *units, day, cause, paid)


def _lot_change(
    held: Contract,
    lot_before: int,
    new: Contract,
    before: DayList,
    after: DayList,
    day: date,
) -> ContractAdjustment | None:
    """Change of the lot alone, where the lists have it for nearly all contracts of the expiry."""
    if new.lot_size in (lot_before, held.lot_size):
        return None
    same = [
        item
        for item in before.entries(held.symbol).values()
        if not isinstance(it := item.instrument, Share) and it.expiry == held.expiry
    ]
    lots = [
        (item.instrument.lot_size, now.lot_size)
        for item in same
        if (now := _continues(item, after))
    ]
    shown = lots.count((lot_before, new.lot_size)) >= _NEARLY_ALL * len(lots)
    return lot_changed(lot_before, new, day) if shown else None


def _continues(old: ListedInstrument, after: DayList) -> Instrument | None:
    """What has the id now; ``None`` when nothing of that kind has."""
    try:
        found = after.by_number(old.security)
        return found if type(found) is type(old.instrument) else None
    except DataError:
        return None


def _rule(changed: Sequence[_Pair]) -> _DayRule | None:
    """Rule by which contracts changed; ``None`` for none."""
    if len({new.symbol for _, new in changed}) != 1:
        return None
    if all(old.strike == new.strike for old, new in changed):
        old, new = changed[0]
        return _DayRule(f"{old.symbol} became {new.symbol}")
    ratio = median(old.strike / new.strike for old, new in changed)
    if all(abs(old.strike / ratio - new.strike) <= _STEP for old, new in changed):
        lots = median(new.lot_size / old.lot_size for old, new in changed)
        if abs(lots / ratio - 1) <= _LOT_ROUNDING:
            return _DayRule(f"strikes were divided by {ratio:.6g} and lots multiplied", True)
    amount = round(median(old.strike - new.strike for old, new in changed))
    lowered = all(abs(old.strike - amount - new.strike) <= _STEP for old, new in changed)
    if amount > 0 and lowered and all(old.lot_size == new.lot_size for old, new in changed):
        return _DayRule(f"strikes were lowered by {amount / PAISE_PER_RUPEE:g}", amount=amount)
    return None
