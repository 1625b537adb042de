"""Record of imported files by content, so that an unchanged file is not read again.

The record is only an index: a file counts as imported only while every partition with its rows
still names it as a source.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from strikeloom.adapters.parquet.history import ParquetHistory
from strikeloom.errors import StoreError

_FILE = "imports.jsonl"


@dataclass(frozen=True, slots=True)
class ImportedFile:
    """One imported file.

    Attributes
    ----------
    sha256 : str
        Of the file on disk.
    name : str
        Name of the source in its partitions.
    index : str
        Index given by the user for a history without a name; empty when none was given.
    partitions : tuple of str
        Partitions of the dataset with its rows.
    accepted : tuple of str
        Checks that objected to the file and were accepted by the user.
    left_out : int
        Damaged rows of it that were not stored; ``note`` names them.
    """

    sha256: str
    size: int
    name: str
    kind: str
    rows: int
    index: str
    dataset: str
    partitions: tuple[str, ...]
    accepted: tuple[str, ...] = ()
    left_out: int = 0
    note: str = ""


class ImportRecord:
    """Imported files of one history: ``imports.jsonl`` beside its datasets."""

    def __init__(self, history: ParquetHistory) -> None:
        self._history = history
        self._path = history.folder / _FILE
        self._entries: dict[tuple[str, str], ImportedFile] = {}
        if self._path.exists():
            for line in self._path.read_text(encoding="utf-8").splitlines():
                self._index(_entry(line))

    def find(self, sha256: str, index: str) -> ImportedFile | None:
        """Record of a file, if all its rows are still stored.

        A file of which rows were left out is read again: what objected to them may be accepted
        now, or a damaged file next to it may have been replaced.
        """
        entry = self._entries.get((sha256, index))
        if entry is None or entry.left_out:
            return None
        for partition in entry.partitions:
            sources = self._history.sources(entry.dataset, partition)
            if not any(entry.name in names for names in sources.values()):
                return None
        return entry

    def add(self, entries: Iterable[ImportedFile]) -> None:
        """Append entries and flush. Call it after their rows are written.

        Raises
        ------
        StoreError
            When the record cannot be written.
        """
        new = list(entries)
        body = "".join(json.dumps(asdict(entry)) + "\n" for entry in new)
        try:
            cut_off = self._path.exists() and not self._path.read_bytes().endswith(b"\n")
            with self._path.open("a", encoding="utf-8") as out:
                out.write("\n" * cut_off + body)
                out.flush()
                os.fsync(out.fileno())
        except OSError as error:
            raise StoreError(
                f"the rows are stored, but {self._path.name} cannot be written ({error}); mend the "
                "folder and import again; nothing is stored twice"
            ) from error
        for entry in new:
            self._index(entry)

    def _index(self, entry: ImportedFile | None) -> None:
        if entry is not None:
            self._entries[entry.sha256, entry.index] = entry


def _entry(line: str) -> ImportedFile | None:
    """Entry of a line; ``None`` for a line cut off by a crash (its file is read again)."""
    try:
        fields = json.loads(line)
        lists = {name: tuple(fields.get(name, ())) for name in ("partitions", "accepted")}
        return ImportedFile(**{**fields, **lists})
    except (ValueError, TypeError, KeyError):
        return None
