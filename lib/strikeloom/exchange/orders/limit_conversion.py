"""From what a client sends to the order that the exchange keeps: every order is a limit order.

A market order becomes a limit with market price protection, measured from the last trade. A
stop without a limit does not wait: like the broker since 2026-03-21 it becomes a limit near its
trigger, which may trade at once.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from strikeloom.domain.orders import OrderState
from strikeloom.domain.quotes import Quote
from strikeloom.exchange.orders.broker_rules import broker_rule, protected_limit
from strikeloom.exchange.orders.hours import is_open, release_moment
from strikeloom.exchange.orders.order import BookOrder
from strikeloom.exchange.orders.request import Change, OrderType, Placement
from strikeloom.exchange.orders.validation import (
    DESK,
    INPUT,
    MARKET_CLOSED,
    ORDER,
    OrderRefusal,
    disclosed_refusal,
    reference_price,
)


def typed_order(
    placement: Placement, quote: Quote | None, now: datetime
) -> tuple[BookOrder, OrderRefusal | None]:
    """Order of a placement, not numbered yet, and why it has no price if it has none."""
    p = placement
    plain = BookOrder(
        number=0,
        correlation_id=p.correlation_id,
        instrument=p.instrument,
        side=p.side,
        units=p.units,
        filled=0,
        filled_value=0,
        order_type=p.order_type,
        asked_type=p.order_type,
        limit=p.limit,
        trigger=p.trigger if p.order_type is not OrderType.LIMIT else 0,
        triggered=False,
        validity=p.validity,
        product=p.product,
        disclosed=p.disclosed,
        after_market=p.after_market,
        release_at=release_moment(now, p.amo_time) if p.after_market else None,
        modifications=0,
        state=OrderState.TRANSIT,
        code="",
        reason="",
        placed_at=now,
        updated_at=now,
        entered_at=now,
        exchange_at=None,
        rank=0,
    )
    return limited(plain, quote)


def limited(order: BookOrder, quote: Quote | None) -> tuple[BookOrder, OrderRefusal | None]:
    """The order as the limit order that it becomes."""
    if order.order_type is OrderType.MARKET:
        reference = reference_price(quote)
        if reference is None:
            return order, OrderRefusal(DESK, "no price is known to protect a market order with")
    elif order.order_type is OrderType.STOP_LOSS_MARKET:
        reference = order.trigger
    else:
        return order, None
    day = order.session_day
    limit = protected_limit(order.side, reference, order.instrument.tick, day)
    return replace(order, order_type=OrderType.LIMIT, limit=limit, trigger=0), None


def changed(
    before: BookOrder, change: Change, quote: Quote | None, now: datetime
) -> tuple[BookOrder, OrderRefusal | None]:
    """Order after a change, and why the change is not possible if it is not.

    An order whose price is changed, or that asks for more, goes behind the others: its ``rank``
    is then 0, for the caller to give it the last.
    """
    day = before.session_day
    if before.modifications >= broker_rule("modifications", day):
        return before, OrderRefusal(ORDER, f"an order can be modified {before.modifications} times")
    if not before.waits_for_release and not is_open(now):
        return before, OrderRefusal(ORDER, MARKET_CLOSED)
    kind = change.order_type or before.order_type
    # a price of its own makes a protected market order a plain limit, at the next open as well
    asked = before.asked_type if change.limit is None else before.order_type
    units = before.units if change.units is None else change.units
    if units <= before.filled:
        return before, OrderRefusal(
            ORDER, f"quantity {units} is the total and must be above the {before.filled} traded"
        )
    wanted = replace(
        before,
        units=units,
        order_type=kind,
        asked_type=change.order_type or asked,
        limit=before.limit if change.limit is None else change.limit,
        trigger=before.trigger if change.trigger is None else change.trigger,
        disclosed=before.disclosed if change.disclosed is None else change.disclosed,
        validity=change.validity or before.validity,
        modifications=before.modifications + 1,
        updated_at=now,
    )
    if min(wanted.limit, wanted.trigger, wanted.disclosed) < 0:
        return before, OrderRefusal(
            INPUT, "price, trigger and disclosed quantity must not be negative"
        )
    if kind.needs_trigger and not wanted.trigger:
        return before, OrderRefusal(INPUT, f"{kind} needs a trigger price")
    if kind is OrderType.LIMIT:
        wanted = replace(wanted, trigger=0, triggered=False)
    after, refusal = limited(wanted, quote)
    refusal = refusal or disclosed_refusal(after.disclosed, units, day)
    same = (before.limit, before.order_type, before.trigger)
    if (after.limit, after.order_type, after.trigger) != same or units > before.units:
        after = replace(after, rank=0, entered_at=now)
    return after, refusal
