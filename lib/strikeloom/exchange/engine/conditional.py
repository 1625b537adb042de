"""Conditional orders of an account of every kind, each with the orders that it placed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from strikeloom.errors import BrokerError, Rejected
from strikeloom.exchange.conditional.records import (
    ConditionalKind,
    ConditionalOrder,
    ConditionalState,
)
from strikeloom.exchange.orders.order import BookOrder
from strikeloom.exchange.orders.validation import ORDER
from strikeloom.exchange.session.session import TradingSession
from strikeloom.ports.clock import Clock


@dataclass(frozen=True, slots=True)
class ConditionalStatus:
    """A conditional order, and the orders that it placed."""

    item: ConditionalOrder
    orders: tuple[BookOrder, ...]


class ConditionalOrders:
    """Conditional orders of one account. Every call first catches up with the clock.

    Methods raise ``Rejected`` (fact ``code``) when something is refused, and ``BrokerError``
    when there is no such order; nothing is changed then.
    """

    def __init__(self, session: TradingSession, clock: Clock) -> None:
        self._session = session
        self._clock = clock

    @contextmanager
    def transaction(self) -> Iterator[datetime]:
        """A transaction that has caught up, and evaluates triggers before it ends."""
        now, refused = self._clock.now(), None
        with self._session.account.transaction():
            self._session.replay.catch_up(now)
            self._session.triggers.evaluate(now)  # manual changes count before anything is read
            try:
                yield now
                self._session.triggers.evaluate(now)
            except Rejected as error:  # before anything was changed: what was caught up is kept
                refused = error
        if refused is not None:
            raise refused

    def all(self, kind: ConditionalKind) -> list[ConditionalStatus]:
        """Conditional orders of a kind that are active or ended today, oldest first."""
        with self.transaction() as now:
            items = self._session.account.conditional.all(kind, now.date())
            return [self.status(item) for item in items]

    def get(self, kind: ConditionalKind, number: int) -> ConditionalStatus:
        """One conditional order."""
        with self.transaction():
            return self.status(self.item(kind, number))

    def cancel(self, kind: ConditionalKind, number: int) -> ConditionalStatus:
        """End a forever order or an alert that still waits."""
        with self.transaction() as now:
            item = self.item(kind, number, active=True)
            why = "cancelled on request"
            end = self._session.closer.end_conditional
            return self.status(end(item, ConditionalState.CANCELLED, why, now))

    # within a transaction

    def status(self, item: ConditionalOrder) -> ConditionalStatus:
        """A conditional order with the orders that it placed."""
        return ConditionalStatus(item, tuple(self._session.account.orders.placed_by(item.number)))

    def item(self, kind: ConditionalKind, number: int, *, active: bool = False) -> ConditionalOrder:
        """One conditional order; with ``active`` one that has ended is refused."""
        item = self._session.account.conditional.get(number)
        if item is None or item.kind is not kind:
            raise BrokerError(f"the account has no {kind} order {number}", code=ORDER)
        if active and not item.active:
            raise Rejected(f"the {kind} order is {item.state}", code=ORDER)
        return item
