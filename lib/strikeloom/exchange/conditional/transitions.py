"""The next transition of a conditional order.

Pure functions of the order, the orders that it placed and the last trade.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from strikeloom.domain.orders import OrderState
from strikeloom.exchange.conditional.records import (
    ENTRY,
    STOP,
    ConditionalLeg,
    ConditionalOrder,
    ConditionalState,
    LegState,
)
from strikeloom.exchange.orders.order import BookOrder
from strikeloom.exchange.orders.request import Placement

_FINAL_STATES = {
    OrderState.REJECTED: ConditionalState.REJECTED,
    OrderState.CANCELLED: ConditionalState.CANCELLED,
    OrderState.EXPIRED: ConditionalState.EXPIRED,
}


@dataclass(frozen=True, slots=True)
class OrderToSend:
    """An order to be placed for a leg; ``reduces``: never for more than there is to close."""

    leg: str
    placement: Placement
    reduces: bool = False


@dataclass(frozen=True, slots=True)
class Transition:
    """The conditional order afterwards, orders to cancel first, orders to place then."""

    item: ConditionalOrder
    cancel: tuple[int, ...] = ()
    send: tuple[OrderToSend, ...] = ()


def super_step(
    item: ConditionalOrder, placed: Sequence[BookOrder], last: int | None, at: datetime
) -> Transition:
    """Transition of a super order.

    Its exits are orders only from the moment that their price is reached, one leg at a time, so
    that both can never fill: a stop takes over from a target that rests. What is left of the
    entry is cancelled then: it would meet the exit, or fill again what is being exited. Each unit
    that the entry filled is sent to exit once; what is cancelled, refused or expires is not
    sent again.
    """
    entry = next((order for order in placed if order.leg == ENTRY), None)
    if entry is None:
        return Transition(item)
    exits = [order for order in placed if order.leg != ENTRY]
    open_exits = tuple(order.number for order in exits if not order.state.terminal)
    exited = sum(order.filled for order in exits)
    if entry.state.terminal and exited >= entry.filled:
        state = ConditionalState.CLOSED if entry.filled else _FINAL_STATES[entry.state]
        ended = replace(item, state=state, reason=entry.reason, updated_at=at)
        return Transition(ended, cancel=open_exits)
    if not entry.filled:
        return Transition(item)
    if last is not None:
        item = _fired(_trailed(item, entry, last, at), last, at)
    acting = next((leg for leg in item.legs if leg.state is LegState.TRIGGERED), None)
    if acting is None:
        return Transition(item)
    sent = sum(o.units if o.leg == acting.name else o.filled for o in exits)
    others = tuple(o.number for o in placed if o.leg != acting.name and not o.state.terminal)
    units = entry.filled - sent
    if units <= 0:
        return Transition(item, cancel=others)
    order = replace(acting.placement, units=units)
    return Transition(item, cancel=others, send=(OrderToSend(acting.name, order, reduces=True),))


def _trailed(item: ConditionalOrder, entry: BookOrder, last: int, at: datetime) -> ConditionalOrder:
    """The stop moved by whole jumps behind the best last trade since the entry filled."""
    stop = item.leg(STOP)
    if stop is None or not stop.jump or stop.state is not LegState.PENDING:
        return item
    side, base = int(entry.side), stop.base or int(entry.average)
    moved = max(0, (last - base) * side // stop.jump) * stop.jump * side
    after = replace(stop, base=base + moved, trigger=stop.trigger + moved)
    return item if after == stop else with_leg(item, after, at)


def _fired(item: ConditionalOrder, last: int, at: datetime) -> ConditionalOrder:
    """The leg whose price is reached: the stop before the target, and it ends the target."""
    for leg in sorted(item.legs, key=lambda leg: leg.name != STOP):
        if leg.state is not LegState.PENDING or not leg.reached(last):
            continue
        for other in item.legs:
            if other.name == leg.name:
                item = with_leg(item, replace(leg, state=LegState.TRIGGERED), at)
            elif leg.name == STOP or other.state is LegState.TRIGGERED:
                item = with_leg(item, replace(other, state=LegState.CANCELLED), at)
        return replace(item, triggered_at=at)
    return item


def forever_step(item: ConditionalOrder, last: int | None, at: datetime) -> Transition:
    """Transition of a forever order: the first leg reached goes out, once, and ends the other."""
    reached = next((leg for leg in item.legs if last is not None and leg.reached(last)), None)
    if reached is None:
        return Transition(item)
    for leg in item.legs:
        state = LegState.TRIGGERED if leg.name == reached.name else LegState.CANCELLED
        item = with_leg(item, replace(leg, state=state), at)
    done = replace(item, state=ConditionalState.TRIGGERED, triggered_at=at)
    return Transition(done, send=(OrderToSend(reached.name, reached.placement),))


def with_leg(item: ConditionalOrder, leg: ConditionalLeg, at: datetime) -> ConditionalOrder:
    """The conditional order with one leg replaced."""
    legs = tuple(leg if other.name == leg.name else other for other in item.legs)
    return replace(item, legs=legs, updated_at=at)
