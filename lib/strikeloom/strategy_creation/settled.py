"""What the contracts of a structure pay on the day they end, and the shares that change hands.

Contracts net off as one client's do (``nse.settlement``). Shares that are left over, the
structure's own or received, are sold, and lacking ones bought, at the underlying's final value of
that day, with the charges of such an order; the price of a short delivery is not in it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from strikeloom.domain.instruments import Contract, Instrument, Share
from strikeloom.domain.legs import Side
from strikeloom.nse.charges import (
    Segment,
    depository_charge,
    settlement_charges,
    trade_charges,
)
from strikeloom.nse.settlement import deliveries, settled_value


class EndingLeg(NamedTuple):
    """A contract that ends, or a share beside it.

    Attributes
    ----------
    units : int
        Held, negative when short.
    level : int
        Paise: final value of the underlying; of a share its price.
    """

    instrument: Instrument
    units: int
    level: int


class Ended(NamedTuple):
    """Paise received, and charges, of what ended."""

    value: int
    charges: int


def ended(legs: Iterable[EndingLeg], day: date) -> Ended:
    """Value and charges of the contracts of one structure that end on a day, with its shares.

    Raises
    ------
    DataError
        When a charge is not on record for the day.
    """
    nets: Counter[Contract] = Counter()
    finals: dict[tuple[str, date], int] = {}
    value = shares = price = 0
    for held, units, level in legs:
        if isinstance(held, Share):
            shares, price = shares + units, level
            value += units * level
            continue
        finals[held.symbol, held.expiry] = level
        nets[held] += units
        value += units * settled_value(held, level)
    delivered: Counter[Contract] = Counter()
    left, moved = shares, bool(shares)
    for delivery in deliveries(nets, finals):
        delivered.update(delivery.units)
        left, moved = left + delivery.shares, True
        price = finals[delivery.symbol, delivery.expiry]
    charges = 0
    for held, net in nets.items():
        paid = settled_value(held, finals[held.symbol, held.expiry])
        charges += settlement_charges(held, net, paid, day, delivered[held]).total
    if left:
        side = Side.SELL if left > 0 else Side.BUY
        charges += trade_charges(side, abs(left), price, day, segment=Segment.DELIVERY).total
    return Ended(value, charges + (depository_charge(day) if moved else 0))
