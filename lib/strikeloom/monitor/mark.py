"""Value positions at fresh quotes. A missing price is named, never read as zero."""

from __future__ import annotations

from datetime import datetime

import numpy as np

from strikeloom.domain.instruments import Right
from strikeloom.domain.money import PAISE_PER_RUPEE, rupees
from strikeloom.domain.orders import Purpose
from strikeloom.domain.positions import MarkedPosition, Position
from strikeloom.domain.quotes import Mark, MarkHow, Quote
from strikeloom.errors import DataError
from strikeloom.ports.desk import Desk
from strikeloom.quant.payoff import Legs, payoffs
from strikeloom.trading.settle import last_day


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
    stale = desk.quote_age_seconds
    marks: dict[str, Mark] = {}
    missing: list[str] = []
    value = 0
    for leg in position.legs:
        if not leg.net_units:
            continue
        quote = quotes.get(leg.contract.key)
        mark = mark_quote(quote, now, stale)
        if mark is None:
            old = quote is not None and (now - quote.at).total_seconds() > stale
            missing.append(leg.contract.label + (f" (older than {stale:.0f} s)" if old else ""))
            continue
        marks[leg.contract.key] = mark
        value += leg.net_units * mark.price - leg.open_value
    settled = sum(leg.realised - leg.charges for leg in position.legs)
    pnl = None if missing else settled + value
    ends = (last_day(desk, position, leg.contract) for leg in position.legs if leg.net_units)
    premium = _entry_premium(desk, position)
    profit, loss = _extremes(position, premium)
    return MarkedPosition(
        position=position,
        marks=marks,
        missing=tuple(missing),
        pnl=pnl,
        entry_premium=premium,
        max_profit=profit,
        max_loss=loss,
        at=now,
        ends=min(ends, default=None),
        peak_pnl=peak,
    )


def _entry_premium(desk: Desk, position: Position) -> int:
    """Premium received (+) or paid (-) for the quantity first filled."""
    if all(leg.net_units == leg.first_units for leg in position.legs):
        return -sum(leg.open_value for leg in position.legs)  # nothing was closed yet
    name = position.position_id
    entries = {
        intent.correlation_id
        for intent in desk.store.intents(position_id=name)
        if intent.purpose is Purpose.ENTRY
    }
    return sum(
        -int(fill.side) * fill.units * fill.price
        for fill in desk.store.fills(position_id=name)
        if fill.correlation_id in entries
    )


def _extremes(position: Position, premium: int) -> tuple[int | None, int | None]:
    """Most that the quantity first filled can earn and lose at expiry; ``None`` is unlimited.

    From what was really filled and paid, not from what was proposed.

    Raises
    ------
    DataError
        When the legs expire on different days: no single payoff has their extremes.
    """
    legs = [leg for leg in position.legs if leg.first_units]
    expiries = {leg.contract.expiry for leg in legs}
    if len(expiries) != 1:
        raise DataError(
            f"{position.position_id} has legs of {len(expiries)} expiries; what it can earn and "
            "lose is known for one",
            position_id=position.position_id,
        )
    found = payoffs(
        Legs(
            np.array([[rupees(leg.contract.strike) for leg in legs]]),
            np.array([[leg.contract.right is Right.CALL for leg in legs]]),
            np.array([[float(leg.first_units) for leg in legs]]),
            np.array([rupees(premium)]),
        )
    )
    return _paise(found.max_profit[0]), _paise(found.max_loss[0])


def _paise(amount: float) -> int | None:
    return round(float(amount) * PAISE_PER_RUPEE) if np.isfinite(amount) else None
