"""Rules, score, conviction and front: properties that hold whatever the figures are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from strikeloom.domain.conviction import Conviction
from strikeloom.domain.market import MarketView, Outlook
from strikeloom.domain.outcomes import Ending, Outcome, Rule
from strikeloom.domain.templates import Stance, StructurePurpose
from strikeloom.errors import NotBuildable
from strikeloom.settings.all import load_settings
from strikeloom.strategy_creation.build import Built
from strikeloom.strategy_creation.catalogue import TEMPLATES
from strikeloom.strategy_creation.choose import choose
from strikeloom.strategy_creation.conviction import conviction
from strikeloom.strategy_creation.earnings import CandidateFigures, shrunk
from strikeloom.strategy_creation.front import spread
from strikeloom.strategy_creation.liquidity import Grade, grade
from strikeloom.strategy_creation.model_chain import model_chain, model_structure
from strikeloom.strategy_creation.nearness import nearest_miss, shortfall
from strikeloom.strategy_creation.propose import why_nothing
from strikeloom.strategy_creation.rules import check, limits, misses
from strikeloom.strategy_creation.score import along, components, risk_reward, score
from support.picks import built_on, figures, made_desk

CREATION = load_settings().creation
MODERATE = CREATION.profile("moderate")
EARN, PROTECT = StructurePurpose.EARN, StructurePurpose.PROTECT

money = st.floats(-1e6, 1e6)
positive = st.floats(1.0, 1e6)
any_figures = st.builds(
    figures,
    max_profit=st.one_of(st.just(np.inf), st.floats(0, 1e7)),
    max_loss=st.one_of(st.just(np.inf), st.floats(-1e3, 1e7)),
    chance=st.floats(0, 1),
    edge=st.one_of(st.just(np.nan), money),
    error=st.floats(0, 1e5),
    quotes_error=st.floats(0, 1e5),
    tail=money,
    costs=positive,
    margin=positive,
    funds=positive,
    decay=money,
    sold_calls=st.sampled_from([0.0, 1.0, 2.0]),
    sold_puts=st.sampled_from([0.0, 1.0, 2.0]),
)
profiles = st.sampled_from(list(CREATION.profiles))


@given(any_figures, profiles, st.sampled_from([EARN, PROTECT]))
@settings(max_examples=200, deadline=None)
def test_a_refusal_is_the_first_rule_that_fails_and_names_its_figures(
    found: CandidateFigures, risk: str, purpose: StructurePurpose
) -> None:
    profile = CREATION.profile(risk)
    rules = limits(purpose)
    missed = misses(found, profile, np.bool_(purpose is EARN))
    fails = [not bool(limit.passes(found, profile)) for limit in rules]
    # of prices at which nothing can be lost no other figure counts
    assert missed.failed == (sum(fails) if found.max_loss > 0 else len(rules))
    if missed.failed:
        count = fails.index(True)
        with pytest.raises(NotBuildable) as raised:
            check(found, profile, purpose)
        facts = raised.value.facts
        assert (facts["rule"], facts["failed"]) == (rules[count].rule, missed.failed)
        assert missed.away == shortfall(facts["value"], facts["threshold"])
        assert str(raised.value)
        assert all(bool(limit.passes(found, profile)) for limit in rules[:count])
        assert not bool(rules[count].passes(found, profile))
    else:
        check(found, profile, purpose)
        assert not np.isnan(found.edge)
        assert found.max_loss > 0
        if purpose is EARN:
            assert found.edge > profile.errors * found.error
            assert found.chance >= profile.min_probability_of_profit
            assert found.costs <= profile.max_cost_share * (found.edge + found.costs) * (1 + 1e-9)
        if not profile.unhedged:
            assert found.sold_calls == found.sold_puts == 0


@pytest.mark.parametrize(
    ("changes", "rule", "value", "threshold", "text"),
    [
        ({"max_loss": 0.0}, Rule.CANNOT_LOSE, 0, 0, "cannot lose"),
        (
            {"max_loss": np.inf, "sold_calls": 2.0},
            Rule.UNHEDGED,
            2,
            0,
            "2 net sold calls: its loss is unlimited; the risk profile excludes",
        ),
        (
            {"max_loss": 98_765.4, "sold_puts": 1.0},
            Rule.UNHEDGED,
            1,
            0,
            "1 net sold put: loses down to 0, ₹98,765.40; the risk profile excludes",
        ),
        (
            {"max_loss": np.inf, "sold_calls": 1.0, "sold_puts": 1.0},
            Rule.UNHEDGED,
            2,
            0,
            "1 net sold call: its loss is unlimited; 1 net sold put: loses down to 0; the",
        ),
        ({"edge": np.nan}, Rule.FORECAST, 0, 1, "complete daily bars"),
        ({"chance": 0.349}, Rule.PROBABILITY, 0.349, 0.35, "34.9%"),
        ({"chance": 0.3498}, Rule.PROBABILITY, 0.3498, 0.35, "of 34.98% is below"),
        ({"max_profit": 149.99}, Rule.REWARD, 149.99 / 1500, 0.1, "is 0.09999 of its maximum"),
        ({"max_profit": 149.0}, Rule.REWARD, 149 / 1500, 0.1, "0.099 of its maximum loss"),
        ({"edge": 50.0}, Rule.EDGE, 50, 50, "by ₹50.00, and it must earn more than that"),
        # 90 of 90 + 80 is more than half; 90 of 180 is half
        ({"edge": 80.0}, Rule.COSTS, 90 / 170, 0.5, "53% of the ₹170.00"),
    ],
)
def test_each_rule_of_the_moderate_profile(
    changes: dict[str, float], rule: Rule, value: float, threshold: float, text: str
) -> None:
    check(figures(edge=90.0), MODERATE, EARN)
    with pytest.raises(NotBuildable) as raised:
        check(figures(**changes), MODERATE, EARN)
    facts = raised.value.facts
    assert (facts["rule"], facts["value"], facts["threshold"]) == (
        rule, pytest.approx(value), pytest.approx(threshold),
    )  # fmt: skip
    assert text in str(raised.value)


def test_a_stricter_profile_states_how_much_more_it_must_earn() -> None:
    with pytest.raises(NotBuildable) as raised:
        check(figures(edge=74.0), CREATION.profile("conservative"), EARN)
    assert str(raised.value) == (
        "it is expected to earn +₹74.00 after a round trip of ₹90.00; its quotes and the forecast "
        "leave that uncertain by ₹50.00, and it must earn more than 1.5 times that"
    )


def test_a_remedy_is_what_would_pass() -> None:
    """Edge 40, error 50, costs 90: passes at costs below 80, or 10 more of edge."""
    with pytest.raises(NotBuildable) as raised:
        check(figures(edge=40.0), MODERATE, EARN)
    assert raised.value.facts["remedy"] == (
        "passes if a round trip costs less than ₹80.00 (now ₹90.00); costs fails too"
    )
    assert raised.value.facts["failed"] == 2
    check(figures(edge=40.0 + 90 - 79.9, costs=79.9, error=50.0), MODERATE, PROTECT)
    with pytest.raises(NotBuildable) as raised:
        check(figures(edge=-100.0), MODERATE, EARN)
    assert raised.value.facts["remedy"] == "passes if it earned ₹150.00 more; costs fails too"


def test_a_loss_to_a_price_of_zero_counts_as_one_without_limit() -> None:
    """A sold put and a sold call of one premium: by the funds they need, Rs 10,000."""
    aggressive = CREATION.profile("aggressive")
    for most in (480_000.0, np.inf):
        check(figures(max_profit=600.0, max_loss=most), aggressive, EARN)
        with pytest.raises(NotBuildable) as raised:
            check(figures(max_profit=400.0, max_loss=most), aggressive, EARN)
        assert raised.value.facts["rule"] is Rule.REWARD
        assert raised.value.facts["value"] == pytest.approx(0.04)


@given(money, st.floats(0, 1e5), st.floats(0, 1e5), st.floats(0, 1e6))
@settings(max_examples=200, deadline=None)
def test_a_worse_edge_or_a_greater_error_never_raises_what_counts(
    edge: float, error: float, more: float, less: float
) -> None:
    at = shrunk(np.array([edge, edge - less, edge]), np.array([error, error, error + more]))
    assert at[1] <= at[0] + 1e-9 * abs(edge)
    assert at[2] <= at[0] + 1e-9 * abs(edge)


@given(any_figures, st.floats(0, 1e6), st.sampled_from(sorted(TEMPLATES)))
@settings(max_examples=60, deadline=None)
def test_a_score_is_the_sum_of_its_parts_and_falls_with_the_edge(
    found: CandidateFigures, less: float, name: str
) -> None:
    structure = model_structure(TEMPLATES[name])
    made = score(structure, found, CREATION, MODERATE)
    parts = dict(made.parts)
    if np.isnan(found.edge):
        assert np.isnan(made.total)
        return
    assert made.total == pytest.approx(sum(parts.values()))
    fit = sum(value for part, value in parts.items() if part not in ("earnings", "tail"))
    assert 0 <= fit <= CREATION.fit + 1e-9
    assert all(0 <= value <= 1 for value in components(structure, found, 0.2).values())
    worse = score(structure, found._replace(edge=found.edge - less), CREATION, MODERATE)
    assert worse.total <= made.total + 1e-9 * abs(made.total)


@given(st.floats(-1, 1), st.floats(0.05, 0.9))
def test_directions_are_treated_alike(vote: float, threshold: float) -> None:
    assert along(Stance.LONG, vote, threshold) == pytest.approx(
        along(Stance.SHORT, -vote, threshold)
    )
    assert along(Stance.FLAT, vote, threshold) == along(Stance.FLAT, -vote, threshold)


@given(any_figures, st.floats(0, 1), st.sampled_from(list(Grade)))
def test_conviction_is_between_0_and_100_and_rises_with_what_it_rests_on(
    found: CandidateFigures, agreement: float, quotes: Grade
) -> None:
    if np.isnan(found.edge):
        return
    points = conviction(found, agreement, quotes)
    assert 0 <= points <= 100
    assert (points == 0) or found.edge > 0
    assert conviction(found, 1.0, quotes) >= points
    assert conviction(found, agreement, Grade.A) >= points


def test_conviction_by_hand() -> None:
    """An edge of twice its error is above zero in 97.7 % of cases, 95.4 points beyond a coin's."""
    sure = 2 * norm.cdf(2) - 1
    found = figures(edge=200.0, error=100.0)
    assert conviction(found, 0.5, Grade.B) == pytest.approx(
        100 * sure * (0.6 + 0.25 * 0.5 + 0.15 * 0.7)
    )
    assert conviction(figures(edge=-1.0), 1.0, Grade.A) == 0
    assert [each.share for each in Grade] == [1.0, 0.7, 0.4, 0.0]  # docs/creation.md
    words = {80: "very high", 79.9: "high", 65: "high", 45: "medium", 25: "low", 24.9: "very low"}
    assert {points: Conviction.of(points).value for points in words} == words


