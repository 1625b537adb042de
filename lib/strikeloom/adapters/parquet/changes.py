"""Changes of a history: rows merged in memory, partitions written together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from strikeloom.adapters.parquet.datasets import Dataset
from strikeloom.adapters.parquet.merge import Clash, collapse, merge
from strikeloom.adapters.parquet.partitions import (
    Partition,
    Sources,
    read_partition,
    replace_partitions,
)
from strikeloom.adapters.parquet.scopes import scopes
from strikeloom.errors import BadFile

if TYPE_CHECKING:
    import pyarrow as pa

_INDIA_OFFSET = timedelta(hours=5, minutes=30)  # no daylight saving since 1945


@dataclass(frozen=True, slots=True)
class Added:
    """Result of adding the rows of one source.

    Attributes
    ----------
    new : int
        Rows that are new or complete a stored row.
    repeats : int
        Rows that the source contains more than once.
    partitions : tuple of str
        Names of all partitions that the rows belong to.
    """

    new: int
    repeats: int
    partitions: tuple[str, ...]


class Changes:
    """Partitions changed since the last ``commit``. Made by ``ParquetHistory.changes``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._pending: dict[Path, Partition] = {}

    def add(self, dataset: Dataset, table: pa.Table, *, source: str) -> Added:
        """Merge the rows of one source; all of them, or none on failure.

        Raises
        ------
        BadFile
            When two rows of the table, or a row and a stored one, contradict each other.
        """
        ready: dict[Path, Partition] = {}
        new = repeats = 0
        parts = _split(table, dataset)
        for name, rows in parts.items():
            path = self._folder / dataset.name / f"{name}.parquet"
            once = collapse(rows, dataset)
            if once.clash:
                raise _contradicts_itself(once.clash, source)
            stored = self._stored(path, dataset)
            merged = merge(stored.table, once.table, dataset)
            if merged.clash:
                raise _contradicts(merged.clash, source, stored)
            sources = _with_source(stored.sources, once.table, dataset, source)
            if merged.changed or sources != stored.sources:
                ready[path] = Partition(path, dataset, merged.table, sources)
            new += merged.changed
            repeats += once.changed
        self._pending.update(ready)
        return Added(new, repeats, tuple(parts))

    def rows(self, dataset: Dataset, partition: str) -> pa.Table:
        """Rows of a partition as they will be written; none where it does not exist."""
        path = self._folder / dataset.name / f"{partition}.parquet"
        return self._stored(path, dataset).table

    def commit(self) -> None:
        """Write the changed partitions, each replaced whole."""
        if self._pending:
            replace_partitions([self._pending[path] for path in sorted(self._pending)])
        self._pending.clear()

    def _stored(self, path: Path, dataset: Dataset) -> Partition:
        if path in self._pending:
            return self._pending[path]
        if path.exists():
            return read_partition(path, dataset)
        return Partition(path, dataset, dataset.on_disk.empty_table(), {})


def _split(table: pa.Table, dataset: Dataset) -> dict[str, pa.Table]:
    """Rows by partition name, ascending."""
    import pyarrow as pa
    import pyarrow.compute as pc

    moments = table[dataset.moment]
    if dataset.columns[dataset.moment] == "time":
        moments = pc.add(moments, pa.scalar(_INDIA_OFFSET))
    moments = moments.cast(pa.date32())
    names: dict[str, list[date]] = {}
    for day in sorted(pc.unique(moments).to_pylist()):
        names.setdefault(day.strftime(dataset.grain), []).append(day)
    if len(names) == 1:
        return dict.fromkeys(names, table)
    return {
        name: table.filter(pc.is_in(moments, pa.array(days, pa.date32())))
        for name, days in names.items()
    }


def _with_source(stored: Sources, rows: pa.Table, dataset: Dataset, source: str) -> Sources:
    """Sources after this one added or confirmed the rows."""
    names, _ = scopes(rows, dataset)
    fresh = {scope: sorted({*stored.get(scope, []), source}) for scope in names}
    return {**stored, **fresh}


def _contradicts_itself(clash: Clash, source: str) -> BadFile:
    return BadFile(
        f"{source} contradicts itself: {clash.where} appears with {clash.what} "
        f"({clash.rows} such rows). Nothing of it was stored; download it again",
        rows=clash.rows,
    )


def _contradicts(clash: Clash, source: str, stored: Partition) -> BadFile:
    others = " and ".join(stored.sources.get(clash.scope, ["an unrecorded source"]))
    place = f"{stored.path.parent.name}/{stored.path.name}"
    return BadFile(
        f"{source} contradicts {others}: {clash.where} has {clash.what} ({clash.rows} such rows). "
        f"Nothing of {source} was stored; if it is the right one, delete {place} of the history "
        "and import again without the wrong one",
        rows=clash.rows,
        stored=others,
    )
