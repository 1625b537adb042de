"""Charges in columns are those of each order."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strikeloom.domain.legs import Side
from strikeloom.nse.charges import Segment, trade_charges
from strikeloom.nse.order_charges import order_charges

#: Zerodha's calculator of early 2026, 500 units bought and sold at Rs 1,000 (its source is in
#: ``test_published_charges``); of shares without the depository's fee.
SPRING = date(2026, 3, 2)


@pytest.mark.parametrize(
    ("segment", "rupees"),
    [
        (Segment.OPTION, 982.63),
        (Segment.FUTURE, 179.97),
        (Segment.DELIVERY, 1112.41),
        (Segment.INTRADAY, 224.61),
    ],
)
def test_both_ways_cost_what_the_calculator_shows(segment: Segment, rupees: float) -> None:
    values, buys = np.array([500_000_00, 500_000_00]), np.array([True, False])
    found = order_charges(values, buys, segment, SPRING, "zerodha")
    assert found.sum() / 100 == pytest.approx(rupees, abs=0.5)


@given(
    orders=st.lists(
        st.tuples(st.integers(1, 100_000), st.integers(1, 5_000_00), st.sampled_from(list(Side))),
        min_size=1,
    ),
    segment=st.sampled_from(list(Segment)),
    day=st.dates(date(2024, 1, 1), date(2026, 12, 31)),
    broker=st.sampled_from(["dhan", "zerodha"]),
)
def test_each_order_is_charged_to_the_paisa(
    orders: list[tuple[int, int, Side]], segment: Segment, day: date, broker: str
) -> None:
    values = np.array([units * price for units, price, _ in orders])
    buys = np.array([side is Side.BUY for *_, side in orders])
    each = [
        trade_charges(side, units, price, day, segment=segment, broker=broker).total
        for units, price, side in orders
    ]
    assert order_charges(values, buys, segment, day, broker).tolist() == each