def test_a_grade_is_by_the_thinnest_leg_and_by_costs() -> None:
    structure = replace(
        model_structure(TEMPLATES["iron_condor"]), volumes=(5_000, 1_000, 2_000, 1_000)
    )
    assert grade(structure, figures(costs=50.0)) is Grade.A
    assert grade(structure, figures(costs=51.0)) is Grade.B
    assert (
        grade(replace(structure, volumes=(99, 1_000, 1_000, 1_000)), figures(costs=50.0)) is Grade.C
    )
    assert grade(structure, figures(costs=401.0)) is Grade.D
    assert (
        grade(replace(structure, volumes=(9, 1_000, 1_000, 1_000)), figures(costs=1.0)) is Grade.D
    )


@given(
    st.lists(st.tuples(*[st.floats(-1e3, 1e3)] * 4), min_size=1, max_size=30), st.integers(1, 12)
)
@settings(deadline=None)
def test_a_spread_of_a_front_keeps_the_best_of_each_column(
    rows: list[tuple[float, ...]], most: int
) -> None:
    columns = np.array(rows)
    kept = spread(columns, most)
    assert len(kept) == min(most, len(rows))
    assert len(set(kept.tolist())) == len(kept)
    assert (np.diff(kept) > 0).all()
    if most >= 4:
        assert (columns[kept].max(axis=0) == columns.max(axis=0)).all()


