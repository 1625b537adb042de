"""What a structure on a stock needs in its last week, when its options become shares."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from strikeloom.domain.instruments import InstrumentKind, OptionContract, Right
from strikeloom.domain.legs import Side
from strikeloom.nse.edges import expected_days
from strikeloom.risk.share_parameters import delivery_share
from strikeloom.strategy_creation.structure import Structure


class DeliveryNeed(NamedTuple):
    """Margin for the delivery of what is bought, one unit.

    Attributes
    ----------
    since : datetime.date
        First day on which a bought option in the money needs some of it.
    most : int
        Paise on the last day: the whole price of the shares. Bought calls and bought puts are not
        both in the money, so that the larger counts.
    """

    since: date
    most: int


def delivery_need(structure: Structure) -> DeliveryNeed | None:
    """Need of options that end at the horizon; ``None`` of an index, or where none is bought."""
    if structure.chain.underlying.kind is not InstrumentKind.STOCK:
        return None
    ends = structure.horizon.expiry
    prices = dict.fromkeys(Right, 0)
    for leg in structure.legs:
        it = leg.instrument
        if isinstance(it, OptionContract) and it.expiry == ends and leg.side is Side.BUY:
            prices[it.right] += it.strike * leg.signed_units
    days = expected_days(structure.chain.day, ends)
    since = [day for day in days if delivery_share(InstrumentKind.STOCK, ends, day) > 0]
    most = max(prices.values())
    return DeliveryNeed(since[0], most) if most and since else None
