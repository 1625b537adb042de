"""Forever orders: one order, or one of two, that waits for its trigger across days."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from strikeloom.domain.orders import OrderState
from strikeloom.exchange.conditional.records import (
    ENTRY,
    STOP,
    TARGET,
    ConditionalKind,
    ConditionalLeg,
    LegState,
)
from strikeloom.exchange.engine.conditional import ConditionalStatus
from strikeloom.exchange.orders.request import Placement
from strikeloom.exchange.server.api_call import ApiCall, bad_field
from strikeloom.exchange.server.endpoints.orders import placement, translate_refusals
from strikeloom.exchange.server.responses import ApiResponse
from strikeloom.exchange.server.wire_codes import (
    conditional_id,
    conditional_number,
    derivative,
    exchange_order_id,
    rupee,
    stamp,
)

_CONFIRM = "CONFIRM"  # armed
_LEGS = {TARGET: TARGET, ENTRY: TARGET, STOP: STOP}


def place(call: ApiCall) -> ApiResponse:
    """Store one order, or two of which only one is sent (``OCO``)."""
    flag = _flag(call)
    waits = [_wait(call, call.body)]
    if flag == "OCO":
        names = {"price": "price1", "triggerPrice": "triggerPrice1", "quantity": "quantity1"}
        second = {name: call.body.get(other) for name, other in names.items()}
        waits.append(_wait(call, {**call.body, **second}))
    found = translate_refusals(lambda: call.engine.forever_orders.place(waits))
    call.exchange.conditional_placed(call.client.client_id, found.item.number)
    return ApiResponse(_taken(found, OrderState.PENDING.value))


def modify(call: ApiCall) -> ApiResponse:
    """Change one leg; the body repeats all its values."""
    number = conditional_number(call.args[0])
    before = translate_refusals(
        lambda: call.engine.conditional.get(ConditionalKind.FOREVER, number)
    )
    leg = before.item.leg(_LEGS.get(call.text("legName").upper(), ""))
    if leg is None:
        raise bad_field("legName", call.body.get("legName"))
    if _flag(call) != _flag_of(before):
        raise bad_field("orderFlag", call.body.get("orderFlag"))
    what = leg.placement
    same = {
        **call.exchange.named(what.instrument)[1],
        "transactionType": what.side.name,
        "productType": what.product.value,
        "correlationId": what.correlation_id,
    }
    change, trigger = _wait(call, {**call.body, **same})
    found = translate_refusals(
        lambda: call.engine.forever_orders.change(number, leg.name, change, trigger)
    )
    return ApiResponse(_taken(found, OrderState.PENDING.value))


def cancel(call: ApiCall) -> ApiResponse:
    """Cancel a forever order that is still waiting."""
    number = conditional_number(call.args[0])
    found = translate_refusals(
        lambda: call.engine.conditional.cancel(ConditionalKind.FOREVER, number)
    )
    return ApiResponse(_taken(found, OrderState.CANCELLED.value), 202)


def listed(call: ApiCall) -> ApiResponse:
    """Forever orders that are waiting or ended today, one row a leg."""
    found = call.engine.conditional.all(ConditionalKind.FOREVER)
    return ApiResponse(
        [
            _row(call, one, leg)
            for one in found
            if call.exchange.shows_conditional(call.client.client_id, one.item.number)
            for leg in one.item.legs
        ]
    )


def _wait(call: ApiCall, body: Mapping[str, Any]) -> tuple[Placement, int]:
    """Order and the trigger price it waits for; the order itself carries no trigger."""
    asked = replace(call, body=body)
    trigger = asked.money("triggerPrice")
    return placement(call, {**body, "triggerPrice": 0, "afterMarketOrder": False}), trigger


def _flag(call: ApiCall) -> str:
    flag = call.text("orderFlag").upper()
    if flag not in ("SINGLE", "OCO"):
        raise bad_field("orderFlag", flag)
    return flag


def _flag_of(one: ConditionalStatus) -> str:
    return "OCO" if len(one.item.legs) > 1 else "SINGLE"


def _taken(one: ConditionalStatus, status: str) -> dict[str, object]:
    return {"orderId": conditional_id(one.item.number), "orderStatus": status}


def _row(call: ApiCall, one: ConditionalStatus, leg: ConditionalLeg) -> dict[str, object]:
    what = leg.placement
    order = next((order for order in one.orders if order.leg == leg.name), None)
    status = one.item.state.value
    if one.item.active:
        status = _CONFIRM
    elif leg.state is LegState.CANCELLED:
        status = LegState.CANCELLED.value
    elif order is not None:
        status = order.state.value
    return {
        "dhanClientId": call.client.client_id,
        "orderId": conditional_id(one.item.number),
        "correlationId": one.item.tag or "NA",
        "orderStatus": status,
        "transactionType": what.side.name,
        **call.exchange.named(what.instrument)[1],
        "productType": what.product.value,
        "orderType": _flag_of(one),
        "quantity": what.units,
        "price": rupee(what.limit),
        "triggerPrice": rupee(leg.trigger),
        "legName": leg.name,
        "createTime": stamp(one.item.created_at),
        "updateTime": stamp(one.item.updated_at),
        "exchangeTime": stamp(order.exchange_at if order else None),
        "exchangeOrderId": exchange_order_id(order.number) if order else "0",
        **derivative(what.instrument),
    }
