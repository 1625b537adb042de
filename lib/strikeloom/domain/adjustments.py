"""Contracts that the exchange changed while they were held."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from strikeloom.domain.instruments import Instrument


@dataclass(frozen=True, slots=True)
class ContractAdjustment:
    """One contract that continues as another from the open of a day.

    Attributes
    ----------
    old : str
        Key of the contract until the day before; that of ``new`` where only its lot was changed.
    new : Instrument
        The same contract from the day on, with its lot size and tick.
    new_units, old_units : int
        So many units replace so many: 2,000 for 400 at a split of 5 to 1. 1 and 1 where the
        quantity is not changed. What is paid stays the same in total.
    day : datetime.date
        First day on which it trades as the new contract.
    cause : str
        The event, one sentence.
    amount : int
        Paise a new unit of an extraordinary dividend. The exchange carries a future forward at its
        settlement price less this; a share stays as it is, and its holder is paid outside the
        account. 0 of options, whose strike has it.
    """

    old: str
    new: Instrument
    new_units: int
    old_units: int
    day: date
    cause: str
    amount: int = 0

    def units(self, held: int) -> int:
        """Signed units after the adjustment; a fraction of a unit is paid by the exchange."""
        sign = -1 if held < 0 else 1
        return sign * (abs(held) * self.new_units // self.old_units)


def lot_changed(lot_before: int, new: Instrument, day: date) -> ContractAdjustment:
    """Adjustment of a contract whose lot alone was changed: the units that are held stay."""
    cause = (
        f"the exchange changed the lot of {new.symbol} contracts from {lot_before} to "
        f"{new.lot_size} on {day}"
    )
    return ContractAdjustment(new.key, new, 1, 1, day, cause)


@dataclass(frozen=True, slots=True)
class LegAdjustment:
    """An adjustment of the contract that one leg of a position holds."""

    position_id: str
    leg: int
    change: ContractAdjustment
