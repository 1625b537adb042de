"""Greeks of positions from their marks: Black-76 on the forward that the level implies."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

import numpy as np

from strikeloom.domain.instruments import (
    FutureContract,
    OptionContract,
    Right,
    Share,
    as_option,
)
from strikeloom.domain.money import rupees
from strikeloom.domain.position_greeks import PositionGreeks
from strikeloom.domain.position_leg import PositionLeg
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
    last_days : mapping of int to datetime.date
        Last day of each open contract, by leg.
    unknown : mapping of str to str
        Reason by the name of an input that is ``None``.
    """

    position: Position
    marks: Mapping[str, Mark]
    level: int | None
    at: datetime
    last_days: Mapping[int, date]
    unknown: Mapping[str, str]


def position_greeks(given: GreeksInput) -> PositionGreeks:
    """Greeks of all that is open, or the reason why they are unknown.

    Each option has the volatility that its own mark implies; a share moves as the level does, a
    future as the forward. The forward is
    ``level * exp(carry * years)`` with the carry of the day that proposed the position; there
    is no discounting, which is within one part in a hundred up to two months ahead.
    """
    legs = [leg for leg in given.position.legs if leg.net_units]
    shares = sum(leg.net_units for leg in legs if isinstance(leg.instrument, Share))
    contracts = [leg for leg in legs if not isinstance(leg.instrument, Share)]
    if not legs:
        return PositionGreeks(missing="nothing is open")
    if not contracts:
        return PositionGreeks(delta=float(shares), gamma=0.0, vega=0.0, theta=0.0)
    if given.level is None:
        return PositionGreeks(missing=given.unknown["level"])
    carry = given.position.carry
    if carry is None:
        return PositionGreeks(missing="the carry of the day that proposed it is unknown")
    unmarked = [leg.instrument.label for leg in legs if leg.instrument.key not in given.marks]
    if unmarked:
        return PositionGreeks(missing=f"{', '.join(unmarked)} has no price")
    futures = math.fsum(
        leg.net_units * _growth(leg, given, carry)[1]
        for leg in contracts
        if isinstance(leg.instrument, FutureContract)
    )
    options = [leg for leg in contracts if isinstance(leg.instrument, OptionContract)]
    found = _of_options(options, given, carry)
    if found.delta is not None:
        found = replace(found, delta=found.delta + futures + shares)
    return found


def _growth(leg: PositionLeg, given: GreeksInput, carry: float) -> tuple[float, float]:
    """Years to the last day of a leg's contract, and its forward over the level."""
    years = float(years_to_expiry(given.at, given.last_days[leg.leg]))
    return years, math.exp(carry * years)


def _of_options(legs: Sequence[PositionLeg], given: GreeksInput, carry: float) -> PositionGreeks:
    if not legs or given.level is None:
        return PositionGreeks(delta=0.0, gamma=0.0, vega=0.0, theta=0.0)
    options = [as_option(leg.instrument) for leg in legs]
    pairs = [_growth(leg, given, carry) for leg in legs]
    years, growth = (np.array(column) for column in zip(*pairs, strict=True))
    forward = rupees(given.level) * growth
    strikes = np.array([rupees(option.strike) for option in options])
    is_call = np.array([option.right is Right.CALL for option in options])
    prices = np.array([rupees(given.marks[option.key].price) for option in options])
    vol, reasons = implied_vol(prices, forward, strikes, years, is_call)
    for option, reason in zip(options, reasons, strict=True):
        if reason != Reason.OK:
            text = Reason(int(reason)).text
            return PositionGreeks(missing=f"{option.label} has no volatility: {text}")
    units = np.array([leg.net_units for leg in legs], dtype=np.float64)
    each = greeks(forward, strikes, years, vol, is_call)
    return PositionGreeks(
        delta=math.fsum(units * each.delta * growth),
        gamma=math.fsum(units * each.gamma * growth**2),
        vega=math.fsum(units * each.vega) * _VOL_POINT,
        theta=math.fsum(units * each.theta),
    )
