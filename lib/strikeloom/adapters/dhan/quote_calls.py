"""Quotes and levels requested by REST."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from strikeloom.adapters.dhan.client import DhanClient
from strikeloom.adapters.dhan.day_list import SecurityId
from strikeloom.adapters.dhan.errors import call_checked
from strikeloom.adapters.dhan.instruments import DhanInstruments
from strikeloom.adapters.dhan.mapping import quote_of
from strikeloom.adapters.dhan.rate_limiter import CallClass
from strikeloom.domain.instruments import Instrument
from strikeloom.domain.money import paise
from strikeloom.domain.quotes import Quote
from strikeloom.errors import BrokerError
from strikeloom.ports.clock import Clock

#: Instruments in one call, at most.
MOST_IN_A_CALL = 1000


class QuoteCalls:
    """Dhan's market-quote call. A quote's time is when its response was received."""

    def __init__(self, client: DhanClient, instruments: DhanInstruments, clock: Clock) -> None:
        self._client = client
        self._instruments = instruments
        self._clock = clock

    def quotes(self, contracts: Iterable[Instrument]) -> list[Quote]:
        """Quotes of up to ``MOST_IN_A_CALL`` contracts; those without a row are absent.

        Raises
        ------
        BrokerError
            When Dhan could not be reached, or its response cannot be read.
        DataError
            When a contract is not in the instrument list in force.
        """
        day = self._instruments.in_force()
        ids: dict[str, dict[int, Instrument]] = {}
        for it in contracts:
            segment, number = self._instruments.security_of(it.key, day)
            ids.setdefault(segment, {})[number] = it
        found = self._rows({segment: list(numbers) for segment, numbers in ids.items()})
        at = self._clock.now()
        return [
            quote_of(row, numbers[int(n)], at)
            for segment, numbers in ids.items()
            for n, row in (found.get(segment) or {}).items()
            if int(n) in numbers
        ]

    def level(self, security: SecurityId) -> int | None:
        """Level of an underlying in paise; ``None`` when Dhan shows none.

        Raises
        ------
        BrokerError
            When Dhan could not be reached, or its response cannot be read.
        """
        rows = self._rows({security.segment: [security.number]})
        row = rows.get(security.segment, {}).get(str(security.number)) or {}
        last = float(row.get("last_price") or 0.0)
        return paise(round(last, 2), what="level") if last > 0 else None

    def _rows(self, ids: dict[str, list[int]]) -> dict[str, Any]:
        body = call_checked(self._client, CallClass.QUOTE, "quote_data", ids, what="quotes")
        data = body.get("data") if isinstance(body, dict) else None
        if not isinstance(data, dict):
            raise BrokerError("Dhan's response for quotes has no data")
        return data
