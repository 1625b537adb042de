"""The file behind an account: SQLite, each change on disk before it is answered."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib.resources import files
from pathlib import Path
from typing import TypeAlias

from strikeloom.errors import StoreError, UnknownOutcome, Unreachable

Row: TypeAlias = sqlite3.Row

_VERSION = 6


class AccountFile:
    """One connection to an account's file.

    Parameters
    ----------
    path : pathlib.Path
        Created with ``cash`` (paise) when it does not exist. A file of an older version is
        brought up to date.

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
        self.lock = threading.RLock()
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
        # processes may open a new file at once: one prepares it, the others find it done
        self._db.execute("BEGIN IMMEDIATE")
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version > _VERSION:
            self._db.close()
            raise StoreError(
                f"{self._path} was written by a newer strikeloom (version {version}, known "
                f"{_VERSION}); update strikeloom or use another STRIKELOOM_HOME"
            )
        for step in range(version + 1, _VERSION + 1):
            text = files("strikeloom.exchange.data").joinpath(f"account_{step}.sql").read_text()
            for statement in text.split(";\n"):
                if statement.strip():
                    self._db.execute(statement)
        self._db.execute(
            "INSERT OR IGNORE INTO money (one, start, cash, day_start) VALUES (1, ?, ?, ?)",
            (cash, cash, cash),
        )
        self._db.execute(f"PRAGMA user_version = {_VERSION}")
        self._db.execute("COMMIT")

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
        with self.lock:
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

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Group reads: all see one state of the file."""
        with self.lock:
            if self._db.in_transaction:
                yield
                return
            self.execute("BEGIN")
            try:
                yield
            finally:
                self._roll_back()

    def foreign_changes(self) -> int:
        """Number that differs once another connection has changed the file."""
        return self.number("PRAGMA data_version")

    def change_count(self) -> tuple[int, int]:
        """Two numbers of which one differs once this or another connection has changed the file."""
        return self._db.total_changes, self.foreign_changes()

    def execute(self, sql: str, values: tuple[object, ...] = ()) -> int:
        """Run one statement and return the number of the row it inserted.

        Raises
        ------
        Unreachable
            When the file cannot be used; the statement has no effect.
        """
        with self.lock:
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
        with self.lock:
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


def copy_account(source: Path, target: Path) -> None:
    """Copy an account's file as it is now, whole or not at all.

    Raises
    ------
    StoreError
        When the file cannot be read or the copy cannot be written.
    """
    part = target.with_suffix(".part")
    part.unlink(missing_ok=True)
    os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    try:
        with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(part)) as new:
            old.backup(new)
    except sqlite3.Error as error:
        raise StoreError(f"{source} cannot be carried into {target}: {error}") from error
    part.replace(target)
