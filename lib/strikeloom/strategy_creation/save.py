"""Keep proposals, outcomes and fronts, and record the run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from strikeloom.domain.frames import Schema
from strikeloom.domain.fronts import FrontRow
from strikeloom.domain.money import rupees
from strikeloom.domain.outcomes import Ending, Outcome
from strikeloom.domain.output import StageOutput
from strikeloom.domain.proposals import Proposal
from strikeloom.domain.results import Stage, StageResult, Verdict
from strikeloom.errors import DataError
from strikeloom.ports.desk import Desk
from strikeloom.ports.store import SavedProposals
from strikeloom.strategy_creation.catalogue import TEMPLATES
from strikeloom.strategy_creation.load import LoadedChains

if TYPE_CHECKING:
    import pandas as pd

#: One row a proposal. Money in rupees, infinite when unlimited; probabilities as fractions.
PROPOSALS = Schema(
    "proposals",
    {
        "strategy_id": "text", "symbol": "text", "template": "text", "purpose": "text",
        "view": "text", "regime": "text", "score": "number", "conviction": "number",
        "edge": "price", "error": "price", "probability": "number", "half_profit": "number",
        "touch": "number", "net_premium": "price", "max_profit": "price", "max_loss": "price",
        "expected_value": "price", "forecast_probability": "number", "forecast_value": "price",
        "tail_mean": "price", "margin": "price", "funds": "price", "legs": "text",
    },
    ("strategy_id",),
)  # fmt: skip
#: One row for each structure of each symbol. Money in rupees; funds after the worst shock.
OUTCOMES = Schema(
    "outcomes",
    {
        "symbol": "text", "template": "text", "ending": "text", "rule": "text", "reason": "text",
        "value": "number", "threshold": "number", "remedy": "text", "failed": "number",
        "score": "number",
        "expected_value": "price", "error": "price", "funds": "price", "legs": "text",
    },
    ("symbol", "template"),
)  # fmt: skip
#: One row for each structure on the Pareto front of a symbol. Money in rupees, one unit.
FRONTS = Schema(
    "fronts",
    {
        "symbol": "text", "place": "count", "template": "text", "expected_value": "price",
        "error": "price", "tail_mean": "price", "probability": "number", "margin": "price",
        "margin_after": "price", "legs": "text",
    },
    ("symbol", "place"),
)  # fmt: skip


def save(
    desk: Desk,
    run_id: str,
    loaded: LoadedChains,
    proposals: Sequence[Proposal],
    outcomes: Sequence[Outcome],
    fronts: Sequence[FrontRow] = (),
    *,
    keep: bool = True,
) -> StageOutput:
    """Store proposals, outcomes and fronts (nothing without ``keep``), and report.

    A symbol counts as done when each of its structures was picked, beaten or refused by a rule of
    its own, as refused when the symbol could not be looked at.

    Parameters
    ----------
    outcomes : sequence of Outcome
        Of every structure on every symbol that was looked at; those of ``loaded.refused`` are
        added.

    Raises
    ------
    DataError
        When a structure of a symbol has no outcome, or two.
    """
    whole = sorted((*loaded.refused, *outcomes), key=lambda row: (row.symbol, row.template))
    _check_accounted(loaded.universe, whole)
    stored = SavedProposals(0, 0, 0)
    if keep:
        stored = desk.store.save_proposals(run_id, proposals, whole, fronts)
    unseen = {row.symbol: row.reason for row in whole if row.rule.is_of_symbol}
    endings = Counter(row.ending.value for row in whole)
    result = StageResult(
        run_id=run_id,
        stage=Stage.STRATEGY_CREATION,
        market=desk.market,
        account=desk.account,
        day=desk.day,
        verdict=Verdict.PARTIAL if unseen else Verdict.DONE,
        counts={
            "universe": len(loaded.universe),
            "done": len(loaded.universe) - len(unseen),
            "refused": len(unseen),
        },
        refused=dict(Counter(unseen.values())),
        warnings=loaded.warnings,
        inputs={Stage.IV_HISTORY.value: loaded.upstream},
        outputs={
            "proposals": len(proposals),
            "new": stored.new,
            "changed": stored.changed,
            "already_known": stored.known,
            **{ending.value: endings[ending.value] for ending in Ending},
            "symbols_with_proposals": len({row.symbol for row in proposals}),
        },
    )
    tables = {
        "proposals": proposals_table(proposals),
        "outcomes": outcomes_table(whole),
        "fronts": fronts_table(fronts),
    }
    return StageOutput(result, tables)


def _check_accounted(universe: Iterable[str], outcomes: Sequence[Outcome]) -> None:
    counts = Counter((row.symbol, row.template) for row in outcomes)
    for symbol in universe:
        for name in TEMPLATES:
            if counts[symbol, name] != 1:
                raise DataError(
                    f"{name} of {symbol} has {counts[symbol, name]} outcomes instead of one",
                    symbol=symbol,
                    template=name,
                )


def proposals_table(proposals: Iterable[Proposal]) -> pd.DataFrame:
    """``PROPOSALS`` rows."""
    return PROPOSALS.table(
        (
            p.strategy_id,
            p.symbol,
            p.template,
            p.purpose.value,
            p.view.value,
            p.regime.value if p.regime else "",
            p.score.total,
            p.conviction,
            _amount(p.risk.edge),
            _amount(p.risk.error),
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
            _amount(p.risk.funds),
            "; ".join(f"{leg.label} at {rupees(leg.price):.2f}" for leg in p.legs),
        )
        for p in proposals
    )


def _amount_or_inf(value: int | None) -> float:
    return float("inf") if value is None else value / 100


def _amount(paise: int | None) -> float | None:
    return None if paise is None else rupees(paise)


def outcomes_table(outcomes: Iterable[Outcome]) -> pd.DataFrame:
    """``OUTCOMES`` rows."""
    return OUTCOMES.table(
        (
            row.symbol,
            row.template,
            row.ending.value,
            row.rule.value,
            row.reason,
            row.value,
            row.threshold,
            row.remedy,
            row.failed,
            row.score,
            _amount(row.expected_value),
            _amount(row.error),
            _amount(row.funds),
            "; ".join(leg.label for leg in row.legs),
        )
        for row in outcomes
    )


def fronts_table(fronts: Iterable[FrontRow]) -> pd.DataFrame:
    """``FRONTS`` rows; place 1 has the highest expected value of its symbol."""
    places = Counter[str]()
    rows = []
    for row in fronts:
        places[row.symbol] += 1
        amounts = (row.expected_value, row.error, row.tail_mean)
        rows.append(
            (
                row.symbol,
                places[row.symbol],
                row.template,
                *(rupees(amount) for amount in amounts),
                row.probability,
                rupees(row.margin),
                rupees(row.margin_after),
                "; ".join(leg.label for leg in row.legs),
            )
        )
    return FRONTS.table(rows)
