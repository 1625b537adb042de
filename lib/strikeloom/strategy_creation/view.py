"""A market view for each symbol: the mean vote of the evidence there is.

Each observation votes from -1 (falls) to +1 (rises). An observation that cannot be made is
absent; a symbol without any is refused, not neutral.
"""

from __future__ import annotations

import numpy as np

from strikeloom.domain.market import Evidence, MarketView, Outlook
from strikeloom.ports.desk import Desk
from strikeloom.ports.store import Rejection
from strikeloom.quant.splits import adjusted
from strikeloom.quant.technicals import momentum, rsi
from strikeloom.strategy_creation.load import ALL, Chain, Chains

_FEWEST_DAYS = 5


def form_views(
    desk: Desk, loaded: Chains, *, keep: bool = True
) -> tuple[dict[str, MarketView], list[Rejection]]:
    """Views by symbol, and the symbols without any evidence; stored when they are to be kept.

    Prices are the spots that stage 01 recorded, adjusted for splits.
    """
    settings = desk.settings.creation
    spots = dict(iter(loaded.history.groupby("symbol")["spot"]))
    views: dict[str, MarketView] = {}
    refused: list[Rejection] = []
    for symbol, chain in loaded.chains.items():
        closes = spots[symbol].dropna().to_numpy()[-settings.view_days - 1 :]
        evidence = _evidence(adjusted(closes), chain)
        if not evidence:
            refused.append(Rejection(symbol, ALL, "no evidence for a view: no price history"))
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


def _evidence(closes: np.ndarray, chain: Chain) -> tuple[Evidence, ...]:
    found: list[tuple[str, float, float]] = []
    if len(closes) >= _FEWEST_DAYS:
        trend = float(momentum(closes, len(closes) - 1)[-1])
        found.append((f"momentum over {len(closes) - 1} days", trend, trend / 2))
        strength = float(rsi(closes)[-1])
        found.append(("relative strength, 14 days", strength, (strength - 50) / 25))
    if chain.put_call > 0:
        # heavy open puts are mostly written by those who expect support (NSE practice)
        vote = np.log(chain.put_call) / np.log(2)
        found.append(("put-call ratio of open interest", chain.put_call, vote))
    return tuple(
        Evidence(name, value, float(np.clip(vote, -1, 1)))
        for name, value, vote in found
        if np.isfinite(value) and np.isfinite(vote)
    )
