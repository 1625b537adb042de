"""Times of the latest calls, counted in this process or together for all processes of a home.

The broker counts an account's calls, whichever program makes them. So the processes of one home
(watcher, page, a command beside them) share one small file, which also survives a restart.
Losing the file neither stops orders nor lifts a limit: a process that cannot use it counts its
own calls, in windows twice as long, and warns.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple, Protocol

from strikeloom.adapters.sqlite.database import Database
from strikeloom.errors import StoreError

#: Seconds of a window -> most calls in it.
Windows = Mapping[float, int]

_TABLES = (
    "CREATE TABLE IF NOT EXISTS turns (line TEXT NOT NULL, number INTEGER NOT NULL, "
    "at REAL NOT NULL, PRIMARY KEY (line, number)) STRICT, WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS holds (line TEXT NOT NULL PRIMARY KEY, at REAL NOT NULL, "
    "seconds REAL NOT NULL, strikes INTEGER NOT NULL) STRICT, WITHOUT ROWID",
)
_TWO_DAYS = 172_800.0
#: Seconds to wait for another process that writes; it takes a fraction of a thousandth.
_BUSY_SECONDS = 1.0
#: How much longer the windows are while each process counts alone.
_ALONE = 2.0
#: Seconds during which a file that failed is not tried: orders must not wait for it repeatedly.
_RETRY_SECONDS = 5.0


class Cooldown(NamedTuple):
    """Pause after the broker rejected calls as too many.

    Attributes
    ----------
    seconds : float
        Seconds until the next call is allowed.
    rejections : int
        How many calls were rejected in a row.
    """

    seconds: float = 0.0
    rejections: int = 0


class CallCounter(Protocol):
    """Counts calls by group. Each group has limits of its own."""

    def take(self, group: str, windows: Windows) -> float:
        """Count a call and return 0, or count nothing and return the seconds until it may go."""
        ...

    def cooldown(self, group: str) -> Cooldown:
        """Cooldown of a group."""
        ...

    def set_cooldown(self, group: str, seconds: float, rejections: int) -> None:
        """Begin a cooldown; with no rejections end it."""
        ...

    def failure(self) -> str:
        """Why calls cannot be counted as they should be; empty when they can."""
        ...

    def close(self) -> None:
        """Release what is held open."""
        ...


class ProcessCallCounter:
    """``CallCounter`` of this process. Safe between threads."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._groups: dict[str, deque[float]] = {}
        self._cooldowns: dict[str, tuple[float, float, int]] = {}
        self._lock = threading.Lock()

    def take(self, group: str, windows: Windows) -> float:
        """Count a call and return 0, or count nothing and return the seconds until it may go."""
        with self._lock:
            now = self._now()
            moments = self._moments(group, windows, now)
            due = _due(moments, windows, now)
            if not due:
                moments.append(now)
            return due

    def due(self, group: str, windows: Windows) -> float:
        """Seconds until the next call may go; nothing is counted."""
        with self._lock:
            now = self._now()
            return _due(self._moments(group, windows, now), windows, now)

    def count(self, group: str, windows: Windows) -> None:
        """Count a call that was allowed elsewhere."""
        with self._lock:
            now = self._now()
            self._moments(group, windows, now).append(now)

    def cooldown(self, group: str) -> Cooldown:
        """Cooldown of a group."""
        at, seconds, rejections = self._cooldowns.get(group, (0.0, 0.0, 0))
        now = self._now()
        if at > now:  # the clock was set back: it counts from now, once
            self.set_cooldown(group, seconds, rejections)
        left = max(0.0, min(at, now) + seconds - now)
        return Cooldown(left if rejections else 0.0, rejections)

    def set_cooldown(self, group: str, seconds: float, rejections: int) -> None:
        """Begin a cooldown; with no rejections end it."""
        self._cooldowns[group] = self._now(), seconds, rejections

    def failure(self) -> str:
        """Nothing can fail."""
        return ""

    def close(self) -> None:
        """Nothing is held open."""

    def _moments(self, group: str, windows: Windows, now: float) -> deque[float]:
        """Times of a group's calls; those ahead of a clock that was set back count as now."""
        most = max(windows.values())
        moments = self._groups.setdefault(group, deque(maxlen=most))
        if moments and moments[-1] > now:
            moments = self._groups[group] = deque((min(at, now) for at in moments), maxlen=most)
        return moments


def _due(moments: deque[float], windows: Windows, now: float) -> float:
    return max(
        0.0,
        *(
            moments[-most] + seconds - now if len(moments) >= most else 0.0
            for seconds, most in windows.items()
        ),
    )


