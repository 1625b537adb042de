"""The watcher's handling of exit requests: pending ones, then accepted ones."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from strikeloom.domain.orders import IntentState, OrderIntent
from strikeloom.domain.positions import ExitRequest, Position, RequestState
from strikeloom.errors import StoreError
from strikeloom.monitor.act import RequestOutcome, answer_request, progress_of, targets_of
from strikeloom.ports.desk import Desk
from strikeloom.trading.account_state import AccountState
from strikeloom.trading.alert import alert
from strikeloom.trading.intents import Pricing, exit_name
from strikeloom.trading.prepare import pricing_of, take_snapshot
from strikeloom.trading.reconcile import Reconciler
from strikeloom.trading.remaining import working_positions


def take_requests(desk: Desk, state: AccountState, reconciler: Reconciler) -> int:
    """Record intents for pending requests, or the reason why not. Returns how many there were."""
    pending = [r for r in state.requests if r.state is RequestState.PENDING]
    for request in pending:
        state = reconciler.reload()
        try:
            position = _position(desk, state, request)
        except StoreError as error:
            _settle(desk, request, RequestOutcome(RequestState.REFUSED, str(error)))
            continue
        targets = targets_of(request, position)
        names = {exit_name(request, request.target_lots), exit_name(position, targets)}
        answer = answer_request(
            request,
            position,
            partial(_pricing, desk, position),
            recorded=any(_held_intents(desk, position, name) for name in names),
            working=request.position_id in working_positions(state),
        )
        if answer.intents:
            desk.store.record_intents(answer.intents)
        if answer.state in (RequestState.STALE, RequestState.REFUSED):
            text = f"exit of {request.position_id} asked by {request.who} is not made"
            alert(desk, "warning", f"{text}: {answer.note}")
        _settle(desk, request, answer)
    return len(pending)


def finish_requests(desk: Desk, state: AccountState) -> None:
    """Update accepted requests; those whose position has reached the target are done."""
    working = working_positions(state)
    for request in state.requests:
        if request.state is not RequestState.ACCEPTED:
            continue
        ended = None
        if request.position_id not in working:
            name = exit_name(request, request.target_lots)
            states = {IntentState.REFUSED, IntentState.ENDED}
            ended = desk.store.intents(states=states, intent_id=name)
        position = _position(desk, state, request)
        outcome = progress_of(request, position, ended, desk.clock.now().date())
        if ended and outcome.state is not RequestState.DONE and not _of_held(position, ended):
            note = "the exchange adjusted the contract: orders for the new one follow"
            outcome = RequestOutcome(RequestState.PENDING, note)
        _settle(desk, request, outcome)


def _held_intents(desk: Desk, position: Position, name: str) -> list[OrderIntent]:
    """Intents of a group that are for contracts that the position still holds, in their lot."""
    return _of_held(position, desk.store.intents(intent_id=name))


def _of_held(position: Position, intents: Sequence[OrderIntent]) -> list[OrderIntent]:
    held = {leg.leg: leg for leg in position.legs}
    return [
        intent
        for intent in intents
        if intent.leg in held
        and held[intent.leg].is_held_as(intent.instrument, intent.created_at.date())
    ]


def _position(desk: Desk, state: AccountState, request: ExitRequest) -> Position:
    return state.positions.get(request.position_id) or desk.store.position(request.position_id)


def _pricing(desk: Desk, position: Position) -> Pricing:
    contracts = (leg.instrument for leg in position.legs if leg.net_units)
    return pricing_of(desk, take_snapshot(desk, contracts))


def _settle(desk: Desk, request: ExitRequest, outcome: RequestOutcome) -> None:
    """Store the state and note of a request if they have changed."""
    if (request.state, request.note) != (outcome.state, outcome.note):
        desk.store.settle_request(request.request_id, outcome.state, outcome.note)
