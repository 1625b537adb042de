"""What the ids of the feed's packets mean: instruments and underlyings by segment and id."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from strikeloom.adapters.dhan.day_list import SecurityId
from strikeloom.adapters.dhan.instruments import DhanInstruments
from strikeloom.adapters.dhan.packets import SEGMENT_NUMBERS, Packet
from strikeloom.domain.instruments import Instrument
from strikeloom.errors import DataError


class WireNames:
    """Subscribed instruments by the numbers in the packets of one day."""

    def __init__(self, instruments: DhanInstruments) -> None:
        self._instruments = instruments
        self._contracts: dict[tuple[int, int], Instrument] = {}
        self._symbols: dict[tuple[int, int], str] = {}

    def add_contracts(
        self, contracts: Iterable[Instrument], day: date
    ) -> dict[SecurityId, Instrument]:
        """Add contracts, and return those that are listed by their id."""
        listed: dict[SecurityId, Instrument] = {}
        for instrument in contracts:
            try:
                security = self._instruments.security_of(instrument.key, day)
            except DataError:
                continue  # not listed: it has no quote, and the guard for listing reports it
            listed[security] = instrument
            self._contracts[SEGMENT_NUMBERS[security.segment], security.number] = instrument
        return listed

    def add_symbol(self, symbol: str, day: date) -> SecurityId:
        """Add an underlying, and return its id.

        Raises
        ------
        DataError
            When the list has none.
        """
        security = self._instruments.spot_of(symbol, day)
        self._symbols[SEGMENT_NUMBERS[security.segment], security.number] = symbol
        return security

    def contracts(self) -> list[Instrument]:
        """All contracts that were added."""
        return list(self._contracts.values())

    def instrument(self, packet: Packet) -> Instrument | None:
        """Contract that a packet is about."""
        return self._contracts.get((packet.segment, packet.security_id))

    def symbol(self, packet: Packet) -> str | None:
        """Underlying whose own price a packet holds."""
        return self._symbols.get((packet.segment, packet.security_id))

    def clear(self) -> None:
        """Forget all: the ids are another day's."""
        self._contracts, self._symbols = {}, {}
