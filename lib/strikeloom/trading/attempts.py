"""When an order has rested long enough, and when its unfilled units may be tried again. Pure."""

from __future__ import annotations

from datetime import datetime
from enum import Enum, auto

from strikeloom.domain.orders import OPEN_INTENT_STATES, IntentState, OrderIntent, Purpose
from strikeloom.settings.execution import ExecutionSettings
from strikeloom.trading.account_state import AccountState
from strikeloom.trading.guards import in_session


class Retry(Enum):
    """Whether the next attempt may be sent now."""

    NO = auto()
    YES = auto()
    OVERDUE = auto()  # yes, and a person is alerted that it has taken many attempts


def has_rested(state: AccountState, intent: OrderIntent, settings: ExecutionSettings) -> bool:
    """Whether a working order has rested long enough to be replaced now.

    It rests for the stated time from when it was sent. An exit that has used its attempts stays
    in the order book until the next one may go.
    """
    rested = (state.at - _changed(state, intent)).total_seconds()
    if not rested > 0 or rested < settings.rest_seconds:
        return False
    if intent.purpose is Purpose.ENTRY or intent.attempt < settings.max_attempts:
        return True
    return (state.at - intent.created_at).total_seconds() >= settings.exit_retry_seconds


def _changed(state: AccountState, intent: OrderIntent) -> datetime:
    """When the state of an intent changed: for a working order, when it was sent."""
    return state.changed_at.get(intent.correlation_id, intent.created_at)


def retry(state: AccountState, intent: OrderIntent, settings: ExecutionSettings) -> Retry:
    """Whether an ended intent may have a next attempt now.

    Entries stop after the stated number of attempts. Exits go on, with a pause after an attempt
    that was sent or refused: many ticks within a second must not use up the attempts.
    """
    most = settings.max_attempts
    if intent.purpose is Purpose.ENTRY:
        # the entry was chosen on the day before; on another day it would be another decision
        same_day = intent.created_at.date() == state.at.date()
        return Retry.YES if intent.attempt < most and same_day else Retry.NO
    sent = bool(state.orders_of(intent.correlation_id))
    refused = intent.state is IntentState.REFUSED
    waited = (state.at - intent.created_at).total_seconds()
    pause = 0.0 if intent.state is IntentState.FILLED else settings.rest_seconds
    if (sent or refused) and (waited <= 0 or waited < pause):
        return Retry.NO  # one that never reached the broker may go at once
    if refused and not in_session(state.at):
        return Retry.NO  # the market is closed: tried again in the next session
    if intent.attempt < most:
        return Retry.YES
    # within the pause; the last attempt was reported already
    return Retry.NO if waited < settings.exit_retry_seconds else Retry.OVERDUE


def has_failed(state: AccountState, intent: OrderIntent, settings: ExecutionSettings) -> bool:
    """Whether the unfilled units of an entry's leg are given up."""
    if intent.state in OPEN_INTENT_STATES:
        return False
    return intent.state is IntentState.REFUSED or retry(state, intent, settings) is Retry.NO
