"""Contents of the strategy figures."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from strikeloom.allocation import plan_table
from strikeloom.domain.allocations import AllocationPlan
from strikeloom.domain.market import Outlook
from strikeloom.domain.outcomes import Ending, Outcome, Rule
from strikeloom.domain.proposals import Proposal, RiskSummary, Score
from strikeloom.domain.templates import Stance, Tier
from strikeloom.execution.plan import EntryPlan
from strikeloom.execution.save import FILLS
from strikeloom.strategy_creation import best
from strikeloom.strategy_creation.families import families_table
from strikeloom.strategy_creation.picture import PayoffPicture
from strikeloom.strategy_creation.save import fronts_table, outcomes_table, proposals_table
from strikeloom.views.figures import (
    allocation_figure,
    fills_figure,
    front_figure,
    funnel_figure,
    payoff_figure,
    refusals_figure,
    score_figure,
)

DAY = date(2026, 2, 10)
NOTHING = AllocationPlan("made", DAY, 100_00, (), (), 100_00, 0, 4_00, ())


def _picture() -> PayoffPicture:
    prices = np.array([90.0, 95.0, 98.2, 100.0, 110.0])
    profit = np.array([-320.0, -320.0, 0.0, 180.0, 180.0])
    return PayoffPicture(
        "ACME bull put spread", "ACME", DAY, date(2026, 2, 24), 100.0, 100.2, 0.06,
        (95.0, 100.0), (98.2,), 180.0, 320.0, prices, profit,
        ((DAY, 0.5 * profit), (date(2026, 2, 17), 0.7 * profit)),
        np.full(5, 0.05), np.full(5, np.nan),
    )  # fmt: skip


def test_a_payoff_is_drawn_over_its_densities_with_a_slider_of_days() -> None:
    figure = payoff_figure(_picture())
    drawn = {trace.name: trace for trace in figure.data}
    assert max(drawn["profit"].y) == 180
    assert min(drawn["loss"].y) == -320
    assert drawn["on 10 Feb"].y == (-160.0, -160.0, 0.0, 90.0, 90.0)
    assert drawn["breakevens"].x == (98.2,)
    assert drawn["strikes"].x == (95.0, 100.0)
    # an unknown density is not drawn as none
    assert "density by the options' prices" in drawn
    assert "density in the real world" not in drawn
    steps = figure.layout.sliders[0].steps
    assert [step.label for step in steps] == ["10 Feb", "17 Feb"]
    moved, (place,) = steps[1].args
    assert figure.data[place].name == "on 10 Feb"
    assert moved["y"][0][0] == pytest.approx(-224.0)
    assert figure.layout.title.text == "ACME bull put spread: at most ₹180 gained, ₹320 lost"
    assert "₹" in figure.layout.xaxis.title.text
    assert "₹" in figure.layout.yaxis.title.text


def _outcomes() -> pd.DataFrame:
    def refused(template: str, rule: Rule) -> Outcome:
        return Outcome("ACME", template, Ending.REFUSED, rule, "why")

    return outcomes_table(
        [
            refused("iron_condor", Rule.VIEW),
            refused("strip", Rule.STRIKES),
            refused("strap", Rule.EDGE),
            refused("long_call", Rule.EDGE),
            Outcome("ACME", "bull_put_spread", Ending.PICKED, Rule.RANK, "best",
                    expected_value=120_00, error=30_00, funds=5_000_00, score=2.5),
        ]
    )  # fmt: skip


def test_the_funnel_ends_at_what_was_picked() -> None:
    (funnel,) = funnel_figure(_outcomes()).data
    assert funnel.x[0] == 5
    assert list(funnel.x)[2:4] == [4, 3]
    assert funnel.x[-1] == 1
    assert list(funnel.x) == sorted(funnel.x, reverse=True)
    (bars,) = refusals_figure(_outcomes()).data
    assert dict(zip(bars.y, bars.x, strict=True)) == {"view": 1, "strikes": 1, "edge": 2}


def test_the_front_is_drawn_with_what_was_picked() -> None:
    drawn = {t.name: t for t in front_figure(_outcomes(), fronts_table([]), "ACME").data}
    assert drawn["picked"].x == (5_000.0,)
    assert drawn["picked"].y == (120.0,)


def test_score_parts_add_to_the_score() -> None:
    risk = RiskSummary(180_00, 180_00, 320_00, (98.2,), 0.6, 0, 0.0, 0.0, 0, 0, 0, "none", 0)
    proposal = Proposal(
        "S1", "made", DAY, "ACME", "Looms", "bull_put_spread", Tier.INCOME, Stance.LONG,
        "credit", (), risk, Score(2.1, (("earnings", 3.0), ("tail", -0.9))), (), "made", 100_00,
        100.0, 0.3, None, Outlook.BULLISH,
    )  # fmt: skip
    drawn = {trace.name: trace.x[0] for trace in score_figure([proposal]).data}
    assert drawn == {"earnings": 3.0, "tail": -0.9}


def test_a_family_without_a_structure_has_its_reason() -> None:
    rows = [
        Outcome("ACME", "iron_condor", Ending.REFUSED, Rule.VIEW, "does not suit"),
        Outcome("ACME", "strip", Ending.PICKED, Rule.RANK, "best", score=1.0, funds=1_00),
    ]
    table = families_table(rows).set_index("family")
    assert table.loc["neutral", "built"] == 0
    assert table.loc["neutral", "reason"] == "1 of 1 refused by rule: view"
    assert table.loc["volatility", "structure"] == "strip"
    assert table.loc["volatility", "picked"] == 1


def test_a_day_without_proposals_plan_or_fills_is_drawn() -> None:
    """Every table has its columns and their types without a single row."""
    plan = EntryPlan((), [], [], "", 0)
    for made in (proposals_table([]), outcomes_table([]), fronts_table([]), plan.table,
                 plan.summary, FILLS.table([]), plan_table(NOTHING)):  # fmt: skip
        assert len(made) == 0
        assert len(made.columns) >= 3
    none = outcomes_table([])
    for figure in (payoff_figure(None), score_figure([]), front_figure(none, fronts_table([]), "")):
        assert figure.layout.title.text
    assert funnel_figure(none).data[0].x[0] == 0
    assert "0 fills" in fills_figure(FILLS.table([])).layout.title.text
    assert "in 0 strategies" in allocation_figure(NOTHING).layout.title.text
    assert best([]) is None
