"""Turn requests and decisions into recorded intents. Sending is the work of ``trading``."""

from __future__ import annotations

from collections.abc import Sequence

from strikeloom.domain.orders import IntentState
from strikeloom.domain.positions import ExitDecision, ExitRequest, Position, RequestState
from strikeloom.errors import GuardError, NoQuote, StoreError
from strikeloom.ports.desk import Desk
from strikeloom.trading.intents import exit_intents, exit_name


def take_request(desk: Desk, request: ExitRequest, working: set[str]) -> None:
    """Record intents for a pending request, or say why not.

    What can pass by itself (orders at work, a missing price) leaves the request pending with
    a note; what cannot settles it.
    """
    try:
        position = desk.store.position(request.position_id)
    except StoreError as error:
        state, note = RequestState.REFUSED, str(error)
    else:
        state, note = _standing(desk, request, position, working) or _record(
            desk, request, position
        )
    _settle(desk, request, state, note)


def _standing(
    desk: Desk, request: ExitRequest, position: Position, working: set[str]
) -> tuple[RequestState, str] | None:
    """What holds a request back or settles it before any order is made."""
    if desk.store.intents(intent_id=_name(desk, request)):
        # a process that ended between recording and settling had taken it up already
        return RequestState.ACCEPTED, "orders recorded"
    if request.revision != position.revision:
        text = "changed" if position.is_open else "closed"
        return RequestState.STALE, f"the position had {text} before"
    if position.position_id in working:
        return RequestState.PENDING, "waits for the orders at work"
    return None


def _record(desk: Desk, request: ExitRequest, position: Position) -> tuple[RequestState, str]:
    try:
        intents = exit_intents(desk, position, request.target_lots, f"asked by {request.who}")
    except NoQuote as error:
        return RequestState.PENDING, f"waits: {error}"
    except GuardError as error:
        return RequestState.REFUSED, str(error)
    if not intents:
        return RequestState.DONE, "nothing to do: the target is met"
    desk.store.record_intents(intents)
    return RequestState.ACCEPTED, "orders recorded"


def take_decision(desk: Desk, position: Position, decision: ExitDecision) -> str:
    """Record intents for a firing rule; the reason why not otherwise, empty when done."""
    why = f"{decision.rule}: {decision.sentence}"
    try:
        intents = exit_intents(desk, position, decision.target_lots, why)
    except (GuardError, NoQuote) as error:
        return str(error)
    desk.store.record_intents(intents)
    return ""


def finish_requests(desk: Desk, working: set[str]) -> None:
    """Settle accepted requests whose position has come down to the target."""
    for request in desk.store.requests(states={RequestState.ACCEPTED}):
        position = desk.store.position(request.position_id)
        if _met(position, request.target_lots):
            text = "reduced as asked" if position.is_open else "closed"
            _settle(desk, request, RequestState.DONE, text)
        elif position.position_id not in working:
            ended = {IntentState.REFUSED, IntentState.ENDED}
            found = desk.store.intents(states=ended, intent_id=_name(desk, request))
            notes = [intent.note for intent in found if intent.note]
            text = notes[-1] if notes else "the orders ended before the target was met"
            _settle(desk, request, RequestState.REFUSED, text)
        else:
            _settle(desk, request, RequestState.ACCEPTED, _progress(position, request.target_lots))


def _settle(desk: Desk, request: ExitRequest, state: RequestState, note: str) -> None:
    """Write only what is new."""
    if (request.state, request.note) != (state, note):
        desk.store.settle_request(request.request_id, state, note)


def _name(desk: Desk, request: ExitRequest) -> str:
    return exit_name(desk, request.position_id, request.revision, request.target_lots)


def _met(position: Position, target_lots: Sequence[int]) -> bool:
    """Whether every leg holds no more than its target; less is fine (an expiry, a rule)."""
    return all(
        abs(leg.net_lots) <= abs(target)
        for leg, target in zip(position.legs, target_lots, strict=True)
    )


def _progress(position: Position, target_lots: Sequence[int]) -> str:
    left = sum(
        abs(leg.net_lots - target) for leg, target in zip(position.legs, target_lots, strict=True)
    )
    return f"orders at work, {left} lots to go"
