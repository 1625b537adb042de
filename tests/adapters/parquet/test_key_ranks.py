"""Keys as numbers, against Arrow's own sort and Python's equality."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pyarrow as pa
import pyarrow.compute as pc
from hypothesis import given, settings
from hypothesis import strategies as st

from strikeloom.adapters.parquet.key_ranks import key_ranks

VALUES = [
    (pa.string(), st.none() | st.sampled_from(["", "M&M", "Z", "ZZ", "z", "\u00e9", "\U0001f600"])),
    (pa.string(), st.none() | st.text(max_size=3)),
    (pa.int64(), st.none() | st.integers(-(2**61), 2**61)),
    (pa.int64(), st.sampled_from([0, 5, 10_000_000])),
    (pa.date32(), st.none() | st.dates(date(1990, 1, 1), date(2040, 1, 1))),
    (
        pa.timestamp("us", "UTC"),
        st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    ),
]


@st.composite
def keys(draw: st.DrawFn) -> list[pa.ChunkedArray]:
    kinds = draw(st.lists(st.sampled_from(VALUES), min_size=1, max_size=5))
    rows = draw(st.integers(0, 8))
    return [
        pa.chunked_array([pa.array([draw(value) for _ in range(rows)], kind)])
        for kind, value in kinds
    ]


@settings(deadline=None)
@given(keys())
def test_numbers_order_and_equal_as_the_keys_do(columns: list[pa.ChunkedArray]) -> None:
    names = [str(place) for place in range(len(columns))]
    table = pa.table(columns, names=names)
    ranks = key_ranks(columns, len(table))
    order = pc.sort_indices(table, sort_keys=[(name, "ascending") for name in names])
    assert ranks.argsort(kind="stable").tolist() == order.to_pylist()
    rows = list(zip(*(column.to_pylist() for column in columns), strict=True))
    for one, rank in zip(rows, ranks, strict=True):
        assert [other == one for other in rows] == (ranks == rank).tolist()
