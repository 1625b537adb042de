"""The unpacked text of a file: its header line, and the line number of a row for errors."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cached_property
from typing import NoReturn

from strikeloom.adapters.bhavcopy.packed import MOST_HEADER
from strikeloom.errors import BadFile

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class CsvText:
    """The unpacked text of a file: a header line and rows."""

    name: str
    body: bytes | bytearray

    @cached_property
    def header(self) -> list[str]:
        """Column names, without blanks, quotes and byte order mark; none in a binary file."""
        line = bytes(self.body[:MOST_HEADER]).split(b"\n", 1)[0].removeprefix(_BYTE_ORDER_MARK)
        try:
            names = next(csv.reader([line.decode("utf-8", errors="replace")]), [])
        except csv.Error:  # a carriage return inside the line, as in an archive of another kind
            return []
        return [name.strip() for name in names]

    def line(self, row: int) -> int:
        """Line number of a row; row 0 is the first below the header, blank lines are skipped."""
        filled = [
            n for n, line in enumerate(bytes(self.body).splitlines(), start=1) if line.strip()
        ]
        return filled[row + 1] if row + 1 < len(filled) else len(filled) + 1

    def refuse(self, row: int, what: str) -> NoReturn:
        """Raise ``BadFile`` for a row."""
        line = self.line(row)
        raise BadFile(f"{self.name}: line {line}: {what}", line=line)
