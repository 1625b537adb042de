"""The machine's clock. No other file of the package reads it."""

from __future__ import annotations

import time
from datetime import datetime

from strikeloom.nse.sessions import IST


class SystemClock:
    """``ports.clock.Clock`` of real time."""

    speed = 1.0

    def now(self) -> datetime:
        """Return the present time, aware, Asia/Kolkata."""
        return datetime.now(IST)

    def wait(self, seconds: float) -> bool:
        """Sleep."""
        time.sleep(seconds)
        return True

    def real(self, seconds: float) -> float:
        """Real seconds in so many seconds of this clock: the same number."""
        return seconds
