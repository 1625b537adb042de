"""Keep proposals and rejections, and record the run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from strikeloom.domain.frames import Schema
from strikeloom.domain.money import rupees
from strikeloom.domain.output import StageOutput
from strikeloom.domain.proposals import Proposal
from strikeloom.domain.results import Stage, StageResult, Verdict
from strikeloom.ports.desk import Desk
from strikeloom.ports.store import Rejection, SavedProposals
from strikeloom.strategy_creation.load import ALL, LoadedChains

if TYPE_CHECKING:
    import pandas as pd

#: One row a proposal. Money in rupees, infinite when unlimited; probabilities as fractions.
PROPOSALS = Schema(
    "proposals",
    {
        "strategy_id": "text", "symbol": "text", "template": "text", "view": "text",
        "regime": "text", "score": "number", "probability": "number", "half_profit": "number",
        "touch": "number", "net_premium": "price", "max_profit": "price", "max_loss": "price",
        "expected_value": "price", "forecast_probability": "number", "forecast_value": "price",
        "tail_mean": "price", "margin": "price", "legs": "text",
    },
    ("strategy_id",),
)  # fmt: skip
#: One row per rejected structure, with the reason.
REJECTIONS = Schema(
    "rejections",
    {"symbol": "text", "template": "text", "reason": "text"},
    ("symbol", "template"),
)


def save(
    desk: Desk,
    run_id: str,
    loaded: LoadedChains,
    proposals: Sequence[Proposal],
    *rejections: Sequence[Rejection],
    keep: bool = True,
) -> StageOutput:
    """Store proposals once by id (nothing without ``keep``), and report.

    A symbol counts as done when each of its templates has a proposal or a rejection, as
    refused when it could not be evaluated.
    """
    refused = [*loaded.refused, *(row for rows in rejections for row in rows)]
    stored = SavedProposals(0, 0, 0)
    if keep:
        stored = desk.store.save_proposals(run_id, proposals, refused)
    unevaluated = Counter(row.reason for row in refused if row.template == ALL)
    count = sum(unevaluated.values())
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
        refused=dict(unevaluated),
        warnings=loaded.warnings,
        inputs={Stage.IV_HISTORY.value: loaded.upstream},
        outputs={
            "proposals": len(proposals),
            "new": stored.new,
            "changed": stored.changed,
            "already_known": stored.known,
            "rejections": len(refused) - count,
            "symbols_with_proposals": len({row.symbol for row in proposals}),
        },
    )
    return StageOutput(
        result, {"proposals": proposals_table(proposals), "rejections": rejections_table(refused)}
    )


def proposals_table(proposals: Iterable[Proposal]) -> pd.DataFrame:
    """``PROPOSALS`` rows."""
    return PROPOSALS.table(
        (
            p.strategy_id,
            p.symbol,
            p.template,
            p.view.value,
            p.regime.value if p.regime else "",
            p.score.total,
            p.risk.probability_of_profit,
            p.risk.half_profit,
            p.risk.touch,
            _amount_or_inf(p.risk.net_premium),
            _amount_or_inf(p.risk.max_profit),
            _amount_or_inf(p.risk.max_loss),
            _amount_or_inf(p.risk.expected_value),
            p.risk.forecast_probability,
            _amount(p.risk.forecast_value),
            _amount(p.risk.tail_mean),
            _amount_or_inf(p.risk.margin),
            "; ".join(leg.label for leg in p.legs),
        )
        for p in proposals
    )


def _amount_or_inf(value: int | None) -> float:
    return float("inf") if value is None else value / 100


def _amount(paise: int | None) -> float | None:
    return None if paise is None else rupees(paise)


def rejections_table(rejections: Iterable[Rejection]) -> pd.DataFrame:
    """``REJECTIONS`` rows."""
    return REJECTIONS.table((row.symbol, row.template, row.reason) for row in rejections)
