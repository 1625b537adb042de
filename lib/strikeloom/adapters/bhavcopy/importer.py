"""Import a batch of files: each whole or not at all, independently of the others."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from strikeloom.adapters.bhavcopy.ban_list import TITLE, is_ban_list, parse_ban_list
from strikeloom.adapters.bhavcopy.csv_text import CsvText
from strikeloom.adapters.bhavcopy.identify import identify_index, index_symbol
from strikeloom.adapters.bhavcopy.import_record import ImportedFile, ImportRecord
from strikeloom.adapters.bhavcopy.layouts import LAYOUTS, Layout, recognise
from strikeloom.adapters.bhavcopy.packed import PackedFile, files_below, read_packed
from strikeloom.adapters.bhavcopy.parsed import ParsedRows
from strikeloom.adapters.bhavcopy.plausible import Checked, FileCheck, check_ban_list, known_checks
from strikeloom.adapters.bhavcopy.report import FileOutcome, ImportReport, Status
from strikeloom.adapters.parquet.actions import Prepared
from strikeloom.adapters.parquet.changes import Changes
from strikeloom.adapters.parquet.datasets import DATASETS
from strikeloom.adapters.parquet.history import ParquetHistory
from strikeloom.adapters.read_ahead import read_ahead
from strikeloom.errors import BadFile, StoreError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

Progress = Callable[[int, int, str], None]

_READER_THREADS = 2
_AHEAD = 3  # days of contracts in memory besides the one being written
_SHOWN = 80
_TOGETHER = 32  # small files written at once: a month of cash is one partition


@dataclass(frozen=True, slots=True)
class _RecognisedFile:
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
    accept: Collection[str] = (),
    progress: Progress | None = None,
) -> ImportReport:
    """Import files and folders into a history.

    Parameters
    ----------
    index : str
        Symbol of index histories that do not name their index and cannot be identified by levels.
    accept : collection of str
        Names of checks (``plausible.CHECKS``) that refuse nothing; the record of a file names
        those that would have.
    progress : callable, optional
        Called with files done, files in all, and the file's name.

    Returns
    -------
    ImportReport
        A refused file leaves nothing behind and does not stop the others.

    Raises
    ------
    DataError
        When ``index`` is no known index, or ``accept`` names no check.
    StoreError
        When the history cannot be written or is being written by another process.
    """
    given_index = index_symbol(index, _stored_indices(history)) if index else ""
    files = files_below(paths)
    batch = _Batch(history, given_index, known_checks(accept), len(files), progress)
    known = [item for path in files if (item := batch.recognised(path))]
    if not known:
        return ImportReport(tuple(batch.outcomes))  # and no folder is made for the history
    with history.changes() as changes, ThreadPoolExecutor(1) as writer:
        batch.begin(changes, writer)
        order = {layout: place for place, layout in enumerate(LAYOUTS)}
        known.sort(key=lambda item: (order[item.layout], item.path))
        new = [item for item in known if not batch.is_stored(item)]
        batch.nameless = any(not item.layout.named for item in new)
        for item, reading in read_ahead(new, _read, threads=_READER_THREADS, ahead=_AHEAD):
            batch.merge(item, reading)
        batch.commit()
    history.find_actions(batch.prepared())
    return ImportReport(tuple(batch.outcomes))


class _Batch:
    """One import: files being merged, and the outcomes of those done."""

    def __init__(
        self,
        history: ParquetHistory,
        given_index: str,
        accept: frozenset[str],
        total: int,
        progress: Progress | None,
    ) -> None:
        self.outcomes: list[FileOutcome] = []
        self.nameless = False  # whether a file of the batch does not name its index
        self._history = history
        self._given_index = given_index
        self._accept = accept
        self._total = total
        self._progress = progress
        self._entries: list[ImportedFile] = []
        self._last: Layout | None = None
        self._levels: pd.DataFrame | None = None
        self._of_contracts: Future[pd.DataFrame] | None = None
        self._writing: Future[None] | None = None
        self._preparing: Future[Prepared] | None = None

    def begin(self, changes: Changes, writer: Executor) -> None:
        """Begin to merge, while no other process writes the history.

        Parameters
        ----------
        writer : concurrent.futures.Executor
            Of one thread: it writes a day of contracts while the next one is checked; it begins the
            search for corporate actions, and reads the contracts' index levels, while cash and
            indices are merged.
        """
        self._changes = changes
        self._writer = writer
        self._record = ImportRecord(self._history)
        self._check = FileCheck(self._history, changes, self._accept)

    def recognised(self, path: Path) -> _RecognisedFile | None:
        """Recognise a file by its header; refuse it when the header is unknown.

        A ban list is stored at once: it has no rows of a dataset.
        """
        try:
            packed = read_packed(path)
            if is_ban_list(packed.head()):
                self._store_ban_list(path, packed)
                return None
            layout = recognise(CsvText(packed.name, packed.head()))
        except BadFile as error:
            self._report(path, FileOutcome(str(path), "", 0, 0, "refused", str(error)))
            return None
        digest = hashlib.sha256(packed.raw).hexdigest()
        return _RecognisedFile(path, packed.name, layout, digest, len(packed.raw))

    def _store_ban_list(self, path: Path, packed: PackedFile) -> None:
        """Store the list of one day; a later list of the day replaces an earlier one."""
        day, symbols = parse_ban_list(packed.body(), packed.name)
        note, source = check_ban_list(self._history, day, symbols, packed.name, self._accept)
        new = self._history.store_ban_list(day, symbols, source=source)
        status: Status = "done" if new else "same"
        count = len(symbols)
        outcome = FileOutcome(str(path), TITLE, count, count if new else 0, status, note)
        self._report(path, outcome)

    def is_stored(self, item: _RecognisedFile) -> bool:
        """Whether a file with this content is stored already; if so, it is reported."""
        try:
            entry = self._record.find(item.sha256, self._index_of(item))
        except StoreError:
            return False  # a partition is damaged; merging the file will raise the error
        if entry is None:
            return False
        outcome = FileOutcome(str(item.path), entry.kind, entry.rows, 0, "same", entry.note)
        self._report(item.path, outcome)
        return True

    def merge(self, item: _RecognisedFile, reading: Future[ParsedRows]) -> None:
        """Merge the rows of a file, or refuse the file."""
        layout = item.layout
        if self._last is not layout or len(self._entries) >= _TOGETHER:
            self.commit()
        if self._last and self._last.dataset == "contracts" != layout.dataset:
            self._preparing = self._writer.submit(self._history.prepare_actions)
            if self.nameless:
                self._of_contracts = self._writer.submit(self._history.contract_levels)
        self._last = layout
        checked = self._checked(item, reading)
        self._finish_writing()  # of the day before, which went on beside the checks
        if checked is None:
            return
        table = checked.table
        try:
            added = self._changes.add(DATASETS[layout.dataset], table, source=item.name)
        except (BadFile, StoreError) as error:
            self._refuse(item, error)
            return
        entry = ImportedFile(
            sha256=item.sha256,
            size=item.size,
            name=item.name,
            kind=layout.title,
            rows=len(table),
            index=self._index_of(item),
            dataset=layout.dataset,
            partitions=added.partitions,
            accepted=checked.accepted,
            left_out=checked.left_out,
            note=checked.note,
        )
        self._entries.append(entry)
        status: Status = "done" if added.new else "same"
        repeats = f"{added.repeats} rows repeated in it" if added.repeats else ""
        note = "; ".join(part for part in (checked.note, repeats) if part)
        self._report(
            item.path,
            FileOutcome(
                str(item.path), layout.title, len(table), added.new, status, note, checked.left_out
            ),
        )
        if layout.dataset == "contracts":
            self._check.stored()
            self._writing = self._writer.submit(self._write, self._entries)
            self._entries = []

    def _checked(self, item: _RecognisedFile, reading: Future[ParsedRows]) -> Checked | None:
        """Rows of a file that passed; ``None`` when the file is refused."""
        layout = item.layout
        try:
            rows = reading.result()
            named = rows.table if layout.named else self._named(rows.table, item)
            checked = self._check(
                layout.dataset, named, rows.mismatches, file=item.path.name, source=item.name
            )
        except (BadFile, StoreError) as error:
            self._refuse(item, error)
            return None
        notes = (part for part in (rows.note, checked.note) if part)
        return replace(checked, note="; ".join(notes))

    def _refuse(self, item: _RecognisedFile, error: Exception) -> None:
        path, title = str(item.path), item.layout.title
        self._report(item.path, FileOutcome(path, title, 0, 0, "refused", str(error)))

    def commit(self) -> None:
        """Write the merged rows, then record their files; return when that is done."""
        self._finish_writing()
        if self._entries:
            self._write(self._entries)
            self._entries = []

    def prepared(self) -> Prepared:
        """What was done of the search for corporate actions while other files were merged."""
        return self._preparing.result() if self._preparing else {}

    def _finish_writing(self) -> None:
        """Wait for the day being written, and raise what went wrong."""
        if self._writing is not None:
            self._writing.result()
            self._writing = None

    def _write(self, entries: Sequence[ImportedFile]) -> None:
        self._changes.commit()
        self._record.add(entries)

    def _named(self, table: pa.Table, item: _RecognisedFile) -> pa.Table:
        import pyarrow as pa

        if self._levels is None:
            read = self._of_contracts
            self._levels = self._history.index_levels(read.result() if read else None)
        name = identify_index(table, self._levels, item.name, given=self._given_index)
        place = table.column_names.index("index")
        return table.set_column(place, table.field(place), pa.repeat(name, len(table)))

    def _index_of(self, item: _RecognisedFile) -> str:
        return "" if item.layout.named else self._given_index

    def _report(self, path: Path, outcome: FileOutcome) -> None:
        self.outcomes.append(outcome)
        if self._progress:
            self._progress(len(self.outcomes), self._total, path.name)


def _read(item: _RecognisedFile) -> ParsedRows:
    try:
        return item.layout.read(CsvText(item.name, read_packed(item.path).body()))
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise BadFile(
            f"{item.name}: cannot be read as {item.layout.title} ({type(error).__name__}: "
            f"{str(error)[:_SHOWN]}); the file is damaged, download it again"
        ) from error


def _stored_indices(history: ParquetHistory) -> set[str]:
    return set(history.indices(date.min, date.max)["index"])
