"""Value positions at fresh quotes. A missing price is named, never read as zero."""

from __future__ import annotations

from datetime import date

import numpy as np

from strikeloom.domain.instruments import OptionContract, Right
from strikeloom.domain.money import PAISE_PER_RUPEE, rupees
from strikeloom.domain.positions import MarkedPosition, Position
from strikeloom.domain.quotes import Mark, MarkHow
from strikeloom.domain.snapshot import MarketSnapshot
from strikeloom.errors import DataError, NoQuote
from strikeloom.quant.payoff import Legs, payoffs


def mark_contract(contract: OptionContract, snapshot: MarketSnapshot) -> Mark | None:
    """Mid of a fresh two-sided quote, else its last price; ``None`` when neither is usable."""
    try:
        quote = snapshot.fresh(contract)
    except NoQuote:
        return None
    age = snapshot.age(quote.at)
    if quote.two_sided and quote.bid is not None and quote.ask is not None:
        mid = (quote.bid + quote.ask) // 2
        return Mark(quote.key, mid, MarkHow.MID, quote.at, age, quote.source)
    if quote.last is not None:
        return Mark(quote.key, quote.last, MarkHow.LAST, quote.at, age, quote.source)
    return None


def mark_position(
    position: Position, snapshot: MarketSnapshot, *, last_day: date | None, peak: int | None
) -> MarkedPosition:
    """Position with its marks, P&L after charges, and the limits its rules are measured by.

    Parameters
    ----------
    last_day : date or None
        First last day among the open legs; ``None`` when nothing is open.
    peak : int or None
        Highest P&L seen so far, in paise.
    """
    marks: dict[str, Mark] = {}
    missing: list[str] = []
    value = 0
    for leg in position.legs:
        if not leg.net_units:
            continue
        mark = mark_contract(leg.contract, snapshot)
        if mark is None:
            missing.append(leg.contract.label + _staleness(leg.contract, snapshot))
            continue
        marks[leg.contract.key] = mark
        value += leg.net_units * mark.price - leg.open_value
    settled = sum(leg.realised - leg.charges for leg in position.legs)
    premium = -sum(leg.entry_value for leg in position.legs)
    profit, loss = _extremes(position, premium)
    return MarkedPosition(
        position=position,
        marks=marks,
        missing=tuple(missing),
        pnl=None if missing else settled + value,
        entry_premium=premium,
        max_profit=profit,
        max_loss=loss,
        at=snapshot.at,
        ends=last_day,
        peak_pnl=peak,
    )


def _staleness(contract: OptionContract, snapshot: MarketSnapshot) -> str:
    quote = snapshot.quotes.get(contract.key)
    if quote is None or not snapshot.is_stale(quote.at):
        return ""
    return f" (older than {snapshot.max_age_seconds:.0f} s)"


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
