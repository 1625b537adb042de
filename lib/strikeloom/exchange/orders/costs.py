"""What an order is charged as, and what one fill of it costs."""

from __future__ import annotations

from datetime import date

from strikeloom.domain.instruments import FutureContract, Instrument, Share
from strikeloom.exchange.orders.order import BookOrder
from strikeloom.exchange.orders.request import Product
from strikeloom.nse.charges import Segment, trade_charges


def segment_of(instrument: Instrument, product: Product) -> Segment:
    """Segment of an order. Shares go by its product: what a day's trades leave is not known yet."""
    match instrument:
        case Share():
            return Segment.DELIVERY if product is Product.CNC else Segment.INTRADAY
        case FutureContract():
            return Segment.FUTURE
        case _:
            return Segment.OPTION


def fill_cost(order: BookOrder, units: int, price: int, day: date) -> int:
    """Charges in paise of the next fill of an order."""
    return trade_charges(
        order.side,
        units,
        price,
        day,
        first_fill=not order.filled,
        segment=segment_of(order.instrument, order.product),
        earlier=order.filled_value,
    ).total
