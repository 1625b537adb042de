"""Leave before the loss grows."""

from __future__ import annotations

from dataclasses import dataclass

from strikeloom.domain.money import rupees_text
from strikeloom.domain.positions import ExitDecision, ExitReason, MarkedPosition, Urgency


@dataclass(frozen=True)
class StopLoss:
    """Fires at ``percent`` of the maximum loss, or of the premium received when unlimited."""

    percent: float
    name: str = "stop loss"

    def decide(self, marked: MarkedPosition) -> ExitDecision:
        """Decide; without a P&L it cannot fire and says so."""
        base = marked.max_loss if marked.max_loss is not None else abs(marked.entry_premium)
        limit = round(base * self.percent / 100)
        flat = (0,) * len(marked.position.legs)
        if marked.pnl is None or limit <= 0:
            text = (
                f"no P&L: {', '.join(marked.missing)} has no price"
                if marked.missing
                else ("no loss to stop")
            )
            return ExitDecision(
                self.name,
                ExitReason.STOP_LOSS,
                Urgency.HOLD,
                fires=False,
                closeness=0.0,
                target_lots=flat,
                sentence=text,
            )
        fires = marked.pnl <= -limit
        return ExitDecision(
            self.name,
            ExitReason.STOP_LOSS,
            Urgency.HIGH if fires else Urgency.HOLD,
            fires=fires,
            closeness=min(1.0, max(0.0, -marked.pnl / limit)),
            target_lots=flat,
            sentence=f"{rupees_text(marked.pnl, decimals=0, signed=True)} against "
            f"-{rupees_text(limit, decimals=0)} ({self.percent:g} %)",
        )
