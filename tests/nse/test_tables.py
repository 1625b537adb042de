"""Every fact is dated and sourced, and found by its date."""

from __future__ import annotations

from datetime import date
from importlib.resources import files

import pytest

from strikeloom.errors import DataError
from strikeloom.nse.tables import in_force, rows

TABLES = sorted(
    item.name.removesuffix(".csv")
    for item in files("strikeloom.nse.data").iterdir()
    if item.name.endswith(".csv")
)


def test_the_tables_are_there() -> None:
    """The cases below are drawn from the folder: an empty one must not pass."""
    assert {"charges", "corporate_actions", "freeze", "index_lots", "ticks"} <= set(TABLES)


@pytest.mark.parametrize("table", TABLES)
def test_every_fact_has_its_date_and_its_source(table: str) -> None:
    assert rows(table)
    for row in rows(table):
        assert date(2000, 1, 1) <= date.fromisoformat(row["effective_from"]) <= date(2026, 12, 31)
        assert row["source"].strip(), row
        assert None not in row.values(), row  # too few fields
        assert None not in row, row  # too many


@pytest.mark.parametrize("table", TABLES)
def test_no_fact_is_there_twice(table: str) -> None:
    facts = [tuple(v for k, v in row.items() if k != "source") for row in rows(table)]
    assert len(set(facts)) == len(facts)


def test_the_row_in_force_is_the_latest_that_has_begun() -> None:
    facts = [{"effective_from": "2025-09-01", "n": "2"}, {"effective_from": "2000-01-01", "n": "1"}]
    assert in_force(facts, date(2025, 8, 31), what="it")["n"] == "1"
    assert in_force(facts, date(2025, 9, 1), what="it")["n"] == "2"
    with pytest.raises(DataError, match="not known for 1999-12-31, only from 2000-01-01 on"):
        in_force(facts, date(1999, 12, 31), what="it")
    with pytest.raises(DataError, match="not known for any day; add a dated row"):
        in_force([], date(2026, 1, 1), what="it")
