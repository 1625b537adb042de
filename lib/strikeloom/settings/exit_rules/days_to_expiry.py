"""Exit before expiry."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from strikeloom.domain.exit_fields import ExitFields, Numbers
from strikeloom.domain.positions import MarkedPosition, Urgency
from strikeloom.settings.exit_rule import ExitRule

#: Calendar days before firing from which on the rule shows that it comes closer.
_FAR = 30


class DaysToExpiry(ExitRule):
    """Fires ``days`` calendar days before the position's last day, or on that day itself.

    The last day is the nearest expiry, or earlier when the exchange ends a series before it.
    """

    rule: Literal["days_to_expiry"] = "days_to_expiry"
    days: int = Field(ge=0, le=365)
    urgency: ClassVar = Urgency.HIGH

    def progress(self, position: ExitFields) -> Numbers:
        """Share of the last 30 days before firing that has passed; needs no price."""
        return 1 - (position.days_left - self.days) / _FAR

    def sentence(self, marked: MarkedPosition) -> str:
        """Days left, and at how many the position is closed."""
        if marked.days_left is None:
            return "shares do not expire" if marked.position.holds_shares else "nothing is open"
        return f"{marked.days_left} days left, exits at {self.days}"
