"""Dates in the forms that the exchange and its republishers write."""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache

_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"),
        start=1,
    )
}
_ISO = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:[ T]\d\d:\d\d.*)?")
_NAMED = re.compile(r"(\d{1,2})[- ]([A-Za-z]{3})[- ](\d{4}|\d\d)")
_NUMBERED = re.compile(r"(\d\d)-(\d\d)-(\d{4})")
_CENTURY = 2000  # derivatives began in 2000


@lru_cache(maxsize=16_384)
def to_date(text: str) -> date | None:
    """Read a date; ``None`` when the text is none.

    Forms: ``2026-01-31`` (a time of day may follow), ``31-JAN-2026``, ``31-Jan-26``,
    ``31 Jan 2026``, ``31-01-2026`` (day first, as NSE writes).
    """
    if found := _ISO.fullmatch(text):
        year, month, day = (int(part) for part in found.groups())
    elif found := _NAMED.fullmatch(text):
        day, month, year = int(found[1]), _MONTHS.get(found[2].lower(), 0), int(found[3])
        year += _CENTURY if len(found[3]) == len("26") else 0
    elif found := _NUMBERED.fullmatch(text):
        day, month, year = (int(part) for part in found.groups())
    else:
        return None
    try:
        return date(year, month, day)
    except ValueError:
        return None
