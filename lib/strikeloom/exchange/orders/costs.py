"""What one fill of an order costs."""

from __future__ import annotations

from datetime import date

from strikeloom.exchange.orders.order import BookOrder
from strikeloom.nse.charges import trade_charges
from strikeloom.nse.products import charged_as


def fill_cost(order: BookOrder, units: int, price: int, day: date) -> int:
    """Charges in paise of the next fill of an order, by its product."""
    return trade_charges(
        order.side,
        units,
        price,
        day,
        first_fill=not order.filled,
        segment=charged_as(order.instrument, order.product, day),
        earlier=order.filled_value,
    ).total
