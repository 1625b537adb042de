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
        Fingerprint of the day's own contracts and of the settings that went in.
    prices : str
        Fingerprint of the prices and corporate actions up to the day.
    """

    method: str
    inputs: str
    prices: str

    def same_day(self, other: Stamp) -> bool:
        """Whether the method and the day's own contracts and settings are the same."""
        return (self.method, self.inputs) == (other.method, other.inputs)


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
