"""A strategy that is proposed, allocated and marked by hand, for what follows stage 03."""

from __future__ import annotations

from collections.abc import Sequence

from strikeloom import execution
from strikeloom.domain.allocations import AllocationPlan
from strikeloom.domain.instruments import Share
from strikeloom.domain.legs import Leg, Side
from strikeloom.domain.market import Outlook
from strikeloom.domain.proposals import Proposal, RiskSummary, Score, Stance, Tier, strategy_id
from strikeloom.domain.results import Stage, StageResult, Verdict
from strikeloom.execution.plan import EntryPlan
from strikeloom.ports.desk import Desk
from strikeloom.ports.store import MarkRow


def mark_strategy(
    desk: Desk,
    template: str,
    exit_plan: str,
    legs: Sequence[tuple[str, Side]],
    *,
    forward: float,
    lots: int = 1,
) -> Proposal:
    """Propose legs of the desk's day, allocate and mark them. A share leg is a lot of the others.

    ``forward`` of the nearest expiry in rupees; the level is the feed's.
    """
    day = desk.day
    known = [(desk.instruments.instrument(key, day), side) for key, side in legs]
    lot = max(instrument.lot_size for instrument, _ in known)
    made = tuple(
        Leg(instrument, side, lot if isinstance(instrument, Share) else 1, 1_00)
        for instrument, side in known
    )
    symbol = made[0].instrument.symbol
    name = strategy_id(desk.market, day, symbol, template, made)
    risk = RiskSummary(0, 0, 0, (), 0.5, 0, 0.0, 0.0, 0, 0, 0, "none", 0)
    spot, _ = desk.feed.spot(symbol)
    proposal = Proposal(
        name, desk.market, day, symbol, "x", template, Tier.INCOME, Stance.LONG, exit_plan,
        made, risk, Score(0.5, ()), (), "made", spot, forward, 0.3, None, Outlook.BULLISH,
    )  # fmt: skip
    at = desk.clock.now()
    desk.store.save_proposals("made", [proposal], [])
    if desk.store.latest_run(Stage.ALLOCATION, day) is None:
        desk.store.start_run("plan", Stage.ALLOCATION, day, at)
        desk.store.save_allocation(
            "plan", AllocationPlan(desk.account, day, 1, (), (), 1, 0, 0, ())
        )
        counts = {"universe": 1, "done": 1, "refused": 0}
        result = StageResult(
            run_id="plan", stage=Stage.ALLOCATION, market=desk.market, account=desk.account,
            day=day, verdict=Verdict.DONE, counts=counts,
        )  # fmt: skip
        desk.store.finish_run(result, at)
    desk.store.mark([MarkRow(name, day, lots, 1, "", at)])
    return proposal


def enter_marked(desk: Desk, proposal: Proposal) -> EntryPlan:
    """Plan and place a marked strategy through stage 04."""
    plan = execution.plan_entries(desk, execution.load_marked(desk, [proposal.strategy_id]))
    assert not plan.refused, plan.refused
    placed = execution.place(desk, plan)
    assert placed.filled == [proposal.strategy_id], placed
    return plan
