"""Contents of the strategy figures."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
import QuantLib as ql

from strikeloom.allocation import plan_table
from strikeloom.domain.allocations import AllocationPlan
from strikeloom.domain.instruments import FutureContract, InstrumentKind, OptionContract, Right
from strikeloom.domain.legs import Leg, Side
from strikeloom.domain.market import Outlook
from strikeloom.domain.proposals import Proposal, RiskSummary, Score
from strikeloom.domain.templates import Stance, Tier
from strikeloom.execution.plan import EntryPlan
from strikeloom.execution.save import FILLS
from strikeloom.strategy_creation import best
from strikeloom.strategy_creation.save import proposals_table, rejections_table
from strikeloom.views.figures import allocation_figure, fills_figure, payoff_figure, score_figure

DAY, EXPIRY = date(2026, 2, 10), date(2026, 2, 24)
NOTHING = AllocationPlan("made", DAY, 100_00, (), (), 100_00, 0, 4_00, ())


def test_a_payoff_is_drawn_at_expiry_and_half_way() -> None:
    def put(strike: int) -> OptionContract:
        return OptionContract("ACME", EXPIRY, strike * 100, Right.PUT, InstrumentKind.STOCK, 100, 5)

    legs = (Leg(put(100), Side.SELL, 1, 3_00), Leg(put(95), Side.BUY, 1, 1_20))
    risk = RiskSummary(180_00, 180_00, 320_00, (98.2,), 0.6, 0, 0.0, 0.0, 0, 0, 0, "none", 0)
    proposal = Proposal(
        "S1", "made", DAY, "ACME", "Looms", "bull_put_spread", Tier.INCOME, Stance.LONG,
        "credit", legs, risk, Score(0.5, ()), (), "made", 100_00, 100.0, 0.3, None,
        Outlook.BULLISH,
    )  # fmt: skip
    figure = payoff_figure(proposal)
    drawn = {trace.name: trace for trace in figure.data}
    half = drawn["half-way to expiry"]
    deviation = 0.3 * np.sqrt(7 / 365)
    for place in (5, 30, 55):
        spot = half.x[place]
        sold, bought = (
            ql.blackFormula(ql.Option.Put, strike, spot, deviation) for strike in (100.0, 95.0)
        )
        # the places are drawn rounded to paise
        assert half.y[place] == pytest.approx(180 - 100 * (sold - bought), abs=1.0)
    end = drawn["profit"]
    assert max(end.y) == 180
    assert min(drawn["loss"].y) == -320


def test_a_later_future_is_drawn_without_its_carry() -> None:
    """The line crosses nothing where the breakeven of its risk is."""
    index = InstrumentKind.INDEX
    later = FutureContract("ACME", date(2026, 3, 30), index, 100, 5)
    call = OptionContract("ACME", EXPIRY, 104_00, Right.CALL, index, 100, 5)
    legs = (Leg(later, Side.BUY, 1, 101_20), Leg(call, Side.SELL, 1, 1_60))
    # by hand: bought at the forward of 24 February, 100.40, with 1.60 received
    risk = RiskSummary(160_00, 520_00, 988_000, (98.8,), 0.6, 0, 0.0, 0.0, 0, 0, 0, "none", 0)
    proposal = Proposal(
        "S1", "made", DAY, "ACME", "Index", "covered_call", Tier.INCOME, Stance.LONG,
        "credit", legs, risk, Score(0.5, ()), (), "made", 100_00, 100.4, 0.3, None,
        Outlook.BULLISH,
    )  # fmt: skip
    drawn = {trace.name: trace for trace in payoff_figure(proposal).data}
    end = drawn["profit"]
    assert max(end.y) == pytest.approx(520.0, abs=0.01)
    assert end.y[end.x.index(98.8)] == pytest.approx(0.0, abs=0.01)


def test_a_day_without_proposals_plan_or_fills_is_drawn() -> None:
    """Every table has its columns and their types without a single row."""
    plan = EntryPlan((), [], [], "", 0)
    for made in (proposals_table([]), rejections_table([]), plan.table, plan.summary,
                 FILLS.table([]), plan_table(NOTHING)):  # fmt: skip
        assert len(made) == 0
        assert len(made.columns) >= 3
    assert best([]) is None
    for figure in (payoff_figure(None), score_figure([])):
        assert figure.layout.title.text == "No proposals"
    assert "0 fills" in fills_figure(FILLS.table([])).layout.title.text
    assert "in 0 strategies" in allocation_figure(NOTHING).layout.title.text