@pytest.mark.parametrize("outlook", list(Outlook))
def test_every_structure_ends_once_and_no_front_row_betters_another(outlook: Outlook) -> None:
    view = MarketView("MODEL", model_chain().day, outlook, 0.1, ())
    for risk in CREATION.profiles:
        desk = made_desk()
        built = built_on(desk, model_chain(), view, risk)
        chosen = choose(desk, built, risk)
        assert sorted(row.template for row in chosen.outcomes) == sorted(TEMPLATES)
        picked = {row.template for row in chosen.outcomes if row.ending is Ending.PICKED}
        assert picked == {pick.name for pick in chosen.picks}
        for pick in chosen.picks:
            check(pick.figures, CREATION.profile(risk), pick.structure.template.purpose)
        for row in chosen.outcomes:
            if row.ending is Ending.BEATEN:
                assert row.beaten_by in picked
                assert row.value is not None
                assert row.threshold is not None
                assert row.value <= row.threshold
        better = np.array(
            [(r.expected_value, r.tail_mean, r.probability, -r.margin_after) for r in built.fronts]
        )
        for row in better:
            over = (better >= row).all(axis=1) & (better > row + 1).any(axis=1)
            assert not over.any()
        assert all(r.expected_value > 0 for r in built.fronts)


def test_a_shortfall_is_a_share_of_the_larger_of_the_two() -> None:
    """In one unit for all rules: 0.315 of 0.35 and 100 of 90 rupees are both a tenth off."""
    found = shortfall([0.315, 100.0, -50.0, 2.0, np.nan, np.inf], [0.35, 90.0, 50.0, 0.0, 1.0, 0.5])
    assert found == pytest.approx([0.1, 0.1, 2.0, 1.0, 2.0, 1.0])


