"""Rate limits: classes of calls, each with sliding windows.

The limits are dated facts of the broker in ``data/rate_limits.csv``.
"""

from __future__ import annotations

import csv
from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files


class RateLimitClass(StrEnum):
    """Classes in which the broker counts calls."""

    ORDER = "order"
    DATA = "data"
    QUOTE = "quote"
    OTHER = "non-trading"
    CHAIN = "option-chain"  # one request of the same underlying and expiry
    FREE = "uncounted"  # tokens, files, the control path


@dataclass(frozen=True, slots=True)
class RateWindow:
    """At most ``calls`` in any ``seconds``."""

    calls: int
    seconds: float
    name: str


def documented_limits() -> dict[RateLimitClass, tuple[RateWindow, ...]]:
    """Limits as the broker documents them."""
    text = files("strikeloom.exchange.server.data").joinpath("rate_limits.csv").read_text("utf-8")
    limits: dict[RateLimitClass, list[RateWindow]] = defaultdict(list)
    for row in csv.DictReader(text.splitlines()):
        window = RateWindow(int(row["calls"]), float(row["seconds"]), row["window"])
        limits[RateLimitClass(row["class"])].append(window)
    return {kind: tuple(windows) for kind, windows in limits.items()}


class ClientRateLimiter:
    """Counts calls by client and class.

    Parameters
    ----------
    limits : mapping
        Windows by class; empty lifts all limits.
    seconds : callable
        Seconds of a clock that never goes back; only differences count.
    """

    def __init__(
        self, limits: Mapping[RateLimitClass, tuple[RateWindow, ...]], seconds: Callable[[], float]
    ) -> None:
        self._limits = limits
        self._seconds = seconds
        self._calls: dict[Hashable, deque[float]] = defaultdict(deque)

    def refusal(
        self, client: str, kind: RateLimitClass, what: Hashable = None
    ) -> RateWindow | None:
        """Count a call, or return the window that is full; a refused call is not counted.

        Parameters
        ----------
        what : hashable, optional
            Calls with different values are counted separately.
        """
        windows = self._limits.get(kind, ())
        if not windows:
            return None
        now = self._seconds()
        calls = self._calls[client, kind, what]
        longest = max(window.seconds for window in windows)
        while calls and calls[0] <= now - longest:
            calls.popleft()
        for window in windows:
            # full while the call that is `window.calls` back is still inside the window
            if len(calls) >= window.calls and calls[-window.calls] > now - window.seconds:
                return window
        calls.append(now)
        return None
