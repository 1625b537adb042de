"""Clocks of desks that live in real time: one that a broker's word wakes, one of an exchange."""

from __future__ import annotations

import threading
import time
from datetime import datetime, timedelta

from strikeloom.errors import Unreachable
from strikeloom.ports.clock import Clock

_LOOK_AGAIN = 1.0
_ANSWER_SECONDS = 5.0
_STOOD_STILL = 0.05


class WakefulClock:
    """``ports.clock.Clock`` whose waiting ends early when ``wake`` is called."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._woken = threading.Event()

    def now(self) -> datetime:
        """Aware, Asia/Kolkata."""
        return self._clock.now()

    def wake(self) -> None:
        """End the present wait, or the next one."""
        self._woken.set()

    def wait(self, seconds: float) -> bool:
        """Wait so long, or until woken."""
        if isinstance(self._clock, ExchangeClock):
            seconds = self._clock.real(seconds)
        self._woken.wait(seconds)
        self._woken.clear()
        return True


class ExchangeClock:
    """Time of a local exchange, which may run faster than the world's or stand still.

    Parameters
    ----------
    url : str
        Answers ``{"now": "<ISO with offset>", "speed": 60.0}``; a speed of 0 is stepped by
        hand. Asked once a second, in between it is reckoned.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = threading.Lock()
        self._known: tuple[float, datetime, float] | None = None

    def now(self) -> datetime:
        """Aware, Asia/Kolkata; never earlier than what was told before.

        Raises
        ------
        Unreachable
            When the exchange does not tell its time.
        """
        with self._lock:
            asked, at, speed = self._known or self._ask()
            passed = time.monotonic() - asked
            if passed > _LOOK_AGAIN or not speed:
                earlier = at + timedelta(seconds=min(passed, _LOOK_AGAIN) * speed)
                asked, at, speed = self._ask()
                at = max(at, earlier)
                passed = 0.0
            self._known = asked, at, speed
            return at + timedelta(seconds=passed * speed)

    def wait(self, seconds: float) -> bool:
        """Sleep so many of the exchange's seconds."""
        time.sleep(self.real(seconds))
        return True

    def real(self, seconds: float) -> float:
        """Real seconds for so many of the exchange's."""
        self.now()
        speed = self._known[2] if self._known else 1.0
        return seconds / speed if speed else min(seconds, _STOOD_STILL)

    def _ask(self) -> tuple[float, datetime, float]:
        import httpx

        from strikeloom.nse.sessions import IST

        try:
            told = httpx.get(self._url, timeout=_ANSWER_SECONDS, trust_env=False).json()
            at = datetime.fromisoformat(told["now"]).astimezone(IST)
            return time.monotonic(), at, float(told["speed"])
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            raise Unreachable(
                f"the local exchange does not tell its time ({type(error).__name__}); is "
                "strikeloom exchange running, and do the STRIKELOOM_DHAN_ lines in the environment name it?",
            ) from None
