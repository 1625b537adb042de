"""Legs: one row per leg, never a column per leg. The sign convention is defined here.

A side is +1 for bought and -1 for sold. Signed units = side x lots x lot size. A premium
received is positive cash, a premium paid negative.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from strikeloom.domain.instruments import Instrument


class Side(IntEnum):
    """+1 bought, -1 sold."""

    BUY = 1
    SELL = -1

    @property
    def opposite(self) -> Side:
        """The side that closes this one."""
        return Side(-self.value)

    @property
    def word(self) -> str:
        """``BUY`` or ``SELL``, as brokers write it."""
        return self.name


@dataclass(frozen=True, slots=True)
class Leg:
    """One leg of a strategy.

    Attributes
    ----------
    instrument : Instrument
        What is traded.
    side : Side
        Bought or sold.
    lots : int
        Lots of this leg for one unit of the strategy (the leg's ratio); positive.
    price : int
        Paise a unit at which the strategy was priced.
    """

    instrument: Instrument
    side: Side
    lots: int
    price: int

    @property
    def signed_units(self) -> int:
        """Units, positive when bought."""
        return int(self.side) * self.lots * self.instrument.lot_size

    @property
    def label(self) -> str:
        """For display, with lots above one, and shares: ``sell 2 NIFTY 17 Feb 25750 PE``."""
        count = f" {self.lots}" if self.lots > 1 else ""
        return f"{self.side.word.lower()}{count} {self.instrument.label}"

    @property
    def cash(self) -> int:
        """Paise received (+) or paid (-) when the leg is opened at ``price``."""
        return -self.signed_units * self.price