def test_the_nearest_miss_fails_the_fewest_rules_by_the_least() -> None:
    """Whatever the score: one rule by a tenth before one by a half, and before two."""
    remedy = "passes if a round trip costs ₹80 or less"
    rows = [
        Outcome("A", "long_call", Ending.REFUSED, Rule.EDGE, "lost", -40, 80, score=-3.0, failed=2),
        Outcome("A", "strip", Ending.REFUSED, Rule.COSTS, "dear", 1.0, 0.5, score=9.0, failed=1),
        Outcome("B", "iron_condor", Ending.REFUSED, Rule.COSTS, "dear", 0.55, 0.5,
                score=-0.5, failed=1, remedy=remedy),
        Outcome("B", "long_put", Ending.BEATEN, Rule.RANK, "less", score=2.0, failed=0),
        Outcome("B", "collar", Ending.REFUSED, Rule.FORECAST, "hedge", 0.99, 1, score=1, failed=1),
        Outcome("B", "box", Ending.REFUSED, Rule.VIEW, "no view"),
    ]  # fmt: skip
    assert nearest_miss(rows) == rows[2]
    assert nearest_miss([rows[0], rows[1]]) == rows[1]
    assert nearest_miss(rows[3:]) is None
    first, second = why_nothing(rows)
    assert first == "Nothing is worth it today. Nearest: Iron condor on B: dear."
    assert second == "It passes if a round trip costs ₹80 or less."
    assert why_nothing(rows[3:]) == ("Nothing is worth it today: no structure could be built.",)
    assert choose(made_desk(), Built([], rows, [])).outcomes == rows


def test_what_cannot_lose_has_the_whole_of_reward_to_risk() -> None:
    """A profit of 1.125 beside a loss of -1, which is a profit: the share is 1, never more."""
    assert risk_reward(1.125, -1.0) == 1.0
    assert risk_reward(3.0, 1.0) == 0.75
    assert risk_reward(-0.5, -1.0) == 0.0
