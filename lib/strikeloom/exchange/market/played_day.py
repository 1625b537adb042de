"""What views, candles and price bands read of the market day that is played."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Protocol

from strikeloom.domain.depth import Depth
from strikeloom.domain.instruments import Instrument
from strikeloom.domain.quotes import Quote
from strikeloom.exchange.market.columns import DayColumns, DayMoment
from strikeloom.exchange.market.day_facts import DayFacts
from strikeloom.exchange.market.securities import Listed, ListedUnderlying
from strikeloom.ports.clock import Clock


class PlayedDay(Protocol):
    """A market day: its columns, what is listed, and quotes as of its clock."""

    day: date
    listed: tuple[Listed, ...]
    underlyings: tuple[ListedUnderlying, ...]
    facts: DayFacts
    day_columns: DayColumns
    clock: Clock

    def by_key(self, key: str) -> Listed:
        """Option of a contract key; raises ``DataError`` when it is not listed."""
        ...

    def place(self, at: datetime | None = None) -> DayMoment | None:
        """Where a moment lies in the day; default: the clock's."""
        ...

    def quotes(self, contracts: Iterable[Instrument]) -> dict[str, Quote]:
        """Quotes by contract key."""
        ...

    def depths(self, contracts: Iterable[Instrument]) -> dict[str, Depth]:
        """Five levels a side by contract key."""
        ...

    def spot(self, symbol: str) -> tuple[int, datetime]:
        """Underlying's level in paise and its moment; raises ``NoQuote`` when unknown."""
        ...

    def band(self, instrument: Instrument) -> tuple[int, int] | None:
        """Lowest and highest price of the day in paise."""
        ...
