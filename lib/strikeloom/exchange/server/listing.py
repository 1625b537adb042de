"""What the server needs of a market. ``exchange.market.Tape`` is one; tests bring smaller ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Protocol

from strikeloom.domain.instruments import OptionContract
from strikeloom.exchange.market.shown import (
    Bars,
    Columns,
    Listed,
    ListedUnderlying,
    SpotView,
    View,
)
from strikeloom.ports.feed import MarketFeed


class Market(MarketFeed, Protocol):
    """A market that can be matched against, looked up and streamed."""

    @property
    def listed(self) -> tuple[Listed, ...]:
        """Options of the day, by row."""
        ...

    @property
    def underlyings(self) -> tuple[ListedUnderlying, ...]:
        """Indices and stocks."""
        ...

    def by_id(self, security_id: int) -> Listed:
        """Option by number; ``DataError`` when there is none."""
        ...

    def by_key(self, key: str) -> Listed:
        """Option by contract key; ``DataError`` when it is not listed."""
        ...

    def expiries(self, symbol: str) -> list[date]:
        """Expiries listed on an underlying, ascending."""
        ...

    def views(self, keys: Iterable[str]) -> dict[str, View]:
        """What is shown of options now, by contract key."""
        ...

    def spot_view(self, symbol: str) -> SpotView:
        """Level of an underlying; ``NoQuote`` when none is known."""
        ...

    def columns(self, rows: Sequence[int]) -> Columns:
        """Quotes of many options at once, to see which have changed."""
        ...

    def bars(self, key_or_symbol: str, minutes: int) -> Bars:
        """Candles of the day up to now."""
        ...

    def band(self, contract: OptionContract) -> tuple[int, int] | None:
        """Lowest and highest price of the day; ``None`` when not on record."""
        ...
