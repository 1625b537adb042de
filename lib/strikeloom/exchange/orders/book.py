"""The open orders of an account in memory: by contract, each side in price and time order.

A mirror of the account file: what the engine does costs in proportion to what changes, not to
what rests.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date

from strikeloom.domain.instruments import Instrument
from strikeloom.domain.legs import Side
from strikeloom.exchange.orders.order import BookOrder

_Place = tuple[int, int, int]  # minus or plus the limit, rank, number


@dataclass
class ContractBook:
    """Open orders in one contract; best price and then oldest first on each side."""

    instrument: Instrument
    buys: list[_Place] = field(default_factory=list)
    sells: list[_Place] = field(default_factory=list)
    stops: set[int] = field(default_factory=set)
    resting_buy_units: int = 0
    resting_buy_value: int = 0
    resting_sell_units: int = 0

    def side(self, side: Side) -> list[_Place]:
        """Active orders of a side."""
        return self.buys if side is Side.BUY else self.sells

    def best(self, side: Side) -> int | None:
        """Best limit of a side in paise."""
        places = self.side(side)
        return abs(places[0][0]) if places else None


class OrderBook:
    """Open orders: active ones, stops that wait, orders that wait for the next session."""

    def __init__(self, orders: Iterable[BookOrder] = ()) -> None:
        self._orders: dict[int, BookOrder] = {}
        self._contracts: dict[str, ContractBook] = {}
        self._waiting: set[int] = set()
        self._days: Counter[date] = Counter()
        for order in orders:
            self.put(order)

    def __len__(self) -> int:
        """Count the open orders."""
        return len(self._orders)

    def __iter__(self) -> Iterator[BookOrder]:
        """Walk the open orders, oldest first."""
        return iter([self._orders[number] for number in sorted(self._orders)])

    def get(self, number: int) -> BookOrder | None:
        """An open order."""
        return self._orders.get(number)

    def instrument(self, key: str) -> ContractBook | None:
        """Open orders of a contract."""
        return self._contracts.get(key)

    def resting(self, key: str, side: Side) -> int:
        """Units that the open orders of a side would trade, stops included."""
        book = self._contracts.get(key)
        if book is None:
            return 0
        return book.resting_buy_units if side is Side.BUY else book.resting_sell_units

    def contracts(self) -> list[ContractBook]:
        """Contracts with open orders."""
        return list(self._contracts.values())

    @property
    def oldest_day(self) -> date | None:
        """Earliest session that an open order is for."""
        return min(self._days) if self._days else None

    def waiting(self) -> list[BookOrder]:
        """Orders given after the market, oldest first."""
        return [self._orders[number] for number in sorted(self._waiting)]

    def stops(self, key: str) -> list[BookOrder]:
        """Stops of a contract that wait for their trigger, oldest first."""
        book = self._contracts.get(key)
        return [self._orders[number] for number in sorted(book.stops)] if book else []

    def of(self, key: str, side: Side) -> list[BookOrder]:
        """All open orders of a side of a contract, waiting ones included."""
        return [o for o in self if o.instrument.key == key and o.side is side]

    def active(self, key: str, side: Side) -> Iterator[BookOrder]:
        """Orders of a side that can trade, best price and then oldest first."""
        book = self._contracts.get(key)
        for place in list(book.side(side)) if book else []:
            yield self._orders[place[2]]

    def put(self, order: BookOrder) -> None:
        """Add or move an order, or remove it when it is terminal."""
        before = self._orders.get(order.number)
        if before is not None:
            self._remove(before)
        if not order.state.terminal:
            self._insert(order)

    def _insert(self, order: BookOrder) -> None:
        key = order.instrument.key
        book = self._contracts.setdefault(key, ContractBook(order.instrument))
        self._orders[order.number] = order
        self._days[order.session_day] += 1
        self._count(book, order, 1)
        if order.waits_for_release:
            self._waiting.add(order.number)
        elif order.waits_for_trigger:
            book.stops.add(order.number)
        else:
            insort(book.side(order.side), _place(order))

    def _remove(self, order: BookOrder) -> None:
        book = self._contracts[order.instrument.key]
        del self._orders[order.number]
        self._days[order.session_day] -= 1
        if not self._days[order.session_day]:
            del self._days[order.session_day]
        self._count(book, order, -1)
        self._waiting.discard(order.number)
        book.stops.discard(order.number)
        places, place = book.side(order.side), _place(order)
        at = bisect_left(places, place)
        if at < len(places) and places[at] == place:
            del places[at]
        if not (book.resting_buy_units or book.resting_sell_units):
            del self._contracts[order.instrument.key]

    def _count(self, book: ContractBook, order: BookOrder, sign: int) -> None:
        if order.side is Side.BUY:
            book.resting_buy_units += sign * order.left
            book.resting_buy_value += sign * order.left * order.limit
        else:
            book.resting_sell_units += sign * order.left


def _place(order: BookOrder) -> _Place:
    return (-int(order.side) * order.limit, order.rank, order.number)
