"""Observations behind a view of volatility: rich, fair or cheap beside what is expected.

Each votes from -1 (cheap: buy) to +1 (rich: sell). What cannot be measured is not in the list.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from strikeloom.domain.market import Evidence, Topic, VolatilityOutlook
from strikeloom.strategy_creation.chain import Chain
from strikeloom.strategy_creation.evidence import finite

#: Name of the comparison without which there is no outlook.
AGAINST_FORECAST = "volatility over its forecast"
#: Log ratio of implied to forecast volatility that is a full vote.
_FULL_RATIO = 0.4
_FULL_SLOPE = 0.15  # of the volatility itself


class MarketVolatility(NamedTuple):
    """The market's volatility index on the day; NaN where it is not stored.

    ``percentile`` is the share of its last year's levels below the day's, in percent; ``change``
    the log change over five sessions.
    """

    level: float
    percentile: float
    change: float


class OwnVolatility(NamedTuple):
    """What stage 01 knows of a symbol, a year as fractions; NaN where missing.

    ``slope`` is the volatility 60 days ahead less that of 30; ``recent`` and ``usual`` are
    realised over 10 and over 60 sessions; ``calmer`` the share of the day's symbols whose
    realised volatility of 20 sessions is below its own.
    """

    month: float
    slope: float
    recent: float
    usual: float
    calmer: float


def on_volatility(chain: Chain, own: OwnVolatility, market: MarketVolatility) -> list[Evidence]:
    """Evidence on one symbol's volatility."""
    found = (*_own(chain, own), *_market(market))
    return finite((Topic.VOLATILITY, *item) for item in found)


def outlook(
    evidence: list[Evidence], threshold: float
) -> tuple[VolatilityOutlook | None, float | None]:
    """Outlook and mean vote; both ``None`` without a forecast to compare with."""
    if all(item.name != AGAINST_FORECAST for item in evidence):
        return None, None
    mean = float(np.mean([item.vote for item in evidence]))
    if mean > threshold:
        return VolatilityOutlook.RICH, mean
    return (VolatilityOutlook.CHEAP if mean < -threshold else VolatilityOutlook.FAIR), mean


def profile(own: OwnVolatility) -> str:
    """How lively a symbol is among the day's: calm, usual, lively or wild; empty if unknown."""
    if np.isnan(own.calmer):
        return ""
    names = ("calm", "usual", "lively", "wild")
    return names[int(np.searchsorted((0.25, 0.75, 0.95), own.calmer, side="right"))]


def _own(chain: Chain, own: OwnVolatility) -> Iterator[tuple[str, float, float]]:
    front = chain.front
    if front.forecast is not None and front.forecast > 0:
        ratio = front.deviation / np.sqrt(front.forecast)
        yield AGAINST_FORECAST, ratio, float(np.log(ratio)) / _FULL_RATIO
    percentile = chain.rank.percentile
    if percentile is not None:
        yield f"percentile of volatility ({chain.rank.regime})", percentile, percentile / 50 - 1
    if own.month > 0:
        # a volatility above its own months ahead is expected to fall
        share = own.slope / own.month
        yield "term structure, 60 less 30 days", own.slope, -share / _FULL_SLOPE
    if own.recent > 0 and own.usual > 0:
        ratio = own.recent / own.usual
        yield "realised volatility, 10 over 60 days", ratio, -float(np.log(ratio)) / _FULL_RATIO


def _market(market: MarketVolatility) -> Iterator[tuple[str, float, float]]:
    yield "market's volatility index, percentile", market.percentile, market.percentile / 50 - 1
    # a rise is followed by moves as large as it expects (GARCH): cheap rather than rich
    yield "market's volatility index, change of 5 days", market.change, -market.change / _FULL_RATIO
