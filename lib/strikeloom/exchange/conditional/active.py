"""The active conditional orders of an account in memory, each with the orders it placed."""

from __future__ import annotations

from collections.abc import Iterable

from strikeloom.exchange.conditional.records import ConditionalOrder
from strikeloom.exchange.orders.order import BookOrder


class ActiveConditionalOrders:
    """A mirror of the account file, as ``OrderBook`` is for open orders."""

    def __init__(
        self, items: Iterable[ConditionalOrder] = (), placed: Iterable[BookOrder] = ()
    ) -> None:
        self._items: dict[int, ConditionalOrder] = {}
        self._placed: dict[int, dict[int, BookOrder]] = {}
        for item in items:
            self.put(item)
        for order in placed:
            self.put_order(order)

    def __len__(self) -> int:
        """Count the active ones."""
        return len(self._items)

    def all(self) -> list[ConditionalOrder]:
        """Active ones, oldest first."""
        return [self._items[number] for number in sorted(self._items)]

    def get(self, number: int) -> ConditionalOrder | None:
        """An active one."""
        return self._items.get(number)

    def placed_by(self, number: int) -> list[BookOrder]:
        """Orders that an active one placed, oldest first."""
        placed = self._placed.get(number, {})
        return [placed[key] for key in sorted(placed)]

    def put(self, item: ConditionalOrder) -> None:
        """Add or update one, or remove it when it has ended."""
        if item.active:
            self._items[item.number] = item
            self._placed.setdefault(item.number, {})
        else:
            self._items.pop(item.number, None)
            self._placed.pop(item.number, None)

    def put_order(self, order: BookOrder) -> None:
        """Add or update an order that an active one placed."""
        if order.conditional in self._items:
            self._placed[order.conditional][order.number] = order
