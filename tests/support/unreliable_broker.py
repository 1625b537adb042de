"""A broker that reports its orders late, in part or not at all.

Its answer to an order may be lost, the order may be hidden from the book, or some of its trades
may be reported only later. Only its positions are always correct.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from strikeloom.domain.orders import (
    BrokerPosition,
    Fill,
    Funds,
    Order,
    OrderRequest,
    OrderState,
)
from strikeloom.errors import BrokerError, RateLimited, Rejected, UnknownOutcome
from strikeloom.ports.clock import Clock


@dataclass
class RealOrder:
    """One order in its real state."""

    request: OrderRequest
    number: str
    at: datetime
    hidden: bool = False
    is_open: bool = True
    trades: list[tuple[int, bool]] = field(default_factory=list)  # units, reported

    @property
    def filled(self) -> int:
        return sum(units for units, _ in self.trades)

    @property
    def reported(self) -> int:
        return sum(units for units, reported in self.trades if reported)

    @property
    def left(self) -> int:
        return self.request.units - self.filled if self.is_open else 0


class UnreliableBroker:
    """``ports.broker.Broker`` for one contract's orders; see the module."""

    name = "unreliable"
    book_is_complete = False
    reports_settlements = False

    def __init__(self, clock: Clock, held: dict[str, int]) -> None:
        self.clock = clock
        self.held = dict(held)
        self.all_orders: list[RealOrder] = []
        self.next_submit: list[str] = []
        self.next_cancel: list[str] = []
        self.too_large: list[str] = []

    def submit(self, request: OrderRequest) -> Order:
        how = self.next_submit.pop(0) if self.next_submit else "taken"
        if how == "too fast":
            raise RateLimited("slow down")
        if how == "refused":
            raise Rejected("no")
        for order in self.all_orders:  # an order hidden until now trades no more
            order.is_open = order.is_open and not order.hidden
        out = sum(s.left for s in self.open_orders())
        key = request.instrument.key
        if request.units + out > abs(self.held[key]):
            self.too_large.append(f"{request.units} + {out} working, {self.held[key]} held")
        if how == "lost":
            raise UnknownOutcome("no answer, never arrived")
        order = RealOrder(
            request, f"W{len(self.all_orders) + 1}", self.clock.now(), hidden=how == "hidden"
        )
        self.all_orders.append(order)
        if how in ("hidden", "unanswered"):
            raise UnknownOutcome("no answer")
        return self._order(order)

    def cancel(self, order_id: str) -> Order:
        order = next(s for s in self.all_orders if s.number == order_id)
        how = self.next_cancel.pop(0) if self.next_cancel else "done"
        if how == "refused":
            raise Rejected("not now")
        if how == "lost":
            raise UnknownOutcome("no answer")
        order.is_open = False
        if how == "unanswered":
            raise UnknownOutcome("no answer")
        return self._order(order)

    def trade(self, order: RealOrder, units: int, *, reported: bool) -> None:
        """Fill an order, also one that is no longer open."""
        order.trades.append((units, reported))
        self.held[order.request.instrument.key] += int(order.request.side) * units
        if order.filled == order.request.units:
            order.is_open = False

    def open_orders(self) -> list[RealOrder]:
        return [order for order in self.all_orders if order.is_open]

    def report_all(self) -> None:
        """Report all orders and trades from now on."""
        for order in self.all_orders:
            order.hidden = False
            order.trades = [(units, True) for units, _ in order.trades]
        self.next_submit, self.next_cancel = [], []

    def change_count(self) -> None:
        return None

    def orders(self) -> list[Order]:
        return [self._order(s) for s in self.all_orders if not s.hidden and self._is_of_today(s)]

    def fills(self) -> list[Fill]:
        return self._fills([s for s in self.all_orders if self._is_of_today(s)])

    def earlier_fills(self, orders: Sequence[Order]) -> list[Fill]:
        numbers = {order.order_id for order in orders}
        past = [s for s in self.all_orders if not self._is_of_today(s)]
        return self._fills([s for s in past if s.number in numbers])

    def _is_of_today(self, order: RealOrder) -> bool:
        return order.at.date() == self.clock.now().date()

    def _fills(self, orders: Sequence[RealOrder]) -> list[Fill]:
        return [
            Fill(f"{s.number}-{n}", s.number, s.request.correlation_id, s.request.instrument.key,
                 s.request.side, units, s.request.limit, 0, s.at)
            for s in orders if not s.hidden
            for n, (units, reported) in enumerate(s.trades) if reported
        ]  # fmt: skip

    def positions(self) -> list[BrokerPosition]:
        return [BrokerPosition(key, units) for key, units in self.held.items() if units]

    def funds(self) -> Funds:
        raise BrokerError("funds are not reported")

    def _order(self, order: RealOrder) -> Order:
        request = order.request
        state = OrderState.PENDING if order.is_open else OrderState.CANCELLED
        if order.reported == request.units:
            state = OrderState.TRADED
        elif order.is_open and order.reported:
            state = OrderState.PART_TRADED
        report = Order(
            order.number, request.correlation_id, request.instrument.key, request.side,
            request.units, order.reported, request.limit, state, "", self.clock.now(),
        )  # fmt: skip
        return replace(report)
