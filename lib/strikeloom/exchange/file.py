"""The file behind an account: SQLite, each change on disk before it is answered."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

from strikeloom.errors import StoreError, UnknownOutcome, Unreachable

Row: TypeAlias = sqlite3.Row

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


class AccountFile:
    """One connection to an account's file.

    Parameters
    ----------
    path : pathlib.Path
        Created with ``cash`` (paise) when it does not exist.

    Raises
    ------
    StoreError
        When the file is something else, or of a newer version.
    """

    def __init__(self, path: Path, cash: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        self._path = path
        self._lock = threading.RLock()
        self._db = sqlite3.connect(
            path, isolation_level=None, check_same_thread=False, timeout=15.0
        )
        self._db.row_factory = sqlite3.Row
        try:
            self._prepare(cash)
        except sqlite3.DatabaseError as error:
            self._db.close()
            raise StoreError(f"{path} is not a usable account file: {error}") from error

    def _prepare(self, cash: int) -> None:
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version > _VERSION:
            self._db.close()
            raise StoreError(
                f"{self._path} was written by a newer strikeloom (version {version}, known "
                f"{_VERSION}); update strikeloom or use another STRIKELOOM_HOME"
            )
        if version < _VERSION:
            self._db.executescript(_SCHEMA)
            self._db.execute("INSERT OR IGNORE INTO money (one, start) VALUES (1, ?)", (cash,))
            self._db.execute(f"PRAGMA user_version = {_VERSION}")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Group changes: all or none.

        Raises
        ------
        Unreachable
            When the file is busy or refuses a change; nothing of the group is kept.
        UnknownOutcome
            When the disk failed while the group was being kept.
        """
        with self._lock:
            if self._db.in_transaction:
                yield
                return
            self.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._roll_back()
                raise
            try:
                self._db.execute("COMMIT")
            except sqlite3.Error as error:
                self._roll_back()
                raise UnknownOutcome(f"{self._path} failed while written to: {error}") from error

    def _roll_back(self) -> None:
        if self._db.in_transaction:  # a full disk has already rolled back
            self._db.execute("ROLLBACK")

    def execute(self, sql: str, values: tuple[object, ...] = ()) -> int:
        """Run one statement and return the number of the row it inserted.

        Raises
        ------
        Unreachable
            When the file cannot be used; the statement has no effect.
        """
        with self._lock:
            try:
                return int(self._db.execute(sql, values).lastrowid or 0)
            except sqlite3.Error as error:
                raise self._unusable(error) from error

    def rows(self, sql: str, values: tuple[object, ...] = ()) -> list[Row]:
        """Rows of a query.

        Raises
        ------
        Unreachable
            When the file cannot be read.
        """
        with self._lock:
            try:
                return self._db.execute(sql, values).fetchall()
            except sqlite3.Error as error:
                raise self._unusable(error) from error

    def number(self, sql: str, values: tuple[object, ...] = ()) -> int:
        """First column of the first row of a query."""
        return int(self.rows(sql, values)[0][0])

    def close(self) -> None:
        """Release the file."""
        self._db.close()

    def _unusable(self, error: sqlite3.Error) -> Unreachable:
        return Unreachable(f"{self._path} is not usable now: {error}", path=str(self._path))
