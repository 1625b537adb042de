"""Digests of rows: of their content, of nothing else."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strikeloom.adapters.parquet.datasets import DATASETS, to_disk
from strikeloom.adapters.parquet.digests import digests
from strikeloom.adapters.parquet.history import ParquetHistory
from strikeloom.adapters.parquet.partitions import read_digests

CASH = DATASETS["cash"]
DAYS = [date(2026, 2, 10), date(2026, 2, 11)]


def cash(prices: list[float]) -> pd.DataFrame:
    """Two symbols on each of two days; ``prices`` has a close of each row."""
    sides = dict.fromkeys(("open", "high", "low", "previous_close"), np.nan)
    return pd.DataFrame(
        {
            "day": pd.to_datetime(np.repeat(DAYS, 2)),
            "symbol": ["SBIN", "M&M"] * 2,
            **sides,
            "close": prices,
            "volume": [5, 6, 7, 8],
        }
    )


def digests_of(frame: pd.DataFrame) -> dict[str, str]:
    return digests(to_disk(frame, CASH, source="made"), CASH)


@given(
    prices=st.lists(
        st.one_of(st.just(np.nan), st.integers(1, 10**7).map(lambda paise: paise / 100)),
        min_size=4, max_size=4,
    ),
    order=st.permutations(range(4)),
    row=st.integers(0, 3),
    column=st.sampled_from(["symbol", "close", "volume", "low"]),
)  # fmt: skip
def test_a_changed_value_changes_its_own_day_and_no_order_does(
    prices: list[float], order: list[int], row: int, column: str
) -> None:
    frame = cash(prices)
    before = digests_of(frame)
    assert list(before) == [str(day) for day in DAYS]
    assert digests_of(frame.iloc[order]) == before
    new = {"symbol": "X", "volume": 99}.get(column, 99_999_999.0)
    frame.loc[row, column] = new  # type: ignore[assignment]
    after = digests_of(frame)
    own = str(DAYS[row // 2])
    assert {day for day in before if after[day] != before[day]} == {own}


def test_rows_that_swap_their_values_are_other_rows() -> None:
    assert digests_of(cash([1.0, 2.0, 3.0, 4.0])) != digests_of(cash([2.0, 1.0, 3.0, 4.0]))


def test_no_price_is_not_zero_and_a_row_twice_not_once() -> None:
    assert digests_of(cash([np.nan] * 4)) != digests_of(cash([0.0] * 4))
    one = cash([1.0] * 4)
    assert digests_of(pd.concat([one, one])) != digests_of(one)


@pytest.mark.parametrize("name", list(DATASETS))
def test_every_kind_of_column_counts(name: str) -> None:
    dataset = DATASETS[name]
    made = {
        "text": ["A"], "date": [DAYS[0]], "time": [pd.Timestamp("2026-02-10 10:00", tz="UTC")],
        "price": [12345], "number": [0.5], "count": [3], "flag": [True],
    }  # fmt: skip
    other = {
        "text": ["B"], "date": [DAYS[1]], "time": [made["time"][0] + timedelta(microseconds=1)],
        "price": [12346], "number": [0.25], "count": [4], "flag": [False],
    }  # fmt: skip
    row = {column: made[kind] for column, kind in dataset.columns.items()}
    base = digests(pa.table(row, dataset.on_disk), dataset)
    for column, kind in dataset.columns.items():
        changed = pa.table(row | {column: other[kind]}, dataset.on_disk)
        assert list(digests(changed, dataset).values()) != list(base.values()), column


def test_a_partition_of_before_the_digests_has_those_of_its_rows(history: ParquetHistory) -> None:
    history.write("cash", cash([1.0, 2.0, 3.0, 4.0]), source="made")
    path = history.folder / "cash" / "2026-02.parquet"
    now = read_digests(path)
    table = pq.read_table(path, partitioning=None)
    old = {k: v for k, v in (table.schema.metadata or {}).items() if b"digests" not in k}
    pq.write_table(table.replace_schema_metadata(old), path)
    assert read_digests(path) == now == digests_of(cash([1.0, 2.0, 3.0, 4.0]))
    assert read_digests(path.with_name("2026-03.parquet")) == {}


def test_rows_in_one_file_or_two_under_whatever_name_are_the_same(
    history: ParquetHistory,
) -> None:
    whole = cash([1.0, 2.0, 3.0, 4.0])
    history.write("cash", whole.iloc[2:], source="b")
    path = history.folder / "cash" / "2026-02.parquet"
    later = read_digests(path)
    history.write("cash", whole.iloc[:2], source="a")
    assert read_digests(path) == digests_of(whole)
    assert read_digests(path)[str(DAYS[1])] == later[str(DAYS[1])]
