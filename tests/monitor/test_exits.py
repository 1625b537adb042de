"""Exit rules at their edges, by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from strikeloom.domain.folders import config_folder
from strikeloom.domain.position_leg import PositionLeg
from strikeloom.domain.positions import MarkedPosition, Position, Urgency
from strikeloom.errors import SettingsError
from strikeloom.monitor.decide import decide
from strikeloom.settings.all import load_settings
from strikeloom.settings.exit_registry import exit_rules
from strikeloom.settings.exit_rules.days_to_expiry import DaysToExpiry
from strikeloom.settings.exit_rules.profit_target import ProfitTarget
from strikeloom.settings.exit_rules.stop_loss import StopLoss
from strikeloom.settings.exit_rules.strike_breached import StrikeBreached
from strikeloom.settings.exits import plan_of
from support.fakes import ist, option

NOW = ist("2026-02-11 10:00")


def marked(
    pnl: int | None = 0,
    *,
    best: int | None = 10_000_00,
    worst: int | None = 40_000_00,
    premium: int = 10_000_00,
    expiry: date = date(2026, 2, 24),
) -> MarkedPosition:
    leg = PositionLeg(0, option(25_000, expiry=expiry), -65, -65, -premium, 0, 0)
    position = Position("a", "m", "S1", "NIFTY", "t", "credit", (leg,), 1, NOW)
    return MarkedPosition(
        position, {}, () if pnl is not None else ("X",), pnl, premium, best, worst, NOW, expiry
    )


@pytest.mark.parametrize(
    ("pnl", "fires"), [(4_999_99, False), (5_000_00, True), (9_000_00, True), (-1, False)]
)
def test_profit_target_at_half_of_the_maximum(pnl, fires):
    assert ProfitTarget(percent=50).decide(marked(pnl)).fires is fires


def test_profit_target_of_a_long_option_is_a_share_of_the_premium_paid():
    long = marked(6_000_00, best=None, worst=10_000_00, premium=-10_000_00)
    assert ProfitTarget(percent=60).decide(long).fires
    assert not ProfitTarget(percent=60.01).decide(long).fires


@pytest.mark.parametrize(("pnl", "fires"), [(-23_999_99, False), (-24_000_00, True), (5, False)])
def test_stop_loss_at_sixty_percent_of_the_maximum(pnl, fires):
    assert StopLoss(percent=60).decide(marked(pnl)).fires is fires


def test_stop_of_an_unlimited_loss_is_a_share_of_the_premium_received():
    naked = marked(-15_000_00, worst=None)
    assert StopLoss(percent=150).decide(naked).fires
    assert not StopLoss(percent=150).decide(marked(-14_999_99, worst=None)).fires


@pytest.mark.parametrize(("day", "fires"), [("21", False), ("22", True), ("24", True)])
def test_days_to_expiry_counts_calendar_days(day, fires):
    at = ist(f"2026-02-{day} 09:15")
    assert DaysToExpiry(days=2).decide(replace(marked(), at=at)).fires is fires


@pytest.mark.parametrize("rule", [ProfitTarget(percent=50), StopLoss(percent=50)])
def test_a_missing_price_never_fires_and_is_named(rule):
    decision = rule.decide(marked(None))
    assert not decision.fires
    assert "X" in decision.sentence


@pytest.mark.parametrize("rule", [ProfitTarget(percent=50), StopLoss(percent=50)])
def test_nothing_to_measure_by_never_fires(rule):
    none = marked(-5, best=0, worst=0)
    assert not rule.decide(none).fires


@given(
    st.integers(-(10**9), 10**9),
    st.integers(0, 10**9),
    st.integers(0, 10**9),
    st.floats(1, 500),
    st.floats(1, 500),
)
def test_closeness_is_one_exactly_when_a_rule_fires(pnl, best, worst, target, stop):
    picture = marked(pnl, best=best, worst=worst)
    for rule in (ProfitTarget(percent=target), StopLoss(percent=stop)):
        decision = rule.decide(picture)
        assert 0 <= decision.closeness <= 1
        assert decision.fires == (decision.closeness == 1)
        assert decision.target_lots == (0,)


def test_the_most_urgent_rule_wins_and_all_are_kept():
    at = ist("2026-02-23 10:00")
    plan = (ProfitTarget(percent=50), StopLoss(percent=60), DaysToExpiry(days=2))
    winner, decisions = decide(replace(marked(-30_000_00), at=at), plan)
    assert winner is not None
    assert [d.rule for d in decisions if d.fires] == ["stop loss", "days to expiry"]
    assert winner.urgency == max(d.urgency for d in decisions)
    assert len(decisions) == 3


def test_an_urgent_rule_wins_over_an_earlier_one_that_also_fires():
    at = ist("2026-02-23 10:00")
    plan = (ProfitTarget(percent=50), DaysToExpiry(days=2))
    for order in (plan, plan[::-1]):
        winner, decisions = decide(replace(marked(9_000_00), at=at), order)
        assert all(decision.fires for decision in decisions)
        assert winner is not None
        assert winner.rule == "days to expiry"


def test_of_equally_urgent_rules_the_first_of_the_plan_wins():
    at = ist("2026-02-23 10:00")
    plan = (StopLoss(percent=60), DaysToExpiry(days=2))
    for order in (plan, plan[::-1]):
        winner, _ = decide(replace(marked(-30_000_00), at=at), order)
        assert winner is not None
        assert winner.rule == order[0].name


def test_nothing_is_decided_where_no_rule_fires():
    winner, decisions = decide(marked(0), (ProfitTarget(percent=50), StopLoss(percent=60)))
    assert winner is None
    assert [d.urgency for d in decisions] == [Urgency.HOLD] * 2


def test_a_stop_is_not_less_urgent_than_the_calendar():
    stop = StopLoss(percent=60).decide(marked(-30_000_00))
    days = DaysToExpiry(days=2).decide(replace(marked(), at=ist("2026-02-23 10:00")))
    goal = ProfitTarget(percent=50).decide(marked(9_000_00))
    assert stop.urgency >= days.urgency > goal.urgency > Urgency.HOLD


def test_every_plan_of_the_settings_is_built_as_it_is_written():
    settings = load_settings().exits
    written = yaml.safe_load((config_folder() / "exits.yaml").read_text(encoding="utf-8"))
    assert list(written["plans"]) == list(settings.plans)
    for name, lines in written["plans"].items():
        assert [rule.model_dump(exclude_unset=True) for rule in plan_of(settings, name)] == lines
        kinds = [exit_rules()[line["rule"]] for line in lines]
        assert [type(rule) for rule in plan_of(settings, name)] == kinds


def test_names_are_those_that_are_stored():
    names = {"profit target", "stop loss", "days to expiry"}
    assert names <= {name.replace("_", " ") for name in exit_rules()}
    assert {rule.name for rule in plan_of(load_settings().exits, "credit")} >= names


def test_an_unknown_plan_names_the_known_ones():
    with pytest.raises(SettingsError, match="credit"):
        plan_of(load_settings().exits, "no such plan")


@pytest.mark.parametrize(
    ("day", "closeness"), [("02-07", 0.5), ("02-19", 0.9), ("01-23", 0.0), ("01-08", 0.0)]
)
def test_days_to_expiry_comes_closer_over_the_thirty_days_before_it_fires(day, closeness):
    """Fires on 22 February: 15, 3, 30 and 45 days ahead."""
    decision = DaysToExpiry(days=2).decide(replace(marked(), at=ist(f"2026-{day} 10:00")))
    assert decision.closeness == pytest.approx(closeness, abs=1e-12)


def test_money_rules_come_closer_in_proportion():
    assert ProfitTarget(percent=50).decide(marked(1_250_00)).closeness == 0.25  # of 5,000
    assert StopLoss(percent=60).decide(marked(-6_000_00)).closeness == 0.25  # of 24,000


@pytest.mark.parametrize(
    ("rule", "field", "allowed", "refused"),
    [
        (ProfitTarget, "percent", (0.5, 500), (0, -0.5, 500.5)),
        (StopLoss, "percent", (0.5, 500), (0, -0.5, 500.5)),
        (StrikeBreached, "percent", (0, 100), (-0.5, 100.5)),
        (DaysToExpiry, "days", (0, 365), (-1, 366)),
    ],
)
def test_a_number_that_can_be_no_limit_is_refused_in_the_settings(rule, field, allowed, refused):
    for number in allowed:
        assert getattr(rule(**{field: number}), field) == number
    for number in refused:
        with pytest.raises(ValidationError, match=field):
            rule(**{field: number})


@pytest.mark.parametrize(
    ("rule", "pnl", "sentence"),
    [
        (ProfitTarget(percent=50), 4_500_00, "+₹4,500 of ₹5,000 (50 %)"),
        (ProfitTarget(percent=50), -700_00, "-₹700 of ₹5,000 (50 %)"),
        (StopLoss(percent=60), 4_500_00, "+₹4,500 against -₹24,000 (60 %)"),
        (StopLoss(percent=60), -700_00, "-₹700 against -₹24,000 (60 %)"),
        (DaysToExpiry(days=2), 0, "13 days left, exits at 2"),
    ],
)
def test_a_sentence_has_the_figure_and_the_limit(rule, pnl, sentence):
    assert rule.decide(marked(pnl)).sentence == sentence


def test_a_limit_of_a_single_paisa_is_a_limit():
    """Half of two paise: the smallest amount that can be earned or lost."""
    smallest = {"best": 2, "worst": 2}
    for rule, sign in ((ProfitTarget(percent=50), 1), (StopLoss(percent=50), -1)):
        assert rule.decide(marked(sign, **smallest)).fires
        assert "50 %" in rule.decide(marked(sign, **smallest)).sentence
        assert not rule.decide(marked(0, **smallest)).fires


def test_nothing_open_has_no_days_left():
    decision = DaysToExpiry(days=2).decide(replace(marked(), last_day=None))
    assert (decision.fires, decision.sentence) == (False, "nothing is open")
