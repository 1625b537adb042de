"""The machine's clock. The only file of the package that reads it."""

from __future__ import annotations

import time
from datetime import datetime

from strikeloom.nse.sessions import IST


class SystemClock:
    """``ports.clock.Clock`` of real time."""

    speed = 1.0

    def now(self) -> datetime:
        """Aware, Asia/Kolkata."""
        return datetime.now(IST)

    def wait(self, seconds: float) -> bool:
        """Sleep."""
        time.sleep(seconds)
        return True

    def real(self, seconds: float) -> float:
        """Real seconds for so many of this clock's: the same."""
        return seconds
