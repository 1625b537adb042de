"""Results by day, written by the process that computed them, on any machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Stamp:
    """Method and inputs of a day's results.

    Attributes
    ----------
    method : str
        Version of the calculation.
    inputs : str
        Fingerprint of the rows, corporate actions and settings that went in.
    """

    method: str
    inputs: str


class Partitions(Protocol):
    """Tables of one market by day. An instance can be sent to another process or machine."""

    def stamps(self) -> dict[date, Stamp]:
        """Stamp of every day that is stored completely."""
        ...

    def write(self, day: date, tables: Mapping[str, pd.DataFrame], stamp: Stamp) -> None:
        """Write the tables of a day; it is stored completely when this returns.

        The same tables and stamp give the same bytes on every machine.

        Raises
        ------
        StoreError
            When they cannot be written; what was stored before is kept.
        """
        ...

    def read(self, day: date, table: str) -> pd.DataFrame:
        """One table of a day.

        Raises
        ------
        MissingHistory
            When it is not stored.
        StoreError
            When it is damaged.
        """
        ...
