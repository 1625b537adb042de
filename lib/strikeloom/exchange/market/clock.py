"""Clocks of an exchange: stepped by hand, or running with the machine's at any speed."""

from __future__ import annotations

from datetime import datetime, timedelta

from strikeloom.errors import SettingsError
from strikeloom.ports.clock import Clock


class SteppedClock:
    """``ports.clock.Clock`` that stays until it is moved, never backwards."""

    speed = 1.0

    def __init__(self, at: datetime) -> None:
        self._at = at

    def now(self) -> datetime:
        """The moment it was moved to."""
        return self._at

    def wait(self, seconds: float) -> bool:
        """Step at once by as many seconds."""
        self.step(seconds)
        return True

    def step(self, seconds: float) -> None:
        """Move on by seconds."""
        self.move_to(self._at + timedelta(seconds=seconds))

    def move_to(self, at: datetime) -> None:
        """Move on to a moment.

        Raises
        ------
        SettingsError
            When it is earlier than now.
        """
        if at < self._at:
            raise SettingsError(f"the exchange's clock is at {self._at} and cannot go to {at}")
        self._at = at


class PacedClock:
    """``ports.clock.Clock`` that starts at a moment and runs at a multiple of another clock.

    Parameters
    ----------
    speed : float
        1 is real time, 60 a minute each second.
    last : datetime, optional
        Where it stops: a market day has an end.
    """

    def __init__(
        self, base: Clock, start: datetime, speed: float, last: datetime | None = None
    ) -> None:
        if not speed > 0:
            raise SettingsError(f"speed {speed} must be above 0; 1 is real time", speed=speed)
        self._base, self._begun = base, base.now()
        self._start, self._speed, self._last = start, speed, last

    @property
    def speed(self) -> float:
        """Multiple of the base clock."""
        return self._speed

    def now(self) -> datetime:
        """Time of the exchange."""
        at = self._start + (self._base.now() - self._begun) * self._speed
        return min(at, self._last) if self._last else at

    def wait(self, seconds: float) -> bool:
        """Wait for so many seconds of the exchange; ``False`` when its day is over."""
        if self._last and self.now() >= self._last:
            return False
        return self._base.wait(seconds / self._speed)
