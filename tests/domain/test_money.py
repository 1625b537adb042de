"""Money: exact conversion between rupees and paise."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strikeloom.domain.money import paise, rupees, rupees_text
from strikeloom.errors import DataError


@pytest.mark.parametrize(
    ("given_rupees", "expected"),
    [
        (0.05, 5),
        (0.1 + 0.2, 30),
        ("25175.40", 2517540),
        (Decimal("1162.4"), 116240),
        (-19.99, -1999),
        (25000, 2500000),
        # a float32 price from a feed, widened to double
        (204.10000610351562, 20410),
    ],
)
def test_paise_are_exact(given_rupees: object, expected: int) -> None:
    assert paise(given_rupees) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), "", "12,5", "-"])
def test_a_value_that_is_no_number_is_refused_by_name(bad: object) -> None:
    with pytest.raises(DataError, match="strike"):
        paise(bad, what="strike")  # type: ignore[arg-type]


@given(st.integers(-(10**12), 10**12))
def test_paise_survive_the_trip_through_rupees(amount: int) -> None:
    assert paise(rupees(amount)) == amount


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (123456789, "₹12,34,567.89"),
        (99999, "₹999.99"),
        (100000, "₹1,000.00"),
        (10000000000, "₹10,00,00,000.00"),
        (-5, "-₹0.05"),
        (0, "₹0.00"),
        (None, "unlimited"),
    ],
)
def test_rupees_are_grouped_the_indian_way(amount: int | None, text: str) -> None:
    assert rupees_text(amount) == text


def test_rupees_can_show_their_sign_and_drop_paise() -> None:
    assert rupees_text(150000, signed=True, decimals=0) == "+₹1,500"
