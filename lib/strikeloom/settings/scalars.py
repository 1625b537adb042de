"""A person's values as the type they were meant in; anything else is refused, never guessed.

Text is read as written: ``010`` is ten, ``1_000`` a thousand, ``1e5`` a hundred thousand, ``off``
is false. Each reader raises ``ValueError`` with what was expected and what to write; the caller
adds the place and the value.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import date, time
from decimal import Decimal
from typing import Any, TypeVar

from strikeloom.errors import SettingsError

_Read = TypeVar("_Read")

_TRUE, _FALSE = ("true", "yes", "on"), ("false", "no", "off")
_NUMBER = re.compile(r"[-+]?(\d+(_\d+)*(\.\d*)?|\.\d+)(e[-+]?\d{1,3})?", re.ASCII | re.IGNORECASE)
_TIME = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?", re.ASCII)
_DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})", re.ASCII)
_MOST_DIGITS = 15  # whole numbers beyond that are not exact as floats, and no amount of anything


def read_switch(value: Any) -> bool:
    """``true`` or ``false``; also yes, no, on and off."""
    if isinstance(value, bool):
        return value
    word = value.strip().lower() if isinstance(value, str) else ""
    if word in (*_TRUE, *_FALSE):
        return word in _TRUE
    raise ValueError("expected true or false")


def read_whole(value: Any) -> int:
    """Read a whole number, in decimal digits."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    number = _decimal(value)
    if number is None or number != number.to_integral_value() or abs(number) >= 10**_MOST_DIGITS:
        raise ValueError("expected a whole number in digits, as in 1500000")
    return int(number)


def read_number(value: Any) -> float:
    """Read a finite number, in decimal digits."""
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    number = _decimal(value)
    if number is None or not math.isfinite(float(number)):
        raise ValueError("expected a number in digits, as in 0.25")
    return float(number)


def read_text(value: Any) -> str:
    """Text; what YAML took for another type is refused, because its spelling is lost."""
    if isinstance(value, str):
        return value
    raise ValueError("expected text; write it in quotes")


def read_time(value: Any) -> time:
    """Time of day in Asia/Kolkata, ``HH:MM`` or ``HH:MM:SS``, with or without quotes."""
    if isinstance(value, time) and value.tzinfo is None:
        return value
    found = _TIME.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise ValueError("expected a time of day as HH:MM, as in 16:30 (Asia/Kolkata)")
    try:
        hour, minute, second = (int(part) for part in found.groups("0"))
        return time(hour, minute, second)
    except ValueError:
        raise ValueError("expected a time of day from 00:00 to 23:59") from None


def read_date(value: Any) -> date:
    """Read a day, ``YYYY-MM-DD``, with or without quotes."""
    if type(value) is date:
        return value
    found = _DAY.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise ValueError("expected a day as YYYY-MM-DD, as in 2026-02-10")
    try:
        return date(*(int(part) for part in found.groups()))
    except ValueError:
        raise ValueError("expected a day of the calendar, as YYYY-MM-DD") from None


READERS: dict[type, Callable[[Any], Any]] = {
    bool: read_switch,
    int: read_whole,
    float: read_number,
    str: read_text,
    time: read_time,
    date: read_date,
}
"""The reader of a type."""


def read_value(reader: Callable[[Any], _Read], value: Any, what: str) -> _Read:
    """Read one value of a file or a request; a mistake names place and value.

    Raises
    ------
    SettingsError
        When the reader refuses the value.
    """
    try:
        return reader(value)
    except ValueError as error:
        raise SettingsError(f"{what} is {value!r}: {error}") from None


def _decimal(value: Any) -> Decimal | None:
    """Exact decimal of a float or of text; ``None`` for anything else."""
    if isinstance(value, float) and math.isfinite(value):
        return Decimal(value)
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        return Decimal(value.strip())
    return None
