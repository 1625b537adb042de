"""The next transition of an alert, from the figures that its condition compares."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from strikeloom.errors import DataError, NoQuote
from strikeloom.exchange.conditional.condition import Condition, holds, sign
from strikeloom.exchange.conditional.daily_candles import DailyCandles
from strikeloom.exchange.conditional.indicators import figures
from strikeloom.exchange.conditional.records import ConditionalOrder, ConditionalState
from strikeloom.exchange.conditional.transitions import OrderToSend, Transition
from strikeloom.ports.feed import MarketFeed


def alert_step(
    item: ConditionalOrder,
    watch: Condition,
    feed: MarketFeed,
    candles: DailyCandles | None,
    at: datetime,
) -> Transition | None:
    """Transition of an alert; ``None`` while its figures are not known."""
    try:
        left, right, last = figures(feed, watch, candles, at.date())
    except (NoQuote, DataError):
        return None
    now = sign(left, right)
    met = holds(watch.operator, watch.side, now)
    fires = met and not watch.met
    after = replace(item, watch=replace(watch, side=now, met=met), last=last)
    if not fires:
        return Transition(after)
    if watch.once:
        after = replace(after, state=ConditionalState.TRIGGERED)
    after = replace(after, triggered_at=at, updated_at=at)
    return Transition(after, send=tuple(OrderToSend(leg.name, leg.placement) for leg in item.legs))
