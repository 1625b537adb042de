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


def has_rested(intent: OrderIntent, now: datetime, rest_seconds: float) -> bool:
    """Whether an order has rested for the stated time; never at the moment it was sent."""
    rested = (now - intent.created_at).total_seconds()
    return rested > 0 and rested >= rest_seconds


def retry(state: AccountState, intent: OrderIntent, settings: ExecutionSettings) -> Retry:
    """Whether an ended intent may have a next attempt now.

    Entries stop after the stated number of attempts; exits go on, once per moment.
    """
    most = settings.max_attempts
    if intent.purpose is Purpose.ENTRY:
        # the entry was chosen on the day before; on another day it would be another decision
        same_day = intent.created_at.date() == state.at.date()
        return Retry.YES if intent.attempt < most and same_day else Retry.NO
    sent = bool(state.orders_of(intent.correlation_id))
    refused = intent.state is IntentState.REFUSED
    if intent.created_at >= state.at and (sent or refused):
        return Retry.NO  # once per moment; one that never reached the broker may go at once
    if refused and not in_session(state.at):
        return Retry.NO  # the market is closed: tried again in the next session
    if intent.attempt < most:
        return Retry.YES
    waited = (state.at - intent.created_at).total_seconds()
    # within the pause; the last attempt was reported already
    return Retry.NO if waited < settings.exit_retry_seconds else Retry.OVERDUE


def has_failed(state: AccountState, intent: OrderIntent, settings: ExecutionSettings) -> bool:
    """Whether the unfilled units of an entry's leg are given up."""
    if intent.state in OPEN_INTENT_STATES:
        return False
    return intent.state is IntentState.REFUSED or retry(state, intent, settings) is Retry.NO
