"""Market history: daily contracts, cash and index prices, recorded quotes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Protocol

from strikeloom.nse.corporate_actions import CorporateAction
from strikeloom.nse.renames import KnownAs

if TYPE_CHECKING:
    import pandas as pd


class History(Protocol):
    """History of one market. Frames as in ``domain/frames.py``, prices in rupees."""

    market: str

    def days(self) -> list[date]:
        """Days with contracts, ascending."""
        ...

    def contracts(
        self,
        day: date,
        *,
        symbols: Sequence[str] | None = None,
        columns: Sequence[str] | None = None,
    ) -> pd.DataFrame:
        """``CONTRACTS`` of a day, or those of its columns that are named.

        Raises
        ------
        MissingHistory
            When the day is not stored; names the nearest stored days.
        """
        ...

    def banned(self, day: date) -> frozenset[str] | None:
        """Symbols in the ban period on a day; ``None`` when no list of the day is stored."""
        ...

    def cash(
        self, first: date, last: date, *, symbols: Sequence[str] | None = None
    ) -> pd.DataFrame:
        """``CASH`` rows from ``first`` to ``last`` inclusive; empty when none are stored."""
        ...

    def indices(
        self, first: date, last: date, *, names: Sequence[str] | None = None
    ) -> pd.DataFrame:
        """``INDICES`` rows from ``first`` to ``last`` inclusive; empty when none are stored."""
        ...

    def quote_times(self, day: date) -> list[datetime]:
        """Moments of recorded intraday snapshots of a day, ascending; empty when none."""
        ...

    def quotes(self, at: datetime, *, symbols: Sequence[str] | None = None) -> pd.DataFrame:
        """``QUOTES`` of the snapshot taken at exactly that moment.

        Raises
        ------
        MissingHistory
            When there is no snapshot at that moment.
        """
        ...

    def chain_times(self, day: date) -> dict[str, datetime]:
        """When each underlying's chain was last read from a broker on a day, by symbol."""
        ...

    def as_of(self, day: date) -> Past:
        """History as known after the close of a day, in its terms. Stages read nothing else."""
        ...

    def actions(self, first: date, last: date) -> list[CorporateAction]:
        """Corporate actions, known or detected, ``first`` to ``last`` inclusive, oldest first."""
        ...

    def write(self, dataset: str, frame: pd.DataFrame, *, source: str) -> int:
        """Merge rows into a dataset; each partition is written atomically.

        Datasets: ``contracts`` (the frame needs a ``day`` column too), ``cash``, ``indices``,
        ``quotes`` (snapshots) and ``chains`` (``QUOTES`` read from a broker one by one).
        A stored row that is equal is kept; its columns without a value are filled.

        Returns
        -------
        int
            Rows that were new or completed.

        Raises
        ------
        BadFile
            When a row contradicts a stored one; names both sources. Nothing of the frame's
            partition is written then.
        """
        ...


class Past(Protocol):
    """A history as it was known after the close of ``day``. Nothing later can be read.

    A day whose file is not out yet has the contracts that were read from a broker, where any
    were.

    Prices, strikes, quantities and symbols are in the terms of ``day``: splits, bonus issues,
    dividends that moved strikes and renames up to it are applied. A demerger is not
    (``actions`` lists it). Reads of a span end at ``day``.
    """

    market: str
    day: date

    def days(self) -> list[date]:
        """Days with contracts, ascending."""
        ...

    def contracts(
        self,
        day: date,
        *,
        symbols: Sequence[str] | None = None,
        columns: Sequence[str] | None = None,
    ) -> pd.DataFrame:
        """``CONTRACTS`` of a day, or those of its columns that are named.

        Raises
        ------
        MissingHistory
            When the day is not stored, or later.
        """
        ...

    def banned(self, day: date) -> frozenset[str] | None:
        """Symbols in the ban period on a day; ``None`` when no list of the day is stored."""
        ...

    def cash(
        self, first: date, last: date, *, symbols: Sequence[str] | None = None
    ) -> pd.DataFrame:
        """``CASH`` rows from ``first`` to ``last`` inclusive; empty when none are stored."""
        ...

    def indices(
        self, first: date, last: date, *, names: Sequence[str] | None = None
    ) -> pd.DataFrame:
        """``INDICES`` rows from ``first`` to ``last`` inclusive; empty when none are stored."""
        ...

    def prices(
        self, first: date, last: date, *, symbols: Sequence[str] | None = None
    ) -> pd.DataFrame:
        """Daily prices of stocks and indices: ``symbol``, ``day``, ``open`` to ``close``.

        Open, high and low are NaN where only a level is known; an unknown day is absent. Sorted
        by symbol and day.
        """
        ...

    def actions(self, first: date, last: date) -> list[CorporateAction]:
        """Corporate actions from ``first`` to ``last`` inclusive, oldest first."""
        ...

    def known_as(self, name: str) -> KnownAs:
        """Symbol on ``day`` of the underlying that has, had or will have a name.

        Capitals and blanks around the name do not matter. A name that is listed on the day, or
        that no rename is about, is itself.
        """
        ...

    def day_fingerprint(self, salt: str) -> str:
        """What the contracts of ``day`` itself hold, as a short text.

        It changes with them and with ``salt``, never by another day's rows. Of contracts that
        were read from a broker it also changes with what their lots are taken from: the last file
        before, and corporate actions since.
        """
        ...

    def fingerprint(self, first: date, salt: str) -> str:
        """What everything readable from ``first`` to ``day`` holds, as a short text.

        It changes when rows of the span are added, completed or corrected, when a corporate
        action is found, and with ``salt``; never by anything later than ``day``, nor by the name
        of the file that rows came in.
        """
        ...

    def quote_times(self, day: date) -> list[datetime]:
        """Moments of recorded intraday snapshots of a day; empty when none, or later."""
        ...

    def quotes(self, at: datetime, *, symbols: Sequence[str] | None = None) -> pd.DataFrame:
        """``QUOTES`` of the snapshot taken at exactly that moment, unadjusted.

        Raises
        ------
        MissingHistory
            When there is none at that moment, or it is later.
        """
        ...
