"""Greeks of positions from their marks: Black-76 on the forward that the level implies."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np

from strikeloom.domain.instruments import Right
from strikeloom.domain.money import rupees
from strikeloom.domain.position_greeks import PositionGreeks
from strikeloom.domain.positions import Position
from strikeloom.domain.quotes import Mark
from strikeloom.nse.sessions import years_to_expiry
from strikeloom.quant.black76 import greeks
from strikeloom.quant.implied.solver import Reason, implied_vol

_VOL_POINT = 0.01


@dataclass(frozen=True, slots=True)
class GreeksInput:
    """What the Greeks of a position are computed from.

    Attributes
    ----------
    marks : mapping of str to Mark
        By contract key.
    level : int or None
        Fresh level of the underlying in paise.
    last_day : datetime.date or None
        First last day among the open legs.
    unknown : mapping of str to str
        Reason by the name of an input that is ``None``.
    """

    position: Position
    marks: Mapping[str, Mark]
    level: int | None
    at: datetime
    last_day: date | None
    unknown: Mapping[str, str]


def position_greeks(given: GreeksInput) -> PositionGreeks:
    """Greeks of all that is open, or the reason why they are unknown.

    Each leg has the volatility that its own mark implies. The forward is
    ``level * exp(carry * years)`` with the carry of the day that proposed the position; there
    is no discounting, which is within one part in a hundred up to two months ahead.
    """
    legs = [leg for leg in given.position.legs if leg.net_units]
    if not legs or given.last_day is None:
        return PositionGreeks(missing="nothing is open")
    if given.level is None:
        return PositionGreeks(missing=given.unknown["level"])
    carry = given.position.carry
    if carry is None:
        return PositionGreeks(missing="the carry of the day that proposed it is unknown")
    unmarked = [leg.contract.label for leg in legs if leg.contract.key not in given.marks]
    if unmarked:
        return PositionGreeks(missing=f"{', '.join(unmarked)} has no price")
    last_days = [min(leg.contract.expiry, given.last_day) for leg in legs]
    years = np.array([years_to_expiry(given.at, day) for day in last_days])
    growth = np.exp(carry * years)
    forward = rupees(given.level) * growth
    strikes = np.array([rupees(leg.contract.strike) for leg in legs])
    is_call = np.array([leg.contract.right is Right.CALL for leg in legs])
    prices = np.array([rupees(given.marks[leg.contract.key].price) for leg in legs])
    vol, reasons = implied_vol(prices, forward, strikes, years, is_call)
    for leg, reason in zip(legs, reasons, strict=True):
        if reason != Reason.OK:
            text = Reason(int(reason)).text
            return PositionGreeks(missing=f"{leg.contract.label} has no volatility: {text}")
    units = np.array([leg.net_units for leg in legs], dtype=np.float64)
    each = greeks(forward, strikes, years, vol, is_call)
    return PositionGreeks(
        delta=math.fsum(units * each.delta * growth),
        gamma=math.fsum(units * each.gamma * growth**2),
        vega=math.fsum(units * each.vega) * _VOL_POINT,
        theta=math.fsum(units * each.theta),
    )
