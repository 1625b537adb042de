"""Exit before expiry."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from strikeloom.domain.counted import counted
from strikeloom.domain.exit_fields import ExitFields, Numbers
from strikeloom.domain.hedges import is_hedged
from strikeloom.domain.positions import MarkedPosition, Urgency
from strikeloom.settings.exit_rule import ExitRule

#: Calendar days before firing from which on the rule shows that it comes closer.
_FAR = 30


class DaysToExpiry(ExitRule):
    """Fires ``days`` calendar days before the position's last day, or on that day itself.

    The last day is the nearest expiry of a leg that is still held, or earlier when the exchange
    ends a series before it. With ``legs: ending`` only the legs that end then are closed, and what
    ends later or never is kept; all is closed where a sold leg would be left without a hedge.
    """

    rule: Literal["days_to_expiry"] = "days_to_expiry"
    days: int = Field(ge=0, le=365)
    legs: Literal["all", "ending"] = "all"
    urgency: ClassVar = Urgency.HIGH

    def progress(self, position: ExitFields) -> Numbers:
        """Share of the last 30 days before firing that has passed; needs no price."""
        return 1 - (position.days_left - self.days) / _FAR

    def target_lots(self, marked: MarkedPosition) -> tuple[int, ...]:
        """Nothing, or the legs that go on after the nearest expiry."""
        position = marked.position
        flat = (0,) * len(position.legs)
        if self.legs == "all":
            return flat
        ending = marked.ending_legs
        kept = tuple(0 if leg.leg in ending else leg.net_lots for leg in position.legs)
        nothing_ends = kept == tuple(leg.net_lots for leg in position.legs)
        return flat if nothing_ends or not is_hedged(position, kept) else kept

    def sentence(self, marked: MarkedPosition) -> str:
        """Days left, at how many the position is closed, and what of it."""
        if marked.days_left is None:
            return "shares do not expire" if marked.position.holds_shares else "nothing is open"
        text = f"{counted(marked.days_left, 'day')} left, exits at {self.days}"
        kept, legs = self.target_lots(marked), marked.position.legs
        closed = [
            leg.instrument.label
            for leg, lots in zip(legs, kept, strict=True)
            if leg.net_lots and not lots
        ]
        return f"{text} from {' and '.join(closed)} and keeps the rest" if any(kept) else text
