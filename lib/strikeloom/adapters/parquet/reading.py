"""Rows of partitions, filtered while they are read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from strikeloom.adapters.parquet.datasets import Dataset
from strikeloom.adapters.parquet.partitions import unreadable

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.compute as pc


def read_tables(
    paths: Sequence[Path],
    dataset: Dataset,
    rows: pc.Expression | None = None,
    *,
    columns: Sequence[str] | None = None,
) -> pa.Table:
    """Rows of all paths in their order; no path, no rows.

    Raises
    ------
    StoreError
        When a partition is damaged, or of an earlier version that lacks a column.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    wanted = list(columns or dataset.columns)
    schema = pa.schema([dataset.on_disk.field(name) for name in wanted])
    tables = [schema.empty_table()]
    for path in paths:
        try:
            table = pq.read_table(path, columns=wanted, filters=rows, partitioning=None)
        except (pa.ArrowInvalid, OSError) as error:
            raise unreadable(path, wanted, error) from error
        tables.append(table.replace_schema_metadata(None).cast(schema))
    return pa.concat_tables(tables)


def among(
    column: str, wanted: Sequence[str] | None, within: pc.Expression | None = None
) -> pc.Expression | None:
    """Rows within some whose column holds one of the texts; no text wanted: all of them."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if wanted is None:
        return within
    found = pc.field(column).isin(pa.array(list(wanted), pa.string()))
    return found if within is None else within & found
