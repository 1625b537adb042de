"""Exit when the underlying goes beyond a short strike."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from strikeloom.domain.exit_fields import ExitFields, Numbers, fields_of
from strikeloom.domain.money import rupees_text
from strikeloom.domain.positions import MarkedPosition, Urgency
from strikeloom.settings.exit_rule import ExitRule

#: Distance to firing, as a share of the level that fires, from which on the rule comes closer.
_FAR = 0.10


class StrikeBreached(ExitRule):
    """Fires when the underlying is ``percent`` of a short strike beyond it; 0 is touching it.

    Above the lowest short call, or below the highest short put. Without a fresh level of the
    underlying it does not fire.
    """

    rule: Literal["strike_breached"] = "strike_breached"
    percent: float = Field(ge=0, le=100)
    urgency: ClassVar = Urgency.HIGH

    def progress(self, position: ExitFields) -> Numbers:
        """Share of the last 10 % towards the nearer level that fires; exact in whole paise."""
        call, put = self._call_level(position), self._put_level(position)
        above = 1 - (call - position.level) / (_FAR * call)
        below = 1 - (position.level - put) / (_FAR * np.maximum(put, 1))
        return np.fmax(above, below)

    def sentence(self, marked: MarkedPosition) -> str:
        """Level, and the levels that fire; or what is unknown."""
        fields = fields_of(marked)
        call, put = float(self._call_level(fields)), float(self._put_level(fields))
        places = [] if np.isnan(call) else [f"above {rupees_text(int(call), decimals=0)}"]
        places += [] if np.isnan(put) else [f"below {rupees_text(int(put), decimals=0)}"]
        if not places:
            return "no short strike is open"
        if marked.level is None:
            reason = marked.unknown.get("level", "none was read")
            return f"level unknown: {reason}"
        return f"{rupees_text(marked.level, decimals=0)}, exits {' or '.join(places)}"

    def _call_level(self, position: ExitFields) -> Numbers:
        strike = position.short_call_strike
        return strike + np.rint(strike * self.percent / 100)

    def _put_level(self, position: ExitFields) -> Numbers:
        strike = position.short_put_strike
        return strike - np.rint(strike * self.percent / 100)
