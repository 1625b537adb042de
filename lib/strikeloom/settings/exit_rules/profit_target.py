"""Exit with a share of the profit."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from strikeloom.domain.exit_fields import ExitFields, Numbers, fields_of
from strikeloom.domain.money import rupees_text
from strikeloom.domain.positions import MarkedPosition, Urgency
from strikeloom.settings.exit_rule import ExitRule, MoneyBase, base_of, share_of


class ProfitTarget(ExitRule):
    """Fires at ``percent`` of the maximum profit, or of the premium paid when unlimited.

    With ``of: premium`` always of the premium: where legs end on different days the maximum is an
    estimate that moves with volatility.
    """

    rule: Literal["profit_target"] = "profit_target"
    percent: float = Field(gt=0, le=500)
    of: MoneyBase = "maximum"
    urgency: ClassVar = Urgency.NORMAL

    def progress(self, position: ExitFields) -> Numbers:
        """P&L over the target; whole paise below 2**53 are compared exactly."""
        return position.pnl / self._target(position)

    def sentence(self, marked: MarkedPosition) -> str:
        """P&L and target, or why there is none."""
        target = float(self._target(fields_of(marked)))
        if marked.missing:
            return f"no P&L: {', '.join(marked.missing)} has no price"
        if marked.pnl is None or not target > 0:
            reason = marked.unknown.get("max_profit") if self.of == "maximum" else None
            return f"no profit to aim at yet: {reason}" if reason else "no profit to aim at"
        pnl = rupees_text(marked.pnl, decimals=0, signed=True)
        return f"{pnl} of {rupees_text(int(target), decimals=0)} ({self.percent:g} %)"

    def _target(self, position: ExitFields) -> Numbers:
        return share_of(base_of(position.max_profit, self.of), position.entry_premium, self.percent)
