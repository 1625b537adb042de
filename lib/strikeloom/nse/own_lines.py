"""Tables in the folder of settings whose lines the user adds: a header, lines, and notes."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

from strikeloom.errors import SettingsError
from strikeloom.nse.tables import Row


def own_lines(path: Path, columns: Sequence[str]) -> Iterator[tuple[str, Row]]:
    """Place (file and line) and cells of each line; empty ones and those after ``#`` are notes.

    Raises
    ------
    SettingsError
        When the file cannot be read, its header is another, or a line has other columns.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} cannot be read: {error}", path=str(path)) from None
    expected = ",".join(columns)
    header = False
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        cells = [cell.strip() for cell in next(csv.reader([line]))]
        where = f"{path}, line {number}"
        if not header:
            header = True
            if cells != list(columns):
                raise SettingsError(f"{where}: the header is {line!r}; expected {expected}")
            continue
        if len(cells) != len(columns):
            raise SettingsError(
                f"{where}: {len(cells)} columns; expected {expected} (quote a comma)"
            )
        yield where, dict(zip(columns, cells, strict=True))


def day_of(text: str, where: str) -> date:
    """A cell that is a day.

    Raises
    ------
    SettingsError
        When it is not written YYYY-MM-DD.
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise SettingsError(f"{where}: {text!r} is not a day; write YYYY-MM-DD") from None
