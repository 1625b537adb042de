"""What is still to trade of a group of intents, and how much of it may go out now.

A leg's slice is wanted once, by its first attempt; whatever any attempt fills counts towards
it, also an attempt that was given up and filled late. An order that leaves a position is in
addition never larger than what is held, less what other orders may still take.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from strikeloom.domain.orders import IntentState, OrderIntent, Purpose
from strikeloom.domain.positions import Position
from strikeloom.ports.desk import Desk

Place = tuple[int, int]  # leg, slice

_OUT = frozenset({IntentState.SENDING, IntentState.WORKING, IntentState.UNKNOWN})


def latest(intents: Iterable[OrderIntent]) -> list[OrderIntent]:
    """Latest attempt of each leg and slice, in send order."""
    best: dict[Place, OrderIntent] = {}
    for intent in intents:
        place = (intent.leg, intent.slice)
        if place not in best or intent.attempt > best[place].attempt:
            best[place] = intent
    return sorted(best.values(), key=lambda i: (i.priority, i.leg, i.slice))


def filled_units(desk: Desk) -> dict[str, int]:
    """Units filled by correlation id."""
    units: dict[str, int] = defaultdict(int)
    for fill in desk.store.fills():
        units[fill.correlation_id] += fill.units
    return units


def units_left(
    desk: Desk, group: Iterable[OrderIntent], filled: Mapping[str, int]
) -> dict[Place, int]:
    """Units of each leg and slice that no attempt has traded; what is done is absent.

    Parameters
    ----------
    group : iterable of OrderIntent
        All attempts of one group.

    Of an exit also absent where the leg holds nothing more to take off: it was settled, or
    left by another way.
    """
    left: dict[Place, int] = defaultdict(int)
    some: OrderIntent | None = None
    sides = {}
    for intent in group:
        place, some = (intent.leg, intent.slice), intent
        left[place] += intent.units if intent.attempt == 1 else 0
        left[place] -= filled.get(intent.correlation_id, 0)
        sides[place] = intent.side
    open_places = {place: units for place, units in left.items() if units > 0}
    if some is None or not open_places or some.purpose is Purpose.ENTRY:
        return open_places
    position = desk.store.position(some.position_id)
    return {
        place: units
        for place, units in open_places.items()
        if _held(position, place[0]) * int(sides[place]) < 0
    }


def held_free(desk: Desk, intent: OrderIntent) -> int:
    """Units that an order of this side may take off its leg beside the orders that are out.

    Out is what may still trade: sent and not seen terminal, and what came to life at the broker
    after it was given up.
    """
    held = -int(intent.side) * _held(desk.store.position(intent.position_id), intent.leg)
    filled = filled_units(desk)
    others = desk.store.intents(position_id=intent.position_id)
    out = sum(
        units
        for other, units in _still_out(desk, others, filled)
        if (other.leg, other.side) == (intent.leg, intent.side)
        and other.correlation_id != intent.correlation_id
    )
    return held - out


def most_units(desk: Desk, intent: OrderIntent, gaps: Mapping[str, int]) -> int:
    """Most units, in whole lots, that the next order of this leg and slice may be for.

    Parameters
    ----------
    gaps : mapping of str to int
        By contract, by how much the broker's net units differ from our record: what it has
        traded and we were not told of is not sold or bought again.
    """
    group = desk.store.intents(intent_id=intent.intent_id)
    filled = filled_units(desk)
    place = (intent.leg, intent.slice)
    chain = [i for i in group if (i.leg, i.slice) == place]
    most = units_left(desk, chain, filled).get(place, 0)
    most -= sum(
        units
        for other, units in _still_out(desk, chain, filled)
        if other.correlation_id != intent.correlation_id
    )
    if intent.purpose is not Purpose.ENTRY:
        unseen = max(0, int(intent.side) * gaps.get(intent.contract.key, 0))
        most = min(most, held_free(desk, intent))
        most = min(most, _contract_free(desk, intent, filled) - unseen) if unseen else most
    return max(0, most - most % intent.contract.lot_size)


def _contract_free(desk: Desk, intent: OrderIntent, filled: Mapping[str, int]) -> int:
    """Units of the contract, over all positions on the side left, that no exit out may take."""
    key, sign = intent.contract.key, -int(intent.side)
    held = sum(
        max(0, sign * leg.net_units)
        for position in desk.store.positions()
        for leg in position.legs
        if leg.contract.key == key
    )
    out = sum(
        units
        for other, units in _still_out(desk, desk.store.intents(), filled)
        if (other.contract.key, other.side) == (key, intent.side)
        and other.purpose is not Purpose.ENTRY
        and other.correlation_id != intent.correlation_id
    )
    return held - out


def _held(position: Position, leg: int) -> int:
    return sum(item.net_units for item in position.legs if item.leg == leg)


def _still_out(
    desk: Desk, intents: Iterable[OrderIntent], filled: Mapping[str, int]
) -> Iterable[tuple[OrderIntent, int]]:
    """Intents whose order may still trade, with the units it may."""
    today = desk.clock.now().date()
    alive = {
        order.correlation_id
        for order in desk.store.orders()
        if not order.state.terminal and order.updated_at.date() == today
    }
    for intent in intents:
        if intent.state in _OUT or intent.correlation_id in alive:
            units = intent.units - filled.get(intent.correlation_id, 0)
            if units > 0:
                yield intent, units
