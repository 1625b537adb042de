"""Whose turn it is: moments of the latest calls, counted in this process or for a whole home.

The broker counts an account's calls, whoever makes them. So the processes of one home (watcher,
page, a command beside them) share one small file, which also survives a restart. Losing the
file neither stops orders nor lifts a limit: a process that cannot use it counts its own calls,
in windows twice as long, and says so.
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
#: Seconds without a look at a file that gave trouble: no order waits for it again and again.
_REST_SECONDS = 5.0


class Hold(NamedTuple):
    """The broker said that it was too much.

    Attributes
    ----------
    left : float
        Seconds until the next call may go.
    strikes : int
        How often it was said in a row.
    """

    left: float = 0.0
    strikes: int = 0


class Turns(Protocol):
    """Counts calls by line. A line is what has limits of its own."""

    def take(self, line: str, windows: Windows) -> float:
        """Count a call and return 0, or count nothing and return the seconds until its turn."""
        ...

    def hold(self, line: str) -> Hold:
        """What holds a line back."""
        ...

    def hold_back(self, line: str, seconds: float, strikes: int) -> None:
        """Hold a line back; with no strikes let it go."""
        ...

    def trouble(self) -> str:
        """Why calls cannot be counted as they should be; empty when they can."""
        ...

    def close(self) -> None:
        """Release what is held open."""
        ...


class OwnTurns:
    """``Turns`` of this process. Safe between threads."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lines: dict[str, deque[float]] = {}
        self._holds: dict[str, tuple[float, float, int]] = {}
        self._lock = threading.Lock()

    def take(self, line: str, windows: Windows) -> float:
        """Count a call and return 0, or count nothing and return the seconds until its turn."""
        with self._lock:
            now = self._now()
            moments = self._moments(line, windows, now)
            due = _due(moments, windows, now)
            if not due:
                moments.append(now)
            return due

    def due(self, line: str, windows: Windows) -> float:
        """Seconds until the next turn; nothing is counted."""
        with self._lock:
            now = self._now()
            return _due(self._moments(line, windows, now), windows, now)

    def count(self, line: str, windows: Windows) -> None:
        """Count a call that was let go elsewhere."""
        with self._lock:
            now = self._now()
            self._moments(line, windows, now).append(now)

    def hold(self, line: str) -> Hold:
        """What holds a line back."""
        at, seconds, strikes = self._holds.get(line, (0.0, 0.0, 0))
        now = self._now()
        if at > now:  # the clock was set back: it counts from now, once
            self.hold_back(line, seconds, strikes)
        return Hold(max(0.0, min(at, now) + seconds - now) if strikes else 0.0, strikes)

    def hold_back(self, line: str, seconds: float, strikes: int) -> None:
        """Hold a line back; with no strikes let it go."""
        self._holds[line] = self._now(), seconds, strikes

    def trouble(self) -> str:
        """Nothing can go wrong."""
        return ""

    def close(self) -> None:
        """Nothing is held open."""

    def _moments(self, line: str, windows: Windows, now: float) -> deque[float]:
        """Moments of a line; those ahead of a clock that was set back count as now."""
        most = max(windows.values())
        moments = self._lines.setdefault(line, deque(maxlen=most))
        if moments and moments[-1] > now:
            moments = self._lines[line] = deque((min(at, now) for at in moments), maxlen=most)
        return moments


def _due(moments: deque[float], windows: Windows, now: float) -> float:
    return max(
        0.0,
        *(
            moments[-most] + seconds - now if len(moments) >= most else 0.0
            for seconds, most in windows.items()
        ),
    )


class SharedTurns:
    """``Turns`` of all processes of a home, in one file. Safe between threads and processes.

    Parameters
    ----------
    path : pathlib.Path
        Made when the first call is counted.
    account : str
        Whose calls they are: the broker counts each account on its own.
    now : callable
        Seconds that all processes agree on. Moments that lie ahead of it (the clock was set
        back) count as now.
    warn : callable
        Told once of each trouble with the file.
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
        self._own = OwnTurns(now)
        self._connection: Database | None = None
        self._told: set[str] = set()
        self._unwritten: set[str] = set()
        self._rests_since = float("-inf")
        self._opening = threading.Lock()

    def take(self, line: str, windows: Windows) -> float:
        """Count a call and return 0, or count nothing and return the seconds until its turn."""
        if not self._rests():
            due = self._own.due(line, windows)  # also what the file was not told of
            if due:
                return due
            try:
                due = self._take(f"{self._account}|{line}", windows)
            except (StoreError, OSError) as error:
                self._tell(error)
            else:
                if not due:
                    self._own.count(line, windows)
                return due
        return self._own.take(line, {s * _ALONE: most for s, most in windows.items()})

    def hold(self, line: str) -> Hold:
        """What holds a line back."""
        if self._rests():
            return self._own.hold(line)
        try:
            found = self._open().rows(
                "SELECT at, seconds, strikes FROM holds WHERE line = ?",
                (f"{self._account}|{line}",),
            )
        except (StoreError, OSError) as error:
            self._tell(error)
            return self._own.hold(line)
        mine = self._own.hold(line) if line in self._unwritten else Hold()
        if not found:
            return mine
        at, seconds, strikes = found[0]
        now = self._now()
        if at > now:
            self.hold_back(line, seconds, strikes)
        return max(mine, Hold(max(0.0, min(at, now) + seconds - now), strikes))

    def hold_back(self, line: str, seconds: float, strikes: int) -> None:
        """Hold a line back; with no strikes let it go."""
        self._own.hold_back(line, seconds, strikes)
        self._unwritten.add(line)
        if self._rests():
            return
        row = (f"{self._account}|{line}", self._now(), seconds, strikes)
        try:
            with self._open().transaction() as db:
                db.execute("INSERT OR REPLACE INTO holds VALUES (?, ?, ?, ?)", row)
        except (StoreError, OSError) as error:
            self._tell(error)
        else:
            self._unwritten.discard(line)

    def trouble(self) -> str:
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

    def _take(self, line: str, windows: Windows) -> float:
        with self._open().transaction() as db:
            now = self._now()
            db.execute("UPDATE turns SET at = ? WHERE line = ? AND at > ?", (now, line, now))
            (last,) = db.execute(
                "SELECT coalesce(max(number), 0) FROM turns WHERE line = ?", (line,)
            ).fetchone()
            due = 0.0
            for seconds, most in windows.items():
                first = db.execute(
                    "SELECT at FROM turns WHERE line = ? AND number = ?", (line, last - most + 1)
                ).fetchone()
                due = max(due, first[0] + seconds - now if first else 0.0)
            if not due:
                db.execute("INSERT INTO turns VALUES (?, ?, ?)", (line, last + 1, now))
                kept = last + 1 - max(windows.values())
                db.execute("DELETE FROM turns WHERE line = ? AND number <= ?", (line, kept))
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

    def _rests(self) -> bool:
        """Whether the file gave trouble a moment ago."""
        return abs(self._now() - self._rests_since) < _REST_SECONDS

    def _tell(self, error: Exception) -> None:
        self._rests_since = self._now()
        text = f"{type(error).__name__}: {error}"
        if text not in self._told:
            self._told.add(text)
            self._warn(
                f"the file in which processes share the broker's limits cannot be used ({text}). "
                "Each process counts its own calls at half the pace until it can; if it stays so, "
                f"end all desks and delete {self._path}"
            )
