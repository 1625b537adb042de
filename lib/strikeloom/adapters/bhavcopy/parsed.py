"""What the reader of a file hands on: rows, a note, and rows that contradict themselves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Rows that cannot be right by columns of the file that are not stored.

    Attributes
    ----------
    check : str
        Name of the check that objects (``plausible.CHECKS``).
    bad : ndarray of bool
        One for each row of the table.
    describe : callable
        Row number to the numbers of the row.
    """

    check: str
    bad: np.ndarray
    describe: Callable[[int], str]


@dataclass(frozen=True, slots=True)
class ParsedRows:
    """Rows of a file in the dataset's format on disk, a note of what was left out, mismatches.

    Texts of contracts are dictionary-coded: they are compared, sorted and hashed many times.
    """

    table: pa.Table
    note: str = ""
    mismatches: tuple[Mismatch, ...] = ()
