"""Prices at one time: the market's quote, and the mark at which positions are valued."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class QuoteSource(StrEnum):
    """Source of bid and ask. Synthetic spreads are always labelled."""

    QUOTED = "quoted"
    SYNTHETIC_SPREAD = "synthetic spread"


@dataclass(frozen=True, slots=True)
class Quote:
    """Best bid and ask of one contract. Absent sides are ``None``, never zero.

    Attributes
    ----------
    key : str
        Contract key.
    bid, ask, last : int or None
        Paise.
    bid_size, ask_size : int
        Units (not lots) visible at the best price.
    volume, open_interest : int
        Units.
    at : datetime.datetime
        Aware, Asia/Kolkata; time of the price, not of reading it.
    settlement : int or None
        Paise; the exchange's settlement price of the day, where its end-of-day file is the
        source and the session is over.
    """

    key: str
    bid: int | None
    ask: int | None
    last: int | None
    bid_size: int
    ask_size: int
    volume: int
    open_interest: int
    at: datetime
    source: QuoteSource = QuoteSource.QUOTED
    settlement: int | None = None

    @property
    def two_sided(self) -> bool:
        """Both sides present and not crossed."""
        return self.bid is not None and self.ask is not None and 0 < self.bid <= self.ask


class MarkHow(StrEnum):
    """Kind of price that a mark is."""

    MID = "mid"
    LAST = "last"
    SETTLEMENT = "settlement"


@dataclass(frozen=True, slots=True)
class Mark:
    """The price a position is valued at, how it was obtained and how old it is."""

    key: str
    price: int
    how: MarkHow
    at: datetime
    age_seconds: float
    source: QuoteSource
