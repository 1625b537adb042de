"""A broker that reports what the test states, and counts how often it is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from strikeloom.domain.orders import BrokerPosition, Fill, Funds, Order, OrderRequest
from strikeloom.errors import BrokerError


@dataclass
class StatedBroker:
    """``ports.broker.Broker`` of a test that sends nothing.

    Attributes
    ----------
    changes : object
        Its change count.
    book, trades : list
        Orders and fills of today.
    past : list of Fill
        Fills of earlier days.
    held : dict of str to int
        Net units by contract.
    of_the_day : dict of str to int
        The same of what is held for the day only.
    readings : int
        How often its orders were read.
    asked : list of list of str
        Ids of the orders whose earlier fills were asked for, by call.
    fails : list of BrokerError
        Errors of the next calls for earlier fills.
    """

    book_is_complete: bool = False
    reports_settlements: bool = False
    name: str = "stated"
    changes: object | None = 1
    book: list[Order] = field(default_factory=list)
    trades: list[Fill] = field(default_factory=list)
    past: list[Fill] = field(default_factory=list)
    held: dict[str, int] = field(default_factory=dict)
    of_the_day: dict[str, int] = field(default_factory=dict)
    readings: int = 0
    asked: list[list[str]] = field(default_factory=list)
    fails: list[BrokerError] = field(default_factory=list)

    def submit(self, request: OrderRequest) -> Order:
        raise AssertionError(f"{request.correlation_id} was sent")

    def cancel(self, order_id: str) -> Order:
        raise AssertionError(f"{order_id} was cancelled")

    def change_count(self) -> object | None:
        return self.changes

    def orders(self) -> list[Order]:
        self.readings += 1
        return list(self.book)

    def fills(self) -> list[Fill]:
        return list(self.trades)

    def earlier_fills(self, orders: Sequence[Order]) -> list[Fill]:
        names = [order.order_id for order in orders]
        self.asked.append(names)
        if self.fails:
            raise self.fails.pop(0)
        return [fill for fill in self.past if fill.order_id in names]

    def positions(self) -> list[BrokerPosition]:
        carried = [BrokerPosition(key, units) for key, units in self.held.items()]
        return carried + [BrokerPosition(k, n, intraday=True) for k, n in self.of_the_day.items()]

    def funds(self) -> Funds:
        raise BrokerError("funds are not stated")
