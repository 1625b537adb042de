"""The trailing stop: when it begins to trail, and to the paisa where it fires."""

from __future__ import annotations

import pytest

from strikeloom.domain.instruments import Right
from strikeloom.domain.position_leg import PositionLeg
from strikeloom.domain.positions import MarkedPosition, Position, Urgency
from strikeloom.settings.exit_rules.trailing_stop import TrailingStop
from support.fakes import EXPIRY, ist, option

NOW = ist("2026-02-11 10:00")
RULE = TrailingStop(start=25, percent=40)


def marked(
    pnl: int | None, peak: int | None, *, best: int | None = 10_000_00, premium: int = -4_000_00
) -> MarkedPosition:
    leg = PositionLeg(0, option(25_000, Right.CALL), 65, 65, 0, 0, 0)
    position = Position("a", "m", "S1", "NIFTY", "t", "diagonal", (leg,), 1, NOW)
    missing = () if pnl is not None else ("X",)
    return MarkedPosition(
        position, {}, missing, pnl, premium, best, 4_000_00, NOW, EXPIRY, peak_pnl=peak
    )


@pytest.mark.parametrize(
    ("pnl", "peak", "fires"),
    [
        (0, 2_499_99, False),  # a quarter of 10,000 was not reached
        (1_500_00, 2_500_00, True),  # 40 % of 2,500 are lost
        (1_500_01, 2_500_00, False),
        (-5_000_00, 2_500_00, True),
        (6_000_00, 5_000_00, False),  # a new highest one
        (3_000_00, 5_000_00, True),
        (None, 5_000_00, False),
        (3_000_00, None, False),
    ],
)
def test_it_fires_where_the_lost_part_is_reached(pnl, peak, fires) -> None:
    decision = RULE.decide(marked(pnl, peak))
    assert decision.fires is fires
    assert decision.urgency is (Urgency.HIGH if fires else Urgency.HOLD)


def test_it_begins_at_a_share_of_the_premium() -> None:
    """A quarter of 4,000."""
    of_premium = TrailingStop(start=25, percent=50, of="premium")
    assert not of_premium.decide(marked(0, 999_99)).fires
    assert of_premium.decide(marked(500_00, 1_000_00)).fires
    assert RULE.decide(marked(0, 1_000_00, best=None)).fires  # unlimited: of the premium too


@pytest.mark.parametrize(
    ("pnl", "peak", "sentence"),
    [
        (100_00, None, "+₹100, trails from ₹2,500"),
        (100_00, 2_000_00, "+₹100, trails from ₹2,500"),
        (2_000_00, 3_000_00, "+₹2,000 after +₹3,000, exits at +₹1,800"),
        (None, 3_000_00, "no P&L: X has no price"),
    ],
)
def test_a_sentence_has_the_figures(pnl, peak, sentence) -> None:
    assert RULE.decide(marked(pnl, peak)).sentence == sentence
    assert RULE.decide(marked(1, 1, best=0, premium=0)).sentence == "no profit to keep"


def test_it_comes_closer_with_what_is_lost() -> None:
    assert RULE.decide(marked(2_500_00, 3_000_00)).closeness == pytest.approx(500 / 1_200)
