"""The engine's own durable record of one account: orders, fills, settlements, money.

A separate SQLite file, never the desk's tables, so that reconciliation compares two
independent records. Every change is committed before it is answered.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from strikeloom.domain.instruments import Kind, OptionContract, parse_key
from strikeloom.domain.legs import Side
from strikeloom.domain.orders import Fill, Order, OrderRequest, OrderState, Validity
from strikeloom.errors import StoreError
from strikeloom.exchange.resting import Resting

_SCHEMA = """
CREATE TABLE IF NOT EXISTS orders (
    number INTEGER PRIMARY KEY AUTOINCREMENT, correlation_id TEXT NOT NULL,
    contract TEXT NOT NULL, kind TEXT NOT NULL, lot_size INTEGER NOT NULL, tick INTEGER NOT NULL,
    side INTEGER NOT NULL, units INTEGER NOT NULL, filled INTEGER NOT NULL DEFAULT 0,
    limit_price INTEGER NOT NULL, validity TEXT NOT NULL, state TEXT NOT NULL,
    reason TEXT NOT NULL DEFAULT '', placed_at TEXT NOT NULL, updated_at TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS fills (
    number INTEGER PRIMARY KEY AUTOINCREMENT, order_number INTEGER NOT NULL,
    correlation_id TEXT NOT NULL, contract TEXT NOT NULL, kind TEXT NOT NULL,
    lot_size INTEGER NOT NULL, tick INTEGER NOT NULL, side INTEGER NOT NULL,
    units INTEGER NOT NULL CHECK (units > 0), price INTEGER NOT NULL, charges INTEGER NOT NULL,
    at TEXT NOT NULL, quote_at TEXT NOT NULL, what TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS fills_by_contract ON fills (contract, quote_at);
CREATE TABLE IF NOT EXISTS money (one INTEGER PRIMARY KEY CHECK (one = 1), start INTEGER NOT NULL)
STRICT;
CREATE TABLE IF NOT EXISTS progress (
    one INTEGER PRIMARY KEY CHECK (one = 1), matched_to TEXT NOT NULL
) STRICT;
"""
_VERSION = 1


class Account:
    """One account's file.

    Parameters
    ----------
    path : pathlib.Path
        Created with ``cash`` (paise) when it does not exist.
    """

    def __init__(self, path: Path, cash: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        self._lock = threading.RLock()
        self._db = sqlite3.connect(
            path, isolation_level=None, check_same_thread=False, timeout=15.0
        )
        self._db.row_factory = sqlite3.Row
        try:
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            version = self._one("PRAGMA user_version")
            if version > _VERSION:
                raise StoreError(
                    f"{path} was written by a newer strikeloom (version {version}, known "
                    f"{_VERSION}); update strikeloom or use another STRIKELOOM_HOME"
                )
            if version < _VERSION:
                self._db.executescript(_SCHEMA)
                self._db.execute("INSERT OR IGNORE INTO money (one, start) VALUES (1, ?)", (cash,))
                self._db.execute(f"PRAGMA user_version = {_VERSION}")
        except sqlite3.DatabaseError as error:
            raise StoreError(f"{path} is not a usable account file: {error}") from error

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Group changes: all or none."""
        with self._lock:
            if self._db.in_transaction:
                yield
                return
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def add_order(
        self, request: OrderRequest, at: datetime, state: OrderState, reason: str = ""
    ) -> int:
        """Record an order and return its number."""
        c = request.contract
        with self._lock:
            cursor = self._db.execute(
                "INSERT INTO orders (correlation_id, contract, kind, lot_size, tick, side, units, "
                "limit_price, validity, state, reason, placed_at, updated_at) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    request.correlation_id,
                    c.key,
                    c.kind.value,
                    c.lot_size,
                    c.tick,
                    int(request.side),
                    request.units,
                    request.limit,
                    request.validity.value,
                    state.value,
                    reason,
                    at.isoformat(),
                    at.isoformat(),
                ),
            )
        return int(cursor.lastrowid or 0)

    def set_state(self, number: int, state: OrderState, at: datetime, reason: str = "") -> None:
        """Change an order's state."""
        with self._lock:
            self._db.execute(
                "UPDATE orders SET state = ?, reason = ?, updated_at = ? WHERE number = ?",
                (state.value, reason, at.isoformat(), number),
            )

    def add_fill(
        self, number: int, units: int, price: int, charges: int, at: datetime, quote_at: datetime
    ) -> None:
        """Record a trade of an order and its new state, together."""
        with self.transaction():
            self._db.execute(
                "INSERT INTO fills (order_number, correlation_id, contract, kind, lot_size, tick, "
                "side, units, price, charges, at, quote_at, what) SELECT number, correlation_id, "
                "contract, kind, lot_size, tick, side, ?, ?, ?, ?, ?, 'trade' FROM orders "
                "WHERE number = ?",
                (units, price, charges, at.isoformat(), quote_at.isoformat(), number),
            )
            self._db.execute(
                "UPDATE orders SET filled = filled + ?, updated_at = ?, state = CASE WHEN "
                "filled + ? >= units THEN 'TRADED' ELSE 'PART_TRADED' END WHERE number = ?",
                (units, at.isoformat(), units, number),
            )

    def add_settlement(
        self, contract: OptionContract, net_units: int, price: int, charges: int, at: datetime
    ) -> None:
        """Close a holding at its settlement value."""
        side = Side.SELL if net_units > 0 else Side.BUY
        with self._lock:
            self._db.execute(
                "INSERT INTO fills (order_number, correlation_id, contract, kind, lot_size, tick, "
                "side, units, price, charges, at, quote_at, what) "
                "VALUES (0, '', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'settlement')",
                (
                    contract.key,
                    contract.kind.value,
                    contract.lot_size,
                    contract.tick,
                    int(side),
                    abs(net_units),
                    price,
                    charges,
                    at.isoformat(),
                    at.isoformat(),
                ),
            )

    def taken(self, key: str, side: Side, quote_at: datetime) -> int:
        """Units already taken from one side of one quote."""
        return int(
            self._one(
                "SELECT COALESCE(SUM(units), 0) FROM fills WHERE contract = ? AND side = ? "
                "AND quote_at = ? AND what = 'trade'",
                (key, int(side), quote_at.isoformat()),
            )
        )

    def orders(self) -> list[Order]:
        """All orders, oldest first."""
        return [_order(row) for row in self._rows("SELECT * FROM orders ORDER BY number")]

    def order(self, number: int) -> Order | None:
        """One order."""
        rows = self._rows("SELECT * FROM orders WHERE number = ?", (number,))
        return _order(rows[0]) if rows else None

    def resting(self) -> list[Resting]:
        """Orders that can still trade, by price and then time: the best bid or offer first."""
        rows = self._rows(
            "SELECT * FROM orders WHERE state IN ('PENDING', 'PART_TRADED') "
            "ORDER BY contract, side, -side * limit_price, number"
        )
        return [
            Resting(
                row["number"],
                _contract(row),
                Side(row["side"]),
                row["units"] - row["filled"],
                row["filled"] == 0,
                row["limit_price"],
                Validity(row["validity"]),
                _moment(row["placed_at"]),
            )
            for row in rows
        ]

    def fills(self) -> list[Fill]:
        """All fills and settlements, oldest first."""
        return [
            Fill(
                fill_id=f"F{row['number']}",
                order_id=f"E{row['order_number']}",
                correlation_id=row["correlation_id"],
                contract_key=row["contract"],
                side=Side(row["side"]),
                units=row["units"],
                price=row["price"],
                charges=row["charges"],
                at=_moment(row["at"]),
                kind=row["what"],
            )
            for row in self._rows("SELECT * FROM fills ORDER BY number")
        ]

    def holdings(self) -> list[tuple[OptionContract, int]]:
        """Contracts held with their net units; flat ones are absent."""
        rows = self._rows(
            "SELECT contract, kind, lot_size, tick, SUM(side * units) AS net FROM fills "
            "GROUP BY contract HAVING net <> 0 ORDER BY contract"
        )
        return [(_contract(row), row["net"]) for row in rows]

    def cash(self) -> int:
        """Paise: what was paid in, and every premium, settlement and charge since."""
        return int(
            self._one(
                "SELECT start + (SELECT COALESCE(SUM(-side * units * price - charges), 0) "
                "FROM fills) FROM money"
            )
        )

    def matched_to(self) -> datetime | None:
        """Moment up to which resting orders were matched."""
        rows = self._rows("SELECT matched_to FROM progress")
        return _moment(rows[0]["matched_to"]) if rows else None

    def note_matched(self, at: datetime) -> None:
        """Keep the moment up to which resting orders were matched."""
        with self._lock:
            self._db.execute(
                "INSERT INTO progress (one, matched_to) VALUES (1, ?) "
                "ON CONFLICT (one) DO UPDATE SET matched_to = excluded.matched_to",
                (at.isoformat(),),
            )

    def close(self) -> None:
        """Release the file."""
        self._db.close()

    def _rows(self, sql: str, values: tuple[object, ...] = ()) -> list[sqlite3.Row]:
        with self._lock:
            return self._db.execute(sql, values).fetchall()

    def _one(self, sql: str, values: tuple[object, ...] = ()) -> int:
        return int(self._rows(sql, values)[0][0])


def _contract(row: sqlite3.Row) -> OptionContract:
    symbol, expiry, strike, right = parse_key(row["contract"])
    kind = Kind(row["kind"])
    return OptionContract(symbol, expiry, strike, right, kind, row["lot_size"], row["tick"])


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _order(row: sqlite3.Row) -> Order:
    return Order(
        order_id=f"E{row['number']}",
        correlation_id=row["correlation_id"],
        contract_key=row["contract"],
        side=Side(row["side"]),
        units=row["units"],
        filled_units=row["filled"],
        limit=row["limit_price"],
        state=OrderState(row["state"]),
        reason=row["reason"],
        updated_at=_moment(row["updated_at"]),
    )
