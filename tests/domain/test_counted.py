"""A number with its noun."""

from __future__ import annotations

import pytest

from strikeloom.domain.counted import counted


@pytest.mark.parametrize(
    ("number", "noun", "text"),
    [
        (1, "lot", "1 lot"),
        (-1, "lot", "-1 lot"),
        (0, "request", "0 requests"),
        (2, "strategy", "2 strategies"),
        (3, "day", "3 days"),
        (1234, "row", "1,234 rows"),
    ],
)
def test_the_noun_agrees_with_the_number(number: int, noun: str, text: str) -> None:
    assert counted(number, noun) == text


def test_a_sign_can_be_shown() -> None:
    assert counted(1, "lot", signed=True) == "+1 lot"
