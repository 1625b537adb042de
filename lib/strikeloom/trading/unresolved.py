"""A person resolves an order whose status the broker does not report."""

from __future__ import annotations

from strikeloom.domain.orders import IntentState, Order, OrderState
from strikeloom.errors import BrokerError
from strikeloom.ports.desk import Desk


def resolve_unknown(
    desk: Desk, correlation_id: str, *, arrived: bool, who: str, number: str = ""
) -> None:
    """Record what a person found out about an order of unknown status.

    ``arrived`` false ends the intent as never placed; true makes it WORKING, to be compared
    with the order book again. After its day its trades can only be found by ``number``, the
    broker's order number.

    Raises
    ------
    BrokerError
        When the order's status is not unknown, or the number belongs to another order.
    """
    if number and any(order.order_id == number for order in desk.store.orders()):
        raise BrokerError(f"order number {number} is already recorded", order_id=number)
    unknown = [
        intent
        for intent in desk.store.intents(states={IntentState.UNKNOWN})
        if intent.correlation_id == correlation_id
    ]
    to = IntentState.WORKING if arrived else IntentState.ENDED
    moved = desk.store.move_intent(
        correlation_id,
        expected={IntentState.UNKNOWN},
        to=to,
        note=f"{who} reports that it {'arrived' if arrived else 'never arrived'}",
        at=desk.clock.now(),
    )
    if not moved:
        found = desk.store.intents(correlation_ids=[correlation_id])
        state = (
            f"{correlation_id} is not unresolved: its state is {found[0].state}" if found else ""
        )
        raise BrokerError(
            f"{state or f'no order {correlation_id} in account {desk.account}'}; strikeloom orders "
            "--unresolved lists what is unresolved"
        )
    for intent in unknown if arrived and number else ():
        desk.store.record_order(
            Order(
                number, correlation_id, intent.instrument.key, intent.side, intent.units, 0,
                intent.limit, OrderState.UNKNOWN, "", intent.created_at,
            )
        )  # fmt: skip
