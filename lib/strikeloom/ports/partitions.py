"""Results of whole days, written by whoever worked them out, on whatever machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a day's results were made by and from.

    Attributes
    ----------
    method : str
        Version of the numbers.
    inputs : str
        Fingerprint of the rows, corporate actions and settings that went in.
    """

    method: str
    inputs: str


class Partitions(Protocol):
    """Tables of one market by day. An instance can be sent to another process or machine."""

    def stamps(self) -> dict[date, Stamp]:
        """Stamp of every day that is there and whole."""
        ...

    def write(self, day: date, tables: Mapping[str, pd.DataFrame], stamp: Stamp) -> None:
        """Write the tables of a day; the day is there, whole, when this returns.

        The same tables and stamp make the same bytes, wherever they are written.

        Raises
        ------
        StoreError
            When they cannot be written; what was there before is still there.
        """
        ...

    def read(self, day: date, table: str) -> pd.DataFrame:
        """One table of a day.

        Raises
        ------
        MissingHistory
            When it is not there.
        StoreError
            When it is damaged.
        """
        ...
