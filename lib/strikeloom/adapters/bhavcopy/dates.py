"""Date formats of the exchange and its republishers."""

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
    """Parse a date; ``None`` when the text is not a date.

    Forms: ``2026-01-31`` (a time of day may follow), ``31-JAN-2026``, ``31-Jan-26``,
    ``31 Jan 2026``, ``31-01-2026`` (day first, as NSE writes).
    """
    if match := _ISO.fullmatch(text):
        year, month, day = (int(part) for part in match.groups())
    elif match := _NAMED.fullmatch(text):
        day, month, year = int(match[1]), _MONTHS.get(match[2].lower(), 0), int(match[3])
        year += _CENTURY if len(match[3]) == len("26") else 0
    elif match := _NUMBERED.fullmatch(text):
        day, month, year = (int(part) for part in match.groups())
    else:
        return None
    try:
        return date(year, month, day)
    except ValueError:
        return None
