"""A view of the direction of an underlying, always with its evidence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Outlook(StrEnum):
    """Expected direction of the underlying."""

    BULLISH = "bullish"
    NEUTRAL = "neutral"
    BEARISH = "bearish"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One observation behind a view: name, observed value, and vote from -1 to +1."""

    name: str
    value: float
    vote: float


@dataclass(frozen=True, slots=True)
class MarketView:
    """Outlook of one underlying on one day.

    Attributes
    ----------
    strength : float
        0 to 1; absolute value of the mean vote.
    evidence : tuple of Evidence
        Every observation that voted. A missing observation is absent, never a neutral vote.
    """

    symbol: str
    day: date
    outlook: Outlook
    strength: float
    evidence: tuple[Evidence, ...]
