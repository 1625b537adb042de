"""Time enters through this port; only ``adapters/system_clock.py`` reads the machine's."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Present time, and waiting. Datetimes are aware, Asia/Kolkata."""

    @property
    def speed(self) -> float:
        """Seconds of this clock in one real second; 1 for a clock that is stepped."""
        ...

    def now(self) -> datetime:
        """Return the present time of this desk."""
        ...

    def wait(self, seconds: float) -> bool:
        """Wait: sleep, or move a replay to its next quotes.

        Returns
        -------
        bool
            ``False`` when time cannot advance (a replayed day has ended).
        """
        ...
