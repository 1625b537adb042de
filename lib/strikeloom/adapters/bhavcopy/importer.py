"""Import a batch of files: each whole or not at all, the others go in whatever one does."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from strikeloom.adapters.bhavcopy import contracts, prices
from strikeloom.adapters.bhavcopy.identify import identify
from strikeloom.adapters.bhavcopy.layouts import Kind, recognise
from strikeloom.adapters.bhavcopy.opening import files_below, read_bytes
from strikeloom.adapters.parquet.history import ParquetHistory
from strikeloom.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

_READERS = {
    Kind.UDIFF: ("contracts", contracts.udiff),
    Kind.LEGACY: ("contracts", contracts.legacy),
    Kind.CASH: ("cash", prices.cash),
    Kind.INDEX_CLOSES: ("indices", prices.index_closes),
    Kind.VIX: ("indices", prices.vix),
    Kind.INDEX_HISTORY: ("indices", prices.index_history),
}
_AHEAD = 3


@dataclass(frozen=True, slots=True)
class FileOutcome:
    """What became of one file: ``imported``, ``same`` (nothing new in it) or ``refused``."""

    path: str
    kind: str
    rows: int
    new: int
    status: str
    message: str = ""


@dataclass(frozen=True)
class ImportReport:
    """Outcome of each file, in the order of import."""

    files: list[FileOutcome]

    @property
    def refused(self) -> list[FileOutcome]:
        """Files that were not imported."""
        return [item for item in self.files if item.status == "refused"]

    @property
    def new_rows(self) -> int:
        """Rows that were new or completed."""
        return sum(item.new for item in self.files)


@dataclass(frozen=True, slots=True)
class _Parsed:
    path: Path
    digest: str
    kind: Kind | None
    frame: pd.DataFrame | None
    error: str


def import_paths(
    paths: Sequence[Path],
    history: ParquetHistory,
    *,
    index: str = "",
    progress: Callable[[int, int, str], None] | None = None,
) -> ImportReport:
    """Import files and folders.

    Parameters
    ----------
    index : str
        Symbol of nameless index histories, where their levels do not tell it.
    progress : callable, optional
        Called with files done, files in all, and the file's name.

    Returns
    -------
    ImportReport
        A refused file leaves nothing behind and does not stop the others.

    Raises
    ------
    BadFile
        When a path does not exist.
    """
    files = files_below(paths)
    ledger = _Ledger(history.folder / "imports.json")
    outcomes: list[FileOutcome] = []
    for parsed in _in_order(files, ledger):
        outcomes.append(_take(parsed, history, ledger, index))
        if progress:
            progress(len(outcomes), len(files), parsed.path.name)
    ledger.write()
    return ImportReport(outcomes)


def _in_order(files: Sequence[Path], ledger: _Ledger) -> Iterator[_Parsed]:
    """Files parsed a little ahead of their import, in the order of their kinds."""
    kinds = {path: _peek(path) for path in files}
    ordered = sorted(files, key=lambda path: (kinds[path], path))
    with ThreadPoolExecutor(max_workers=2) as pool:
        waiting = []
        for path in ordered:
            waiting.append(pool.submit(_parse, path, ledger))
            if len(waiting) > _AHEAD:
                yield waiting.pop(0).result()
        for job in waiting:
            yield job.result()


def _peek(path: Path) -> int:
    """Kind of a file as a sort key; one that cannot be read comes last."""
    try:
        return int(recognise(_head(path), path.name)[0].kind)
    except DataError:
        return len(Kind) + 1


def _head(path: Path) -> bytes:
    """First bytes of the table, without unpacking all of it."""
    import gzip
    import zipfile
    import zlib

    try:
        with path.open("rb") as stream:
            magic = stream.read(2)
        if magic == b"\x1f\x8b":
            with gzip.open(path) as packed:
                return packed.read(4096)
        if magic == b"PK":
            with zipfile.ZipFile(path) as archive, archive.open(archive.namelist()[0]) as inner:
                return inner.read(4096)
        with path.open("rb") as stream:
            return stream.read(4096)
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error, IndexError):
        return b""


def _parse(path: Path, ledger: _Ledger) -> _Parsed:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest in ledger.seen:
        return _Parsed(path, digest, None, None, "")
    try:
        body = read_bytes(path)
        layout, header = recognise(body, path.name)
        frame = _READERS[layout.kind][1](body, path.name, header)
    except DataError as error:
        return _Parsed(path, digest, None, None, str(error))
    return _Parsed(path, digest, layout.kind, frame, "")


def _take(parsed: _Parsed, history: ParquetHistory, ledger: _Ledger, index: str) -> FileOutcome:
    name = str(parsed.path)
    if parsed.error:
        return FileOutcome(name, "", 0, 0, "refused", parsed.error)
    if parsed.frame is None or parsed.kind is None:
        past = ledger.seen[parsed.digest]
        return FileOutcome(name, str(past["kind"]), int(past["rows"]), 0, "same")
    kind, frame = parsed.kind, parsed.frame
    title = kind.name.lower().replace("_", " ")
    try:
        if kind is Kind.INDEX_HISTORY:
            frame = frame.assign(index=index or identify(frame, history, parsed.path.name))
        new = history.write(_READERS[kind][0], frame, source=parsed.path.name)
    except DataError as error:
        return FileOutcome(name, title, len(frame), 0, "refused", str(error))
    ledger.seen[parsed.digest] = {"kind": title, "rows": len(frame), "name": parsed.path.name}
    return FileOutcome(name, title, len(frame), new, "imported" if new else "same")


class _Ledger:
    """Files imported before, by content, so that an unchanged one need not be read again."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.seen: dict[str, dict[str, str | int]] = (
            json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        )

    def write(self) -> None:
        """Keep the ledger, whole or not at all."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        part = self._path.with_suffix(".part")
        part.write_text(json.dumps(self.seen, indent=1), encoding="utf-8")
        part.replace(self._path)


def outcome_rows(report: ImportReport) -> list[dict[str, str | int]]:
    """Report as plain rows, for JSON."""
    return [asdict(item) for item in report.files]
