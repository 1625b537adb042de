"""Clocks of desks in real time: one that ticks and order updates wake, one of an exchange."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from strikeloom.adapters.dhan.credentials import is_loopback
from strikeloom.adapters.system_clock import SystemClock
from strikeloom.errors import Unreachable

if TYPE_CHECKING:
    import httpx

_ASK_AGAIN = 1.0
_ANSWER_SECONDS = 5.0
_STEPPED_WAIT = 0.05
#: Real seconds that a woken wait takes at least.
_LEAST_PAUSE = 0.002


class WakefulClock:
    """``ports.clock.Clock`` whose waiting ends early when it is woken.

    Calls of ``wake`` during a wait, or since the last one, together end one wait. The mark they
    leave is cleared before the wait returns, and so before the caller reads: whatever was stored
    before a call of ``wake`` is seen by the reading after the wait, and a call that comes
    between a reading and the next wait ends that wait at once.

    A wait that is woken still takes 2 ms at least, so that a caller who is always woken leaves
    time to the threads that deliver ticks.

    Attributes
    ----------
    wakes_on_ticks : bool
        Whether ``on_tick`` wakes. A watcher switches it on. It is off where a wait gives an order
        time to fill, or keeps a distance between two requests.
    """

    def __init__(self, clock: SystemClock | ExchangeClock) -> None:
        self._clock = clock
        self._begin: Callable[[], None] = lambda: None
        self._woken = threading.Event()
        self.wakes_on_ticks = False

    @property
    def speed(self) -> float:
        """Speed of the wrapped clock."""
        return self._clock.speed

    def begin_with(self, begin: Callable[[], None]) -> None:
        """Have this called before each wait: it connects what will wake."""
        self._begin = begin

    def now(self) -> datetime:
        """Aware, Asia/Kolkata."""
        return self._clock.now()

    def wake(self) -> None:
        """End the present wait, or the next one."""
        self._woken.set()

    def on_tick(self) -> None:
        """Wake, where ticks do. Called by the feed's thread once its cache holds the quotes."""
        if self.wakes_on_ticks:
            self.wake()

    def wait(self, seconds: float) -> bool:
        """Wait that long by this clock, or until woken."""
        self._begin()
        longest, began = self._clock.real(seconds), time.monotonic()
        if self._woken.wait(longest):
            time.sleep(max(0.0, min(longest, _LEAST_PAUSE) - (time.monotonic() - began)))
        self._woken.clear()
        return True


class ExchangeClock:
    """Time of a local exchange, which may run faster than real time or be stepped.

    Parameters
    ----------
    url : str
        Answers ``{"now": "<ISO with offset>", "speed": 60.0}``; a speed of 0 is stepped by
        hand. Asked once a second; in between the time is computed.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = threading.Lock()
        self._known: tuple[float, datetime, float] | None = None
        self._latest: datetime | None = None
        self._client: httpx.Client | None = None

    def now(self) -> datetime:
        """Aware, Asia/Kolkata; never earlier than a time returned before.

        Raises
        ------
        Unreachable
            When the exchange does not report its time.
        """
        with self._lock:
            if self._known is None or self._is_old():
                self._known = self._ask()
            asked, at, speed = self._known
            computed = at + timedelta(seconds=(time.monotonic() - asked) * speed)
            self._latest = computed if self._latest is None else max(computed, self._latest)
            return self._latest

    @property
    def speed(self) -> float:
        """As the exchange last reported it; 1 where it is stepped.

        Raises
        ------
        Unreachable
            When the exchange does not report its time.
        """
        self.now()
        return (self._known[2] if self._known else 0.0) or 1.0

    def wait(self, seconds: float) -> bool:
        """Sleep for a number of the exchange's seconds."""
        time.sleep(self.real(seconds))
        return True

    def real(self, seconds: float) -> float:
        """Real seconds for a number of the exchange's seconds."""
        self.now()
        speed = self._known[2] if self._known else 1.0
        return seconds / speed if speed else min(seconds, _STEPPED_WAIT)

    def _is_old(self) -> bool:
        asked, _, speed = self._known or (0.0, None, 0.0)
        return not speed or time.monotonic() - asked > _ASK_AGAIN

    def _ask(self) -> tuple[float, datetime, float]:
        import httpx

        from strikeloom.nse.sessions import IST

        if self._client is None:
            # kept: a new connection takes longer than a decision on a tick may. Nothing is
            # encrypted on this machine, and reading certificates is slow
            verify = not is_loopback(self._url)
            self._client = httpx.Client(trust_env=False, verify=verify, timeout=_ANSWER_SECONDS)
        try:
            answer = self._client.get(self._url).json()
            at = datetime.fromisoformat(answer["now"]).astimezone(IST)
            return time.monotonic(), at, float(answer["speed"])
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            raise Unreachable(
                f"the local exchange does not report its time ({type(error).__name__}); "
                "is strikeloom exchange running, and is STRIKELOOM_DHAN_CLOCK its address?",
            ) from None
