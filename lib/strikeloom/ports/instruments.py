"""Listed contracts, each with its own lot size and tick."""

from __future__ import annotations

from datetime import date
from typing import Protocol

from strikeloom.domain.adjustments import ContractAdjustment
from strikeloom.domain.instruments import Instrument, InstrumentKind, Underlying


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

    def instrument(self, key: str, day: date) -> Instrument:
        """Contract by key.

        Raises
        ------
        DataError
            When it is not listed that day.
        """
        ...

    def adjustments(
        self, instrument: Instrument, held_since: date, until: date
    ) -> list[ContractAdjustment]:
        """What the exchange made of a contract while it was held, oldest first.

        Parameters
        ----------
        held_since : datetime.date
            Day on whose list the contract is named as given; later days are searched.
        until : datetime.date
            Last day to search, as far as its list is known.

        Raises
        ------
        DataError
            When what it became is not known.
        """
        ...

    def order_limit(self, instrument: Instrument, day: date) -> int | None:
        """Largest order in units that the exchange takes; ``None`` where none is on record."""
        ...

    def tick(self, symbol: str, kind: InstrumentKind, day: date, right: str = "") -> int:
        """Price step in paise of every option on an underlying, as of a day.

        Parameters
        ----------
        right : str, optional
            ``XX``: of its futures, ``EQ``: of its share; default: of its options.
        """
        ...
