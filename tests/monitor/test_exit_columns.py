"""Every exit rule decides about columns of positions exactly as about each position."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strikeloom.domain.exit_fields import ExitFields, columns_of, fields_of
from strikeloom.domain.positions import Urgency
from strikeloom.settings.exit_registry import exit_rules
from support.exit_examples import marked_positions, rules_of

POSITIONS = st.lists(marked_positions(), min_size=1, max_size=6)


@pytest.mark.parametrize("name", exit_rules())
@given(data=st.data())
@settings(max_examples=80)
def test_columns_and_single_positions_agree(name, data):
    rule = data.draw(rules_of(exit_rules()[name]))
    positions = data.draw(POSITIONS)
    decisions = [rule.decide(marked) for marked in positions]
    columns = rule.evaluate(columns_of(positions))
    assert columns.fires.tolist() == [decision.fires for decision in decisions]
    assert columns.closeness.tolist() == [decision.closeness for decision in decisions]


def test_columns_fire_at_the_limit_itself():
    """Half of a profit of 10,000, in rows a paisa below, at it, above it, and without a price."""
    rule = exit_rules()["profit_target"](rule="profit_target", percent=50)
    nothing = np.full(5, np.nan)
    columns = {field.name: nothing for field in fields(ExitFields)} | {
        "pnl": np.array([4_999_99.0, 5_000_00.0, 9_000_00.0, np.nan, -1.0]),
        "max_profit": np.full(5, 10_000_00.0),
        "entry_premium": np.full(5, 10_000_00.0),
    }
    found = rule.evaluate(ExitFields(**columns))
    assert found.fires.tolist() == [False, True, True, False, False]
    assert found.closeness.tolist() == [4_999_99 / 5_000_00, 1, 1, 0, 0]


@pytest.mark.parametrize("name", exit_rules())
@given(data=st.data())
def test_a_decision_is_whole(name, data):
    rule = data.draw(rules_of(exit_rules()[name]))
    marked = data.draw(marked_positions())
    decision = rule.decide(marked)
    assert decision.rule == name.replace("_", " ")
    assert decision.fires == (decision.closeness == 1)
    assert decision.urgency == (rule.urgency if decision.fires else Urgency.HOLD)
    assert 0 <= decision.closeness <= 1
    for leg, target in zip(marked.position.legs, decision.target_lots, strict=True):
        assert target in (0, leg.net_lots)
    if decision.fires and any(leg.net_lots for leg in marked.position.legs):
        assert decision.target_lots != tuple(leg.net_lots for leg in marked.position.legs)
    assert decision.sentence


@given(marked_positions(), st.integers(1, 500))
@settings(max_examples=200)
def test_thresholds_are_exact_to_the_paisa(marked, percent):
    """Against whole numbers: the rounded share of the base, fired at, and not a paisa before."""
    for name, base, sign in (
        ("profit_target", marked.max_profit, 1),
        ("stop_loss", marked.max_loss, -1),
    ):
        decision = exit_rules()[name](rule=name, percent=percent).decide(marked)
        share = round((abs(marked.entry_premium) if base is None else base) * percent / 100)
        fires = marked.pnl is not None and share > 0 and sign * marked.pnl >= share
        assert decision.fires is fires


@given(marked_positions())
def test_fields_are_those_of_the_position_and_nothing_else(marked):
    for field in fields(ExitFields):
        number, value = getattr(fields_of(marked), field.name), getattr(marked, field.name)
        if value is not None:
            assert number == value
        elif field.name in {"max_profit", "max_loss"}:
            assert number == np.inf
        else:
            assert np.isnan(number)
    with pytest.raises(AttributeError):
        fields_of(marked).position  # type: ignore[attr-defined]  # noqa: B018
