"""Checks of one file of a batch, with what is stored around its days."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta
from math import isnan
from typing import TYPE_CHECKING

from strikeloom.adapters.bhavcopy.parsed import Mismatch
from strikeloom.adapters.bhavcopy.plausible.cash import CashTable, check_cash
from strikeloom.adapters.bhavcopy.plausible.contracts import check_contracts
from strikeloom.adapters.bhavcopy.plausible.day_table import COLUMNS, DayTable
from strikeloom.adapters.bhavcopy.plausible.findings import Checked, Findings
from strikeloom.adapters.bhavcopy.plausible.identities import check_identities
from strikeloom.adapters.bhavcopy.plausible.indices import check_indices
from strikeloom.adapters.bhavcopy.plausible.neighbours import check_neighbours, paired
from strikeloom.adapters.bhavcopy.plausible.sessions import (
    check_name,
    check_sessions,
    near,
    session_before,
)
from strikeloom.adapters.bhavcopy.plausible.settlements import check_settlements
from strikeloom.adapters.parquet.changes import Changes
from strikeloom.adapters.parquet.datasets import DATASETS
from strikeloom.adapters.parquet.history import ParquetHistory
from strikeloom.adapters.parquet.reading import read_tables
from strikeloom.errors import StoreError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

_NEAR = timedelta(days=5)  # a weekend with holidays on both sides
_FEW_DAYS = 5
_LEVELS = ["day", "index", "publisher", "high", "low", "close"]


class FileCheck:
    """Checks the files of one batch, one after another.

    Parameters
    ----------
    changes : Changes
        Rows of the batch that are merged but not written.
    accept : collection of str
        Checks whose objections are accepted.
    """

    def __init__(
        self, history: ParquetHistory, changes: Changes, accept: Collection[str] = ()
    ) -> None:
        self._history = history
        self._changes = changes
        self._accept = frozenset(accept)
        self._days = set(history.days())
        self._last: DayTable | None = None
        self._levels: dict[date, dict[str, float]] = {}

    def __call__(
        self,
        dataset: str,
        table: pa.Table,
        mismatches: Sequence[Mismatch] = (),
        *,
        file: str,
        source: str,
    ) -> Checked:
        """Rows of a file that passed.

        Parameters
        ----------
        mismatches : sequence of Mismatch
            What the reader of the file found, of contracts.
        file : str
            Name of the file on disk, which may state its day.

        Raises
        ------
        BadFile
            When the whole file is unlikely; names the checks, the numbers and the remedy.
        """
        found = Findings(source, len(table), self._accept)
        if not len(table):
            return Checked(table)
        if dataset == "contracts":
            return self._contracts(table, mismatches, file, found)
        days = table["day"].unique().to_pylist()
        check_sessions(days, found)
        check_name(file, dataset, days, found)
        if dataset == "cash":
            # the days of a stacked file are compared with each other
            stored = self._stored("cash", days) if len(days) == 1 else table.slice(0, 0)
            cash = CashTable(table, stored)
            check_cash(cash, session_before, self._stocks, found)
        else:
            few = len(days) <= _FEW_DAYS
            check_indices(_frame(table), self._exchange_levels(days if few else []), found)
        return found.passed(table)

    def _contracts(
        self, table: pa.Table, mismatches: Sequence[Mismatch], file: str, found: Findings
    ) -> Checked:
        day = DayTable(table)
        check_sessions([day.date], found)
        check_name(file, "contracts", [day.date], found)
        check_contracts(day, found)
        check_settlements(day, found)
        _mismatches(day, mismatches, found)
        stored = self._beside(day.date)
        if stored is not None:
            later = stored.date < day.date
            before, after = (stored, day) if later else (day, stored)
            adjacent = session_before(after.date) == before.date
            pair = paired(before, after, adjacent=adjacent, later=later)
            check_neighbours(pair, found)
            check_identities(pair, found)
        passed = found.passed(table)
        # without the symbols of which no row is left
        kept = passed.table.cast(DATASETS["contracts"].on_disk)
        self._pending = day if passed.table is table else DayTable(kept)
        return passed

    def stored(self) -> None:
        """Note that the contracts checked last are stored, or about to be."""
        self._last = self._pending
        self._days.add(self._last.date)
        self._levels[self._last.date] = _levels(self._last)

    def _beside(self, day: date) -> DayTable | None:
        """Stored contracts next to a day; none where the nearest file is damaged."""
        beside = near(day, self._days, _NEAR)
        try:
            return None if beside is None else self._day(beside)
        except StoreError:
            return None  # whoever reads that day is given the error

    def _day(self, day: date) -> DayTable:
        if self._last is not None and self._last.date == day:
            return self._last
        kind = DATASETS["contracts"]
        path = self._history.folder / kind.name / f"{day.strftime(kind.grain)}.parquet"
        return DayTable(read_tables([path], kind, columns=list(COLUMNS)))

    def _stocks(self, day: date) -> Mapping[str, float]:
        """Level in paise of each stock with contracts on a day."""
        return self._known_levels(day, stocks=True)

    def _known_levels(self, day: date, *, stocks: bool) -> dict[str, float]:
        if day not in self._levels:
            known = day in self._days
            self._levels[day] = _levels(self._day(day)) if known else {}
        found = self._levels[day]
        return {name[1:]: level for name, level in found.items() if (name[0] == "s") == stocks}

    def _stored(self, dataset: str, days: Collection[date]) -> pa.Table:
        """Stored rows from the session before some days to the last of them."""
        import pyarrow as pa
        import pyarrow.compute as pc

        kind = DATASETS[dataset]
        first, last = min(days), max(days)
        first = session_before(first) or first
        names = dict.fromkeys(day.strftime(kind.grain) for day in (first, last))
        table = pa.concat_tables([self._changes.rows(kind, name) for name in names])
        inside = pc.and_(
            pc.greater_equal(table["day"], pa.scalar(first, pa.date32())),
            pc.less_equal(table["day"], pa.scalar(last, pa.date32())),
        )
        return table.filter(inside)

    def _exchange_levels(self, days: Collection[date]) -> pd.DataFrame:
        """Levels of indices that the exchange published, in index files and with contracts."""
        import pandas as pd

        if not days:
            return pd.DataFrame(columns=["day", "index", "close"])
        rows = _frame(self._stored("indices", days))
        rows = rows[rows["publisher"] == "nse"][["day", "index", "close"]]
        named = [
            (pd.Timestamp(day), name, level)
            for day in days
            for name, level in self._known_levels(day, stocks=False).items()
        ]
        levels = pd.DataFrame(named, columns=["day", "index", "close"])
        return pd.concat([levels, rows], ignore_index=True) if named else rows


def _mismatches(day: DayTable, mismatches: Sequence[Mismatch], found: Findings) -> None:
    """Leave out the rows in which the reader of the file found a mismatch."""
    traded = int((day.traded & ~day.future).sum())
    for mismatch in mismatches:

        def describe(row: int, mismatch: Mismatch = mismatch) -> str:
            return f"{day.named(row)}: {mismatch.describe(row)}"

        of = traded if mismatch.check == "units" else day.rows
        found.damaged(mismatch.check, mismatch.bad, describe, of=of)


def _levels(day: DayTable) -> dict[str, float]:
    """Level by symbol, each with its kind before it; contracts without a level are left out."""
    if not day.complete:
        return {}  # a future's price is no level of the cash market
    kinds = ("s" if stock else "i" for stock in day.stock_symbols)
    names = zip(kinds, day.symbols, day.level, strict=True)
    return {kind + name: float(level) for kind, name, level in names if not isnan(level)}


def _frame(table: pa.Table) -> pd.DataFrame:
    """Index levels in hundredths."""
    frame: pd.DataFrame = table.select(_LEVELS).to_pandas(date_as_object=False)
    return frame.astype(dict.fromkeys(("high", "low", "close"), float))
