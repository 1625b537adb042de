"""Turn requests and decisions into recorded intents. Sending is the work of ``trading``."""

from __future__ import annotations

from strikeloom.domain.orders import IntentState
from strikeloom.domain.positions import ExitDecision, ExitRequest, Position, RequestState
from strikeloom.errors import GuardError, NoQuote, StoreError
from strikeloom.ports.desk import Desk
from strikeloom.trading.intents import exit_intents


def take_request(desk: Desk, request: ExitRequest, working: set[str]) -> None:
    """Record intents for a request, or settle it with the reason why not."""
    settle = desk.store.settle_request
    name = request.request_id
    try:
        position = desk.store.position(request.position_id)
    except StoreError as error:
        settle(name, RequestState.REFUSED, str(error))
        return
    if position.position_id in working:
        settle(name, RequestState.REFUSED, "orders of this position are still working; ask again")
        return
    if request.revision != position.revision:
        settle(name, RequestState.STALE, "the position had changed before it was taken up")
        return
    try:
        intents = exit_intents(desk, position, request.target_lots, f"asked by {request.who}")
    except (GuardError, NoQuote) as error:
        settle(name, RequestState.REFUSED, str(error))
        return
    if not intents:
        settle(name, RequestState.DONE, "nothing to do: the target is met")
        return
    desk.store.record_intents(intents)
    settle(name, RequestState.ACCEPTED, f"{len(intents)} orders recorded")


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
    """Settle accepted requests whose position has reached the target, or whose orders ended."""
    for request in desk.store.requests(states={RequestState.ACCEPTED}):
        position = desk.store.position(request.position_id)
        left = tuple(leg.net_lots for leg in position.legs)
        if left == request.target_lots:
            text = "closed" if not position.is_open else "reduced as asked"
            desk.store.settle_request(request.request_id, RequestState.DONE, text)
        elif position.position_id not in working:
            notes = [
                intent.note
                for intent in desk.store.intents(position_id=position.position_id)
                if intent.state in (IntentState.REFUSED, IntentState.ENDED) and intent.note
            ]
            text = notes[-1] if notes else "the orders ended before the target was met"
            desk.store.settle_request(request.request_id, RequestState.REFUSED, text)
