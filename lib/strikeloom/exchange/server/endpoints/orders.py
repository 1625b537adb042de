"""Placing, changing, cancelling and looking up orders."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from strikeloom.domain.instruments import Share
from strikeloom.domain.orders import OrderState
from strikeloom.errors import BrokerError, Rejected
from strikeloom.exchange.conditional.records import ENTRY, STOP, TARGET
from strikeloom.exchange.orders.order import BookOrder
from strikeloom.exchange.orders.request import AmoTime, Change, Placement
from strikeloom.exchange.orders.validation import product_refusal
from strikeloom.exchange.server.api_call import ApiCall, bad_field
from strikeloom.exchange.server.responses import BAD_INPUT, ApiResponse, refused
from strikeloom.exchange.server.wire_codes import (
    AMO_TIMES,
    ORDER_TYPES,
    PRODUCTS,
    SIDES,
    VALIDITIES,
    derivative,
    exchange_order_id,
    order_id,
    order_number,
    rupee,
    stamp,
)
from strikeloom.nse.freeze import freeze_units, slices

Result = TypeVar("Result")
_TAG = re.compile(r"[A-Za-z0-9 _.\-]{1,30}")
_LEGS = {"", "NA", ENTRY}
_ALL_LEGS = {ENTRY, TARGET, STOP}
_MAX_SLICES = 250  # orders that a client may place in a minute


def placement(call: ApiCall, body: Any = None) -> Placement:
    """Read an order.

    Raises
    ------
    ApiRefusal
        DH-905 when a field is missing or wrong.
    """
    asked = call if body is None else replace(call, body=body)
    listed = asked.exchange.traded(asked.text("exchangeSegment"), asked.text("securityId"))
    product = asked.one_of("productType", PRODUCTS)
    wrong = product_refusal(listed.instrument, product, call.now.date())
    if wrong:
        raise refused(wrong.code, wrong.reason)
    tag = asked.text("correlationId", default="")
    if tag and not _TAG.fullmatch(tag):
        raise bad_field("correlationId", tag)
    late = asked.truth("afterMarketOrder")
    return Placement(
        instrument=listed.instrument,
        side=asked.one_of("transactionType", SIDES),
        units=asked.whole("quantity"),
        order_type=asked.one_of("orderType", ORDER_TYPES),
        limit=asked.money("price", default=0),
        trigger=asked.money("triggerPrice", default=0),
        validity=asked.one_of("validity", VALIDITIES, default="DAY"),
        product=product,
        disclosed=asked.whole("disclosedQuantity", default=0),
        after_market=late,
        amo_time=asked.one_of("amoTime", AMO_TIMES, default="OPEN") if late else AmoTime.OPEN,
        correlation_id=tag,
    )


def place(call: ApiCall) -> ApiResponse:
    """Place one order. Accepted means received: the exchange has not checked it yet."""
    if not call.body:
        raise refused("DH-905", BAD_INPUT)
    return ApiResponse(accepted_row(_submit(call, placement(call))))


def place_sliced(call: ApiCall) -> ApiResponse:
    """Place an order in slices of the freeze quantity at most; answers a list."""
    whole = placement(call)
    freeze = freeze_units(whole.instrument.symbol, call.now.date())
    lot = whole.instrument.lot_size
    parts = [whole.units] if whole.units % lot else slices(whole.units, lot, freeze)
    if len(parts) > _MAX_SLICES:
        raise bad_field("quantity", whole.units)
    return ApiResponse([accepted_row(_submit(call, replace(whole, units=part))) for part in parts])


def _submit(call: ApiCall, what: Placement) -> BookOrder:
    order = translate_refusals(lambda: call.engine.place(what))
    call.exchange.order_placed(call.client.client_id, order)
    return order


def modify(call: ApiCall) -> ApiResponse:
    """Change an open order; ``quantity`` is the total placed, not what remains."""
    number = order_number(call.args[0])
    if call.text("legName", default="NA").upper() not in _LEGS:
        raise bad_field("legName", call.body.get("legName"))
    change = Change(
        units=call.whole("quantity") if "quantity" in call.body else None,
        limit=call.money("price", default=0) if "price" in call.body else None,
        trigger=call.money("triggerPrice", default=0) if "triggerPrice" in call.body else None,
        disclosed=call.whole("disclosedQuantity", default=0)
        if "disclosedQuantity" in call.body
        else None,
        order_type=call.one_of("orderType", ORDER_TYPES) if "orderType" in call.body else None,
        validity=call.one_of("validity", VALIDITIES) if "validity" in call.body else None,
    )
    return ApiResponse(accepted_row(translate_refusals(lambda: call.engine.modify(number, change))))


def cancel(call: ApiCall) -> ApiResponse:
    """Cancel the remaining units of an order; refused when the order has ended."""
    number = order_number(call.args[0])
    before = _find(call, number)
    if before.state.terminal:
        raise refused("DH-906", f"Order is already {before.state.value}, it cannot be cancelled")
    after = translate_refusals(lambda: call.engine.cancel(number))
    return ApiResponse({"orderId": order_id(number), "orderStatus": after.state.value}, 202)


def book(call: ApiCall) -> ApiResponse:
    """All orders of the day."""
    orders = call.engine.orders(call.now.date())
    return ApiResponse([order_row(call, order) for order in orders if _shown(call, order)])


def by_id(call: ApiCall) -> ApiResponse:
    """One order, in a list, as recorded from the broker."""
    order = _find(call, order_number(call.args[0]))
    return ApiResponse([order_row(call, order)])


def by_correlation(call: ApiCall) -> ApiResponse:
    """The latest order with a tag, as one object."""
    found = [order for order in call.engine.by_correlation(call.args[0]) if _shown(call, order)]
    if not found:
        raise refused("DH-905", BAD_INPUT)
    return ApiResponse(order_row(call, found[-1]))


def _find(call: ApiCall, number: int) -> BookOrder:
    order = translate_refusals(lambda: call.engine.order(number))
    if not _shown(call, order):
        raise refused("DH-905", BAD_INPUT)
    return order


def _shown(call: ApiCall, order: BookOrder) -> bool:
    return call.exchange.shows(call.client.client_id, order)


def translate_refusals(work: Callable[[], Result]) -> Result:
    """Carry out, and turn the engine's refusals into those of the broker's protocol."""
    try:
        return work()
    except Rejected as error:
        raise refused(error.facts.get("code", "DH-906"), str(error)) from error
    except BrokerError as error:  # no such order
        raise refused("DH-905", BAD_INPUT) from error


def accepted_row(order: BookOrder) -> dict[str, str]:
    """Broker's answer to an order that it has just received."""
    # the broker answers before the exchange has checked the order
    state = order.state if order.state is OrderState.REJECTED else OrderState.TRANSIT
    return {"orderId": order_id(order.number), "orderStatus": state.value}


