"""Joining rows, against a dictionary that does it one by one."""

from __future__ import annotations

from datetime import date
from typing import Any

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from strikeloom.adapters.parquet.datasets import DATASETS
from strikeloom.adapters.parquet.merge import collapse, merge

CASH, LEVELS = DATASETS["cash"], DATASETS["indices"]

SYMBOLS = st.sampled_from(["A", "B", "Z&Z"])
DAYS = st.sampled_from([date(2026, 2, 9), date(2026, 2, 10)])
PRICES = st.sampled_from([None, 100, 103])


@st.composite
def level_rows(draw: st.DrawFn) -> list[dict[str, Any]]:
    keys = draw(st.lists(st.tuples(DAYS, SYMBOLS), unique=True, max_size=6))
    return [
        {
            "day": day,
            "index": name,
            "publisher": "nse",
            **{side: draw(PRICES) for side in ("open", "high", "low", "close")},
        }
        for day, name in keys
    ]


def table(rows: list[dict[str, Any]], dataset: Any) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=dataset.on_disk)


def joined(one: list[dict[str, Any]], two: list[dict[str, Any]]) -> dict[Any, Any] | None:
    """Rows by key, None where they contradict each other."""
    found = {(row["day"], row["index"]): dict(row) for row in one}
    for row in two:
        stored = found.setdefault((row["day"], row["index"]), dict(row))
        for side in ("open", "high", "low", "close"):
            known = {stored[side], row[side]} - {None}
            if len(known) == 2:
                return None
            stored[side] = known.pop() if known else None
    return found


@settings(deadline=None)
@given(level_rows(), level_rows())
def test_merging_as_a_dictionary_would(
    one: list[dict[str, Any]], two: list[dict[str, Any]]
) -> None:
    first, second = (collapse(table(rows, LEVELS), LEVELS).table for rows in (one, two))
    merged, turned = merge(first, second, LEVELS), merge(second, first, LEVELS)
    expected = joined(one, two)
    if expected is None:
        assert merged.clash is not None
        assert turned.clash is not None
        assert merged.clash.rows == turned.clash.rows
        return
    assert merged.clash is None
    assert merged.table.equals(turned.table)
    assert merged.table.to_pylist() == [expected[key] for key in sorted(expected)]
    stored = {(row["day"], row["index"]): row for row in one}
    changed = [key for key, row in expected.items() if stored.get(key) != row]
    assert merged.changed == len(changed)
    assert merge(merged.table, second, LEVELS).changed == 0


def row(symbol: str, close: int | None, volume: int = 1) -> dict[str, Any]:
    prices = dict.fromkeys(("open", "high", "low", "close", "previous_close"), close)
    return {"day": date(2026, 2, 10), "symbol": symbol, **prices, "volume": volume}


def test_repeats_of_a_source_collapse_when_equal() -> None:
    once = collapse(table([row("B", 1), row("A", 2), row("B", 1), row("B", 1)], CASH), CASH)
    assert (once.changed, once.clash) == (2, None)
    assert once.table["symbol"].to_pylist() == ["A", "B"]
    torn = collapse(table([row("B", 1), row("B", 1, volume=2)], CASH), CASH)
    assert torn.clash is not None
    assert (torn.clash.where, torn.clash.what) == ("2026-02-10 B", "volume 2 against 1")


def test_a_missing_value_contradicts_a_known_one_in_a_required_column() -> None:
    merged = merge(table([row("A", None)], CASH), table([row("A", 5)], CASH), CASH)
    assert merged.clash is not None
    assert "close 0.05 against none" in merged.clash.what
    assert merged.clash.scope == "2026-02-10"


def test_the_first_contradiction_in_key_order_is_shown() -> None:
    old = collapse(table([row(name, 5) for name in "ABCD"], CASH), CASH).table
    new = collapse(table([row("D", 6), row("C", 7), row("B", 5)], CASH), CASH).table
    clash = merge(old, new, CASH).clash
    assert clash is not None
    assert (clash.where, clash.rows) == ("2026-02-10 C", 2)


def test_nothing_merges_with_nothing() -> None:
    empty = CASH.on_disk.empty_table()
    assert collapse(empty, CASH).changed == 0
    assert merge(empty, empty, CASH).changed == 0
    assert merge(empty, table([row("A", 5)], CASH), CASH).changed == 1
