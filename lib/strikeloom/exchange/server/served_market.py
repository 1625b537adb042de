"""What the server needs of a market: quotes, what is listed, views and columns."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Protocol

from strikeloom.exchange.market.candles import Candles
from strikeloom.exchange.market.columns import Ints, QuoteColumns
from strikeloom.exchange.market.securities import Listed, ListedUnderlying
from strikeloom.exchange.market.views import SpotView, View
from strikeloom.ports.feed import DepthFeed


class ServedMarket(DepthFeed, Protocol):
    """A market that can be matched against, looked up and streamed."""

    @property
    def listed(self) -> tuple[Listed, ...]:
        """Shares, futures and options of the day, by row."""
        ...

    @property
    def underlyings(self) -> tuple[ListedUnderlying, ...]:
        """Indices and stocks."""
        ...

    def by_key(self, key: str) -> Listed:
        """Instrument by key; ``DataError`` when it is not listed."""
        ...

    def expiries(self, symbol: str) -> list[date]:
        """Expiries listed on an underlying, ascending."""
        ...

    def views(self, keys: Iterable[str]) -> dict[str, View]:
        """Current views of instruments by key; those without any price are left out."""
        ...

    def spot_view(self, symbol: str) -> SpotView:
        """Level of an underlying; ``NoQuote`` when none is known."""
        ...

    def columns(self, rows: Ints) -> QuoteColumns | None:
        """Quotes of many rows at once; ``None`` before the first."""
        ...

    def bars(self, key_or_symbol: str, minutes: int) -> Candles:
        """Candles of the day up to now."""
        ...
