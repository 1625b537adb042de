"""Partition files: read with their recorded sources, replaced whole or not at all."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from strikeloom.adapters.parquet.datasets import DATASETS, Dataset
from strikeloom.adapters.parquet.digests import Digests, digests
from strikeloom.errors import StoreError

if TYPE_CHECKING:
    import pyarrow as pa

_SOURCES, _DIGESTS = b"strikeloom.sources", b"strikeloom.digests"
_FOOTERS_KEPT = 1024
_ROWS_PER_GROUP = 16384  # one symbol of a day then reads a third of the day
_REPEATING = ("text", "date")  # families whose few values a dictionary shortens
_NUMBERS = ("price", "number", "count", "time")
# columns by which rows are filtered while reading, and the one that shows a layout without ids
_FILTERED = ("day", "at", "symbol", "index", "kind", "instrument_id")
PART = ".part"
_ENDS = ".parquet"

#: Names of the source files, ascending, by scope within the partition.
Sources = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Partition:
    """Content of one file."""

    path: Path
    dataset: Dataset
    table: pa.Table
    sources: Sources


def read_partition(path: Path, dataset: Dataset) -> Partition:
    """Read a whole partition; a column that an earlier version did not store is unknown.

    Raises
    ------
    StoreError
        When the file is damaged.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            sources = _decode(file.metadata.metadata)
            table = file.read(columns=dataset.on_disk.names)
        for place, name in enumerate(dataset.on_disk.names):
            if name not in table.column_names and name in dataset.unknown:
                nothing = pa.repeat(dataset.unknown[name], len(table))
                table = table.add_column(place, name, nothing)
        table = table.cast(dataset.on_disk)
        return Partition(path, dataset, table, sources)
    except (pa.ArrowException, KeyError, OSError) as error:
        raise damaged(path, error) from error


def read_sources(path: Path) -> Sources:
    """Sources of a partition, from its footer alone.

    Returns
    -------
    Sources
        Empty when there is no such file, or when it is of an earlier version that lacks a column:
        its sources are then imported again.

    Raises
    ------
    StoreError
        When the file is damaged.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not path.exists():
        return {}
    try:
        footer = pq.read_metadata(path)
        whole = set(DATASETS[path.parent.name].columns) <= set(footer.schema.names)
        return _decode(footer.metadata) if whole else {}
    except (pa.ArrowException, KeyError, OSError) as error:
        raise damaged(path, error) from error


def read_digests(path: Path) -> Digests:
    """Digests of the rows of a partition by scope, from its footer; empty without such a file.

    Raises
    ------
    StoreError
        When the file is damaged.
    """
    return _digests(path, stamp(path)) if path.exists() else {}


def all_digests(folder: Path) -> Digests:
    """Digests of all partitions of a dataset by scope; their scopes differ."""
    return {scope: held for path in stored(folder) for scope, held in read_digests(path).items()}


@lru_cache(maxsize=_FOOTERS_KEPT)
def _digests(path: Path, _mark: tuple[int, int]) -> Digests:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        stored_digests = (pq.read_metadata(path).metadata or {}).get(_DIGESTS)
    except (pa.ArrowException, OSError) as error:
        raise damaged(path, error) from error
    if stored_digests is None:  # written by an earlier version
        dataset = DATASETS[path.parent.name]
        return digests(read_partition(path, dataset).table, dataset)
    decoded: Digests = json.loads(stored_digests)
    return decoded


def unreadable(path: Path, wanted: Sequence[str], error: Exception) -> StoreError:
    """Error for a partition whose columns cannot be read: damaged, or of an earlier version."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        held = pq.read_schema(path).names
    except (pa.ArrowException, OSError):
        held = list(wanted)
    missing = [name for name in wanted if name not in held]
    if not missing:
        return damaged(path, error)
    return StoreError(
        f"{path.parent.name}/{path.name} of the history was written by an earlier version, without "
        f"{', '.join(missing)}; import its files again with strikeloom data import PATH (a "
        f"synthetic market is generated again once {path.parent.parent} is deleted)",
        path=str(path),
        columns=missing,
    )


def stored(folder: Path) -> list[Path]:
    """Partitions of a dataset by name; none when it has no folder."""
    return [folder / f"{name}{_ENDS}" for name in _names(folder)]


def stored_days(folder: Path) -> list[date]:
    """Days of a dataset that has a partition a day, ascending."""
    return [date.fromisoformat(name) for name in _names(folder)]


def _names(folder: Path) -> list[str]:
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return []
    whole = (name for name in names if name.endswith(_ENDS) and name[0].isdigit())
    return sorted(name.removesuffix(_ENDS) for name in whole)


def sweep(folder: Path) -> None:
    """Delete temporary files that a killed writer left in the datasets of a history."""
    for left in folder.glob(f"*/.*{PART}"):
        left.unlink(missing_ok=True)


def stamp(path: Path) -> tuple[int, int]:
    """Modification time and inode, which differ between a partition and its replacement."""
    stat = path.stat()
    return stat.st_mtime_ns, stat.st_ino


def damaged(path: Path, error: Exception) -> StoreError:
    """Error for a partition that cannot be read."""
    return StoreError(
        f"{path.parent.name}/{path.name} of the history is damaged ({error}); delete that file "
        "and import its sources again",
        path=str(path),
    )


def replace_partitions(partitions: Sequence[Partition]) -> None:
    """Write every partition to a temporary file, flush it, then move all into place.

    Raises
    ------
    StoreError
        When the disk cannot be written; no partition is changed unless all were written.
    """
    written: list[tuple[str, Path]] = []
    try:
        for part in partitions:
            part.path.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=part.path.parent, prefix=".", suffix=PART)
            written.append((name, part.path))
            _write(handle, part)
        while written:
            name, path = written[0]
            Path(name).replace(path)
            written.pop(0)
        for folder in {part.path.parent for part in partitions}:
            _flush_folder(folder)
    except OSError as error:
        raise StoreError(
            f"the history cannot be written under {partitions[0].path.parent}: {error}; free "
            "space or fix the permissions and import again"
        ) from error
    finally:
        for name, _ in written:
            Path(name).unlink(missing_ok=True)


def _write(handle: int, part: Partition) -> None:
    import pyarrow.parquet as pq

    table = part.table.combine_chunks()
    kinds = part.dataset.columns
    with os.fdopen(handle, "wb") as out:
        with pq.ParquetWriter(
            out,
            part.dataset.on_disk,
            # bytes of equal weight together: as small as zstd, two thirds of its time
            compression="lz4",
            column_encoding={n: "BYTE_STREAM_SPLIT" for n, k in kinds.items() if k in _NUMBERS},
            use_dictionary=[name for name, kind in kinds.items() if kind in _REPEATING],
            write_statistics=[name for name in kinds if name in _FILTERED],
            store_schema=False,
        ) as file:
            file.write_table(table.cast(part.dataset.on_disk), row_group_size=_ROWS_PER_GROUP)
            metadata = {_SOURCES: part.sources, _DIGESTS: digests(table, part.dataset)}
            file.add_key_value_metadata(
                {name.decode(): json.dumps(body, sort_keys=True) for name, body in metadata.items()}
            )
        out.flush()
        os.fsync(out.fileno())


def _flush_folder(folder: Path) -> None:
    """Make renames durable (a folder cannot be flushed on Windows, and need not be)."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _decode(metadata: dict[bytes, bytes] | None) -> Sources:
    sources: Sources = json.loads((metadata or {})[_SOURCES])
    return sources
