"""Leave before expiry."""

from __future__ import annotations

from dataclasses import dataclass

from strikeloom.domain.positions import ExitDecision, ExitReason, MarkedPosition, Urgency

_FAR = 30


@dataclass(frozen=True)
class DaysToExpiry:
    """Fires ``days`` calendar days before the position ends, or on the day itself.

    It ends with its nearest expiry, or earlier when the exchange ends a series before it.
    """

    days: int
    name: str = "days to expiry"

    def decide(self, marked: MarkedPosition) -> ExitDecision:
        """Decide; needs no price."""
        flat = (0,) * len(marked.position.legs)
        if marked.ends is None:
            return ExitDecision(
                self.name,
                ExitReason.DAYS_TO_EXPIRY,
                Urgency.HOLD,
                fires=False,
                closeness=0.0,
                target_lots=flat,
                sentence="nothing is open",
            )
        left = (marked.ends - marked.at.date()).days
        fires = left <= self.days
        return ExitDecision(
            self.name,
            ExitReason.DAYS_TO_EXPIRY,
            Urgency.HIGH if fires else Urgency.HOLD,
            fires=fires,
            closeness=1.0 if fires else max(0.0, 1 - (left - self.days) / _FAR),
            target_lots=flat,
            sentence=f"{left} days left, leaves at {self.days}",
        )
