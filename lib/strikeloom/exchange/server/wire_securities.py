"""The numbers under which the wire knows what is traded, and the levels of underlyings.

A number is unique only within its segment. A share and the level of its stock are one security.
"""

from __future__ import annotations

from strikeloom.domain.instruments import Instrument, InstrumentKind, Share
from strikeloom.exchange.market.securities import Listed, made_ids
from strikeloom.exchange.server.served_market import ServedMarket
from strikeloom.exchange.server.wire_codes import WireSecurity, segment_of


class WireSecurities:
    """Securities of a market's day by segment and number, and back."""

    def __init__(self, market: ServedMarket) -> None:
        self._symbols = {(row.segment, row.security_id): row.symbol for row in market.underlyings}
        self._stocks = {
            row.symbol: row.security_id
            for row in market.underlyings
            if row.kind is InstrumentKind.STOCK
        }
        self._places = {row.instrument.key: self._place(row) for row in market.listed}
        self._listed = {self._places[row.instrument.key]: row for row in market.listed}

    def _place(self, row: Listed) -> WireSecurity:
        of, number = row.instrument, row.security_id
        if isinstance(of, Share):
            number = self._stocks.get(of.symbol, number)
        return segment_of(of), number

    def listed(self, segment: str, number: int) -> Listed | None:
        """What is traded under a number; ``None`` when nothing is."""
        return self._listed.get((segment, number))

    def symbol(self, segment: str, number: int) -> str | None:
        """Symbol of the underlying whose level has a number; ``None`` when none has it."""
        return self._symbols.get((segment, number))

    def number(self, instrument: Instrument) -> int:
        """Number of an instrument within its segment; ``KeyError`` when it is not listed."""
        return self._places[instrument.key][1]

    def lists(self, key: str) -> bool:
        """Whether an instrument is listed today."""
        return key in self._places

    def named(self, instrument: Instrument) -> tuple[Listed, int]:
        """Listing of an instrument and its number within its segment.

        One that is listed no more, as an expired contract in a statement, has a made number.
        """
        place = self._places.get(instrument.key)
        if place is not None:
            return self._listed[place], place[1]
        (made,) = made_ids([instrument.key], {}).values()
        number = (
            self._stocks.get(instrument.symbol, made) if isinstance(instrument, Share) else made
        )
        return Listed(-1, instrument, number), number
