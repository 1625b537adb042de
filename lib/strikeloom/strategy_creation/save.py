"""Keep proposals and rejections, and record the run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from strikeloom.domain.money import rupees
from strikeloom.domain.output import StageOutput
from strikeloom.domain.proposals import Proposal
from strikeloom.domain.results import Stage, StageResult, Verdict
from strikeloom.ports.desk import Desk
from strikeloom.ports.store import Rejection
from strikeloom.strategy_creation.load import ALL, Chains


def save(
    desk: Desk,
    run_id: str,
    loaded: Chains,
    proposals: Sequence[Proposal],
    *rejections: Sequence[Rejection],
    keep: bool = True,
) -> StageOutput:
    """Store once by id (nothing when not to be kept), and report.

    A symbol counts as done when stage 02 gave an answer for each of its templates (proposal
    or rejection), as refused when it could not be looked at.
    """
    refused = [*loaded.refused, *(row for rows in rejections for row in rows)]
    new, known = desk.store.save_proposals(run_id, proposals, refused) if keep else (0, 0)
    unseen = Counter(row.reason for row in refused if row.template == ALL)
    count = sum(unseen.values())
    result = StageResult(
        run_id=run_id,
        stage=Stage.STRATEGY_CREATION,
        market=desk.market,
        account=desk.account,
        day=desk.day,
        verdict=Verdict.PARTIAL if count else Verdict.DONE,
        counts={
            "universe": len(loaded.universe),
            "done": len(loaded.universe) - count,
            "refused": count,
        },
        refused=dict(unseen),
        inputs={Stage.IV_HISTORY.value: loaded.upstream},
        outputs={
            "proposals": len(proposals),
            "new": new,
            "already_known": known,
            "rejections": len(refused) - count,
            "symbols_with_proposals": len({row.symbol for row in proposals}),
        },
    )
    return StageOutput(
        result, {"proposals": proposals_table(proposals), "rejections": rejections_table(refused)}
    )


def proposals_table(proposals: Sequence[Proposal]) -> object:
    """One row a proposal, money in rupees."""
    import pandas as pd

    def money(value: int | None) -> float:
        return float("inf") if value is None else value / 100

    return pd.DataFrame(
        [
            {
                "strategy_id": p.strategy_id,
                "symbol": p.symbol,
                "template": p.template,
                "view": p.view.value,
                "regime": p.regime.value if p.regime else "",
                "score": p.score.total,
                "probability": p.risk.probability_of_profit,
                "half_profit": _chance(p.risk.half_profit),
                "touch": _chance(p.risk.touch),
                "net_premium": money(p.risk.net_premium),
                "max_profit": money(p.risk.max_profit),
                "max_loss": money(p.risk.max_loss),
                "expected_value": money(p.risk.expected_value),
                "forecast_probability": _chance(p.risk.forecast_probability),
                "forecast_value": _amount(p.risk.forecast_value),
                "tail_mean": _amount(p.risk.tail_mean),
                "margin": money(p.risk.margin),
                "legs": "; ".join(f"{leg.side.word} {leg.contract.label}" for leg in p.legs),
            }
            for p in proposals
        ]
    )


def _chance(value: float | None) -> float:
    return float("nan") if value is None else value


def _amount(paise: int | None) -> float:
    return float("nan") if paise is None else rupees(paise)


def rejections_table(rejections: Sequence[Rejection]) -> object:
    """One row a rejection."""
    import pandas as pd

    return pd.DataFrame(
        [(row.symbol, row.template, row.reason) for row in rejections],
        columns=["symbol", "template", "reason"],
    )
