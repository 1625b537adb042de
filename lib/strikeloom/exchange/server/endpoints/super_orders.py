"""Super orders: an entry with a target, a stop and a trailing stop."""

from __future__ import annotations

from strikeloom.domain.orders import OrderState
from strikeloom.exchange.conditional.records import (
    ENTRY,
    STOP,
    TARGET,
    ConditionalKind,
    ConditionalLeg,
    ConditionalState,
    LegState,
)
from strikeloom.exchange.conditional.validation import SuperTerms
from strikeloom.exchange.engine.conditional import ConditionalStatus
from strikeloom.exchange.orders.order import BookOrder
from strikeloom.exchange.orders.request import Change
from strikeloom.exchange.server.api_call import ApiCall, bad_field
from strikeloom.exchange.server.endpoints.orders import (
    accepted_row,
    order_row,
    placement,
    translate_refusals,
)
from strikeloom.exchange.server.responses import ApiResponse
from strikeloom.exchange.server.wire_codes import ORDER_TYPES, order_id, order_number, rupee

_LEGS = (ENTRY, TARGET, STOP)


def place(call: ApiCall) -> ApiResponse:
    """Place an entry with its exits; the super order has the entry's number."""
    what, terms = placement(call, {**call.body, "afterMarketOrder": False}), _terms(call)
    found = translate_refusals(lambda: call.engine.super_orders.place(what, terms))
    entry = next(order for order in found.orders if order.leg == ENTRY)
    call.exchange.order_placed(call.client.client_id, entry)
    return ApiResponse(accepted_row(entry))


def modify(call: ApiCall) -> ApiResponse:
    """Change one leg; without a trailing jump the stop no longer trails."""
    number, leg = _number(call), call.text("legName").upper()
    supers = call.engine.super_orders
    if leg == ENTRY:
        change = Change(
            units=call.whole("quantity"),
            limit=call.money("price"),
            order_type=call.one_of("orderType", ORDER_TYPES),
        )
        if not change.units:
            raise bad_field("quantity", change.units)
        terms = _terms(call)
        found = translate_refusals(lambda: supers.change_entry(number, change, terms))
    elif leg == TARGET:
        price = call.money("targetPrice")
        found = translate_refusals(lambda: supers.change_target(number, price))
    elif leg == STOP:
        price, jump = call.money("stopLossPrice"), call.money("trailingJump", default=0)
        found = translate_refusals(lambda: supers.change_stop(number, price, jump))
    else:
        raise bad_field("legName", leg)
    return ApiResponse({"orderId": order_id(found.item.entry), "orderStatus": OrderState.TRANSIT})


def cancel(call: ApiCall) -> ApiResponse:
    """Cancel one exit for good; with the entry everything that is open."""
    number, leg = _number(call), call.args[1].upper()
    if leg not in _LEGS:
        raise bad_field("orderLeg", leg)
    found = translate_refusals(lambda: call.engine.super_orders.cancel(number, leg))
    body = {"orderId": order_id(found.item.entry), "orderStatus": OrderState.CANCELLED}
    return ApiResponse(body, 202)


def listed(call: ApiCall) -> ApiResponse:
    """Super orders of the day, each with its exits."""
    found = call.engine.conditional.all(ConditionalKind.SUPER)
    return ApiResponse([_row(call, one) for one in found if _shown(call, one)])


def _number(call: ApiCall) -> int:
    number = order_number(call.args[0])
    return translate_refusals(lambda: call.engine.super_orders.number_of(number))


def _terms(call: ApiCall) -> SuperTerms:
    return SuperTerms(
        call.money("targetPrice", default=0),
        call.money("stopLossPrice", default=0),
        call.money("trailingJump", default=0),
    )


def _shown(call: ApiCall, one: ConditionalStatus) -> bool:
    return call.exchange.shows(call.client.client_id, one.item.entry)


def _row(call: ApiCall, one: ConditionalStatus) -> dict[str, object]:
    entry = next(order for order in one.orders if order.leg == ENTRY)
    stop, instrument = one.item.leg(STOP), entry.instrument
    status = entry.state.value
    if any(leg.state is LegState.TRIGGERED for leg in one.item.legs):
        status = LegState.TRIGGERED.value
    if one.item.state is ConditionalState.CLOSED:
        status = ConditionalState.CLOSED.value
    last = call.exchange.marks([instrument.key]).get(instrument.key)
    return {
        **order_row(call, entry),
        "orderStatus": status,
        "ltp": rupee(last),
        "trailingJump": rupee(stop.jump if stop else 0),
        "legDetails": [_leg(one, leg, entry) for leg in one.item.legs],
    }


def _leg(one: ConditionalStatus, leg: ConditionalLeg, entry: BookOrder) -> dict[str, object]:
    mine = [order for order in one.orders if order.leg == leg.name]
    exited = sum(order.filled for order in one.orders if order.leg != ENTRY)
    live = one.item.active and leg.state is not LegState.CANCELLED
    return {
        "orderId": order_id((mine[-1] if mine else entry).number),
        "legName": leg.name,
        "transactionType": leg.placement.side.name,
        "totalQuatity": entry.filled,  # the broker's spelling
        "remainingQuantity": entry.filled - exited if live else 0,
        "triggeredQuantity": sum(order.units for order in mine),
        "price": rupee(leg.trigger),
        "orderStatus": _leg_status(one, leg, mine),
        "trailingJump": rupee(leg.jump),
    }


def _leg_status(one: ConditionalStatus, leg: ConditionalLeg, mine: list[BookOrder]) -> str:
    """Status of a leg: pending, triggered, or how its order or the super order ended."""
    if mine and leg.state is LegState.TRIGGERED:
        ended = all(order.state.terminal for order in mine)
        return mine[-1].state.value if ended else LegState.TRIGGERED.value
    if leg.state is not LegState.PENDING or one.item.active:
        return leg.state.value
    if one.item.state is ConditionalState.CLOSED:
        return LegState.CANCELLED.value
    return one.item.state.value
