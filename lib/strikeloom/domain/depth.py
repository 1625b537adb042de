"""Depth of a contract: the prices at which others wait, best first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from strikeloom.domain.quotes import Quote, QuoteSource


@dataclass(frozen=True, slots=True)
class Level:
    """One price of one side: paise, units waiting there, and in how many orders."""

    price: int
    units: int
    orders: int = 1


@dataclass(frozen=True, slots=True)
class Depth:
    """Both sides of one contract's book at a moment, best price first.

    Attributes
    ----------
    bids, asks : tuple of Level
        Five levels at most; empty where nobody waits.
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
        """Best bid above best ask: no market."""
        return bool(self.bids and self.asks and self.bids[0].price > self.asks[0].price)

    @classmethod
    def of_quote(cls, quote: Quote) -> Depth:
        """The one level a side that a quote shows."""
        bids = () if quote.bid is None else (Level(quote.bid, quote.bid_size),)
        asks = () if quote.ask is None else (Level(quote.ask, quote.ask_size),)
        return cls(quote.key, bids, asks, quote.at, quote.source)
