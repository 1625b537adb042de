"""Intents, orders and fills in the store; only ``trading/`` writes them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from strikeloom.adapters.sqlite.positions import update_positions
from strikeloom.adapters.sqlite.rows import (
    fill,
    fill_columns,
    insert,
    instrument_columns,
    intent,
    order,
    order_columns,
)
from strikeloom.adapters.sqlite.store_part import StorePart
from strikeloom.domain.orders import Fill, IntentState, Order, OrderIntent, OrderState
from strikeloom.errors import StoreError

_SEND_ORDER = "ORDER BY priority, seq"
_TERMINAL = [state.value for state in OrderState if state.terminal]


class OrderRows(StorePart):
    """``ports.store.TradingStore``."""

    def change_count(self) -> tuple[int, int]:
        """Changes made through this store, and by other connections."""
        return self.changes, self.db.foreign_changes()

    def record_intents(self, rows: Sequence[OrderIntent]) -> int:
        """Record intents, all or none; a recorded one is not changed."""
        for row in rows:
            if (row.market, row.account) != self.pair:
                raise StoreError(
                    f"intent {row.correlation_id} belongs to {row.account} on {row.market}; "
                    f"this store is bound to {self.account} on {self.market}"
                )
        with self.db.transaction() as db:
            new = sum(_insert_intent(db, row) for row in rows)
        self.changes += new
        return new

    def intents(
        self,
        *,
        states: Collection[IntentState] | None = None,
        intent_id: str | None = None,
        position_id: str | None = None,
        correlation_ids: Collection[str] | None = None,
        day: date | None = None,
    ) -> list[OrderIntent]:
        """Intents in the order in which they are sent."""
        where, values = ["market = ?", "account = ?"], [*self.pair]
        if states is not None:
            where.append(f"state IN ({', '.join('?' * len(states))})")
            values += [state.value for state in states]
        for name, value in (("intent_id", intent_id), ("position_id", position_id)):
            if value is not None:
                where.append(f"{name} = ?")
                values.append(value)
        if correlation_ids is not None:
            where.append("correlation_id IN (SELECT value FROM json_each(?))")
            values.append(json.dumps(list(correlation_ids)))
        if day is not None:
            where.append("created_at >= ? AND created_at < ?")
            values += [day.isoformat(), (day + timedelta(days=1)).isoformat()]
        sql = f"SELECT * FROM order_intents WHERE {' AND '.join(where)} {_SEND_ORDER}"  # noqa: S608
        return [intent(row) for row in self.db.rows(sql, tuple(values))]

    def move_intent(
        self,
        correlation_id: str,
        *,
        expected: Collection[IntentState],
        to: IntentState,
        at: datetime,
        note: str = "",
        lease: str | None = None,
    ) -> bool:
        """Change the state of an intent if it is now one of ``expected``, under the lease given."""
        marks = ", ".join("?" * len(expected))
        held = (
            "AND EXISTS (SELECT 1 FROM send_lease l WHERE l.market = order_intents.market "
            "AND l.account = order_intents.account AND l.token = ?)"
            if lease is not None
            else ""
        )
        sql = (
            "UPDATE order_intents SET state = ?, note = ?, changed_at = ? WHERE market = ? AND "  # noqa: S608
            f"account = ? AND correlation_id = ? AND state IN ({marks}) {held}"
        )
        values = [to.value, note, at.isoformat(), *self.pair, correlation_id]
        values += [state.value for state in expected]
        values += [lease] if lease is not None else []
        with self.db.transaction() as db:
            moved = db.execute(sql, values).rowcount == 1
        self.changes += moved
        return moved

    def close_groups(self, intent_ids: Collection[str], counted: tuple[int, int]) -> bool:
        """Exclude these groups from ``open_record`` until their position has a new fill."""
        with self.db.transaction() as db:
            if self.change_count() != counted:
                return False  # a fill of another process may concern one of them
            db.execute(
                "UPDATE order_intents SET closed = 1 WHERE market = ? AND account = ? AND "
                "intent_id IN (SELECT value FROM json_each(?))",
                (*self.pair, json.dumps(list(intent_ids))),
            )
            return True

    def take_lease(self, token: str, pid: int) -> None:
        """Record the holder of the send lock; intents become SENDING only under this token."""
        values = {**self.key, "token": token, "pid": pid}
        conflict = "ON CONFLICT (market, account) DO UPDATE SET token = :token, pid = :pid"
        with self.db.transaction() as db:
            db.execute(insert("send_lease", values, conflict=conflict), values)

    def record_order(self, value: Order) -> None:
        """Upsert an order as the broker reports it; a terminal state never goes back."""
        self.record_orders([value])

    def record_orders(self, rows: Iterable[Order]) -> None:
        """Upsert orders in one transaction."""
        marks = ", ".join(f"'{state}'" for state in _TERMINAL)
        conflict = (
            "ON CONFLICT (market, account, order_id) DO UPDATE SET "
            "filled_units = MAX(filled_units, :filled_units), state = :state, "
            f"reason = :reason, updated_at = :updated_at WHERE orders.state NOT IN ({marks})"
        )
        with self.db.transaction() as db:
            before = db.total_changes
            for row in rows:
                columns = {**self.key, **order_columns(row)}
                db.execute(insert("orders", columns, conflict=conflict), columns)
            self.changes += db.total_changes - before

    def count_orders(self, day: date) -> int:
        """Number of orders whose last change was on a day."""
        span = (day.isoformat(), (day + timedelta(days=1)).isoformat())
        found = self.db.rows(
            "SELECT COUNT(*) AS n FROM orders WHERE market = ? AND account = ? AND "
            "updated_at >= ? AND updated_at < ?",
            (*self.pair, *span),
        )
        return int(found[0]["n"])

    def orders(self, *, position_id: str | None = None, since: date | None = None) -> list[Order]:
        """Known orders."""
        join, values = "", [*self.pair]
        if position_id is not None:
            join = "AND i.position_id = ?"
            values.append(position_id)
        if since is not None:
            join += " AND o.updated_at >= ?"
            values.append(since.isoformat())
        found = self.db.rows(
            "SELECT o.* FROM orders o JOIN order_intents i USING (market, account, "  # noqa: S608
            f"correlation_id) WHERE o.market = ? AND o.account = ? {join} ORDER BY i.seq",
            tuple(values),
        )
        return [order(row) for row in found]

    def record_fills(self, rows: Iterable[Fill]) -> int:
        """Insert each fill once by id, and update its position in the same transaction."""
        with self.db.transaction() as db:
            new = self._insert_fills(db, rows)
        self.changes += new
        return new

    def record_purchase(self, intent: OrderIntent, purchase: Fill) -> bool:
        """Record a purchase of lacking shares with its intent, both or none, once by its id."""
        with self.db.transaction() as db:
            _insert_intent(db, intent)
            new = self._insert_fills(db, [purchase])
            after = db.execute(
                "SELECT net_units FROM position_legs WHERE market = ? AND account = ? AND "
                "position_id = ? AND leg = ?",
                (*self.pair, intent.position_id, intent.leg),
            ).fetchone()
            if new and after["net_units"] > 0:
                raise StoreError(
                    f"leg {intent.leg} of {intent.position_id} owes "
                    f"{purchase.units - after['net_units']} shares by now, not {purchase.units}; "
                    "strikeloom shortages shows what is owed"
                )
        self.changes += new
        return bool(new)

    def _insert_fills(self, db: sqlite3.Connection, rows: Iterable[Fill]) -> int:
        """Insert fills within the caller's transaction. Returns how many are new."""
        new: list[str] = []
        for row in rows:
            values = {**self.key, **fill_columns(row)}
            once = "ON CONFLICT (market, account, fill_id) DO NOTHING"
            if db.execute(insert("fills", values, conflict=once), values).rowcount:
                new.append(row.correlation_id)
        if new:
            positions = db.execute(
                "SELECT DISTINCT position_id FROM order_intents WHERE market = ? AND "
                "account = ? AND correlation_id IN (SELECT value FROM json_each(?))",
                (*self.pair, json.dumps(new)),
            ).fetchall()
            names = [row["position_id"] for row in positions]
            update_positions(db, self.market, self.account, names)
            db.execute(
                "UPDATE order_intents SET closed = 0 WHERE market = ? AND account = ? AND "
                "position_id IN (SELECT value FROM json_each(?)) AND closed = 1",
                (*self.pair, json.dumps(names)),
            )
        return len(new)

    def fills(self, *, position_id: str | None = None) -> list[Fill]:
        """Fills in time order."""
        join, values = "", [*self.pair]
        if position_id is not None:
            join = (
                "JOIN order_intents i ON i.market = f.market AND i.account = f.account "
                "AND i.correlation_id = f.correlation_id AND i.position_id = ?"
            )
            values.insert(0, position_id)
        found = self.db.rows(
            f"SELECT f.* FROM fills f {join} WHERE f.market = ? AND f.account = ? "  # noqa: S608
            "ORDER BY f.at, f.fill_id",
            tuple(values),
        )
        return [fill(row) for row in found]


def _insert_intent(db: sqlite3.Connection, row: OrderIntent) -> int:
    """Insert an intent once within the caller's transaction. Returns 1 when it is new."""
    values = _intent_columns(row)
    once = "ON CONFLICT (market, account, correlation_id) DO NOTHING"
    return db.execute(insert("order_intents", values, conflict=once), values).rowcount


def _intent_columns(row: OrderIntent) -> dict[str, Any]:
    return {
        "market": row.market,
        "account": row.account,
        "correlation_id": row.correlation_id,
        "intent_id": row.intent_id,
        "position_id": row.position_id,
        "purpose": row.purpose.value,
        "leg": row.leg,
        "slice": row.slice,
        "attempt": row.attempt,
        **instrument_columns(row.instrument),
        "side": int(row.side),
        "units": row.units,
        "limit_price": row.limit,
        "priority": row.priority,
        "why": row.why,
        "created_at": row.created_at.isoformat(),
        "state": row.state.value,
        "note": row.note,
        "changed_at": row.created_at.isoformat(),
    }
