"""Costs in columns are the charges of two orders and the measured width."""

from datetime import date

import numpy as np
import pytest

from strikeloom.domain.legs import Side
from strikeloom.nse.charges import Segment, depository_charge, trade_charges
from strikeloom.strategy_creation.costs import contract_costs, price_error

DAY = date(2026, 2, 10)


@pytest.mark.parametrize(
    ("segment", "price", "units"),
    [
        (Segment.OPTION, 45.30, 65),
        (Segment.OPTION, 812.05, 500),
        (Segment.FUTURE, 25_012.4, 65),
        (Segment.DELIVERY, 1_402.6, 500),
    ],
)
def test_charges_are_those_of_an_order_to_open_and_one_to_close(segment, price, units):
    each = [
        trade_charges(side, units, round(price * 100), DAY, segment=segment).total for side in Side
    ]
    expected = sum(each) / 100
    if segment is Segment.DELIVERY:
        expected += depository_charge(DAY) / 100
    found = contract_costs(np.array([price]), np.array([500]), segment, np.array([False]), DAY)
    total = units * found.charges[0] + found.order[0]
    assert total == pytest.approx(expected, abs=0.05)  # each item is rounded to the paisa


def test_brokerage_is_of_an_order_and_not_of_a_lot():
    found = contract_costs(
        np.array([0.05, 900.0]), np.array([5, 50_000]), Segment.OPTION, np.array([True, True]), DAY
    )
    # two orders of 20 rupees with 18 % tax
    assert found.order == pytest.approx([47.2, 47.2])
    # measured in 2019: 83 % of the price where nothing trades, half a percent where much does
    assert found.width == pytest.approx([0.05 * 0.833, 900 * 0.005])


def test_a_thin_close_is_unsure():
    error = price_error(np.full(3, 1_000.0), np.array([5, 60, 4_000]), np.full(3, 0.05))
    assert error[0] == pytest.approx(37, rel=0.01)
    assert error[0] > error[1] > error[2] > 0
    # an option without any vega is unsure by the rounding of its price
    assert price_error(np.zeros(1), np.array([5]), np.array([0.05]))[0] == pytest.approx(
        0.0144, rel=0.01
    )
