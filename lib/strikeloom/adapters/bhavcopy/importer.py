"""Import a batch of files: each whole or not at all, the others go in whatever one does."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from strikeloom.adapters.bhavcopy.identify import identify, index_symbol
from strikeloom.adapters.bhavcopy.layouts import LAYOUTS, Layout, recognise
from strikeloom.adapters.bhavcopy.ledger import Entry, Ledger
from strikeloom.adapters.bhavcopy.opening import files_below, pack
from strikeloom.adapters.bhavcopy.report import FileOutcome, ImportReport, Status
from strikeloom.adapters.bhavcopy.table import Rows, Text
from strikeloom.adapters.parquet.changes import Changes
from strikeloom.adapters.parquet.datasets import DATASETS
from strikeloom.adapters.parquet.history import ParquetHistory
from strikeloom.errors import BadFile, StoreError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

Progress = Callable[[int, int, str], None]

_READERS = 2
_AHEAD = 3  # days of contracts in memory beside the one that is written
_TOGETHER = 32  # small files written at once: a month of cash is one partition


@dataclass(frozen=True, slots=True)
class _Known:
    """A file whose header was recognised."""

    path: Path
    name: str
    layout: Layout
    sha256: str
    size: int


def import_paths(
    paths: Sequence[Path],
    history: ParquetHistory,
    *,
    index: str = "",
    progress: Progress | None = None,
) -> ImportReport:
    """Import files and folders into a history.

    Parameters
    ----------
    index : str
        Symbol of index histories that do not name their index, where their levels do not tell.
    progress : callable, optional
        Called with files done, files in all, and the file's name.

    Returns
    -------
    ImportReport
        A refused file leaves nothing behind and does not stop the others.

    Raises
    ------
    DataError
        When ``index`` is no known index.
    StoreError
        When the history cannot be written or is being written by another process.
    """
    said = index_symbol(index, _stored_indices(history)) if index else ""
    files = files_below(paths)
    with history.changes() as changes:
        batch = _Batch(history, changes, said, len(files), progress)
        known = [item for path in files if (item := batch.recognised(path))]
        order = {layout: place for place, layout in enumerate(LAYOUTS)}
        known.sort(key=lambda item: (order[item.layout], item.path))
        for item, reading in _read_ahead([item for item in known if not batch.is_stored(item)]):
            batch.take(item, reading)
        batch.commit()
    history.find_actions()
    return ImportReport(tuple(batch.outcomes))


class _Batch:
    """Files on their way in, and what became of those done."""

    def __init__(
        self,
        history: ParquetHistory,
        changes: Changes,
        said: str,
        total: int,
        progress: Progress | None,
    ) -> None:
        self.outcomes: list[FileOutcome] = []
        self._history = history
        self._changes = changes
        self._ledger = Ledger(history)
        self._said = said
        self._total = total
        self._progress = progress
        self._entries: list[Entry] = []
        self._last: Layout | None = None
        self._levels: pd.DataFrame | None = None

    def recognised(self, path: Path) -> _Known | None:
        """Look at a file's header; refuse the file when it is none that is known."""
        try:
            packed = pack(path)
            layout = recognise(Text(packed.name, packed.head()))
        except BadFile as error:
            self._report(path, FileOutcome(str(path), "", 0, 0, "refused", str(error)))
            return None
        digest = hashlib.sha256(packed.raw).hexdigest()
        return _Known(path, packed.name, layout, digest, len(packed.raw))

    def is_stored(self, item: _Known) -> bool:
        """Report a file that is in already, by its content."""
        try:
            entry = self._ledger.find(item.sha256, self._index_of(item))
        except StoreError:
            return False  # a partition is damaged; reading the file again will say so
        if entry is None:
            return False
        self._report(item.path, FileOutcome(str(item.path), entry.kind, entry.rows, 0, "same"))
        return True

    def take(self, item: _Known, reading: Future[Rows]) -> None:
        """Merge a file's rows, or refuse the file."""
        layout = item.layout
        if self._last is not layout or len(self._entries) >= _TOGETHER:
            self.commit()
        self._last = layout
        try:
            rows = reading.result()
            table = rows.table if layout.named else self._named(rows.table, item)
            added = self._changes.add(DATASETS[layout.dataset], table, source=item.name)
        except (BadFile, StoreError) as error:
            outcome = FileOutcome(str(item.path), layout.title, 0, 0, "refused", str(error))
            self._report(item.path, outcome)
            return
        entry = Entry(
            sha256=item.sha256,
            size=item.size,
            name=item.name,
            kind=layout.title,
            rows=len(table),
            index=self._index_of(item),
            dataset=layout.dataset,
            partitions=added.partitions,
        )
        self._entries.append(entry)
        status: Status = "done" if added.new else "same"
        repeats = f"{added.repeats} rows repeated in it" if added.repeats else ""
        note = "; ".join(part for part in (rows.note, repeats) if part)
        outcome = FileOutcome(str(item.path), layout.title, len(table), added.new, status, note)
        self._report(item.path, outcome)
        if layout.dataset == "contracts":
            self.commit()  # a day in memory at a time

    def commit(self) -> None:
        """Write what was merged, then remember the files."""
        if self._entries:
            self._changes.commit()
            self._ledger.add(self._entries)
            self._entries = []

    def _named(self, table: pa.Table, item: _Known) -> pa.Table:
        import pyarrow as pa

        if self._levels is None:
            self._levels = self._history.index_levels()
        name = identify(table, self._levels, item.name, said=self._said)
        place = table.column_names.index("index")
        return table.set_column(place, table.field(place), pa.repeat(name, len(table)))

    def _index_of(self, item: _Known) -> str:
        return "" if item.layout.named else self._said

    def _report(self, path: Path, outcome: FileOutcome) -> None:
        self.outcomes.append(outcome)
        if self._progress:
            self._progress(len(self.outcomes), self._total, path.name)


def _read_ahead(files: Sequence[_Known]) -> Iterator[tuple[_Known, Future[Rows]]]:
    """Files in order, parsed a little ahead by threads (Arrow and zlib free the interpreter)."""
    with ThreadPoolExecutor(_READERS) as pool:
        waiting: deque[tuple[_Known, Future[Rows]]] = deque()
        for item in files:
            waiting.append((item, pool.submit(_read, item)))
            if len(waiting) > _AHEAD:
                yield waiting.popleft()
        yield from waiting


def _read(item: _Known) -> Rows:
    return item.layout.read(Text(item.name, pack(item.path).body()))


def _stored_indices(history: ParquetHistory) -> set[str]:
    return set(history.indices(date.min, date.max)["index"])
