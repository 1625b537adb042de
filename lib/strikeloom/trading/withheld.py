"""What the next round of work would send, in words. Nothing is sent, moved or recorded here."""

from __future__ import annotations

from collections.abc import Mapping

from strikeloom.domain.money import rupees_text
from strikeloom.domain.orders import IntentState, OrderIntent, Purpose
from strikeloom.ports.desk import Desk
from strikeloom.trading.reconcile import ReconcileReport
from strikeloom.trading.remainder import most_units
from strikeloom.trading.work import has_rested, unfinished


def withheld(desk: Desk, seen: ReconcileReport) -> list[str]:
    """One sentence for each order that a watcher which trades would place or cancel now."""
    found = [
        f"cancel order {order_id}: it came late, after it was given up" for order_id in seen.strays
    ]
    for intents in unfinished(desk).values():
        found += [said for intent in intents if (said := _said(desk, intent, seen.gaps))]
    return found


def _said(desk: Desk, intent: OrderIntent, gaps: Mapping[str, int]) -> str:
    what = f"{intent.contract.label} of {intent.position_id} ({intent.why})"
    side = intent.side.word.lower()
    if intent.state is IntentState.WORKING:
        rests = f"cancel {side} {intent.units} {what}, which rests, and send what is left anew"
        return rests if has_rested(desk, intent) else ""
    if intent.state in (IntentState.UNKNOWN, IntentState.SENDING):
        return ""  # in doubt: nothing is sent for it in any mode
    given_up = intent.state is IntentState.REFUSED and intent.purpose is Purpose.ENTRY
    units = 0 if given_up else most_units(desk, intent, gaps)
    if intent.state is IntentState.NEW:
        units = min(units, intent.units)
        return f"{side} {units} {what} at {rupees_text(intent.limit)}" if units else ""
    return f"{side} {units} {what} at a fresh price" if units else ""
