"""Rate limits kept on our side, so that the broker never has to keep them for us.

Documented by Dhan (July 2026): requests in any second, minute, hour and day, by class of call;
an option chain is asked once in three seconds for one underlying and expiry.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Hashable
from enum import StrEnum

from strikeloom.errors import RateLimited


class CallClass(StrEnum):
    """Classes of calls that are counted together."""

    ORDER = "orders"
    DATA = "data"
    QUOTE = "quotes"
    OTHER = "account"
    CHAIN = "option chain"


_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86400.0
#: Window in seconds -> most calls in it.
LIMITS: dict[CallClass, dict[float, int]] = {
    CallClass.ORDER: {1.0: 10, _MINUTE: 250, _HOUR: 1000, _DAY: 7000},
    CallClass.DATA: {1.0: 5, _DAY: 100_000},
    CallClass.QUOTE: {1.0: 1},
    CallClass.OTHER: {1.0: 20},
    CallClass.CHAIN: {3.0: 1},
}
#: Calls leave evenly and arrive less so: windows are kept a little longer than documented.
_SLACK = 0.1
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0


class _Window:
    """Moments of the latest calls within one window."""

    def __init__(self, seconds: float, most: int) -> None:
        self.seconds = seconds + _SLACK
        self.moments: deque[float] = deque(maxlen=most)

    def wait(self, now: float) -> float:
        """Seconds until one more call fits."""
        full = len(self.moments) == self.moments.maxlen
        return self.moments[0] + self.seconds - now if full else 0.0


class RateLimits:
    """Lets a call go when every window of its class has room. Safe between threads.

    Parameters
    ----------
    now, sleep : callable
        Monotonic seconds, and waiting; a test steps both.
    patience : float
        Longest that a call waits for its turn before it is refused.
    """

    def __init__(
        self,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        *,
        patience: float = 10.0,
        limits: dict[CallClass, dict[float, int]] | None = None,
    ) -> None:
        self._now = now
        self._sleep = sleep
        self._patience = patience
        self._limits = LIMITS if limits is None else limits
        self._windows: dict[Hashable, list[_Window]] = {}
        self._until: dict[CallClass, float] = {}
        self._strikes: dict[CallClass, int] = {}
        self._lock = threading.Lock()

    def take(self, kind: CallClass, *, about: Hashable = "") -> None:
        """Wait for a turn.

        Parameters
        ----------
        about : hashable
            What a unique request is about; each is counted on its own.

        Raises
        ------
        RateLimited
            When the turn is further off than our patience; nothing was sent.
        """
        waited = 0.0
        while True:
            with self._lock:
                now = self._now()
                windows = self._windows_of(kind, about)
                due = max(
                    self._until.get(kind, now) - now, *(window.wait(now) for window in windows)
                )
                if due <= 0:
                    for window in windows:
                        window.moments.append(now)
                    return
            if waited + due > self._patience:
                raise RateLimited(
                    f"the limit of {kind.value} calls is used up for another {due:.0f} s; "
                    "nothing was sent",
                    kind=kind.value,
                    seconds=due,
                )
            self._sleep(due)
            waited += due

    def refused(self, kind: CallClass, retry_after: float | None = None) -> None:
        """The broker said that it was too much: hold calls of the class back, longer each time."""
        with self._lock:
            strikes = self._strikes.get(kind, 0)
            self._strikes[kind] = strikes + 1
            pause = min(_FIRST_PAUSE * 2**strikes, _LONGEST_PAUSE)
            self._until[kind] = self._now() + max(pause, retry_after or 0.0)

    def accepted(self, kind: CallClass) -> None:
        """The broker answered: the next refusal is a first one again."""
        with self._lock:
            self._strikes.pop(kind, None)

    def _windows_of(self, kind: CallClass, about: Hashable) -> list[_Window]:
        found = self._windows.get((kind, about))
        if found is None:
            limits = self._limits[kind]
            found = [_Window(seconds, most) for seconds, most in limits.items()]
            self._windows[kind, about] = found
        return found