def order_row(call: ApiCall, order: BookOrder) -> dict[str, object]:
    """Order as the broker's book writes it."""
    _, names = call.exchange.named(order.instrument)
    return {
        "dhanClientId": call.client.client_id,
        "orderId": order_id(order.number),
        "exchangeOrderId": exchange_order_id(order.number) if order.exchange_at else "0",
        "correlationId": order.correlation_id or "NA",
        "orderStatus": order.state.value,
        "transactionType": order.side.name,
        "productType": order.product.value,
        "orderType": order.order_type.value,
        "validity": order.validity.value,
        **names,
        "quantity": order.units,
        "disclosedQuantity": order.disclosed,
        "price": rupee(order.limit),
        "triggerPrice": rupee(order.trigger),
        "afterMarketOrder": order.after_market,
        "boProfitValue": 0.0,
        "boStopLossValue": 0.0,
        "legName": order.leg if order.leg in _ALL_LEGS else "NA",
        "createTime": stamp(order.placed_at),
        "updateTime": stamp(order.updated_at),
        "exchangeTime": stamp(order.exchange_at),
        **derivative(order.instrument),
        **({"drvOptionType": "NA"} if isinstance(order.instrument, Share) else {}),  # as recorded
        "omsErrorCode": order.code or "0",
        "omsErrorDescription": order.reason,
        "algoId": "0",
        "remainingQuantity": order.remaining,
        "averageTradedPrice": rupee(order.average),
        "filledQty": order.filled,
    }
