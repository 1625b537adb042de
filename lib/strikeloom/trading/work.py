"""Work on recorded intents: send due ones, replace ended ones, unwind failed entries.

A group of intents is one decision. Its orders go in stages, buys before sells, and each stage must
be complete before the next: hedges open before shorts, shorts close before hedges. A replacement
goes out only after the old order is seen terminal, for its unfilled remainder, under the next
attempt.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from strikeloom.domain.orders import IntentState, OrderIntent, Purpose
from strikeloom.domain.snapshot import MarketSnapshot
from strikeloom.errors import BrokerError, NoQuote, UnknownOutcome
from strikeloom.ports.desk import Desk
from strikeloom.trading.account_state import AccountState
from strikeloom.trading.alert import alert
from strikeloom.trading.attempts import Retry, has_failed, has_rested, retry
from strikeloom.trading.guard_context import guard_context
from strikeloom.trading.intents import exit_intents, next_attempt
from strikeloom.trading.lease import Lease
from strikeloom.trading.prepare import pricing_of, take_snapshot
from strikeloom.trading.reconcile import Reconciler
from strikeloom.trading.remaining import (
    is_unwinding,
    latest,
    most_units,
    unfinished,
    units_left,
)
from strikeloom.trading.send import OrderRateLimiter, send

#: Seconds after which a round that is still sending reads the quotes again.
_ROUND_SECONDS = 1.0


@dataclass
class WorkReport:
    """Groups of intents by their outcome in this round.

    Attributes
    ----------
    state : AccountState
        The account after the round.
    acted : bool
        Something was sent or cancelled.
    """

    state: AccountState
    finished: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    blocked: list[str] = field(default_factory=list)
    abandoned: list[str] = field(default_factory=list)
    new_fills: int = 0
    acted: bool = False


def work(
    desk: Desk,
    lease: Lease,
    limiter: OrderRateLimiter,
    reconciler: Reconciler | None = None,
) -> WorkReport:
    """One round over every unfinished group: reconcile, send, reconcile.

    Parameters
    ----------
    reconciler : Reconciler, optional
        Given by a caller that runs several rounds; a new one otherwise.
    """
    return OrderRound(desk, lease, limiter, reconciler or Reconciler(desk)).run()


class OrderRound:
    """One round of work. Decides on the account's state, and reads it again after acting."""

    def __init__(
        self, desk: Desk, lease: Lease, limiter: OrderRateLimiter, reconciler: Reconciler
    ) -> None:
        self._desk = desk
        self._lease = lease
        self._limiter = limiter
        self._reconciler = reconciler
        self._settings = desk.settings.execution
        self._snapshot: MarketSnapshot | None = None
        self._acted = False
        self._state = reconciler.refresh()
        self._report = WorkReport(self._state, new_fills=self._state.new_fills)

    def run(self) -> WorkReport:
        """Run the round."""
        report = self._report
        self._cancel_late_orders()
        for name in list(unfinished(self._state)):
            self._advance_group(name)
        report.state = self._refreshed()
        left = unfinished(report.state)
        report.waiting = [name for name in left if name not in report.blocked]
        return report

    def _refreshed(self) -> AccountState:
        """The account's state, read again when something was sent or cancelled."""
        if self._acted:
            self._state = self._reconciler.refresh(acted=True)
            self._report.new_fills += self._state.new_fills
            self._report.acted = True
            self._acted = False
        return self._state

    def _market(self) -> MarketSnapshot:
        """Quotes of every contract in use, read once per round, and again in a long round."""
        now = self._desk.clock.now()
        if self._snapshot is None or self._snapshot.age(now) < -_ROUND_SECONDS:
            contracts = {
                intent.instrument for group in unfinished(self._state).values() for intent in group
            } | {leg.instrument for p in self._state.positions.values() for leg in p.legs}
            self._snapshot = take_snapshot(self._desk, contracts)
        return self._snapshot

    def _cancel_late_orders(self) -> None:
        """Cancel orders that reached the broker after their intent was abandoned."""
        for order_id in self._state.late_orders:
            text = f"order {order_id} reached the broker after its intent was abandoned"
            alert(self._desk, "critical", f"{text}: cancelling")
            self._acted = True
            try:
                self._cancel_order(order_id)
            except BrokerError as error:
                # tried again in the next round; other positions must not wait for it
                alert(self._desk, "critical", f"{text} and is not cancelled: {error}")

    def _advance_group(self, name: str) -> None:
        """Advance the first stage of a group, and each later one once those before are complete."""
        report = self._report
        for stage in sorted({intent.priority for intent in self._state.groups.get(name, ())}):
            for intent in latest(self._state.groups.get(name, ())):
                if intent.priority == stage:
                    self._advance_leg(intent)
            group = self._refreshed().groups.get(name, ())
            left = units_left(self._state, group)
            part = [intent for intent in latest(group) if intent.priority == stage]
            if any(i.state in (IntentState.UNKNOWN, IntentState.SENDING) for i in part):
                report.blocked.append(name)
                return
            open_legs = [i for i in part if (i.leg, i.slice) in left]
            failed = [i for i in open_legs if has_failed(self._state, i, self._settings)]
            if failed and failed[0].purpose is Purpose.ENTRY:
                self._abandon(failed[0], latest(group))
                report.abandoned.append(name)
                return
            if open_legs:
                return
        report.finished.append(name)

    def _advance_leg(self, intent: OrderIntent) -> None:
        """Advance one leg: send it, or cancel and replace the order of an earlier round."""
        rested = has_rested(self._state, intent, self._settings)
        if intent.state is IntentState.WORKING and (rested or self._is_too_large(intent)):
            self._cancel(intent)
            self._refreshed()
            intent = self._state.intent(intent.correlation_id) or intent
        most = most_units(self._state, intent)
        if intent.state is IntentState.NEW and intent.units > most:
            note = f"not sent: only {most} of {intent.units} units are left to trade"
            self._move(intent, {IntentState.NEW}, IntentState.ENDED, note)
            intent = self._state.intent(intent.correlation_id) or intent
        if self._has_ended(intent) and most > 0:
            successor = self._record_successor(intent, most)
            if successor is None:
                return
            intent = successor
        if intent.state is IntentState.NEW:
            self._send(intent)

    def _has_ended(self, intent: OrderIntent) -> bool:
        """Whether an intent has ended and may have a next attempt."""
        if intent.state in (IntentState.ENDED, IntentState.FILLED):
            return True
        return intent.state is IntentState.REFUSED and intent.purpose is not Purpose.ENTRY

    def _record_successor(self, intent: OrderIntent, most: int) -> OrderIntent | None:
        """Record the next attempt for an intent's unfilled units; ``None`` when none may go now."""
        allowed = retry(self._state, intent, self._settings)
        if allowed is Retry.NO:
            return None
        if allowed is Retry.OVERDUE:
            text = f"{intent.intent_id} leg {intent.leg}: {intent.why} is not filled"
            alert(self._desk, "critical", f"{text}: {intent.note}" if intent.note else text)
        try:
            new = next_attempt(pricing_of(self._desk, self._market()), intent, most)
        except NoQuote as error:
            self._handle_no_price(intent, error)
            return None
        self._desk.store.record_intents([new])
        self._state = self._reconciler.reload()
        return new

    def _handle_no_price(self, intent: OrderIntent, error: NoQuote) -> None:
        """An exit waits for a price; an entry without one is refused."""
        if intent.purpose is Purpose.ENTRY:
            self._move(intent, {IntentState.ENDED}, IntentState.REFUSED, str(error))
        else:
            alert(self._desk, "warning", f"{intent.correlation_id} waits: {error}")

    def _send(self, intent: OrderIntent) -> None:
        market = self._market()
        self._state = self._reconciler.reload()  # a kill switch may have been set meanwhile
        context = guard_context(self._desk, self._state, market)
        send(self._desk, self._lease, intent, self._limiter, context)
        self._acted = True
        self._state = self._reconciler.reload()

    def _is_too_large(self, intent: OrderIntent) -> bool:
        """Whether an order has more open units than may still trade: an earlier one filled late."""
        open_units = intent.units - self._state.filled.get(intent.correlation_id, 0)
        return open_units > most_units(self._state, intent, unseen=False)

    def _cancel(self, intent: OrderIntent) -> None:
        """Cancel every order of an intent that may still trade: the book may hold two."""
        for order in self._state.orders_of(intent.correlation_id):
            if order.state.terminal:
                continue
            self._acted = True
            try:
                self._cancel_order(order.order_id)
            except UnknownOutcome as error:
                # the leg is blocked until the book shows the order terminal
                note = f"cancel: {error}"
                self._move(intent, {IntentState.WORKING}, IntentState.UNKNOWN, note)
            except BrokerError as error:
                text = f"{intent.correlation_id} is still open: the cancel failed: {error}"
                alert(self._desk, "warning", text)

    def _cancel_order(self, order_id: str) -> None:
        """Cancel one order and record the answer; cancellations count towards the rate, too."""
        if not self._desk.broker.book_is_complete:
            self._limiter.wait()
        self._desk.store.record_order(self._desk.broker.cancel(order_id))

    def _move(
        self, intent: OrderIntent, expected: set[IntentState], to: IntentState, note: str
    ) -> None:
        self._desk.store.move_intent(
            intent.correlation_id, expected=expected, to=to, note=note, at=self._desk.clock.now()
        )
        self._state = self._reconciler.reload()

    def _abandon(self, failed: OrderIntent, group: list[OrderIntent]) -> None:
        """Abandon an entry: nothing more is sent, and filled legs are unwound."""
        for intent in group:
            note = f"entry abandoned: leg {failed.leg} failed"
            self._move(intent, {IntentState.NEW}, IntentState.REFUSED, note)
            if intent.state is IntentState.WORKING:
                self._cancel(intent)
        self._acted = True
        self._refreshed()
        note = f"not filled in {failed.attempt} attempts"
        self._move(failed, {IntentState.ENDED}, IntentState.REFUSED, note)
        alert(
            self._desk,
            "warning",
            f"entry of {failed.position_id} abandoned: leg {failed.leg} "
            f"({failed.instrument.label}) {failed.note or 'was not filled'}",
        )
        if failed.position_id in self._state.positions:
            self._unwind(failed.position_id)

    def _unwind(self, position_id: str) -> None:
        """Close the filled legs of a failed entry, unless orders that do so are still working."""
        if is_unwinding(self._state, position_id):
            return
        position = self._state.positions[position_id]
        flat = [0] * len(position.legs)
        why = "unwind a failed entry"
        try:
            intents = exit_intents(
                pricing_of(self._desk, self._market()), position, flat, why, Purpose.UNWIND
            )
        except NoQuote as error:
            alert(self._desk, "critical", f"{position_id} cannot be unwound yet: {error}")
            return
        self._desk.store.record_intents(intents)
        self._state = self._reconciler.reload()
        first = min(intent.priority for intent in intents)
        for intent in intents:
            if intent.priority == first:
                self._send(intent)
