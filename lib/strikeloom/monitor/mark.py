"""Value positions at fresh quotes. A missing price is named, never read as zero."""

from __future__ import annotations

from datetime import datetime

from strikeloom.domain.orders import Purpose
from strikeloom.domain.positions import MarkedPosition, Position
from strikeloom.domain.quotes import Mark, MarkHow, Quote
from strikeloom.errors import StoreError
from strikeloom.ports.desk import Desk


def mark_quote(quote: Quote | None, now: datetime, stale_after: float) -> Mark | None:
    """Mid of a fresh two-sided quote, else its last price; ``None`` when neither is usable."""
    if quote is None:
        return None
    age = (now - quote.at).total_seconds()
    if age > stale_after:
        return None
    if quote.two_sided and quote.bid is not None and quote.ask is not None:
        mid = (quote.bid + quote.ask) // 2
        return Mark(quote.key, mid, MarkHow.MID, quote.at, age, quote.source)
    if quote.last is not None:
        return Mark(quote.key, quote.last, MarkHow.LAST, quote.at, age, quote.source)
    return None


def mark_position(
    desk: Desk, position: Position, quotes: dict[str, Quote], peak: int | None
) -> MarkedPosition:
    """Position with its marks, P&L after charges, and the limits its rules are measured by."""
    now = desk.clock.now()
    stale = desk.settings.desk.replay.stale_after_seconds
    marks: dict[str, Mark] = {}
    missing: list[str] = []
    value = 0
    for leg in position.legs:
        if not leg.net_units:
            continue
        mark = mark_quote(quotes.get(leg.contract.key), now, stale)
        if mark is None:
            missing.append(leg.contract.label)
            continue
        marks[leg.contract.key] = mark
        value += leg.net_units * mark.price - leg.open_value
    settled = sum(leg.realised - leg.charges for leg in position.legs)
    pnl = None if missing else settled + value
    premium = _entry_premium(desk, position)
    profit, loss = _extremes(desk, position, premium)
    return MarkedPosition(
        position=position,
        marks=marks,
        missing=tuple(missing),
        pnl=pnl,
        entry_premium=premium,
        max_profit=profit,
        max_loss=loss,
        at=now,
        peak_pnl=peak,
    )


def _entry_premium(desk: Desk, position: Position) -> int:
    """Premium received (+) or paid (-) on entry, from its fills."""
    entries = {
        intent.correlation_id
        for intent in desk.store.intents(position_id=position.position_id)
        if intent.purpose is Purpose.ENTRY
    }
    return sum(
        -int(fill.side) * fill.units * fill.price
        for fill in desk.store.fills(position_id=position.position_id)
        if fill.correlation_id in entries
    )


def _extremes(desk: Desk, position: Position, premium: int) -> tuple[int | None, int | None]:
    """Most it can earn and lose, from the proposal moved by the premium really traded."""
    try:
        proposal = desk.store.proposal(position.position_id)
    except StoreError:
        return None, None
    lots = abs(position.legs[0].first_lots) // proposal.legs[0].lots
    risk = proposal.risk
    better = premium - risk.net_premium * lots
    profit = None if risk.max_profit is None else max(0, risk.max_profit * lots + better)
    loss = None if risk.max_loss is None else max(0, risk.max_loss * lots - better)
    return profit, loss
