"""Prices enter through this port."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Protocol, runtime_checkable

from strikeloom.domain.depth import Depth
from strikeloom.domain.instruments import FutureContract, Instrument
from strikeloom.domain.quotes import Quote


class MarketFeed(Protocol):
    """Last known quotes as of the desk's clock, never later ones."""

    def quotes(self, contracts: Iterable[Instrument]) -> dict[str, Quote]:
        """Quotes by contract key; a contract without any quote is absent from the answer."""
        ...

    def spot(self, symbol: str) -> tuple[int, datetime]:
        """Underlying's level in paise and its time.

        Raises
        ------
        NoQuote
            When no level is known.
        """
        ...

    def last_day(self, symbol: str, expiry: date, since: date) -> date:
        """Last day of a series that is held since a given day, as known at present.

        The expiry, or an earlier day when the exchange ends the series for a corporate action.
        ``since`` distinguishes it from a series listed later under the same name.
        """
        ...

    def settlement(self, symbol: str, day: date) -> int | None:
        """Value of the underlying in paise at which series that end on a day settle.

        ``None`` until it is known.
        """
        ...

    def daily_settlement(self, future: FutureContract, day: date) -> int | None:
        """Price in paise at which a future is settled in cash after a day's session.

        ``None`` until it is known. On its last day a future ends at ``settlement`` instead.
        """
        ...


@runtime_checkable
class RecordedFeed(MarketFeed, Protocol):
    """A feed of recorded days: it also has the quotes of earlier moments."""

    def moments(self, after: datetime, until: datetime) -> list[datetime]:
        """Snapshots later than ``after``, up to ``until`` inclusive, ascending."""
        ...

    def quotes_at(self, at: datetime, contracts: Iterable[Instrument]) -> dict[str, Quote]:
        """Quotes of the snapshot taken at exactly that moment, by contract key."""
        ...


@runtime_checkable
class DepthFeed(RecordedFeed, Protocol):
    """A recorded feed that also has the depth of the order book."""

    def depths(self, contracts: Iterable[Instrument]) -> dict[str, Depth]:
        """Depth by contract key as of the clock."""
        ...

    def depths_at(self, at: datetime, contracts: Iterable[Instrument]) -> dict[str, Depth]:
        """Depth of the snapshot taken at exactly that moment, by contract key."""
        ...

    def band(self, instrument: Instrument) -> tuple[int, int] | None:
        """Price band of the day in paise, lowest and highest; ``None`` when not recorded."""
        ...
