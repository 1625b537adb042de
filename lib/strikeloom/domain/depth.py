"""Market depth of a contract: prices of waiting orders, best first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from strikeloom.domain.quotes import Quote, QuoteSource


@dataclass(frozen=True, slots=True)
class Level:
    """One price level of one side: paise, units waiting, number of orders."""

    price: int
    units: int
    orders: int = 1


@dataclass(frozen=True, slots=True)
class Depth:
    """Both sides of one contract's order book at one time, best price first.

    Attributes
    ----------
    bids, asks : tuple of Level
        Five levels at most; empty without waiting orders.
    source : QuoteSource
        ``QUOTED`` when every level was recorded, else labelled synthetic.
    """

    key: str
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    at: datetime
    source: QuoteSource = QuoteSource.QUOTED

    @property
    def crossed(self) -> bool:
        """Best bid above best ask: not a usable market."""
        return bool(self.bids and self.asks and self.bids[0].price > self.asks[0].price)

    @classmethod
    def of_quote(cls, quote: Quote) -> Depth:
        """Depth of one level a side, from a quote."""
        bids = () if quote.bid is None else (Level(quote.bid, quote.bid_size),)
        asks = () if quote.ask is None else (Level(quote.ask, quote.ask_size),)
        return cls(quote.key, bids, asks, quote.at, quote.source)
