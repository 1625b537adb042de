"""Candidates for capital: the day's proposals, with the capital one unit needs."""

from __future__ import annotations

from dataclasses import dataclass

from strikeloom.domain.instruments import Share
from strikeloom.domain.proposals import Proposal
from strikeloom.domain.results import Stage
from strikeloom.domain.templates import StructurePurpose
from strikeloom.errors import StageError
from strikeloom.ports.desk import Desk


@dataclass(frozen=True)
class Candidate:
    """A proposal and the capital one unit of it needs, in paise.

    Attributes
    ----------
    capital : int
        Margin estimate plus the premium paid.
    at_risk : int
        Largest loss, or the capital where the loss is unlimited.
    income : int
        Expected value in the real world after a round trip, scaled to 30 days of holding.
    """

    proposal: Proposal
    capital: int
    at_risk: int
    income: int


def load_candidates(desk: Desk) -> tuple[list[Candidate], str]:
    """Candidates of the day, best score first, and the run they come from.

    A hedge is not one: it is bought for what it protects, not for what it earns.

    Raises
    ------
    StageError
        When stage 02 has no finished run for the day; names the command.
    """
    run = desk.store.latest_run(Stage.STRATEGY_CREATION, desk.day)
    if run is None:
        raise StageError(
            f"strategy-creation has no finished run for {desk.day} on market {desk.market}; run "
            f"strikeloom run strategy-creation --date {desk.day}"
        )
    proposals = [
        row for row in desk.store.proposals(desk.day) if row.purpose is not StructurePurpose.PROTECT
    ]
    return [_candidate(proposal) for proposal in proposals], run.run_id


def _candidate(proposal: Proposal) -> Candidate:
    risk = proposal.risk
    capital = risk.margin + max(0, -risk.net_premium) + risk.charges
    contracts = (it for leg in proposal.legs if not isinstance(it := leg.instrument, Share))
    days = max(1, (min(contract.expiry for contract in contracts) - proposal.day).days)
    at_risk = capital if risk.max_loss is None else risk.max_loss
    # proposals of an earlier version have the smile's value after the charges of opening only
    value = risk.expected_value if risk.edge is None else risk.edge
    return Candidate(proposal, capital, at_risk, round(value * 30 / days))
