"""The send lock of an account: a file lock of the operating system."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from types import TracebackType

from filelock import FileLock, Timeout

from strikeloom.errors import LeaseTaken
from strikeloom.ports.store import Store
from strikeloom.trading.page_load import refuse_page_load


def file_name(account: str) -> str:
    """Account as part of a file name."""
    return account.replace(":", "-")


class Lease:
    """Right to send orders for one account. It does not expire; it ends with the process.

    The token is stored; an intent becomes SENDING only in a transaction that finds the token
    in the store, so a process that lost its lock cannot send.
    """

    def __init__(self, home: Path, store: Store) -> None:
        self._store = store
        folder = home / "locks"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = FileLock(folder / f"{file_name(store.account)}.lock")
        self.token = ""

    def __enter__(self) -> Lease:
        refuse_page_load("Sending orders")
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            raise LeaseTaken(
                f"another process sends orders for {self._store.account}; it is the watcher or a "
                "running execution (strikeloom status shows it)",
                account=self._store.account,
            ) from None
        token = secrets.token_hex(8)
        try:
            self._store.take_lease(token, os.getpid())
        except BaseException:
            self._lock.release()
            raise
        self.token = token
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.token = ""
        self._lock.release()


def held_elsewhere(home: Path, store: Store) -> bool:
    """Whether another process holds the account's send lock now."""
    path = home / "locks" / f"{file_name(store.account)}.lock"
    if not path.exists():
        return False
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    lock.release()
    return False
