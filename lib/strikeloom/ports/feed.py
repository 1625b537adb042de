"""Prices come in through this port."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Protocol, runtime_checkable

from strikeloom.domain.depth import Depth
from strikeloom.domain.instruments import OptionContract
from strikeloom.domain.quotes import Quote


class MarketFeed(Protocol):
    """Last known quotes as of the desk's clock. Never later than it."""

    def quotes(self, contracts: Iterable[OptionContract]) -> dict[str, Quote]:
        """Quotes by contract key; a contract without any quote is absent from the answer."""
        ...

    def spot(self, symbol: str) -> tuple[int, datetime]:
        """Underlying's level in paise and the moment it was true.

        Raises
        ------
        NoQuote
            When no level is known.
        """
        ...

    def last_day(self, symbol: str, expiry: date, since: date) -> date:
        """Day on which a series held since a day ends, as far as the source knows by now.

        The expiry, or an earlier day when the exchange ends the series for a corporate action.
        ``since`` tells it from a series listed anew under the same name.
        """
        ...

    def settlement(self, symbol: str, day: date) -> int | None:
        """Value of the underlying in paise at which series that end on a day settle.

        ``None`` until it is known.
        """
        ...


@runtime_checkable
class RecordedFeed(MarketFeed, Protocol):
    """A feed of recorded days: it can also say what it showed at an earlier moment."""

    def moments(self, after: datetime, until: datetime) -> list[datetime]:
        """Snapshots later than ``after``, up to ``until`` inclusive, ascending."""
        ...

    def quotes_at(self, at: datetime, contracts: Iterable[OptionContract]) -> dict[str, Quote]:
        """Quotes of the snapshot taken at exactly that moment, by contract key."""
        ...


@runtime_checkable
class DepthFeed(RecordedFeed, Protocol):
    """A recorded feed that also shows what waits behind the best prices."""

    def depths(self, contracts: Iterable[OptionContract]) -> dict[str, Depth]:
        """Depth by contract key as of the clock."""
        ...

    def depths_at(self, at: datetime, contracts: Iterable[OptionContract]) -> dict[str, Depth]:
        """Depth of the snapshot taken at exactly that moment, by contract key."""
        ...

    def band(self, contract: OptionContract) -> tuple[int, int] | None:
        """Lowest and highest price of the day in paise; ``None`` when not on record."""
        ...
