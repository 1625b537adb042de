"""Allocation: never above a limit, whole lots, every candidate decided."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strikeloom.allocation.candidates import Candidate
from strikeloom.domain.templates import Stance, Tier
from strikeloom.errors import SettingsError
from support.candidates import LAKH, SETTINGS, candidate, plan_of

sectors = st.sampled_from(["Looms", "Metals", "Financial Services"])
candidates = st.builds(
    lambda number, tier, sector, symbol, capital, loss, score: candidate(
        number, tier=tier, sector=sector, symbol=symbol, capital=capital, loss=loss, score=score
    ),
    st.integers(0, 10**6),
    st.sampled_from(list(Tier)),
    sectors,
    st.sampled_from(["A", "B", "C", "D"]),
    st.integers(10**5, 10**9),
    st.one_of(st.none(), st.integers(10**4, 10**9)),
    st.floats(0, 1),
)


@given(rows=st.lists(candidates, max_size=30), capital=st.integers(10**4, 10**8))
@settings(max_examples=200)
def test_no_limit_is_ever_exceeded(rows: list[Candidate], capital: int) -> None:
    plan = plan_of(rows, capital)
    limits, whole = SETTINGS.allocation, capital * 100
    spent: dict[tuple[str, str], int] = defaultdict(int)
    for row in plan.rows:
        assert row.lots >= 1
        for kind in ("tier", "sector", "symbol"):
            spent[kind, getattr(row, kind)] += row.capital
        if row.max_loss is not None:
            assert row.max_loss <= whole * Decimal(str(limits.max_loss_per_trade))
    for (kind, name), amount in spent.items():
        share = {
            "tier": getattr(limits.tiers, name, 1.0),
            "sector": limits.max_per_sector,
            "symbol": limits.max_per_symbol,
        }[kind]
        assert amount <= whole * Decimal(str(share))
    assert sum(row.capital for row in plan.rows) + plan.cash_left == whole
    assert plan.cash_left >= 0
    assert len(plan.rows) <= limits.max_positions
    assert len(plan.rows) + len(plan.refused) == len(rows)
    assert all(refusal.reason for refusal in plan.refused)


def test_lots_fill_the_tightest_limit() -> None:
    # 15 % of 10 lakh in one symbol is 1.5 lakh: one lot of 60,000 fits twice
    plan = plan_of([candidate(1, capital=60_000 * 100, loss=10_000 * 100)], 1_000_000)
    assert plan.rows[0].lots == 2
    assert plan.binding == ("one symbol at 15%",)


def test_one_lot_beyond_the_budget_is_refused_not_rounded_up() -> None:
    plan = plan_of([candidate(1, capital=16 * LAKH // 10)], 1_000_000)
    assert plan.rows == ()
    assert plan.refused[0].reason == (
        "no lot fits: one symbol at 15%; a lot needs ₹1,60,000, ₹1,50,000 is available"
    )
    assert plan.binding == ("one symbol at 15%",)
    assert plan.cash_left == 10 * LAKH


def test_a_sector_s_stance_admits_only_its_side() -> None:
    industries = {
        "Looms": SETTINGS.allocation.industries["Financial Services"].model_copy(
            update={"stance": "LONG"}
        )
    }
    rows = [
        candidate(1, stance=Stance.SHORT, capital=LAKH // 2, loss=LAKH // 4),
        candidate(2, stance=Stance.LONG, capital=LAKH // 2, loss=LAKH // 4),
        candidate(3, stance=Stance.FLAT, capital=LAKH // 2, loss=LAKH // 4),
    ]
    plan = plan_of(rows, 1_000_000, industries=industries)
    assert [row.strategy_id for row in plan.rows] == ["S002", "S003"]
    assert "LONG only" in plan.refused[0].reason


def test_the_target_is_reported_and_never_forced() -> None:
    plan = plan_of([candidate(1, capital=LAKH // 2, loss=LAKH // 4, income=100_00)], 1_000_000)
    assert plan.target_income == 40_000 * 100
    assert plan.expected_income == plan.rows[0].lots * 100_00
    assert plan.shortfall == plan.target_income - plan.expected_income
    rich = replace(plan, expected_income=plan.target_income + 1)
    assert rich.shortfall == 0


@pytest.mark.parametrize("capital", [0, -5])
def test_capital_must_be_positive(capital: int) -> None:
    with pytest.raises(SettingsError, match=f"capital is {capital}"):
        plan_of([], capital)
