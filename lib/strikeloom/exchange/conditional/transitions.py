"""What a standing order wants next. Pure functions of what it is, its orders and the last trade."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from strikeloom.domain.orders import OrderState
from strikeloom.exchange.conditional.records import (
    ENTRY,
    STOP,
    Leg,
    LegState,
    Standing,
    StandingState,
)
from strikeloom.exchange.orders.order import BookOrder
from strikeloom.exchange.orders.request import Placement

_ENDS = {
    OrderState.REJECTED: StandingState.REJECTED,
    OrderState.CANCELLED: StandingState.CANCELLED,
    OrderState.EXPIRED: StandingState.EXPIRED,
}


@dataclass(frozen=True, slots=True)
class Send:
    """An order to be placed for a leg; ``reduces``: never for more than there is to close."""

    leg: str
    placement: Placement
    reduces: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """The standing order as it becomes, orders to cancel first, orders to place then."""

    item: Standing
    cancel: tuple[int, ...] = ()
    send: tuple[Send, ...] = ()


def super_step(
    item: Standing, children: Sequence[BookOrder], last: int | None, at: datetime
) -> Step:
    """Step of a super order.

    Its exits are orders only from the moment that their price is reached, one leg at a time, so
    that both can never fill: a stop takes over from a target that rests. What is left of the
    entry is cancelled then: it would meet the exit, or fill again what is being left. Each unit
    that the entry filled is sent to exit once; what is cancelled, refused or expires is not
    sent again.
    """
    entry = next((order for order in children if order.leg == ENTRY), None)
    if entry is None:
        return Step(item)
    exits = [order for order in children if order.leg != ENTRY]
    open_exits = tuple(order.number for order in exits if not order.state.terminal)
    exited = sum(order.filled for order in exits)
    if entry.state.terminal and exited >= entry.filled:
        state = StandingState.CLOSED if entry.filled else _ENDS[entry.state]
        ended = replace(item, state=state, reason=entry.reason, updated_at=at)
        return Step(ended, cancel=open_exits)
    if not entry.filled:
        return Step(item)
    if last is not None:
        item = _fired(_trailed(item, entry, last, at), last, at)
    acting = next((leg for leg in item.legs if leg.state is LegState.TRIGGERED), None)
    if acting is None:
        return Step(item)
    sent = sum(o.units if o.leg == acting.name else o.filled for o in exits)
    others = tuple(o.number for o in children if o.leg != acting.name and not o.state.terminal)
    units = entry.filled - sent
    if units <= 0:
        return Step(item, cancel=others)
    order = replace(acting.placement, units=units)
    return Step(item, cancel=others, send=(Send(acting.name, order, reduces=True),))


def _trailed(item: Standing, entry: BookOrder, last: int, at: datetime) -> Standing:
    """The stop moved by whole jumps behind the best last trade since the entry filled."""
    stop = item.leg(STOP)
    if stop is None or not stop.jump or stop.state is not LegState.PENDING:
        return item
    side, base = int(entry.side), stop.base or int(entry.average)
    moved = max(0, (last - base) * side // stop.jump) * stop.jump * side
    after = replace(stop, base=base + moved, trigger=stop.trigger + moved)
    return item if after == stop else with_leg(item, after, at)


def _fired(item: Standing, last: int, at: datetime) -> Standing:
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


def forever_step(item: Standing, last: int | None, at: datetime) -> Step:
    """Step of a forever order: the first leg reached goes out, once, and ends the other."""
    gone = next((leg for leg in item.legs if last is not None and leg.reached(last)), None)
    if gone is None:
        return Step(item)
    for leg in item.legs:
        state = LegState.TRIGGERED if leg.name == gone.name else LegState.CANCELLED
        item = with_leg(item, replace(leg, state=state), at)
    done = replace(item, state=StandingState.TRIGGERED, triggered_at=at)
    return Step(done, send=(Send(gone.name, gone.placement),))


def with_leg(item: Standing, leg: Leg, at: datetime) -> Standing:
    """The standing order with one leg replaced."""
    legs = tuple(leg if one.name == leg.name else one for one in item.legs)
    return replace(item, legs=legs, updated_at=at)
