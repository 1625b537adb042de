"""Orders of an account, and the stream of their events."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from strikeloom.exchange.account.mirror import MirroredFile
from strikeloom.exchange.account.rows import (
    CONDITIONAL,
    OPEN,
    ORDER_COLUMNS,
    event_body,
    order_of,
    order_of_body,
    order_values,
    trade_of,
)
from strikeloom.exchange.orders.order import BookOrder, OrderEvent

_MARKS = ", ".join("?" * len(ORDER_COLUMNS))
_INSERT = f"INSERT INTO orders ({', '.join(ORDER_COLUMNS)}) VALUES ({_MARKS})"  # noqa: S608
_UPDATE = f"UPDATE orders SET {', '.join(f'{c} = ?' for c in ORDER_COLUMNS)} WHERE number = ?"  # noqa: S608


class OrderRecords:
    """Orders in one account's file, within the caller's transaction."""

    def __init__(self, store: MirroredFile) -> None:
        self._store = store
        self._file = store.file

    def add(self, order: BookOrder) -> BookOrder:
        """Record a new order, with its first event, and give it its number and rank."""
        number = self._file.execute(_INSERT, order_values(order))
        numbered = replace(order, number=number)
        self._store.mirror.conditional.put_order(numbered)
        return replace(numbered, rank=self._add_event(numbered, 0))

    def save(self, order: BookOrder, *, fill: int = 0) -> BookOrder:
        """Store an order as it is now, with an event; ``fill``: number of the trade behind it."""
        self._file.execute(_UPDATE, (*order_values(order), order.number))
        self._add_event(order, fill)
        self._store.mirror.book.put(order)
        self._store.mirror.conditional.put_order(order)
        return order

    def _add_event(self, order: BookOrder, fill: int) -> int:
        return self._file.execute(
            "INSERT INTO events (order_number, fill_number, body) VALUES (?, ?, ?)",
            (order.number, fill, event_body(order)),
        )

    def next_rank(self) -> int:
        """Rank behind every existing order."""
        return self._file.number("SELECT COALESCE(MAX(seq), 0) + 1 FROM events")

    def get(self, number: int) -> BookOrder | None:
        """One order."""
        rows = self._file.rows("SELECT * FROM orders WHERE number = ?", (number,))
        return order_of(rows[0]) if rows else None

    def all(self, day: date | None = None) -> list[BookOrder]:
        """All orders, or those that are open or changed on a day, oldest first."""
        if day is None:
            rows = self._file.rows("SELECT * FROM orders ORDER BY number")
        else:
            rows = self._file.rows(
                f"SELECT * FROM orders WHERE updated_at >= ? OR {OPEN} ORDER BY number",  # noqa: S608
                (day.isoformat(),),
            )
        return [order_of(row) for row in rows]

    def by_correlation(self, correlation_id: str) -> list[BookOrder]:
        """Orders that carry a correlation id, oldest first."""
        rows = self._file.rows(
            "SELECT * FROM orders WHERE correlation_id = ? ORDER BY number", (correlation_id,)
        )
        return [order_of(row) for row in rows]

    def placed_by(self, conditional: int) -> list[BookOrder]:
        """Orders that a conditional order placed, oldest first."""
        rows = self._file.rows(
            f"SELECT * FROM orders WHERE {CONDITIONAL} = ? AND {CONDITIONAL} > 0 "  # noqa: S608
            "ORDER BY number",
            (conditional,),
        )
        return [order_of(row) for row in rows]

    # events

    def events(self, after: int, limit: int) -> list[OrderEvent]:
        """Events later than ``after``, in order."""
        rows = self._file.rows(
            "SELECT * FROM events WHERE seq > ? ORDER BY seq LIMIT ?", (after, limit)
        )
        return [self._event(row["seq"], row["body"], row["fill_number"]) for row in rows]

    def _event(self, seq: int, body: str, fill: int) -> OrderEvent:
        trade = None
        if fill:
            (row,) = self._file.rows("SELECT * FROM fills WHERE number = ?", (fill,))
            trade = trade_of(row)
        return OrderEvent(seq, order_of_body(body), trade)

    def cursor(self, name: str) -> int:
        """Last event that a reader has taken; 0 at first."""
        rows = self._file.rows("SELECT seq FROM cursors WHERE name = ?", (name,))
        return int(rows[0]["seq"]) if rows else 0

    def set_cursor(self, name: str, seq: int) -> None:
        """Store how far a reader has come."""
        self._file.execute("INSERT OR REPLACE INTO cursors (name, seq) VALUES (?, ?)", (name, seq))
