"""Exit rules at their edges, by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strikeloom.domain.positions import MarkedPosition, Position, PositionLeg, Urgency
from strikeloom.errors import SettingsError
from strikeloom.monitor.decide import decide
from strikeloom.monitor.exits import DaysToExpiry, ProfitTarget, StopLoss, plan_of
from strikeloom.settings.all import load_settings
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
    assert ProfitTarget(50).decide(marked(pnl)).fires is fires


def test_profit_target_of_a_long_option_is_a_share_of_the_premium_paid():
    long = marked(6_000_00, best=None, worst=10_000_00, premium=-10_000_00)
    assert ProfitTarget(60).decide(long).fires
    assert not ProfitTarget(60.01).decide(long).fires


@pytest.mark.parametrize(("pnl", "fires"), [(-23_999_99, False), (-24_000_00, True), (5, False)])
def test_stop_loss_at_sixty_percent_of_the_maximum(pnl, fires):
    assert StopLoss(60).decide(marked(pnl)).fires is fires


def test_stop_of_an_unlimited_loss_is_a_share_of_the_premium_received():
    naked = marked(-15_000_00, worst=None)
    assert StopLoss(150).decide(naked).fires
    assert not StopLoss(150).decide(marked(-14_999_99, worst=None)).fires


@pytest.mark.parametrize(("day", "fires"), [("21", False), ("22", True), ("24", True)])
def test_days_to_expiry_counts_calendar_days(day, fires):
    at = ist(f"2026-02-{day} 09:15")
    assert DaysToExpiry(2).decide(replace(marked(), at=at)).fires is fires


@pytest.mark.parametrize("rule", [ProfitTarget(50), StopLoss(50)])
def test_a_missing_price_never_fires_and_says_so(rule):
    decision = rule.decide(marked(None))
    assert not decision.fires
    assert "X" in decision.sentence


@pytest.mark.parametrize("rule", [ProfitTarget(50), StopLoss(50)])
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
    for rule in (ProfitTarget(target), StopLoss(stop)):
        decision = rule.decide(picture)
        assert 0 <= decision.closeness <= 1
        assert decision.fires == (decision.closeness == 1)
        assert decision.target_lots == (0,)


def test_the_most_urgent_rule_wins_and_all_are_kept():
    at = ist("2026-02-23 10:00")
    plan = (ProfitTarget(50), StopLoss(60), DaysToExpiry(2))
    winner, said = decide(replace(marked(-30_000_00), at=at), plan)
    assert winner is not None
    assert [d.rule for d in said if d.fires] == ["stop loss", "days to expiry"]
    assert winner.urgency == max(d.urgency for d in said)
    assert len(said) == 3


def test_a_stop_is_not_less_urgent_than_the_calendar():
    stop = StopLoss(60).decide(marked(-30_000_00))
    days = DaysToExpiry(2).decide(replace(marked(), at=ist("2026-02-23 10:00")))
    goal = ProfitTarget(50).decide(marked(9_000_00))
    assert stop.urgency >= days.urgency > goal.urgency > Urgency.HOLD


def test_every_plan_of_the_settings_is_built_as_it_is_written():
    settings = load_settings().exits
    for name, lines in settings.plans.items():
        built = plan_of(settings, name)
        for line, rule in zip(lines, built, strict=True):
            given_values = set(line.model_dump(exclude={"rule"}).values())
            assert given_values <= set(vars_of(rule).values())


def vars_of(rule: object) -> dict[str, object]:
    return {name: getattr(rule, name) for name in rule.__dataclass_fields__}  # type: ignore[attr-defined]


def test_an_unknown_plan_names_the_known_ones():
    with pytest.raises(SettingsError, match="credit"):
        plan_of(load_settings().exits, "no such plan")
