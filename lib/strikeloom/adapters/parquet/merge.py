"""Merging rows: repeats dropped, unknown columns completed, contradictions reported.

Both steps sort the rows by key and compare neighbours, column by column. Results depend on
the rows alone, not on their order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from strikeloom.adapters.parquet.datasets import PAISE, Dataset, is_text
from strikeloom.adapters.parquet.key_ranks import key_ranks

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Clash:
    """Rows with the same key and contradicting values, described by the first such pair.

    Attributes
    ----------
    where : str
        The key as text.
    what : str
        The differing columns, with newer and older values.
    scope : str
        Scope of the rows within the partition (``scope_of``).
    rows : int
        Number of such pairs.
    """

    where: str
    what: str
    scope: str
    rows: int


@dataclass(frozen=True, slots=True)
class Merged:
    """Rows in key order, the number changed, and the contradiction if any."""

    table: pa.Table
    changed: int
    clash: Clash | None = None


def collapse(table: pa.Table, dataset: Dataset) -> Merged:
    """Put the rows of one source in key order, each once.

    Returns
    -------
    Merged
        ``changed`` is the number of repeats dropped. A repeat must be equal in every column.
    """
    table, second = _sorted(table, dataset)
    if not len(second):
        return Merged(table, 0)
    clash = _clash(table, dataset, second, completing=False)
    return Merged(_without(table, second), len(second), clash)


def merge(stored: pa.Table, fresh: pa.Table, dataset: Dataset) -> Merged:
    """Join two collapsed tables of one partition.

    Returns
    -------
    Merged
        ``changed`` is the number of fresh rows that are new or complete a stored row.
    """
    import numpy as np
    import pyarrow as pa

    if not len(stored):
        return Merged(fresh, len(fresh))
    fresh = fresh.cast(stored.schema)  # one of them may have its texts dictionary-coded
    if stored.equals(fresh):
        return Merged(stored, 0)
    if _follows(fresh[dataset.key[0]], stored[dataset.key[0]]):
        return Merged(pa.concat_tables([stored, fresh]), len(fresh))
    # the sort is stable: of two rows with one key the stored one comes first
    table, second = _sorted(pa.concat_tables([stored, fresh]), dataset)
    clash = _clash(table, dataset, second, completing=True)
    if clash:
        return Merged(stored, 0, clash)
    completed = np.zeros(len(table), dtype=bool)
    for name in dataset.columns:
        filling = second[_better(table[name], second, name, dataset)]
        if not len(filling):
            continue
        completed[filling] = True
        rows = np.arange(len(table))
        rows[filling - 1] = filling
        place = table.column_names.index(name)
        table = table.set_column(place, table.field(name), table[name].take(pa.array(rows)))
    new = len(fresh) - len(second)
    return Merged(_without(table, second), new + int(completed.sum()))


def scope_of(row: dict[str, Any], dataset: Dataset) -> str:
    """Scope of a row within its partition; empty for the whole partition."""
    return " ".join(str(row[name]) for name in dataset.scope)


def _follows(column: pa.ChunkedArray, earlier: pa.ChunkedArray) -> bool:
    """Whether every value, of which none is unknown, comes after all earlier ones."""
    import pyarrow.compute as pc

    if not len(column) or column.null_count or earlier.null_count:
        return False
    return bool(pc.less(pc.max(earlier), pc.min(column)).as_py())


def _sorted(table: pa.Table, dataset: Dataset) -> tuple[pa.Table, np.ndarray]:
    """Rows in key order (equal keys as they were), and the places that repeat the key before."""
    import numpy as np
    import pyarrow as pa

    table = table.combine_chunks()
    keys = key_ranks([table[name] for name in dataset.key], len(table))
    if (keys[1:] < keys[:-1]).any():
        order = np.argsort(keys, kind="stable")
        keys, table = keys[order], table.take(pa.array(order)).combine_chunks()
    return table, np.flatnonzero(keys[1:] == keys[:-1]) + 1


def _without(table: pa.Table, positions: np.ndarray) -> pa.Table:
    import numpy as np
    import pyarrow as pa

    kept = np.ones(len(table), dtype=bool)
    kept[positions] = False
    return table.filter(pa.array(kept)).combine_chunks()


def _clash(
    table: pa.Table, dataset: Dataset, second: np.ndarray, *, completing: bool
) -> Clash | None:
    """Pairs of neighbours that differ; in a column which both know, when one may complete."""
    import numpy as np

    pairs = np.zeros(len(second), dtype=bool)
    columns = [name for name in dataset.columns if name not in dataset.key]
    differing = {
        name: _differs(table[name], second, name, dataset, completing=completing)
        for name in columns
    }
    for differs in differing.values():
        pairs |= differs
    if not pairs.any():
        return None
    pair = int(pairs.argmax())
    older, newer = table.slice(second[pair] - 1, 2).to_pylist()
    what = [
        f"{name} {_readable(newer[name], dataset.columns[name])} against "
        f"{_readable(older[name], dataset.columns[name])}"
        for name in columns
        if differing[name][pair]
    ]
    where = [_readable(newer[name], dataset.columns[name]) for name in dataset.key]
    return Clash(" ".join(where), ", ".join(what), scope_of(newer, dataset), int(pairs.sum()))


def _differs(
    column: pa.ChunkedArray, second: np.ndarray, name: str, dataset: Dataset, *, completing: bool
) -> np.ndarray:
    """Pairs with contradicting values."""
    import numpy as np

    values, stated = _comparable(column), column.is_valid().to_numpy()
    both = stated[second - 1] & stated[second]
    if dataset.columns[name] == "price" and completing:
        unequal = np.abs(values[second] - values[second - 1]) > dataset.tolerance
    else:
        unequal = values[second] != values[second - 1]
    differs = (stated[second - 1] != stated[second]) | (both & unequal)
    if completing and name in dataset.unknown:
        known = _known(column, dataset.unknown[name])
        differs &= known[second - 1] & known[second]
    return np.asarray(differs)


def _better(column: pa.ChunkedArray, second: np.ndarray, name: str, dataset: Dataset) -> np.ndarray:
    """Pairs whose newer value replaces the older: it is known, or the larger of two close ones."""
    import numpy as np

    better = np.zeros(len(second), dtype=bool)
    if name in dataset.unknown:
        known = _known(column, dataset.unknown[name])
        better |= known[second] & ~known[second - 1]
    if dataset.columns[name] == "price" and dataset.tolerance:
        values, stated = _comparable(column), column.is_valid().to_numpy()
        both = stated[second - 1] & stated[second]
        better |= both & (values[second] > values[second - 1])
    return better


def _known(column: pa.ChunkedArray, unknown: object) -> np.ndarray:
    import numpy as np

    known = column.is_valid().to_numpy()
    if unknown is not None:
        known = known & (_comparable(column) != unknown)
    return np.asarray(known)


def _comparable(column: pa.ChunkedArray) -> np.ndarray:
    """Values as numbers that are equal where the column's values are; nulls as zero."""
    import numpy as np
    import pyarrow as pa

    array = column.combine_chunks()
    kind = array.type
    if is_text(kind):
        array = array.dictionary_encode().indices
    elif pa.types.is_date(kind):
        array = array.cast(pa.int32())
    elif pa.types.is_timestamp(kind):
        array = array.cast(pa.int64())
    elif pa.types.is_boolean(kind):
        array = array.cast(pa.uint8())
    return np.asarray(array.fill_null(0).to_numpy(zero_copy_only=False))


def _readable(value: Any, family: str) -> str:
    if value is None:
        return "none"
    return f"{value / PAISE:.2f}" if family == "price" else str(value)
