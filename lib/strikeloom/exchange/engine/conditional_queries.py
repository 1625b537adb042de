"""Looking at standing orders, each with the orders it had placed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from strikeloom.errors import BrokerError, Rejected
from strikeloom.exchange.account.account import Account
from strikeloom.exchange.conditional.records import ENTRY, Standing, StandingKind
from strikeloom.exchange.orders.order import BookOrder
from strikeloom.exchange.orders.validation import ORDER
from strikeloom.exchange.session.triggers import StandingWatch
from strikeloom.ports.clock import Clock


@dataclass(frozen=True, slots=True)
class Stands:
    """A standing order, and the orders it had placed."""

    item: Standing
    orders: tuple[BookOrder, ...]


class StandingLooks:
    """Standing orders of one account, to look at. Every look first catches up with the clock."""

    def __init__(self, account: Account, walk: StandingWatch, clock: Clock) -> None:
        self._account = account
        self._walk = walk
        self._clock = clock

    @contextmanager
    def _now(self) -> Iterator[datetime]:
        """A transaction that has caught up, and lets what is new act before it ends."""
        now, refused = self._clock.now(), None
        with self._account.transaction():
            self._walk.catch_up(now)
            self._walk.tend(now)  # what changed by hand since counts before it is looked at
            try:
                yield now
                self._walk.tend(now)
            except Rejected as error:  # before anything was changed: what was caught up stays
                refused = error
        if refused is not None:
            raise refused

    # looks

    def all(self, kind: StandingKind) -> list[Stands]:
        """Standing orders of a kind that are active or ended today, oldest first."""
        with self._now() as now:
            found = self._account.standings(kind, now.date())
            return [self._with_orders(item) for item in found]

    def get(self, kind: StandingKind, number: int) -> Stands:
        """One standing order."""
        with self._now():
            return self._with_orders(self._known(kind, number))

    def number_of(self, order: int) -> int:
        """Number of the super order whose entry an order is."""
        with self._now():
            found = self._account.order(order)
            if found is None or not found.standing or found.leg != ENTRY:
                raise BrokerError(f"no super order has the entry E{order}", code=ORDER)
            return found.standing

    def _with_orders(self, item: Standing) -> Stands:
        return Stands(item, tuple(self._account.children(item.number)))

    def _known(self, kind: StandingKind, number: int, *, active: bool = False) -> Standing:
        found = self._account.standing(number)
        if found is None or found.kind is not kind:
            raise BrokerError(f"the account has no {kind} order {number}", code=ORDER)
        if active and not found.active:
            raise Rejected(f"the {kind} order is {found.state}", code=ORDER)
        return found
