"""Exit when a profit that was made is given back."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from strikeloom.domain.exit_fields import ExitFields, Numbers, fields_of
from strikeloom.domain.money import rupees_text
from strikeloom.domain.positions import MarkedPosition, Urgency
from strikeloom.settings.exit_rule import ExitRule, MoneyBase, base_of, share_of


class TrailingStop(ExitRule):
    """Fires when ``percent`` of the highest P&L is lost again, once that has reached ``start``.

    ``start`` is percent of the maximum profit, or of the premium as in ``profit_target``. The
    highest P&L is that of the cycles before this one.
    """

    rule: Literal["trailing_stop"] = "trailing_stop"
    start: float = Field(gt=0, le=500)
    percent: float = Field(gt=0, le=100)
    of: MoneyBase = "maximum"
    urgency: ClassVar = Urgency.HIGH

    def progress(self, position: ExitFields) -> Numbers:
        """Lost part of the highest P&L over the limit; exact in whole paise."""
        given = self._given(position)
        return np.where(
            position.peak_pnl >= self._start(position), (position.peak_pnl - position.pnl) / given,
            np.nan,
        )  # fmt: skip

    def sentence(self, marked: MarkedPosition) -> str:
        """P&L, the highest one, and the P&L that fires; or from where on it trails."""
        fields = fields_of(marked)
        start = float(self._start(fields))
        if marked.missing:
            return f"no P&L: {', '.join(marked.missing)} has no price"
        if marked.pnl is None or not start > 0:
            return "no profit to keep"
        pnl = rupees_text(marked.pnl, decimals=0, signed=True)
        if marked.peak_pnl is None or marked.peak_pnl < start:
            return f"{pnl}, trails from {rupees_text(int(start), decimals=0)}"
        peak = rupees_text(marked.peak_pnl, decimals=0, signed=True)
        floor = rupees_text(
            marked.peak_pnl - int(self._given(fields)), decimals=0, signed=True
        )  # fmt: skip
        return f"{pnl} after {peak}, exits at {floor}"

    def _start(self, position: ExitFields) -> Numbers:
        limit = base_of(position.max_profit, self.of)
        return share_of(limit, position.entry_premium, self.start)

    def _given(self, position: ExitFields) -> Numbers:
        """Paise of the highest P&L that may be lost; at least one."""
        return np.maximum(np.rint(position.peak_pnl * self.percent / 100), 1.0)
