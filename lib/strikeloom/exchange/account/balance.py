"""Money of an account at a moment."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Balance:
    """Paise.

    Attributes
    ----------
    day_start : int
        Cash when the day began.
    cash : int
        What was paid in, and every premium, settlement and charge since.
    margin : int
        Blocked for what is held.
    blocked : int
        Tied up by orders that rest: premium of buys, and the margin that sells would need more.
    realised_today, charges_today : int
        Profit on what was closed today before charges, and the charges of today.
    """

    day_start: int
    cash: int
    margin: int
    blocked: int
    realised_today: int
    charges_today: int

    @property
    def available(self) -> int:
        """What a new order may use."""
        return self.cash - self.margin - self.blocked
