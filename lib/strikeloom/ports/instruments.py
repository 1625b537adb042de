"""Listed contracts, each with its own lot size and tick."""

from __future__ import annotations

from datetime import date
from typing import Protocol

from strikeloom.domain.instruments import InstrumentKind, OptionContract, Underlying


class Instruments(Protocol):
    """Listed contracts as of a day."""

    def underlying(self, symbol: str) -> Underlying:
        """Kind and sector of a symbol.

        Raises
        ------
        DataError
            When the symbol is unknown; names the nearest.
        """
        ...

    def contract(self, key: str, day: date) -> OptionContract:
        """Contract by key.

        Raises
        ------
        DataError
            When it is not listed that day.
        """
        ...

    def order_limit(self, contract: OptionContract, day: date) -> int | None:
        """Largest order in units that the exchange takes; ``None`` where none is on record."""
        ...

    def tick(self, symbol: str, kind: InstrumentKind, day: date) -> int:
        """Price step in paise of every option on an underlying, as of a day."""
        ...
