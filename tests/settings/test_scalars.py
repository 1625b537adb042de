"""Values as people write them, and what they mean."""

from __future__ import annotations

import math
from datetime import date, time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strikeloom.errors import SettingsError
from strikeloom.settings.scalars import (
    READERS,
    read_date,
    read_number,
    read_switch,
    read_time,
    read_value,
    read_whole,
)


@pytest.mark.parametrize(
    ("kind", "written", "meant"),
    [
        (bool, "true", True), (bool, "False", False), (bool, " yes ", True), (bool, "NO", False),
        (bool, "on", True), (bool, "Off", False), (bool, True, True),
        (int, "010", 10), (int, "1e5", 100_000), (int, "1.5E6", 1_500_000), (int, "1_000", 1000),
        (int, "15.0", 15), (int, "+5", 5), (int, "-5", -5), (int, " 7 ", 7), (int, 1e5, 100_000),
        (int, 10, 10), (int, "08", 8),
        (float, "0.25", 0.25), (float, ".5", 0.5), (float, "2", 2.0), (float, 2, 2.0),
        (float, "1e5", 1e5), (float, "2.5e-3", 0.0025), (float, "007.5", 7.5),
        (str, "010", "010"), (str, "NO", "NO"),
        (time, "16:30", time(16, 30)), (time, "9:16", time(9, 16)), (time, "09:16", time(9, 16)),
        (time, "00:16", time(0, 16)), (time, "16:30:05", time(16, 30, 5)),
        (time, time(9, 16), time(9, 16)),
        (date, "2026-02-10", date(2026, 2, 10)), (date, date(2026, 2, 10), date(2026, 2, 10)),
    ],
)  # fmt: skip
def test_a_value_is_what_a_person_meant(kind: type, written: Any, meant: Any) -> None:
    read = READERS[kind](written)
    assert (read, type(read)) == (meant, kind)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (bool, ["", "maybe", "1", 1, 0, None, "truee", "t", "y", 1.0]),
        (int, ["", "much", "1.5", 1.5, True, None, "0x10", "1,000", "१०", "1e400", "1__0", "_1",
               math.inf, math.nan, "inf", "9" * 16, "1e999999999", "1:30", "5 lakh", [5]]),
        (float, ["", "half", True, None, math.nan, math.inf, "nan", "inf", "1,5", "50%", "1e999"]),
        (str, [5, True, None, 1e5, ["A"]]),
        (time, [990, 1630, 16.5, 0, "990", "1630", "", "24:00", "16:60", "16:30Z", "16:30+05:30",
                "4:30 pm", "16.30", "16:3", None, True, "16:30:61"]),
        (date, [20260210, 0, 86400, "20260210", "2026-2-10", "2026-13-01", "2026-02-30", "",
                "10-02-2026", "2026-02-10 00:00", None, True, "१०२६-०२-१०"]),
    ],
)  # fmt: skip
def test_anything_else_is_refused(kind: type, values: list[Any]) -> None:
    for value in values:
        with pytest.raises(SettingsError, match=r"here is .*: expected ") as caught:
            read_value(READERS[kind], value, "here")
        assert repr(value) in str(caught.value)


@given(st.integers(0, 10**12), st.integers(0, 3))
def test_whole_numbers_in_any_notation(number: int, zeros: int) -> None:
    for text in (f"{number:0{zeros}d}", "0" * zeros + str(number), f"{number:_}", f"{number}.0",
                 f"{number}e0", f"{number}0e-1"):  # fmt: skip
        assert read_whole(text) == number


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e300, max_value=1e300))
def test_numbers_as_printed(number: float) -> None:
    assert read_number(repr(number)) == number


@given(st.times(), st.dates(min_value=date(1000, 1, 1)))
def test_times_and_days_as_printed(at: time, day: date) -> None:
    assert read_time(f"{at:%H:%M}") == at.replace(second=0, microsecond=0)
    assert read_date(day.isoformat()) == day


@given(st.text())
def test_a_switch_is_never_guessed(text: str) -> None:
    words = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
    if text.strip().lower() in words:
        assert read_switch(text) is words[text.strip().lower()]
    else:
        with pytest.raises(ValueError, match="expected true or false"):
            read_switch(text)
