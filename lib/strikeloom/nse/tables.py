"""Read the dated tables of ``nse/data``; find the row in force on a day."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache
from importlib.resources import files

from strikeloom.errors import DataError

Row = Mapping[str, str]


@cache
def rows(table: str) -> tuple[Row, ...]:
    """Rows of ``nse/data/<table>.csv`` in file order."""
    text = files("strikeloom.nse.data").joinpath(f"{table}.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))


def in_force(candidates: Iterable[Row], day: date, *, what: str) -> Row:
    """Row with the latest ``effective_from`` on or before ``day``.

    Raises
    ------
    DataError
        When every row begins later, or there is none.
    """
    known = list(candidates)
    past = [row for row in known if date.fromisoformat(row["effective_from"]) <= day]
    if not past:
        if known:
            begins = min(row["effective_from"] for row in known)
            text = f"{what} is not known for {day}, only from {begins} on"
        else:
            text = f"{what} is not known for any day; add a dated row with its source to nse/data"
        raise DataError(text, day=day.isoformat())
    return max(past, key=lambda row: row["effective_from"])
