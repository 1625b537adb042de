"""A view of an underlying, of its direction and of its volatility, always with its evidence."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cached_property
from statistics import fmean


class Outlook(StrEnum):
    """Expected direction of the underlying."""

    BULLISH = "bullish"
    NEUTRAL = "neutral"
    BEARISH = "bearish"


class VolatilityOutlook(StrEnum):
    """What options cost beside what the underlying is expected to move."""

    RICH = "rich"
    FAIR = "fair"
    CHEAP = "cheap"


class Topic(StrEnum):
    """What an observation is about; observations of one topic are much alike."""

    TREND = "trend"
    STRENGTH = "relative strength"
    OPTIONS = "options"
    VOLATILITY = "volatility"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One observation behind a view.

    Attributes
    ----------
    vote : float
        -1 to +1. Of direction: falls to rises. Of volatility: cheap to rich.
    """

    name: str
    value: float
    vote: float
    topic: Topic


def mean_vote(evidence: Iterable[Evidence]) -> float:
    """Mean over topics of their mean votes."""
    topics: dict[Topic, list[float]] = {}
    for item in evidence:
        topics.setdefault(item.topic, []).append(item.vote)
    return fmean(fmean(votes) for votes in topics.values())


@dataclass(frozen=True)
class MarketView:
    """View of one underlying on one day.

    Attributes
    ----------
    strength : float
        0 to 1; absolute value of the mean vote on direction, each topic counted once.
    evidence : tuple of Evidence
        Every observation that voted. A missing observation is absent, never a neutral vote.
    volatility : VolatilityOutlook or None
        ``None`` without a forecast to compare with.
    richness : float or None
        Mean vote on volatility, -1 (cheap) to +1 (rich); ``None`` with ``volatility``.
    profile : str
        How much it moves beside the day's others: calm, usual, lively or wild; empty if unknown.
    """

    symbol: str
    day: date
    outlook: Outlook
    strength: float
    evidence: tuple[Evidence, ...]
    volatility: VolatilityOutlook | None = None
    richness: float | None = None
    profile: str = ""

    @cached_property
    def mean_vote(self) -> float:
        """-1 (falls) to +1 (rises): the strength with its sign."""
        return mean_vote(self.on_direction) if self.on_direction else 0.0

    @cached_property
    def on_direction(self) -> tuple[Evidence, ...]:
        """Evidence that voted on direction."""
        return tuple(item for item in self.evidence if item.topic is not Topic.VOLATILITY)

    @property
    def on_volatility(self) -> tuple[Evidence, ...]:
        """Evidence that voted on volatility."""
        return tuple(item for item in self.evidence if item.topic is Topic.VOLATILITY)
