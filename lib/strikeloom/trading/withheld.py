"""Sentences on what the next round of work would send. Sends and records nothing."""

from __future__ import annotations

from strikeloom.domain.instruments import Share
from strikeloom.domain.money import rupees_text
from strikeloom.domain.orders import IntentState, OrderIntent, Purpose
from strikeloom.settings.execution import ExecutionSettings
from strikeloom.trading.account_state import AccountState
from strikeloom.trading.attempts import has_rested
from strikeloom.trading.remaining import most_units, unfinished


def withheld(state: AccountState, settings: ExecutionSettings) -> list[str]:
    """One sentence for each order that a trading watcher would place or cancel now."""
    sentences = [
        f"cancel order {order_id}: its intent was abandoned" for order_id in state.late_orders
    ]
    for intents in unfinished(state).values():
        group = (_sentence(state, intent, settings) for intent in intents)
        sentences += [sentence for sentence in group if sentence]
    return sentences


def _sentence(state: AccountState, intent: OrderIntent, settings: ExecutionSettings) -> str:
    shares = isinstance(intent.instrument, Share)
    name = f"{intent.instrument.symbol} shares" if shares else intent.instrument.label
    what = f"{name} of {intent.position_id} ({intent.why})"
    side = intent.side.word.lower()
    if intent.state is IntentState.WORKING:
        text = f"cancel {side} {intent.units} {what}, and send what is left at a fresh price"
        return text if has_rested(state, intent, settings) else ""
    if intent.state in (IntentState.UNKNOWN, IntentState.SENDING):
        return ""  # status unknown: nothing is sent for it in any mode
    abandoned = intent.state is IntentState.REFUSED and intent.purpose is Purpose.ENTRY
    units = 0 if abandoned else most_units(state, intent)
    if intent.state is IntentState.NEW:
        units = min(units, intent.units)
        return f"{side} {units} {what} at {rupees_text(intent.limit)}" if units else ""
    return f"{side} {units} {what} at a fresh price" if units else ""
