"""Record of imported files by content, so that an unchanged one need not be read again.

The record is an index, not the truth: a file counts as imported only while every partition it
went to still names it as a source.
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
class Entry:
    """One imported file.

    Attributes
    ----------
    sha256 : str
        Of the file as it lay on disk.
    name : str
        Source name that its partitions remember.
    index : str
        What the user said a nameless index is; empty when nothing was said.
    partitions : tuple of str
        Where its rows went, within the dataset.
    """

    sha256: str
    size: int
    name: str
    kind: str
    rows: int
    index: str
    dataset: str
    partitions: tuple[str, ...]


class Ledger:
    """Imported files of one history: ``imports.jsonl`` beside its datasets."""

    def __init__(self, history: ParquetHistory) -> None:
        self._history = history
        self._path = history.folder / _FILE
        self._entries: dict[tuple[str, str], Entry] = {}
        if self._path.exists():
            for line in self._path.read_text(encoding="utf-8").splitlines():
                self._remember(_entry(line))

    def find(self, sha256: str, index: str) -> Entry | None:
        """Entry of a file all of whose rows are still stored."""
        entry = self._entries.get((sha256, index))
        if entry is None:
            return None
        for partition in entry.partitions:
            sources = self._history.sources(entry.dataset, partition)
            if not any(entry.name in names for names in sources.values()):
                return None
        return entry

    def add(self, entries: Iterable[Entry]) -> None:
        """Append entries, flushed; call it once their rows are written.

        Raises
        ------
        StoreError
            When the record cannot be written.
        """
        new = list(entries)
        body = "".join(json.dumps(asdict(entry)) + "\n" for entry in new)
        try:
            torn = self._path.exists() and not self._path.read_bytes().endswith(b"\n")
            with self._path.open("a", encoding="utf-8") as out:
                out.write("\n" * torn + body)
                out.flush()
                os.fsync(out.fileno())
        except OSError as error:
            raise StoreError(
                f"the rows are in, but {self._path.name} cannot be written ({error}); mend the "
                "folder and import again, nothing goes in twice"
            ) from error
        for entry in new:
            self._remember(entry)

    def _remember(self, entry: Entry | None) -> None:
        if entry is not None:
            self._entries[entry.sha256, entry.index] = entry


def _entry(line: str) -> Entry | None:
    """Entry of a line; ``None`` for one torn by a crash, whose file is then read again."""
    try:
        fields = json.loads(line)
        return Entry(**{**fields, "partitions": tuple(fields["partitions"])})
    except (ValueError, TypeError, KeyError):
        return None
