"""Units of a group of intents that are still to be traded, and how many may be sent now.

The first attempt states the units of a leg's slice; the fills of all its attempts count
towards them, also of an attempt that was abandoned and filled late. An order that reduces a
position is also never larger than what is held, less what other orders may still close.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date

from strikeloom.domain.instruments import Share
from strikeloom.domain.orders import OPEN_INTENT_STATES, IntentState, OrderIntent, Purpose
from strikeloom.trading.account_state import AccountState

Slice = tuple[int, int]  # leg, slice

_SENT = frozenset({IntentState.SENDING, IntentState.WORKING, IntentState.UNKNOWN})


def latest(intents: Iterable[OrderIntent]) -> list[OrderIntent]:
    """Latest attempt of each leg and slice, in send order."""
    best: dict[Slice, OrderIntent] = {}
    for intent in intents:
        place = (intent.leg, intent.slice)
        if place not in best or intent.attempt > best[place].attempt:
            best[place] = intent
    return sorted(best.values(), key=lambda i: (i.priority, i.leg, i.slice))


def untraded_units(state: AccountState, group: Iterable[OrderIntent]) -> dict[Slice, int]:
    """Units of each leg and slice that no attempt has traded; completed ones are left out."""
    left: dict[Slice, int] = defaultdict(int)
    for intent in group:
        place = (intent.leg, intent.slice)
        left[place] += intent.units if intent.attempt == 1 else 0
        left[place] -= state.filled.get(intent.correlation_id, 0)
    return {place: units for place, units in left.items() if units > 0}


def units_left(state: AccountState, group: Iterable[OrderIntent]) -> dict[Slice, int]:
    """Units of each leg and slice that are still to be traded.

    Of an exit, legs that hold nothing to close are left out too: they were settled, reduced by
    another order, or hold the contract that the exchange made of it. So are contracts past their
    expiry, which wait for their settlement: what is left of the position does not wait for them.
    """
    intents = list(group)
    left = untraded_units(state, intents)
    if not left or intents[0].purpose is Purpose.ENTRY:
        return left
    of = {(intent.leg, intent.slice): intent for intent in intents}
    return {
        place: units
        for place, units in left.items()
        if state.held_for(of[place]) * int(of[place].side) < 0
        and not _has_ended(of[place], state.at.date())
    }


def _has_ended(intent: OrderIntent, day: date) -> bool:
    return not isinstance(intent.instrument, Share) and intent.instrument.expiry < day


def unfinished(state: AccountState) -> dict[str, list[OrderIntent]]:
    """Groups with units still to be traded, latest attempts only, in send order.

    A settlement whose fill was not recorded yet is none: it is booked again, never sent.
    """
    return {
        name: latest(group)
        for name, group in state.groups.items()
        if group[0].purpose is not Purpose.SETTLEMENT
        and units_left(state, group)
        and not is_abandoned(state, latest(group))
    }


def is_abandoned(state: AccountState, intents: list[OrderIntent]) -> bool:
    """Whether an entry was abandoned, with nothing left to cancel or to unwind.

    Parameters
    ----------
    intents : list of OrderIntent
        Latest attempts of one group.
    """
    if intents[0].purpose is not Purpose.ENTRY:
        return False
    if not any(intent.state is IntentState.REFUSED for intent in intents):
        return False
    if any(intent.state in OPEN_INTENT_STATES for intent in intents):
        return False
    position_id = intents[0].position_id
    return position_id not in state.positions or is_unwinding(state, position_id)


def is_unwinding(state: AccountState, position_id: str) -> bool:
    """Whether orders that unwind a failed entry are still to be filled."""
    return any(
        group[0].purpose is Purpose.UNWIND and units_left(state, group)
        for group in state.groups.values()
        if group[0].position_id == position_id
    )


def working_positions(state: AccountState) -> set[str]:
    """Positions with orders still to be filled."""
    return {intents[0].position_id for intents in unfinished(state).values()}


def has_nothing_left(state: AccountState, group: tuple[OrderIntent, ...]) -> bool:
    """Whether a group can be closed: only a new fill of its position could reopen it."""
    if any(intent.state in OPEN_INTENT_STATES for intent in group):
        return False
    if any(not o.state.terminal for i in group for o in state.orders_of(i.correlation_id)):
        return False
    if not untraded_units(state, group):
        return True
    if group[0].position_id in state.positions:
        return group[0].purpose is not Purpose.ENTRY and all(map(state.is_adjusted, group))
    return group[0].purpose is not Purpose.ENTRY or is_abandoned(state, latest(group))


def held_free(state: AccountState, intent: OrderIntent) -> int:
    """Units of a leg that an order of this side may close beside the orders that may still trade.

    These are orders sent and not seen terminal, and orders that reached the broker after their
    intent was abandoned.
    """
    held = -int(intent.side) * state.held_for(intent)
    others = state.intents_of(intent.position_id)
    out = sum(
        units
        for other, units in _still_out(state, others)
        if (other.leg, other.side) == (intent.leg, intent.side)
        and other.correlation_id != intent.correlation_id
    )
    return held - out


def most_units(state: AccountState, intent: OrderIntent, *, unseen: bool = True) -> int:
    """Most units, in whole lots, that the next order of this leg and slice may be for.

    Parameters
    ----------
    unseen : bool
        Subtract units that the broker has traded but not yet reported (``state.gaps``), so
        that they are not traded twice.
    """
    place = (intent.leg, intent.slice)
    group = state.groups.get(intent.intent_id, ())
    chain = [i for i in group if (i.leg, i.slice) == place]
    most = units_left(state, chain).get(place, 0)
    most -= sum(
        units
        for other, units in _still_out(state, chain)
        if other.correlation_id != intent.correlation_id
    )
    if intent.purpose is not Purpose.ENTRY:
        gap = max(0, int(intent.side) * state.gaps.get(intent.instrument.key, 0)) if unseen else 0
        most = min(most, held_free(state, intent))
        most = min(most, _contract_free(state, intent) - gap) if gap else most
    return max(0, most - most % intent.instrument.lot_size)


def _contract_free(state: AccountState, intent: OrderIntent) -> int:
    """Units of the contract, over all positions on that side, that no other exit may close."""
    key, sign = intent.instrument.key, -int(intent.side)
    held = sum(
        max(0, sign * leg.net_units)
        for position in state.positions.values()
        for leg in position.legs
        if leg.instrument.key == key
    )
    out = sum(
        units
        for other, units in _still_out(state, state.intents())
        if (other.instrument.key, other.side) == (key, intent.side)
        and other.purpose is not Purpose.ENTRY
        and other.correlation_id != intent.correlation_id
    )
    return held - out


def _still_out(
    state: AccountState, intents: Iterable[OrderIntent]
) -> Iterable[tuple[OrderIntent, int]]:
    """Intents whose order may still trade, each with its unfilled units."""
    today = state.at.date()
    for intent in intents:
        alive = any(
            not order.state.terminal and order.updated_at.date() == today
            for order in state.orders_of(intent.correlation_id)
        )
        if intent.state in _SENT or alive:
            units = intent.units - state.filled.get(intent.correlation_id, 0)
            if units > 0:
                yield intent, units
