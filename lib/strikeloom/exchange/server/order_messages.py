"""Messages of the order-update stream: one for each change of an order."""

from __future__ import annotations

from typing import Any

from strikeloom.domain.instruments import FutureContract, OptionContract, Share
from strikeloom.domain.legs import Side
from strikeloom.domain.orders import OrderState
from strikeloom.domain.products import Product
from strikeloom.exchange.conditional.records import ENTRY, STOP, TARGET
from strikeloom.exchange.orders.order import OrderEvent
from strikeloom.exchange.orders.request import OrderType
from strikeloom.exchange.server.wire_codes import (
    NEVER,
    exchange_order_id,
    instrument_type,
    order_id,
    rupee,
    stamp,
)

_STATUS = {
    OrderState.TRANSIT: "Transit",
    OrderState.PENDING: "Pending",
    # no status of a partial fill is documented: the quantities show it
    OrderState.PART_TRADED: "Pending",
    OrderState.TRADED: "Traded",
    OrderState.CANCELLED: "Cancelled",
    OrderState.REJECTED: "Rejected",
    OrderState.EXPIRED: "Expired",
}
_TYPES = {
    OrderType.LIMIT: "LMT",
    OrderType.MARKET: "MKT",
    OrderType.STOP_LOSS: "SL",
    OrderType.STOP_LOSS_MARKET: "SLM",
}
_LEGS = {ENTRY: 1, STOP: 2, TARGET: 3}
_GROUPS = {OptionContract: "OP", FutureContract: "FUT", Share: "ES"}
_PRODUCTS = {Product.INTRADAY: "I", Product.MARGIN: "M", Product.CNC: "C"}


def pascal_names(data: dict[str, Any]) -> dict[str, Any]:
    """The same fields as the documentation spells them."""
    return {name[0].upper() + name[1:]: value for name, value in data.items()}


def order_message(
    client_id: str, event: OrderEvent, security_id: str, display: str
) -> dict[str, Any]:
    """Message of one event, camelCase as on the live wire."""
    order, it = event.order, event.order.instrument
    traded = event.trade
    return {
        "Type": "order_alert",
        "Data": {
            "exchange": "NSE",
            "segment": "E" if isinstance(it, Share) else "D",
            "source": "P",
            "securityId": security_id,
            "clientId": client_id,
            "exchOrderNo": exchange_order_id(order.number) if order.exchange_at else "0",
            "orderNo": order_id(order.number),
            "product": _PRODUCTS[order.product],
            "txnType": "B" if order.side is Side.BUY else "S",
            "orderType": _TYPES[order.order_type],
            "validity": order.validity.value,
            "discQuantity": order.disclosed,
            "discQtyRem": min(order.disclosed, order.remaining),
            "remainingQuantity": order.remaining,
            "quantity": order.units,
            "tradedQty": order.filled,
            "price": rupee(order.limit),
            "triggerPrice": rupee(order.trigger),
            "tradedPrice": rupee(traded.price) if traded else 0.0,
            "avgTradedPrice": rupee(order.average),
            "algoOrdNo": "0",
            "offMktFlag": "1" if order.after_market else "0",
            "orderDateTime": stamp(order.placed_at),
            "exchOrderTime": stamp(order.exchange_at),
            "lastUpdatedTime": stamp(order.updated_at),
            "remarks": order.correlation_id or " ",
            "mktType": "NL",
            "reasonDescription": order.reason or "CONFIRMED",
            "legNo": _LEGS.get(order.leg, 1),
            "instrument": instrument_type(it),
            "symbol": it.symbol,
            "productName": order.product.value,
            "status": _STATUS[order.state],
            "lotSize": it.lot_size,
            "strikePrice": rupee(it.strike) if isinstance(it, OptionContract) else 0.0,
            "expiryDate": NEVER if isinstance(it, Share) else f"{it.expiry} 00:00:00",
            "optType": it.right.value if isinstance(it, OptionContract) else "XX",
            "displayName": display,
            "isin": "NA",
            "series": "EQ" if isinstance(it, Share) else "XX",
            "instrumentType": _GROUPS[type(it)],
            "refLtp": 0.0,
            "tickSize": rupee(it.tick),
            "algoId": "0",
            "multiplier": 1,
            "correlationId": order.correlation_id,
        },
    }
