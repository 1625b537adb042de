"""Work through recorded intents: send what is due, replace what ended, unwind what fails.

A group of intents is one decision. Its buys go first and must be complete before its sells
go: hedges open before shorts, shorts close before hedges. A replacement goes out only after
the old order is seen terminal, for its unfilled remainder, under the next attempt.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from strikeloom.domain.legs import Side
from strikeloom.domain.orders import OPEN_INTENT_STATES, IntentState, OrderIntent, Purpose
from strikeloom.errors import BrokerError, NoQuote, UnknownOutcome
from strikeloom.ports.desk import Desk
from strikeloom.trading.guards import in_session
from strikeloom.trading.intents import exit_intents, next_attempt
from strikeloom.trading.lease import Lease
from strikeloom.trading.reconcile import ReconcileReport, reconcile
from strikeloom.trading.remainder import filled_units, latest, most_units, units_left
from strikeloom.trading.send import Pace, send
from strikeloom.trading.tell import tell


@dataclass
class WorkReport:
    """Groups by what became of them in this round."""

    finished: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    blocked: list[str] = field(default_factory=list)
    abandoned: list[str] = field(default_factory=list)
    reconciled: ReconcileReport = field(default_factory=ReconcileReport)


def unfinished(desk: Desk) -> dict[str, list[OrderIntent]]:
    """Groups that still have something to do, latest attempts only, in send order."""
    groups: dict[str, list[OrderIntent]] = {}
    for intent in desk.store.intents():
        groups.setdefault(intent.intent_id, []).append(intent)
    filled = filled_units(desk)
    return {
        name: latest(intents)
        for name, intents in groups.items()
        if units_left(desk, intents, filled) and not _over(desk, latest(intents))
    }


def work(desk: Desk, lease: Lease, pace: Pace) -> WorkReport:
    """One round over every unfinished group: reconcile, send, reconcile."""
    report = WorkReport(reconciled=reconcile(desk))
    _call_back(desk, report.reconciled.strays)
    for name, intents in unfinished(desk).items():
        _group(desk, lease, pace, name, intents, report)
    _look(desk, report)
    left = unfinished(desk)
    report.waiting = [name for name in left if name not in report.blocked]
    return report


def _look(desk: Desk, report: WorkReport) -> None:
    """Reconcile again; what was counted before still counts."""
    before, report.reconciled = report.reconciled, reconcile(desk)
    report.reconciled.new_fills += before.new_fills


def _call_back(desk: Desk, strays: list[str]) -> None:
    """Cancel orders that came to life after their intent was given up, and say so."""
    for order_id in strays:
        tell(desk, "critical", f"order {order_id} came late, after it was given up: cancelling")
        try:
            desk.store.record_order(desk.broker.cancel(order_id))
        except BrokerError as error:
            # it is cancelled again in the next round; what else is held must not wait for it
            tell(desk, "critical", f"order {order_id} came late and is not cancelled: {error}")


def _group(
    desk: Desk,
    lease: Lease,
    pace: Pace,
    name: str,
    intents: list[OrderIntent],
    report: WorkReport,
) -> None:
    for side in (Side.BUY, Side.SELL):
        for intent in intents:
            if intent.side is side:
                _one(desk, lease, pace, intent, report)
        _look(desk, report)
        group = desk.store.intents(intent_id=name)
        left = units_left(desk, group, filled_units(desk))
        now = latest(group)
        part = [intent for intent in now if intent.side is side]
        stuck = [i for i in part if i.state in (IntentState.UNKNOWN, IntentState.SENDING)]
        if stuck:
            report.blocked.append(name)
            return
        failed = [i for i in part if (i.leg, i.slice) in left and _failed(desk, i)]
        if failed and failed[0].purpose is Purpose.ENTRY:
            _abandon(desk, lease, pace, failed[0], now)
            report.abandoned.append(name)
            return
        if any((i.leg, i.slice) in left for i in part):
            return
    report.finished.append(name)


def _one(desk: Desk, lease: Lease, pace: Pace, intent: OrderIntent, report: WorkReport) -> None:
    """Bring one leg a step on: send it, or cancel and replace what a former round left."""
    if intent.state is IntentState.WORKING and (
        has_rested(desk, intent) or _is_too_large(desk, intent)
    ):
        _cancel(desk, intent)
        _look(desk, report)
        intent = _as_it_is(desk, intent)
    most = most_units(desk, intent, report.reconciled.gaps)
    if intent.state is IntentState.NEW and intent.units > most:
        note = f"not sent: only {most} of {intent.units} units are left to trade"
        _end_unsent(desk, intent, note)
        intent = _as_it_is(desk, intent)
    retry = intent.state in (IntentState.ENDED, IntentState.FILLED) or (
        intent.state is IntentState.REFUSED and intent.purpose is not Purpose.ENTRY
    )
    if retry and most > 0 and _may_retry(desk, intent):
        try:
            intent = next_attempt(desk, intent, most)
        except NoQuote as error:
            _unpriced(desk, intent, error)
            return
        desk.store.record_intents([intent])
    if intent.state is IntentState.NEW:
        send(desk, lease, intent, pace)


def _as_it_is(desk: Desk, intent: OrderIntent) -> OrderIntent:
    found = desk.store.intents(intent_id=intent.intent_id)
    return next(i for i in found if i.correlation_id == intent.correlation_id)


def _is_too_large(desk: Desk, intent: OrderIntent) -> bool:
    """Whether more of an order is out than may still be traded: an earlier one filled late."""
    out = intent.units - filled_units(desk).get(intent.correlation_id, 0)
    return out > most_units(desk, intent, {})


def _end_unsent(desk: Desk, intent: OrderIntent, note: str) -> None:
    desk.store.move_intent(
        intent.correlation_id,
        expected={IntentState.NEW},
        to=IntentState.ENDED,
        note=note,
        at=desk.clock.now(),
    )


def has_rested(desk: Desk, intent: OrderIntent) -> bool:
    """Whether an order had its time; never in the moment in which it was sent."""
    rested = (desk.clock.now() - intent.created_at).total_seconds()
    return rested > 0 and rested >= desk.settings.execution.rest_seconds


def _unpriced(desk: Desk, intent: OrderIntent, error: NoQuote) -> None:
    """An exit waits for a price; an entry without one is over."""
    if intent.purpose is Purpose.ENTRY:
        desk.store.move_intent(
            intent.correlation_id,
            expected={IntentState.ENDED},
            to=IntentState.REFUSED,
            note=str(error),
            at=desk.clock.now(),
        )
    else:
        tell(desk, "warning", f"{intent.correlation_id} waits: {error}")


def _may_retry(desk: Desk, intent: OrderIntent) -> bool:
    """Entries give up after the stated attempts; an exit goes on, once a moment, and says so."""
    most = desk.settings.execution.max_attempts
    if intent.purpose is Purpose.ENTRY:
        # what chose the entry was the day before: another day's prices are another decision
        same_day = intent.created_at.date() == desk.clock.now().date()
        return intent.attempt < most and same_day
    sent = any(o.correlation_id == intent.correlation_id for o in desk.store.orders())
    refused = intent.state is IntentState.REFUSED
    if intent.created_at >= desk.clock.now() and (sent or refused):
        return False  # once a moment; one that never reached the broker may go at once
    if refused and not in_session(desk.clock.now()):
        return False  # the market is closed: the next session takes it up
    if intent.attempt >= most:
        waited = (desk.clock.now() - intent.created_at).total_seconds()
        if waited < desk.settings.execution.exit_retry_seconds:
            return False  # said when it was last tried
        tell(desk, "critical", f"{intent.intent_id} leg {intent.leg}: {intent.why} is not filled")
    return True


def _cancel(desk: Desk, intent: OrderIntent) -> None:
    order = next(
        (o for o in desk.store.orders() if o.correlation_id == intent.correlation_id), None
    )
    if order is None or order.state.terminal:
        return
    try:
        desk.store.record_order(desk.broker.cancel(order.order_id))
    except UnknownOutcome as error:
        # the leg is blocked until the book shows the order terminal
        desk.store.move_intent(
            intent.correlation_id,
            expected={IntentState.WORKING},
            to=IntentState.UNKNOWN,
            note=f"cancel: {error}",
            at=desk.clock.now(),
        )
    except BrokerError as error:
        tell(desk, "warning", f"{intent.correlation_id} works on, its cancel failed: {error}")


def _abandon(
    desk: Desk, lease: Lease, pace: Pace, failed: OrderIntent, group: list[OrderIntent]
) -> None:
    """Give up an entry: nothing more is sent, and what filled is sold off again."""
    now = desk.clock.now()
    for intent in group:
        desk.store.move_intent(
            intent.correlation_id,
            expected={IntentState.NEW},
            to=IntentState.REFUSED,
            note=f"entry abandoned: leg {failed.leg} failed",
            at=now,
        )
        if intent.state is IntentState.WORKING:
            _cancel(desk, intent)
    reconcile(desk)
    desk.store.move_intent(
        failed.correlation_id,
        expected={IntentState.ENDED},
        to=IntentState.REFUSED,
        note=f"not filled in {failed.attempt} attempts",
        at=now,
    )
    tell(
        desk,
        "warning",
        f"entry of {failed.position_id} abandoned: leg {failed.leg} "
        f"({failed.contract.label}) {failed.note or 'was not filled'}",
    )
    held = [p for p in desk.store.positions() if p.position_id == failed.position_id]
    for position in held:
        unwind(desk, lease, pace, position.position_id)


def unwind(desk: Desk, lease: Lease, pace: Pace, position_id: str) -> None:
    """Leave whatever a failed entry has filled; once what is at work for that has ended."""
    if _unwinding(desk, position_id):
        return
    position = desk.store.position(position_id)
    try:
        intents = exit_intents(
            desk, position, [0] * len(position.legs), "unwind a failed entry", Purpose.UNWIND
        )
    except NoQuote as error:
        tell(desk, "critical", f"{position_id} cannot be unwound yet: {error}")
        return
    desk.store.record_intents(intents)
    for intent in intents:
        if intent.side is Side.BUY or not any(i.side is Side.BUY for i in intents):
            send(desk, lease, intent, pace)


def _failed(desk: Desk, intent: OrderIntent) -> bool:
    """Whether what is left of an entry's leg is not to be had any more."""
    if intent.state in OPEN_INTENT_STATES:
        return False
    return intent.state is IntentState.REFUSED or not _may_retry(desk, intent)


def _over(desk: Desk, intents: list[OrderIntent]) -> bool:
    """Whether an entry was given up and nothing of it is left to cancel or to unwind."""
    if intents[0].purpose is not Purpose.ENTRY:
        return False
    if not any(intent.state is IntentState.REFUSED for intent in intents):
        return False
    if any(intent.state in OPEN_INTENT_STATES for intent in intents):
        return False
    position_id = intents[0].position_id
    held = any(p.position_id == position_id for p in desk.store.positions())
    return not held or _unwinding(desk, position_id)


def _unwinding(desk: Desk, position_id: str) -> bool:
    """Whether orders that leave a failed entry are still to be filled."""
    groups: dict[str, list[OrderIntent]] = {}
    for intent in desk.store.intents(position_id=position_id):
        if intent.purpose is Purpose.UNWIND:
            groups.setdefault(intent.intent_id, []).append(intent)
    filled = filled_units(desk)
    return any(units_left(desk, group, filled) for group in groups.values())
