"""Intents, orders and fills in the store. Written by ``trading/`` alone."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from strikeloom.adapters.sqlite.bound import Bound
from strikeloom.adapters.sqlite.positions import positions_of
from strikeloom.adapters.sqlite.rows import (
    contract_columns,
    fill,
    fill_columns,
    insert,
    intent,
    order,
    order_columns,
)
from strikeloom.domain.orders import Fill, IntentState, Order, OrderIntent, OrderState
from strikeloom.domain.positions import Position
from strikeloom.errors import StoreError

_SEND_ORDER = "ORDER BY priority, seq"
_TERMINAL = [state.value for state in OrderState if state.terminal]


class OrderRows(Bound):
    """``ports.store.TradingStore``."""

    def record_intents(self, rows: Sequence[OrderIntent]) -> int:
        """Record intents, all or none. One already there is left as it is."""
        for row in rows:
            if (row.market, row.account) != self.pair:
                raise StoreError(
                    f"intent {row.correlation_id} is of {row.account} on {row.market}; this "
                    f"store is bound to {self.account} on {self.market}"
                )
        with self.db.transaction() as db:
            before = db.total_changes
            for row in rows:
                values = _intent_columns(row)
                once = "ON CONFLICT (market, account, correlation_id) DO NOTHING"
                db.execute(insert("order_intents", values, conflict=once), values)
            return db.total_changes - before

    def intents(
        self,
        *,
        states: Collection[IntentState] | None = None,
        intent_id: str | None = None,
        position_id: str | None = None,
    ) -> list[OrderIntent]:
        """Intents in the order in which they are to be sent."""
        where, values = ["market = ?", "account = ?"], [*self.pair]
        if states is not None:
            where.append(f"state IN ({', '.join('?' * len(states))})")
            values += [state.value for state in states]
        for name, value in (("intent_id", intent_id), ("position_id", position_id)):
            if value is not None:
                where.append(f"{name} = ?")
                values.append(value)
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
        """Change a state if it is one of ``expected`` and the lease, when named, is still ours."""
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
            return db.execute(sql, values).rowcount == 1

    def changed_at(self, correlation_id: str) -> datetime:
        """When the intent's state last changed."""
        found = self.db.rows(
            "SELECT changed_at FROM order_intents WHERE market = ? AND account = ? "
            "AND correlation_id = ?",
            (*self.pair, correlation_id),
        )
        if not found:
            raise StoreError(f"account {self.account} has no intent {correlation_id}")
        return datetime.fromisoformat(found[0]["changed_at"])

    def take_lease(self, token: str, pid: int) -> None:
        """Note who holds the send lock; intents are marked SENDING only under this token."""
        values = {**self.key, "token": token, "pid": pid}
        conflict = "ON CONFLICT (market, account) DO UPDATE SET token = :token, pid = :pid"
        with self.db.transaction() as db:
            db.execute(insert("send_lease", values, conflict=conflict), values)

    def record_order(self, value: Order) -> None:
        """Upsert an order as the broker reports it; a terminal state never goes back."""
        columns = {**self.key, **order_columns(value)}
        marks = ", ".join(f"'{state}'" for state in _TERMINAL)
        conflict = (
            "ON CONFLICT (market, account, order_id) DO UPDATE SET "
            "filled_units = MAX(filled_units, :filled_units), state = :state, "
            f"reason = :reason, updated_at = :updated_at WHERE orders.state NOT IN ({marks})"
        )
        with self.db.transaction() as db:
            db.execute(insert("orders", columns, conflict=conflict), columns)

    def orders(self, *, position_id: str | None = None) -> list[Order]:
        """Known orders."""
        join, values = "", [*self.pair]
        if position_id is not None:
            join = "AND i.position_id = ?"
            values.append(position_id)
        found = self.db.rows(
            "SELECT o.* FROM orders o JOIN order_intents i USING (market, account, "  # noqa: S608
            f"correlation_id) WHERE o.market = ? AND o.account = ? {join} ORDER BY i.seq",
            tuple(values),
        )
        return [order(row) for row in found]

    def record_fills(self, rows: Iterable[Fill]) -> int:
        """Insert fills once by id."""
        with self.db.transaction() as db:
            before = db.total_changes
            for row in rows:
                values = {**self.key, **fill_columns(row)}
                once = "ON CONFLICT (market, account, fill_id) DO NOTHING"
                db.execute(insert("fills", values, conflict=once), values)
            return db.total_changes - before

    def fills(self, *, position_id: str | None = None) -> list[Fill]:
        """Fills in time order."""
        where, values = "", [*self.pair]
        if position_id is not None:
            where = "AND position_id = ?"
            values.append(position_id)
        found = self.db.rows(
            f"SELECT * FROM trades WHERE market = ? AND account = ? {where} "  # noqa: S608
            "ORDER BY at, fill_id",
            tuple(values),
        )
        return [fill(row) for row in found]

    def positions(self, *, open_only: bool = True) -> list[Position]:
        """Positions computed from fills."""
        found = positions_of(self.db, self.market, self.account)
        return [p for p in found if p.is_open or not open_only]

    def position(self, position_id: str) -> Position:
        """One position."""
        found = positions_of(self.db, self.market, self.account)
        for position in found:
            if position.position_id == position_id:
                return position
        known = ", ".join(p.position_id for p in found if p.is_open) or "none"
        raise StoreError(
            f"account {self.account} has no position {position_id}; open positions: {known}",
            position_id=position_id,
        )


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
        **contract_columns(row.contract),
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
