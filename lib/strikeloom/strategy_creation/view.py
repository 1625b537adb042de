"""A market view of each symbol: the mean vote of its evidence.

Each observation votes from -1 (falls) to +1 (rises). A missing observation is absent; a
symbol without any is refused, not neutral.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from strikeloom.domain.market import Evidence, MarketView, Outlook
from strikeloom.ports.desk import Desk
from strikeloom.ports.store import Rejection
from strikeloom.quant.technicals import directional, momentum, rsi
from strikeloom.strategy_creation.bars import DailyBars
from strikeloom.strategy_creation.chain import Chain
from strikeloom.strategy_creation.load import ALL, LoadedChains


def form_views(
    desk: Desk, loaded: LoadedChains, *, keep: bool = True
) -> tuple[dict[str, MarketView], list[Rejection]]:
    """Views by symbol, and the symbols without any evidence; stored with ``keep``.

    Prices are those known on the day, adjusted for earlier splits.
    """
    settings = desk.settings.creation
    indicators = _indicators(loaded.bars, settings.view_days)
    views: dict[str, MarketView] = {}
    refused: list[Rejection] = []
    for symbol, chain in loaded.chains.items():
        found = [*_trend(indicators[symbol], settings.view_days), *_flow(chain)]
        evidence = tuple(
            Evidence(name, value, float(np.clip(vote, -1, 1)))
            for name, value, vote in found
            if np.isfinite(value) and np.isfinite(vote)
        )
        if not evidence:
            reason = "no evidence for a view: neither prices nor open interest"
            refused.append(Rejection(symbol, ALL, reason))
            continue
        mean = float(np.mean([item.vote for item in evidence]))
        views[symbol] = MarketView(
            symbol, chain.day, _outlook(mean, settings.view_threshold), abs(mean), evidence
        )
    if keep:
        desk.store.save_views(views.values())
    return views, refused


def _outlook(mean: float, threshold: float) -> Outlook:
    if mean > threshold:
        return Outlook.BULLISH
    return Outlook.BEARISH if mean < -threshold else Outlook.NEUTRAL


def _indicators(bars: DailyBars, days: int) -> dict[str, dict[str, float]]:
    """Latest value of each indicator, all symbols at once; NaN where the history is too short."""
    trend = directional(bars.high, bars.low, bars.close)
    latest = {
        "momentum": momentum(bars.close, days)[:, -1],
        "rsi": rsi(bars.close)[:, -1],
        "adx": trend.adx[:, -1],
        "up": trend.up[:, -1],
        "down": trend.down[:, -1],
    }
    return {
        symbol: {name: float(values[number]) for name, values in latest.items()}
        for symbol, number in bars.place.items()
    }


def _trend(indicators: dict[str, float], days: int) -> Iterator[tuple[str, float, float]]:
    """Name, value and vote of each price indicator."""
    yield f"momentum over {days} days", indicators["momentum"], indicators["momentum"] / 2
    yield "relative strength, 14 days", indicators["rsi"], (indicators["rsi"] - 50) / 25
    both = indicators["up"] + indicators["down"]
    # above 25 a trend counts as one (Wilder 1978)
    if both > 0:
        side = (indicators["up"] - indicators["down"]) / both
        yield (
            "trend strength (ADX), 14 days",
            indicators["adx"],
            side * min(indicators["adx"] / 25, 1),
        )


def _flow(chain: Chain) -> Iterator[tuple[str, float, float]]:
    """Name, value and vote of open interest and volume in the chain."""
    flow, spot = chain.flow, chain.spot
    if flow.put_call_interest > 0 and flow.usual_interest > 0:
        # puts with large open interest are mostly sold, in the hope of support (NSE practice)
        ratio = flow.put_call_interest / flow.usual_interest
        yield "put-call ratio of open interest, to the day's median", ratio, float(np.log2(ratio))
    if flow.put_call_volume > 0 and flow.usual_volume > 0:
        # puts bought today predict a fall (J. Pan and A. Poteshman, "The information in
        # option volume for future stock prices", 2006)
        ratio = flow.put_call_volume / flow.usual_volume
        yield "put-call ratio of the day's volume, to its median", ratio, -float(np.log2(ratio))
    if flow.put_wall < flow.call_wall:
        share = (spot - flow.put_wall) / (flow.call_wall - flow.put_wall)
        yield "place between put wall and call wall", share, 1 - 2 * share
    deviation = chain.front.deviation
    if flow.max_pain > 0 and deviation > 0:
        # prices are attracted to strikes with large open interest (Ni, Pearson and Poteshman,
        # "Stock price clustering on option expiration dates", 2005)
        yield "max pain", flow.max_pain, float(np.log(flow.max_pain / spot) / deviation)
