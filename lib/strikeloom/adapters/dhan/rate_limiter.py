"""The broker's rate limits, kept on our side so that it does not have to reject calls.

Documented by Dhan (July 2026): requests in any second, minute, hour and day, by class of call;
an option chain may be requested once in three seconds for one underlying and expiry.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Mapping
from enum import StrEnum

from strikeloom.adapters.dhan.call_counters import CallCounter, ProcessCallCounter
from strikeloom.errors import RateLimited


class CallClass(StrEnum):
    """Classes of calls; the calls of one class are counted together."""

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
#: Calls arrive less evenly than they leave: windows are kept a little longer than documented.
_SLACK = 0.1
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0


class RateLimiter:
    """Lets a call go when every window of its class has room. Safe between threads.

    Parameters
    ----------
    now, sleep : callable
        Monotonic seconds, and sleeping; a test steps both.
    patience : float
        Longest time in seconds that a call waits before it is refused.
    counter : CallCounter, optional
        Where calls are counted; default: in this process, by ``now``.
    """

    def __init__(
        self,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        *,
        patience: float = 10.0,
        limits: Mapping[CallClass, Mapping[float, int]] = LIMITS,
        counter: CallCounter | None = None,
    ) -> None:
        self._sleep = sleep
        self._patience = patience
        self._windows = {
            kind: {seconds + _SLACK: most for seconds, most in windows.items()}
            for kind, windows in limits.items()
        }
        self._counter = counter or ProcessCallCounter(now)

    def take(self, kind: CallClass, *, about: Hashable = "") -> None:
        """Wait until a call may go, and count it.

        Parameters
        ----------
        about : hashable
            Subject of a request that has a limit of its own, such as one option chain.

        Raises
        ------
        RateLimited
            When the wait would be longer than ``patience``; nothing was sent.
        """
        group, waited = f"{kind.value}|{about}", 0.0
        while True:
            due = self._counter.cooldown(kind.value).seconds
            due = due or self._counter.take(group, self._windows[kind])
            if not due:
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
        """Begin a cooldown of a class that the broker rejected, longer after each rejection."""
        rejections = self._counter.cooldown(kind.value).rejections
        pause = min(_FIRST_PAUSE * 2**rejections, _LONGEST_PAUSE)
        self._counter.set_cooldown(kind.value, max(pause, retry_after or 0.0), rejections + 1)

    def accepted(self, kind: CallClass) -> None:
        """End the row of rejections: the broker answered."""
        if self._counter.cooldown(kind.value).rejections:
            self._counter.set_cooldown(kind.value, 0.0, 0)

    def failure(self) -> str:
        """Why calls cannot be counted as they should be; empty when they can."""
        return self._counter.failure()

    def close(self) -> None:
        """Release what the counter holds open."""
        self._counter.close()
