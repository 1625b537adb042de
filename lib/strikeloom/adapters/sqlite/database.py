"""One SQLite file: opened safely, migrated by numbered steps, one transaction per call."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType

from strikeloom.errors import StoreError

_BUSY_SECONDS = 15.0


class Database:
    """A connection that several threads and processes may share.

    WAL with synchronous=FULL: a committed row survives a power cut. The file is readable by
    its owner only.

    Parameters
    ----------
    busy_seconds : float
        Longest wait for another process that writes.
    durable : bool
        ``False``: a commit survives the end of the process, but not a power cut, and does not
        wait for the disk.
    """

    def __init__(
        self, path: Path, *, busy_seconds: float = _BUSY_SECONDS, durable: bool = True
    ) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        self._lock = threading.RLock()
        try:
            self._db = sqlite3.connect(
                path, isolation_level=None, check_same_thread=False, timeout=busy_seconds
            )
            self._db.row_factory = sqlite3.Row
            self._db.execute("PRAGMA journal_mode=WAL")
            self._durable = durable
            self._synchronise(durable=durable)
            self._db.execute("PRAGMA foreign_keys=ON")
        except sqlite3.DatabaseError as error:
            raise StoreError(
                f"{path} is not a usable store ({error}); move it away and start again",
                path=str(path),
            ) from error

    def _synchronise(self, *, durable: bool) -> None:
        self._db.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
        self._synchronised = durable

    @contextmanager
    def transaction(self, *, durable: bool = True) -> Iterator[sqlite3.Connection]:
        """Commit all statements or none; an SQLite error becomes a ``StoreError``.

        Parameters
        ----------
        durable : bool
            ``False`` for rows that are soon replaced: the commit survives the end of the process,
            but not a power cut, and does not wait for the disk.
        """
        with self._lock:
            try:
                if self._synchronised != (durable and self._durable):
                    self._synchronise(durable=durable and self._durable)
                self._db.execute("BEGIN IMMEDIATE")
                try:
                    yield self._db
                    self._db.execute("COMMIT")
                except BaseException:
                    if self._db.in_transaction:  # on a full disk SQLite has rolled back itself
                        self._db.execute("ROLLBACK")
                    raise
            except sqlite3.Error as error:
                raise StoreError(f"{self.path.name}: {error}", path=str(self.path)) from error

    def rows(
        self, sql: str, values: tuple[object, ...] | Mapping[str, object] = ()
    ) -> list[sqlite3.Row]:
        """Read rows; parameters by place or by name."""
        with self._lock:
            try:
                return self._db.execute(sql, values).fetchall()
            except sqlite3.Error as error:
                raise StoreError(f"{self.path.name}: {error}", path=str(self.path)) from error

    def migrate(
        self,
        package: str,
        after: Mapping[int, Callable[[sqlite3.Connection], None]] = MappingProxyType({}),
    ) -> None:
        """Bring the file to the newest schema, in one transaction.

        Parameters
        ----------
        after : mapping of int to callable
            Function to call once a numbered step and all later ones are done: it finds the newest
            schema.

        Raises
        ------
        StoreError
            When the file was written by a newer version.
        """
        steps = sorted(p.name for p in files(package).iterdir() if p.name.endswith(".sql"))
        with self._lock:
            version = self._db.execute("PRAGMA user_version").fetchone()[0]
            if version > len(steps):
                raise StoreError(
                    f"{self.path} has schema {version}, this version knows {len(steps)}; update "
                    "strikeloom or use another STRIKELOOM_HOME",
                    found=version,
                )
            if version == len(steps):
                return
            with self.transaction() as db:
                # another process may have migrated while this one waited for the lock
                version = db.execute("PRAGMA user_version").fetchone()[0]
                for name in steps[version:]:
                    for statement in _statements(files(package).joinpath(name).read_text("utf-8")):
                        db.execute(statement)
                for number in sorted(after):
                    if number > version:
                        after[number](db)
                db.execute(f"PRAGMA user_version={max(version, len(steps)):d}")

    def foreign_changes(self) -> int:
        """Number that differs after another connection has committed a change."""
        return int(self.rows("PRAGMA data_version")[0][0])

    def close(self) -> None:
        """Release the file."""
        with self._lock:
            self._db.close()


def _statements(script: str) -> Iterator[str]:
    kept = ""
    for line in script.splitlines(keepends=True):
        kept += line
        if sqlite3.complete_statement(kept):
            yield kept
            kept = ""
