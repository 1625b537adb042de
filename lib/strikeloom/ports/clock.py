"""Time comes in through this port; only ``adapters/system_clock.py`` reads the machine's."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Now, and waiting for later. Aware datetimes, Asia/Kolkata."""

    @property
    def speed(self) -> float:
        """Seconds of this clock in a real one; 1 where it is stepped and not run."""
        ...

    def now(self) -> datetime:
        """Return the present moment of this desk."""
        ...

    def wait(self, seconds: float) -> bool:
        """Let time pass: sleep, or step a replay to its next quotes.

        Returns
        -------
        bool
            ``False`` when time cannot move on (a replayed day has ended).
        """
        ...
