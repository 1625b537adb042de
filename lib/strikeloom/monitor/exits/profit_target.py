"""Leave with a share of the profit."""

from __future__ import annotations

from dataclasses import dataclass

from strikeloom.domain.money import rupees_text
from strikeloom.domain.positions import ExitDecision, ExitReason, MarkedPosition, Urgency


@dataclass(frozen=True)
class ProfitTarget:
    """Fires at ``percent`` of the maximum profit, or of the premium paid when unlimited."""

    percent: float
    name: str = "profit target"

    def decide(self, marked: MarkedPosition) -> ExitDecision:
        """Decide; without a P&L it cannot fire and says so."""
        base = marked.max_profit if marked.max_profit is not None else abs(marked.entry_premium)
        target = round(base * self.percent / 100)
        flat = (0,) * len(marked.position.legs)
        if marked.pnl is None or target <= 0:
            text = (
                f"no P&L: {', '.join(marked.missing)} has no price"
                if marked.missing
                else ("no profit to aim at")
            )
            return ExitDecision(
                self.name,
                ExitReason.PROFIT_TARGET,
                Urgency.HOLD,
                fires=False,
                closeness=0.0,
                target_lots=flat,
                sentence=text,
            )
        fires = marked.pnl >= target
        return ExitDecision(
            self.name,
            ExitReason.PROFIT_TARGET,
            Urgency.NORMAL if fires else Urgency.HOLD,
            fires=fires,
            closeness=min(1.0, max(0.0, marked.pnl / target)),
            target_lots=flat,
            sentence=f"{rupees_text(marked.pnl, decimals=0, signed=True)} of "
            f"{rupees_text(target, decimals=0)} ({self.percent:g} %)",
        )
