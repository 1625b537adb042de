"""The active standing orders of an account in memory, each with the orders it had placed."""

from __future__ import annotations

from collections.abc import Iterable

from strikeloom.exchange.conditional.records import Standing
from strikeloom.exchange.orders.order import BookOrder


class StandingBook:
    """A mirror of the account file, as ``Book`` is for open orders."""

    def __init__(self, items: Iterable[Standing] = (), children: Iterable[BookOrder] = ()) -> None:
        self._items: dict[int, Standing] = {}
        self._children: dict[int, dict[int, BookOrder]] = {}
        for item in items:
            self.put(item)
        for order in children:
            self.note(order)

    def __len__(self) -> int:
        """Count the active ones."""
        return len(self._items)

    def active(self) -> list[Standing]:
        """Active ones, oldest first."""
        return [self._items[number] for number in sorted(self._items)]

    def get(self, number: int) -> Standing | None:
        """An active one."""
        return self._items.get(number)

    def children(self, number: int) -> list[BookOrder]:
        """Orders that an active one had placed, oldest first."""
        found = self._children.get(number, {})
        return [found[key] for key in sorted(found)]

    def put(self, item: Standing) -> None:
        """Take one as it is now: in, or out when it has ended."""
        if item.active:
            self._items[item.number] = item
            self._children.setdefault(item.number, {})
        else:
            self._items.pop(item.number, None)
            self._children.pop(item.number, None)

    def note(self, order: BookOrder) -> None:
        """Take an order as it is now, when an active one had it placed."""
        if order.standing in self._items:
            self._children[order.standing][order.number] = order
