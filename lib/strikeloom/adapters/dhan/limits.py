"""Rate limits kept on our side, so that the broker never has to keep them for us.

Documented by Dhan (July 2026): requests in any second, minute, hour and day, by class of call;
an option chain is asked once in three seconds for one underlying and expiry.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Mapping
from enum import StrEnum

from strikeloom.adapters.dhan.turns import OwnTurns, Turns
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


class RateLimits:
    """Lets a call go when every window of its class has room. Safe between threads.

    Parameters
    ----------
    now, sleep : callable
        Monotonic seconds, and waiting; a test steps both.
    patience : float
        Longest that a call waits for its turn before it is refused.
    turns : Turns, optional
        Where calls are counted; default: in this process, by ``now``.
    """

    def __init__(
        self,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        *,
        patience: float = 10.0,
        limits: Mapping[CallClass, Mapping[float, int]] = LIMITS,
        turns: Turns | None = None,
    ) -> None:
        self._sleep = sleep
        self._patience = patience
        self._windows = {
            kind: {seconds + _SLACK: most for seconds, most in windows.items()}
            for kind, windows in limits.items()
        }
        self._turns = turns or OwnTurns(now)

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
        line, waited = f"{kind.value}|{about}", 0.0
        while True:
            due = self._turns.hold(kind.value).left
            due = due or self._turns.take(line, self._windows[kind])
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
        """The broker said that it was too much: hold calls of the class back, longer each time."""
        strikes = self._turns.hold(kind.value).strikes
        pause = min(_FIRST_PAUSE * 2**strikes, _LONGEST_PAUSE)
        self._turns.hold_back(kind.value, max(pause, retry_after or 0.0), strikes + 1)

    def accepted(self, kind: CallClass) -> None:
        """The broker answered: the next refusal is a first one again."""
        if self._turns.hold(kind.value).strikes:
            self._turns.hold_back(kind.value, 0.0, 0)

    def trouble(self) -> str:
        """Why calls cannot be counted as they should be; empty when they can."""
        return self._turns.trouble()

    def close(self) -> None:
        """Release what counting holds open."""
        self._turns.close()
