"""Result of an import, file by file."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Literal

Status = Literal["done", "same", "refused"]


@dataclass(frozen=True, slots=True)
class FileOutcome:
    """Result of one file.

    Attributes
    ----------
    path : str
        As given, or as listed from a given folder.
    kind : str
        Title of its layout; empty when it was not recognised.
    rows : int
        Rows of the file for the history; 0 when the file was refused.
    new : int
        Rows that were new or completed a stored row.
    status : {"done", "same", "refused"}
        ``same``: every row was stored already.
    message : str
        Why the file was refused, or what was left out of it.
    left_out : int
        Damaged rows that were not stored; ``message`` names them.
    """

    path: str
    kind: str
    rows: int
    new: int
    status: Status
    message: str = ""
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class ImportReport:
    """Outcome of each file, in the order of import."""

    files: tuple[FileOutcome, ...]

    @property
    def counts(self) -> dict[str, int]:
        """Number of files by status, including zeros."""
        counts = Counter(item.status for item in self.files)
        return {status: counts[status] for status in ("done", "same", "refused")}

    @property
    def refused(self) -> list[FileOutcome]:
        """Files of which nothing was stored."""
        return [item for item in self.files if item.status == "refused"]

    @property
    def incomplete(self) -> list[FileOutcome]:
        """Files of which damaged rows were left out."""
        return [item for item in self.files if item.left_out]

    @property
    def new_rows(self) -> int:
        """Rows that were new or completed."""
        return sum(item.new for item in self.files)