class SharedCallCounter:
    """``CallCounter`` of all processes of a home, in one file. Safe between threads and processes.

    Parameters
    ----------
    path : pathlib.Path
        Made when the first call is counted.
    account : str
        Whose calls they are: the broker counts each account on its own.
    now : callable
        Seconds that all processes agree on. Times that lie ahead of it (the clock was set back)
        count as now.
    warn : callable
        Called with a message, once for each kind of failure of the file.
    """

    def __init__(
        self,
        path: Path,
        account: str,
        now: Callable[[], float],
        warn: Callable[[str], None],
        *,
        busy_seconds: float = _BUSY_SECONDS,
    ) -> None:
        self._path = path
        self._account = account
        self._now = now
        self._warn = warn
        self._busy = busy_seconds
        self._own = ProcessCallCounter(now)
        self._connection: Database | None = None
        self._warned: set[str] = set()
        self._unwritten: set[str] = set()
        self._failed_at = float("-inf")
        self._opening = threading.Lock()

    def take(self, group: str, windows: Windows) -> float:
        """Count a call and return 0, or count nothing and return the seconds until it may go."""
        if not self._has_just_failed():
            due = self._own.due(group, windows)  # also calls that could not be written to the file
            if due:
                return due
            try:
                due = self._take(f"{self._account}|{group}", windows)
            except (StoreError, OSError) as error:
                self._note_failure(error)
            else:
                if not due:
                    self._own.count(group, windows)
                return due
        return self._own.take(group, {s * _ALONE: most for s, most in windows.items()})

    def cooldown(self, group: str) -> Cooldown:
        """Cooldown of a group."""
        if self._has_just_failed():
            return self._own.cooldown(group)
        try:
            rows = self._open().rows(
                "SELECT at, seconds, strikes FROM holds WHERE line = ?",
                (f"{self._account}|{group}",),
            )
        except (StoreError, OSError) as error:
            self._note_failure(error)
            return self._own.cooldown(group)
        mine = self._own.cooldown(group) if group in self._unwritten else Cooldown()
        if not rows:
            return mine
        at, seconds, rejections = rows[0]
        now = self._now()
        if at > now:
            self.set_cooldown(group, seconds, rejections)
        return max(mine, Cooldown(max(0.0, min(at, now) + seconds - now), rejections))

    def set_cooldown(self, group: str, seconds: float, rejections: int) -> None:
        """Begin a cooldown; with no rejections end it."""
        self._own.set_cooldown(group, seconds, rejections)
        self._unwritten.add(group)
        if self._has_just_failed():
            return
        row = (f"{self._account}|{group}", self._now(), seconds, rejections)
        try:
            with self._open().transaction() as db:
                db.execute("INSERT OR REPLACE INTO holds VALUES (?, ?, ?, ?)", row)
        except (StoreError, OSError) as error:
            self._note_failure(error)
        else:
            self._unwritten.discard(group)

    def failure(self) -> str:
        """Why the file cannot be used; empty when it can."""
        try:
            with self._open().transaction():
                return ""
        except (StoreError, OSError) as error:
            return str(error)

    def close(self) -> None:
        """Release the file."""
        with self._opening:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _take(self, group: str, windows: Windows) -> float:
        with self._open().transaction() as db:
            now = self._now()
            db.execute("UPDATE turns SET at = ? WHERE line = ? AND at > ?", (now, group, now))
            (last,) = db.execute(
                "SELECT coalesce(max(number), 0) FROM turns WHERE line = ?", (group,)
            ).fetchone()
            due = 0.0
            for seconds, most in windows.items():
                first = db.execute(
                    "SELECT at FROM turns WHERE line = ? AND number = ?", (group, last - most + 1)
                ).fetchone()
                due = max(due, first[0] + seconds - now if first else 0.0)
            if not due:
                db.execute("INSERT INTO turns VALUES (?, ?, ?)", (group, last + 1, now))
                kept = last + 1 - max(windows.values())
                db.execute("DELETE FROM turns WHERE line = ? AND number <= ?", (group, kept))
            return due

    def _open(self) -> Database:
        with self._opening:
            if self._connection is None:
                made = Database(self._path, busy_seconds=self._busy, durable=False)
                try:
                    with made.transaction() as db:
                        for table in _TABLES:
                            db.execute(table)
                        old = (self._now() - _TWO_DAYS,)
                        db.execute("DELETE FROM turns WHERE at < ?", old)
                except StoreError:
                    made.close()
                    raise
                self._connection = made
            return self._connection

    def _has_just_failed(self) -> bool:
        return abs(self._now() - self._failed_at) < _RETRY_SECONDS

    def _note_failure(self, error: Exception) -> None:
        self._failed_at = self._now()
        text = f"{type(error).__name__}: {error}"
        if text not in self._warned:
            self._warned.add(text)
            self._warn(
                f"the file in which processes share the broker's limits cannot be used ({text}). "
                "Each process counts its own calls at half the pace until it can; if it stays so, "
                f"end all desks and delete {self._path}"
            )
