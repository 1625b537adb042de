"""Final values of underlyings: from the feed, or from what the broker reports as settled."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime

from strikeloom.domain.instruments import Contract, InstrumentKind, OptionContract, Right
from strikeloom.domain.orders import Fill
from strikeloom.nse.edges import ending

FinalValue = Callable[[str, date], int | None]


def reported_fill(
    by_contract: Mapping[str, Sequence[Fill]], contract: Contract, last: date
) -> Fill | None:
    """Settlement that the broker reports of a series.

    A later series may have the same name: its settlement is not that of this one.
    """
    own = (fill for fill in by_contract.get(contract.key, ()) if fill.at.date() >= last)
    return next(own, None)


def final_values(
    now: datetime,
    held: Iterable[tuple[Contract, date]],
    final_value: FinalValue,
    by_contract: Mapping[str, Sequence[Fill]],
) -> dict[tuple[str, date], int]:
    """Final values of the stock contracts that have ended, by underlying and last day.

    Where none is stored, that of a settlement that the broker reports.

    Parameters
    ----------
    held : iterable of tuple
        Contracts with their last days.
    by_contract : mapping
        Settlements that the broker reports, by contract key, in the order of time.
    """
    finals: dict[tuple[str, date], int] = {}
    for contract, last in held:
        place = contract.symbol, last
        if contract.kind is not InstrumentKind.STOCK or now < ending(last):
            continue
        final = finals.get(place) or final_value(*place)
        if final is None and (fill := reported_fill(by_contract, contract, last)):
            final = level_of(contract, fill.price)
        if final is not None:
            finals[place] = final
    return finals


def level_of(contract: Contract, settled: int) -> int | None:
    """Final value in paise behind the value at which a contract settled; ``None`` if unknown.

    An option that ended valueless shows on which side of its strike the level was, not more.
    """
    if not isinstance(contract, OptionContract):
        return settled
    if not settled:
        return None
    return contract.strike + (settled if contract.right is Right.CALL else -settled)
