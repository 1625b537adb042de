"""Exit before the loss grows."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from strikeloom.domain.exit_fields import ExitFields, Numbers, fields_of
from strikeloom.domain.money import rupees_text
from strikeloom.domain.positions import MarkedPosition, Urgency
from strikeloom.settings.exit_rule import ExitRule, MoneyBase, base_of, share_of


class StopLoss(ExitRule):
    """Fires at ``percent`` of the maximum loss, or of the premium received when unlimited.

    With ``of: premium`` always of the premium, paid or received.
    """

    rule: Literal["stop_loss"] = "stop_loss"
    percent: float = Field(gt=0, le=500)
    of: MoneyBase = "maximum"
    urgency: ClassVar = Urgency.HIGH

    def progress(self, position: ExitFields) -> Numbers:
        """Loss over the limit; whole paise below 2**53 are compared exactly."""
        return -position.pnl / self._limit(position)

    def sentence(self, marked: MarkedPosition) -> str:
        """P&L and limit, or why there is none."""
        limit = float(self._limit(fields_of(marked)))
        if marked.missing:
            return f"no P&L: {', '.join(marked.missing)} has no price"
        if marked.pnl is None or not limit > 0:
            reason = marked.unknown.get("max_loss") if self.of == "maximum" else None
            return f"no loss to stop yet: {reason}" if reason else "no loss to stop"
        pnl = rupees_text(marked.pnl, decimals=0, signed=True)
        return f"{pnl} against -{rupees_text(int(limit), decimals=0)} ({self.percent:g} %)"

    def _limit(self, position: ExitFields) -> Numbers:
        return share_of(base_of(position.max_loss, self.of), position.entry_premium, self.percent)
