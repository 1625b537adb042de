"""The exchange's daily list of securities in the ban period (``fo_secban.csv``).

Line 1 is ``Securities in Ban For Trade Date 09-JUL-2026:``, with ``NIL`` behind it when there are
none; the lines after it are a number and a symbol.
"""

from __future__ import annotations

import re
from datetime import date, datetime

from strikeloom.errors import BadFile

TITLE = "ban list"
_HEAD = re.compile(r"^securities in ban for trade date\s*(\S*?)\s*:\s*(.*)$", re.IGNORECASE)
_SYMBOL = re.compile(r"[A-Z0-9&-]+")
_NONE = "NIL"


def is_ban_list(head: bytes) -> bool:
    """Whether a file that begins so is a list of securities in the ban period."""
    start = head.lstrip(b'\xef\xbb\xbf \t\r\n"')
    return start[:40].lower().startswith(b"securities in ban")


def parse_ban_list(body: bytes | bytearray, name: str) -> tuple[date, tuple[str, ...]]:
    """Trade date of a list, and its symbols.

    Raises
    ------
    BadFile
        When line 1 has no date, or a line has no symbol; names the line.
    """
    text = body.decode("utf-8-sig", errors="replace")
    lines = [line.strip().strip('"').rstrip(",").strip() for line in text.splitlines()]
    numbered = [(number, line) for number, line in enumerate(lines, start=1) if line]
    first = numbered[0][1] if numbered else ""
    found = _HEAD.match(first)
    try:
        day = datetime.strptime(found[1] if found else "", "%d-%b-%Y").date()  # noqa: DTZ007
    except ValueError:
        raise BadFile(
            f"{name}: line 1 is {first[:80]!r}; expected Securities in Ban For Trade Date "
            "DD-MMM-YYYY:",
            line=1,
        ) from None
    rest = found[2].strip(" .") if found else ""
    if rest.upper() == _NONE and not numbered[1:]:
        return day, ()
    symbols: list[str] = []
    for number, line in ([(1, rest)] if rest else []) + numbered[1:]:
        symbol = line.rsplit(",", 1)[-1].strip()
        # a number alone is a line without its symbol
        if not _SYMBOL.fullmatch(symbol) or (symbol.isdecimal() and "," not in line):
            raise BadFile(f"{name}: line {number} is {line[:80]!r}, expected 1,SYMBOL", line=number)
        place = line.split(",", 1)[0].strip()
        if place.isdecimal() and int(place) != len(symbols) + 1:
            raise BadFile(
                f"{name}: line {number} is {line[:80]!r}, expected number {len(symbols) + 1}; a "
                "line is lost or doubled, download it again",
                line=number,
            )
        symbols.append(symbol)
    return day, tuple(dict.fromkeys(symbols))
