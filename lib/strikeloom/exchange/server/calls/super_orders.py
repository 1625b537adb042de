"""Super orders: an entry with a target, a stop and a stop that follows."""

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
from strikeloom.exchange.server.answers import Answer
from strikeloom.exchange.server.call import Call, bad_field
from strikeloom.exchange.server.calls.orders import heard, order_row, placement, taken
from strikeloom.exchange.server.words import ORDER_TYPES, order_id, order_number, rupee

_LEGS = (ENTRY, TARGET, STOP)


def place(call: Call) -> Answer:
    """Place an entry with its exits; the entry's number is that of the whole."""
    what, terms = placement(call, {**call.body, "afterMarketOrder": False}), _terms(call)
    found = heard(lambda: call.engine.super_orders.place(what, terms))
    entry = next(order for order in found.orders if order.leg == ENTRY)
    call.house.placed(call.client.client_id, entry)
    return Answer(taken(entry))


def modify(call: Call) -> Answer:
    """Change one leg; without a trailing jump the stop follows no more."""
    number, leg = _standing(call), call.text("legName").upper()
    desk = call.engine.super_orders
    if leg == ENTRY:
        change = Change(
            units=call.whole("quantity"),
            limit=call.money("price"),
            order_type=call.one_of("orderType", ORDER_TYPES),
        )
        if not change.units:
            raise bad_field("quantity", change.units)
        terms = _terms(call)
        found = heard(lambda: desk.change_entry(number, change, terms))
    elif leg == TARGET:
        price = call.money("targetPrice")
        found = heard(lambda: desk.change_target(number, price))
    elif leg == STOP:
        price, jump = call.money("stopLossPrice"), call.money("trailingJump", default=0)
        found = heard(lambda: desk.change_stop(number, price, jump))
    else:
        raise bad_field("legName", leg)
    return Answer({"orderId": order_id(found.item.entry), "orderStatus": OrderState.TRANSIT})


def cancel(call: Call) -> Answer:
    """Cancel one exit for good, or with the entry all that is open."""
    number, leg = _standing(call), call.args[1].upper()
    if leg not in _LEGS:
        raise bad_field("orderLeg", leg)
    found = heard(lambda: call.engine.super_orders.cancel(number, leg))
    said = {"orderId": order_id(found.item.entry), "orderStatus": OrderState.CANCELLED}
    return Answer(said, 202)


def listed(call: Call) -> Answer:
    """Super orders of the day, each with its exits."""
    found = call.engine.conditional.all(ConditionalKind.SUPER)
    return Answer([_row(call, one) for one in found if _shown(call, one)])


def _standing(call: Call) -> int:
    number = order_number(call.args[0])
    return heard(lambda: call.engine.super_orders.number_of(number))


def _terms(call: Call) -> SuperTerms:
    return SuperTerms(
        call.money("targetPrice", default=0),
        call.money("stopLossPrice", default=0),
        call.money("trailingJump", default=0),
    )


def _shown(call: Call, one: ConditionalStatus) -> bool:
    return call.house.shows(call.client.client_id, one.item.entry)


def _row(call: Call, one: ConditionalStatus) -> dict[str, object]:
    entry = next(order for order in one.orders if order.leg == ENTRY)
    stop, contract = one.item.leg(STOP), entry.contract
    status = entry.state.value
    if any(leg.state is LegState.TRIGGERED for leg in one.item.legs):
        status = LegState.TRIGGERED.value
    if one.item.state is ConditionalState.CLOSED:
        status = ConditionalState.CLOSED.value
    last = call.house.marks([contract.key]).get(contract.key)
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
    """Waiting, at the exchange, or how its order or the whole ended."""
    if mine and leg.state is LegState.TRIGGERED:
        ended = all(order.state.terminal for order in mine)
        return mine[-1].state.value if ended else LegState.TRIGGERED.value
    if leg.state is not LegState.PENDING or one.item.active:
        return leg.state.value
    if one.item.state is ConditionalState.CLOSED:
        return LegState.CANCELLED.value
    return one.item.state.value
