"""A trade of an order, or the settlement of a holding."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from strikeloom.domain.instruments import Instrument
from strikeloom.domain.legs import Side
from strikeloom.exchange.orders.request import Product


@dataclass(frozen=True, slots=True)
class Trade:
    """Units positive, price and charges in paise; ``kind`` is ``trade`` or ``settlement``.

    A settlement belongs to no order (``order_number`` 0).
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
    kind: str = "trade"

    @property
    def cash(self) -> int:
        """Paise that move: negative when paid."""
        return -int(self.side) * self.units * self.price - self.charges
