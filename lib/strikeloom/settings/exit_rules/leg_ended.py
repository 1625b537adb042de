"""Exit what is left after the first expiry of a position whose legs do not end together."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from strikeloom.domain.counted import counted
from strikeloom.domain.exit_fields import ExitFields, Numbers
from strikeloom.domain.positions import MarkedPosition, Urgency
from strikeloom.settings.exit_rule import ExitRule

#: Calendar days before firing from which on the rule shows that it comes closer.
_FAR = 30


class LegEnded(ExitRule):
    """Fires ``days`` calendar days after the first expiry among the strategy's contracts.

    It closes what is left: legs that end later, shares, and shares that a delivery brought. It
    does not ask how the contract that ended was closed. A plan without it keeps what is left.
    """

    rule: Literal["leg_ended"] = "leg_ended"
    days: int = Field(default=1, ge=1, le=30)
    urgency: ClassVar = Urgency.HIGH

    def progress(self, position: ExitFields) -> Numbers:
        """Share of the last 30 days before firing that has passed; needs no price."""
        return 1 - (position.days_to_first_end + self.days) / _FAR

    def sentence(self, marked: MarkedPosition) -> str:
        """Days to the first expiry or since it, and when the rest is closed."""
        days = marked.days_to_first_end
        if days is None:
            return "nothing is held beyond the first expiry"
        before = f"{counted(days, 'day')} to the first expiry"
        since = before if days >= 0 else f"{counted(-days, 'day')} after the first expiry"
        return f"{since}, exits the rest {counted(self.days, 'day')} after it"
