"""Reading rows of partitions, filtered while reading."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from strikeloom.adapters.parquet.datasets import Dataset, from_disk
from strikeloom.adapters.parquet.partitions import unreadable

if TYPE_CHECKING:
    import pandas as pd
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

    wanted = list(columns or dataset.columns)
    schema = pa.schema([dataset.on_disk.field(name) for name in wanted])
    tables = [_read(path, wanted, rows, coded=()).cast(schema) for path in paths]
    return pa.concat_tables([schema.empty_table(), *tables])


def read_frame(
    paths: Sequence[Path],
    dataset: Dataset,
    rows: pc.Expression | None = None,
    *,
    columns: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Rows of all paths in their order as ``from_disk`` gives them.

    Texts stay dictionary-coded until the end, so that each distinct text becomes one object.

    Raises
    ------
    StoreError
        When a partition is damaged, or of an earlier version that lacks a column.
    """
    return from_disk(read_coded(paths, dataset, rows, columns=columns), dataset)


def read_coded(
    paths: Sequence[Path],
    dataset: Dataset,
    rows: pc.Expression | None = None,
    *,
    columns: Sequence[str] | None = None,
) -> pa.Table:
    """Rows as ``read_tables`` gives them, texts dictionary-coded."""
    import pyarrow as pa

    wanted = list(columns or dataset.columns)
    texts = [name for name in wanted if dataset.columns[name] == "text"]
    schema = pa.schema([dataset.coded.field(name) for name in wanted])
    tables = [_read(path, wanted, rows, coded=texts).cast(schema) for path in paths]
    return pa.concat_tables([schema.empty_table(), *tables])


def _read(
    path: Path, columns: Sequence[str], rows: pc.Expression | None, *, coded: Sequence[str]
) -> pa.Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        if rows is None:  # directly, without a data set, in the calling thread
            with pq.ParquetFile(path, read_dictionary=coded) as file:
                table = file.read(columns=columns, use_threads=False)
        else:
            table = pq.read_table(
                path, columns=columns, filters=rows, partitioning=None, read_dictionary=coded
            )
        return table.select(columns).replace_schema_metadata(None)
    except (pa.ArrowInvalid, KeyError, OSError) as error:
        raise unreadable(path, columns, error) from error


def among(
    column: str, wanted: Sequence[str] | None, within: pc.Expression | None = None
) -> pc.Expression | None:
    """Filter for rows whose column is one of the texts, within another filter; ``None``: all."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if wanted is None:
        return within
    matches = pc.field(column).isin(pa.array(list(wanted), pa.string()))
    return matches if within is None else within & matches
