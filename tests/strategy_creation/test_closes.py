"""Closes of two legs that cannot be of one time."""

from __future__ import annotations

from datetime import date

import pytest

from strikeloom.domain.instruments import InstrumentKind, OptionContract, Right
from strikeloom.domain.legs import Leg, Side
from strikeloom.domain.outcomes import Rule
from strikeloom.errors import NotBuildable
from strikeloom.strategy_creation.structure import check_closes

ENDS = date(2026, 2, 24)


def _legs(right: Right, prices: dict[int, int]) -> list[Leg]:
    """Strikes and prices in rupees and paise; the side does not matter."""
    return [
        Leg(
            OptionContract("RBLBANK", ENDS, strike * 100, right, InstrumentKind.STOCK, 3175, 5),
            Side.SELL,
            1,
            price,
        )
        for strike, price in prices.items()
    ]


def test_a_spread_priced_above_its_width_is_refused() -> None:
    """Closes of RBLBANK on 2026-02-10: 290 and 295 calls at 20.70 and 13.20, 5 rupees apart."""
    with pytest.raises(NotBuildable, match=r"290 CE .* 295 CE contradict each other") as raised:
        check_closes(_legs(Right.CALL, {290: 20_70, 295: 13_20, 310: 4_90, 320: 2_10}))
    facts = raised.value.facts
    assert (facts["rule"], facts["value"], facts["threshold"]) == (Rule.CANNOT_LOSE, 7.5, 5.0)


@pytest.mark.parametrize(
    ("right", "prices", "value"),
    [
        (Right.CALL, {290: 13_20, 295: 13_25}, -0.05),
        (Right.PUT, {290: 13_25, 295: 13_20}, -0.05),
        (Right.PUT, {290: 10_00, 295: 15_05}, 5.05),
    ],
)
def test_a_spread_worth_less_than_nothing_or_more_than_its_width(
    right: Right, prices: dict[int, int], value: float
) -> None:
    with pytest.raises(NotBuildable) as raised:
        check_closes(_legs(right, prices))
    assert raised.value.facts["value"] == value


@pytest.mark.parametrize(
    ("right", "prices"),
    [
        (Right.CALL, {290: 18_20, 295: 13_20}),
        (Right.CALL, {290: 13_20, 295: 13_20}),
        (Right.PUT, {290: 10_00, 295: 15_00}),
    ],
)
def test_a_spread_from_nothing_to_its_width_passes(right: Right, prices: dict[int, int]) -> None:
    check_closes(_legs(right, prices))


def test_rights_are_apart() -> None:
    check_closes(_legs(Right.CALL, {290: 20_70}) + _legs(Right.PUT, {295: 1_00}))
