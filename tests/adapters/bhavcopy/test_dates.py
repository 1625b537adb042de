"""Published forms of a date."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strikeloom.adapters.bhavcopy.dates import to_date


@given(st.dates(date(2000, 1, 1), date(2068, 12, 31)))
def test_every_form_of_every_day(day: date) -> None:
    for form in ("%Y-%m-%d", "%d-%b-%Y", "%d-%b-%y", "%d %b %Y", "%d-%m-%Y", "%Y-%m-%d %H:%M:%S"):
        text = day.strftime(form)
        assert to_date(text) == day
        assert to_date(text.upper()) == day


@pytest.mark.parametrize(
    "text", ["", "2026-02-30", "31-Feb-2026", "01-Foo-2026", "10/02/2026", "20260210", "2026-2-1"]
)
def test_what_is_no_date(text: str) -> None:
    assert to_date(text) is None
