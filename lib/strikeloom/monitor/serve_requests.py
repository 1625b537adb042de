"""The watcher's side of exit requests: take the pending ones, finish the accepted ones."""

from __future__ import annotations

from functools import partial

from strikeloom.domain.orders import IntentState
from strikeloom.domain.positions import ExitRequest, Position, RequestState
from strikeloom.errors import StoreError
from strikeloom.monitor.act import RequestOutcome, answer_request, progress_of
from strikeloom.ports.desk import Desk
from strikeloom.trading.account_state import AccountState
from strikeloom.trading.intents import Pricing, exit_name
from strikeloom.trading.prepare import pricing_of, take_snapshot
from strikeloom.trading.reconcile import Reconciler
from strikeloom.trading.remaining import working_positions


def take_requests(desk: Desk, state: AccountState, reconciler: Reconciler) -> int:
    """Record intents for pending requests, or note why not. Returns how many were pending."""
    pending = [r for r in state.requests if r.state is RequestState.PENDING]
    for request in pending:
        state = reconciler.reload()
        try:
            position = _position(desk, state, request)
        except StoreError as error:
            _settle(desk, request, RequestOutcome(RequestState.REFUSED, str(error)))
            continue
        name = exit_name(request, request.target_lots)
        found = answer_request(
            request,
            position,
            partial(_pricing, desk, position),
            recorded=bool(desk.store.intents(intent_id=name)),
            working=request.position_id in working_positions(state),
        )
        if found.intents:
            desk.store.record_intents(found.intents)
        _settle(desk, request, found)
    return len(pending)


def finish_requests(desk: Desk, state: AccountState) -> None:
    """Settle accepted requests whose position has come down to the target."""
    working = working_positions(state)
    for request in state.requests:
        if request.state is not RequestState.ACCEPTED:
            continue
        ended = None
        if request.position_id not in working:
            name = exit_name(request, request.target_lots)
            states = {IntentState.REFUSED, IntentState.ENDED}
            ended = desk.store.intents(states=states, intent_id=name)
        _settle(desk, request, progress_of(request, _position(desk, state, request), ended))


def _position(desk: Desk, state: AccountState, request: ExitRequest) -> Position:
    return state.positions.get(request.position_id) or desk.store.position(request.position_id)


def _pricing(desk: Desk, position: Position) -> Pricing:
    contracts = (leg.contract for leg in position.legs if leg.net_units)
    return pricing_of(desk, take_snapshot(desk, contracts))


def _settle(desk: Desk, request: ExitRequest, found: RequestOutcome) -> None:
    """Write only what is new."""
    if (request.state, request.note) != (found.state, found.note):
        desk.store.settle_request(request.request_id, found.state, found.note)
