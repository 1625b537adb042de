"""The engine's own durable record of one account: orders and the stream of their events.

A separate SQLite file, never the desk's tables, so that reconciliation compares two
independent records. Every change is committed before it is answered.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

from strikeloom.domain.orders import OrderState
from strikeloom.exchange.account.ledger import OPEN, Ledger
from strikeloom.exchange.account.rows import (
    ORDER_COLUMNS,
    event_body,
    order_of,
    order_of_body,
    order_values,
    trade_of,
)
from strikeloom.exchange.conditional.records import Standing, StandingKind
from strikeloom.exchange.conditional.rows import body_of, standing_of
from strikeloom.exchange.orders.order import BookOrder, OrderEvent

_MARKS = ", ".join("?" * len(ORDER_COLUMNS))
_INSERT = f"INSERT INTO orders ({', '.join(ORDER_COLUMNS)}) VALUES ({_MARKS})"  # noqa: S608
_UPDATE = f"UPDATE orders SET {', '.join(f'{c} = ?' for c in ORDER_COLUMNS)} WHERE number = ?"  # noqa: S608


class Account(Ledger):
    """One account's file: what ``Ledger`` keeps, and its orders."""

    def add_order(self, order: BookOrder) -> BookOrder:
        """Record a new order, with its first event, and give it its number and rank."""
        number = self._file.execute(_INSERT, order_values(order))
        numbered = replace(order, number=number)
        self.mirror.standing.note(numbered)
        return replace(numbered, rank=self._event(numbered, 0))

    def save(self, order: BookOrder, *, event: bool = True, fill: int = 0) -> BookOrder:
        """Keep an order as it is now, and tell it in the stream of events."""
        self._file.execute(_UPDATE, (*order_values(order), order.number))
        if event:
            self._event(order, fill)
        self.book.put(order)
        self.mirror.standing.note(order)
        return order

    def _event(self, order: BookOrder, fill: int) -> int:
        return self._file.execute(
            "INSERT INTO events (order_number, fill_number, body) VALUES (?, ?, ?)",
            (order.number, fill, event_body(order)),
        )

    def next_rank(self) -> int:
        """Place in time behind every order there is."""
        return self._file.number("SELECT COALESCE(MAX(seq), 0) + 1 FROM events")

    def order(self, number: int) -> BookOrder | None:
        """One order."""
        rows = self._file.rows("SELECT * FROM orders WHERE number = ?", (number,))
        return order_of(rows[0]) if rows else None

    def orders(self, day: date | None = None) -> list[BookOrder]:
        """All orders, or those that are open or changed on a day, oldest first."""
        if day is None:
            rows = self._file.rows("SELECT * FROM orders ORDER BY number")
        else:
            rows = self._file.rows(
                f"SELECT * FROM orders WHERE updated_at >= ? OR {OPEN} ORDER BY number",  # noqa: S608
                (day.isoformat(),),
            )
        return [order_of(row) for row in rows]

    def tagged(self, correlation_id: str) -> list[BookOrder]:
        """Orders that carry a correlation id, oldest first."""
        rows = self._file.rows(
            "SELECT * FROM orders WHERE correlation_id = ? ORDER BY number", (correlation_id,)
        )
        return [order_of(row) for row in rows]

    def add_fill(
        self,
        order: BookOrder,
        units: int,
        price: int,
        charges: int,
        at: datetime,
        quote_at: datetime,
    ) -> BookOrder:
        """Record a trade of an order: order, position and money change together."""
        number = self._record(
            (order.number, order.correlation_id, order.contract, order.side, order.product),
            (units, price, charges, at, quote_at, "trade"),
        )
        done = order.filled + units >= order.units
        return self.save(
            replace(
                order,
                filled=order.filled + units,
                filled_value=order.filled_value + units * price,
                state=OrderState.TRADED if done else OrderState.PART_TRADED,
                updated_at=at,
                exchange_at=at,
            ),
            fill=number,
        )

    def events(self, after: int, limit: int) -> list[OrderEvent]:
        """Events later than ``after``, in order."""
        rows = self._file.rows(
            "SELECT * FROM events WHERE seq > ? ORDER BY seq LIMIT ?", (after, limit)
        )
        return [self._told(row["seq"], row["body"], row["fill_number"]) for row in rows]

    def _told(self, seq: int, body: str, fill: int) -> OrderEvent:
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
        """Keep how far a reader has come."""
        self._file.execute("INSERT OR REPLACE INTO cursors (name, seq) VALUES (?, ?)", (name, seq))

    def add_standing(self, item: Standing) -> Standing:
        """Record a new standing order and give it its number."""
        number = self._file.execute(
            "INSERT INTO standing (kind, active, ended_on, body) VALUES (?, 1, '', ?)",
            (item.kind, body_of(item)),
        )
        numbered = replace(item, number=number)
        self.mirror.standing.put(numbered)
        return numbered

    def save_standing(self, item: Standing) -> Standing:
        """Keep a standing order as it is now."""
        ended = "" if item.active else item.updated_at.date().isoformat()
        self._file.execute(
            "UPDATE standing SET active = ?, ended_on = ?, body = ? WHERE number = ?",
            (int(item.active), ended, body_of(item), item.number),
        )
        self.mirror.standing.put(item)
        return item

    def standing(self, number: int) -> Standing | None:
        """One standing order, active or ended."""
        rows = self._file.rows("SELECT body FROM standing WHERE number = ?", (number,))
        return standing_of(number, rows[0]["body"]) if rows else None

    def standings(self, kind: StandingKind, since: date | None = None) -> list[Standing]:
        """Standing orders of a kind, oldest first: all, or active ones and those ended since."""
        rows = self._file.rows(
            "SELECT number, body FROM standing WHERE kind = ? AND (active > 0 OR ended_on >= ?) "
            "ORDER BY number",
            (kind, since.isoformat() if since else ""),
        )
        return [standing_of(row["number"], row["body"]) for row in rows]

    def children(self, number: int) -> list[BookOrder]:
        """Orders that a standing order had placed, oldest first."""
        rows = self._file.rows(
            "SELECT * FROM orders WHERE standing = ? AND standing > 0 ORDER BY number", (number,)
        )
        return [order_of(row) for row in rows]
