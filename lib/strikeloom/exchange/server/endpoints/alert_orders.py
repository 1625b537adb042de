"""Conditional orders ("alerts"): orders placed when an underlying meets a condition."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from strikeloom.exchange.conditional.condition import (
    COMPARISONS,
    FRAMES,
    OPERATORS,
    PRICE,
    WITH_INDICATOR,
    WITH_VALUE,
    Condition,
)
from strikeloom.exchange.conditional.indicators import INDICATORS
from strikeloom.exchange.conditional.records import ConditionalKind, ConditionalLeg
from strikeloom.exchange.engine.conditional import ConditionalStatus
from strikeloom.exchange.orders.request import Placement
from strikeloom.exchange.server.api_call import ApiCall, bad_field
from strikeloom.exchange.server.endpoints.orders import placement, translate_refusals
from strikeloom.exchange.server.responses import ApiResponse, refused
from strikeloom.exchange.server.wire_codes import (
    INDICES,
    SHARES,
    conditional_id,
    conditional_number,
    is_id,
    rupee,
    stamp,
)

_SEGMENTS = (SHARES, INDICES)
_MOST_ORDERS = 10
_YEAR = timedelta(days=365)


def place(call: ApiCall) -> ApiResponse:
    """Store a condition and the orders to place once it is met."""
    watch, last_day = _condition(call)
    orders = _orders(call)
    found = translate_refusals(lambda: call.engine.alert_orders.place(watch, orders, last_day))
    call.exchange.conditional_placed(call.client.client_id, found.item.number)
    return ApiResponse(_status(found))


def modify(call: ApiCall) -> ApiResponse:
    """Change the condition, and the orders when the body has any."""
    number, (watch, last_day) = conditional_number(call.args[0]), _condition(call)
    orders = _orders(call) if "orders" in call.body else None
    alerts = call.engine.alert_orders
    return ApiResponse(
        _status(translate_refusals(lambda: alerts.change(number, watch, orders, last_day)))
    )


def cancel(call: ApiCall) -> ApiResponse:
    """Cancel an alert that is still waiting."""
    number = conditional_number(call.args[0])
    found = translate_refusals(
        lambda: call.engine.conditional.cancel(ConditionalKind.ALERT, number)
    )
    return ApiResponse(_status(found))


def by_id(call: ApiCall) -> ApiResponse:
    """One alert."""
    number = conditional_number(call.args[0])
    found = translate_refusals(lambda: call.engine.conditional.get(ConditionalKind.ALERT, number))
    if not call.exchange.shows_conditional(call.client.client_id, number):
        raise refused("DH-905", f"no alert {call.args[0]}")
    return ApiResponse(_row(call, found))


def listed(call: ApiCall) -> ApiResponse:
    """Alerts that are waiting or ended today."""
    found = call.engine.conditional.all(ConditionalKind.ALERT)
    client = call.client.client_id
    return ApiResponse(
        [
            _row(call, one)
            for one in found
            if call.exchange.shows_conditional(client, one.item.number)
        ]
    )


def _condition(call: ApiCall) -> tuple[Condition, date]:
    """Condition of a body, and the last day on which it is watched."""
    body = call.body.get("condition")
    if not isinstance(body, Mapping):
        raise bad_field("condition", body)
    asked = replace(call, body=body)
    kinds = {name: name for name in COMPARISONS}
    comparison: str = asked.one_of("comparisonType", kinds)
    segment, security = asked.text("exchangeSegment").upper(), asked.text("securityId")
    if segment not in _SEGMENTS:
        raise bad_field("exchangeSegment", segment)
    symbol = call.exchange.securities.symbol(segment, int(security)) if is_id(security) else None
    if symbol is None:
        raise bad_field("securityId", security)
    technical = comparison != PRICE
    names = {name: name for name in INDICATORS}
    day = asked.day("expDate") if asked.body.get("expDate") else call.now.date() + _YEAR
    if day < call.now.date():
        raise bad_field("expDate", day)
    frame: str = asked.one_of("timeFrame", {f: f for f in FRAMES}) if technical else ""
    if technical and not FRAMES[frame] and call.exchange.history is None:
        raise refused("DH-907", "no past days are known to take an indicator of")
    watch = Condition(
        comparison,
        segment,
        security,
        symbol,
        asked.one_of("operator", {name: name for name in OPERATORS}),
        _number(asked) if comparison in (PRICE, WITH_VALUE) else None,
        asked.one_of("indicatorName", names) if technical else "",
        asked.one_of("comparingIndicatorName", names) if comparison == WITH_INDICATOR else "",
        frame,
        asked.one_of("frequency", {"ONCE": True, "ALWAYS": False}, default="ONCE"),
        asked.text("userNote", default="")[:200],
    )
    return watch, day


def _number(call: ApiCall) -> float:
    value = call.body.get("comparingValue")
    try:
        number = math.nan if isinstance(value, bool) else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise bad_field("comparingValue", value)
    return number


def _orders(call: ApiCall) -> list[Placement]:
    rows = call.body.get("orders")
    if not isinstance(rows, list) or not 0 < len(rows) <= _MOST_ORDERS:
        raise bad_field("orders", rows)
    return [_order(call, row) for row in rows]


def _order(call: ApiCall, row: Any) -> Placement:
    if not isinstance(row, Mapping):
        raise bad_field("orders", row)
    shown = row.get("discQuantity") or 0  # this call's name of the field
    return placement(call, {**row, "disclosedQuantity": shown, "afterMarketOrder": False})


def _status(one: ConditionalStatus) -> dict[str, object]:
    return {"alertId": conditional_id(one.item.number), "alertStatus": one.item.state.value}


def _row(call: ApiCall, one: ConditionalStatus) -> dict[str, object]:
    item, watch = one.item, one.item.watch
    assert isinstance(watch, Condition)  # noqa: S101 (for the type checker)
    return {
        **_status(one),
        "createdTime": stamp(item.created_at),
        "triggeredTime": stamp(item.triggered_at) if item.triggered_at else None,
        "lastPrice": None if item.last is None else f"{item.last:.2f}",
        "condition": {
            "comparisonType": watch.comparison,
            "exchangeSegment": watch.segment,
            "securityId": watch.security_id,
            "indicatorName": watch.indicator or None,
            "timeFrame": watch.frame or None,
            "operator": watch.operator,
            "comparingValue": watch.value,
            "comparingIndicatorName": watch.other or None,
            "expDate": item.last_day.isoformat(),
            "frequency": "ONCE" if watch.once else "ALWAYS",
            "userNote": watch.note,
        },
        "orders": [_leg(call, leg) for leg in item.legs],
    }


def _leg(call: ApiCall, leg: ConditionalLeg) -> dict[str, object]:
    what = leg.placement
    _, names = call.exchange.named(what.instrument)
    return {
        "transactionType": what.side.name,
        "exchangeSegment": names["exchangeSegment"],
        "productType": what.product.value,
        "orderType": what.order_type.value,
        "securityId": names["securityId"],
        "quantity": what.units,
        "validity": what.validity.value,
        "price": f"{rupee(what.limit):.2f}",
        "discQuantity": str(what.disclosed),
        "triggerPrice": f"{rupee(what.trigger):.2f}",
    }
