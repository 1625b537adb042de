"""Base of markets that wrap another one and change some of its answers."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from strikeloom.domain.depth import Depth
from strikeloom.domain.instruments import FutureContract, Instrument
from strikeloom.domain.quotes import Quote
from strikeloom.exchange.market.candles import Candles
from strikeloom.exchange.market.columns import Ints, QuoteColumns
from strikeloom.exchange.market.securities import Listed, ListedUnderlying
from strikeloom.exchange.market.views import SpotView, View
from strikeloom.exchange.server.served_market import ServedMarket


class MarketWrapper:
    """``ServedMarket`` that passes every call on to the wrapped market."""

    def __init__(self, market: ServedMarket) -> None:
        self._market = market

    @property
    def listed(self) -> tuple[Listed, ...]:
        """What the wrapped market lists."""
        return self._market.listed

    @property
    def underlyings(self) -> tuple[ListedUnderlying, ...]:
        """Underlyings of the wrapped market."""
        return self._market.underlyings

    def by_key(self, key: str) -> Listed:
        """Instrument of the wrapped market."""
        return self._market.by_key(key)

    def expiries(self, symbol: str) -> list[date]:
        """Expiries of the wrapped market."""
        return self._market.expiries(symbol)

    def spot(self, symbol: str) -> tuple[int, datetime]:
        """Level of the wrapped market."""
        return self._market.spot(symbol)

    def spot_view(self, symbol: str) -> SpotView:
        """Level of the wrapped market."""
        return self._market.spot_view(symbol)

    def last_day(self, symbol: str, expiry: date, since: date) -> date:
        """Last day of the wrapped market."""
        return self._market.last_day(symbol, expiry, since)

    def settlement(self, symbol: str, day: date) -> int | None:
        """Settlement of the wrapped market."""
        return self._market.settlement(symbol, day)

    def daily_settlement(self, future: FutureContract, day: date) -> int | None:
        """Settlement price of the wrapped market."""
        return self._market.daily_settlement(future, day)

    def band(self, instrument: Instrument) -> tuple[int, int] | None:
        """Band of the wrapped market."""
        return self._market.band(instrument)

    def bars(self, key_or_symbol: str, minutes: int) -> Candles:
        """Candles of the wrapped market."""
        return self._market.bars(key_or_symbol, minutes)

    def moments(self, after: datetime, until: datetime) -> list[datetime]:
        """Moments of the wrapped market."""
        return self._market.moments(after, until)

    def quotes(self, contracts: Iterable[Instrument]) -> dict[str, Quote]:
        """Quotes of the wrapped market."""
        return self._market.quotes(contracts)

    def quotes_at(self, at: datetime, contracts: Iterable[Instrument]) -> dict[str, Quote]:
        """Quotes of the wrapped market."""
        return self._market.quotes_at(at, contracts)

    def depths(self, contracts: Iterable[Instrument]) -> dict[str, Depth]:
        """Depth of the wrapped market."""
        return self._market.depths(contracts)

    def depths_at(self, at: datetime, contracts: Iterable[Instrument]) -> dict[str, Depth]:
        """Depth of the wrapped market."""
        return self._market.depths_at(at, contracts)

    def views(self, keys: Iterable[str]) -> dict[str, View]:
        """Views of the wrapped market."""
        return self._market.views(keys)

    def columns(self, rows: Ints) -> QuoteColumns | None:
        """Columns of the wrapped market."""
        return self._market.columns(rows)
