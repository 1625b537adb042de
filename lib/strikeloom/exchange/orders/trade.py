"""A trade of an order, or what the exchange did to a holding."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from strikeloom.domain.instruments import FutureContract, Instrument
from strikeloom.domain.legs import Side
from strikeloom.domain.orders import FillKind
from strikeloom.domain.products import Product


@dataclass(frozen=True, slots=True)
class Trade:
    """Units positive, price and charges in paise.

    Only a trade belongs to an order; the order number of the other kinds is 0.
    """

    number: int
    order_number: int
    correlation_id: str
    instrument: Instrument
    side: Side
    product: Product
    units: int
    price: int
    charges: int
    at: datetime
    kind: FillKind = FillKind.TRADE

    @property
    def flow(self) -> int:
        """Paise of the units at the price: negative when bought."""
        return -int(self.side) * self.units * self.price

    @property
    def cash(self) -> int:
        """Paise that move: negative when paid. A future moves cash at its settlements only."""
        return (0 if isinstance(self.instrument, FutureContract) else self.flow) - self.charges
