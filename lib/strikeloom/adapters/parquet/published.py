"""Published rows of a history in a folder of Parquet files, read in place.

``contracts`` is one file a day, ``cash`` one a month, ``indices`` one a year, ``quotes`` and
``chains`` one a day.
"""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from strikeloom.adapters.parquet.actions import read_compared
from strikeloom.adapters.parquet.ban_lists import read_ban_list
from strikeloom.adapters.parquet.chain_day import chain_times
from strikeloom.adapters.parquet.datasets import DATASETS, Dataset
from strikeloom.adapters.parquet.partitions import stored, stored_days
from strikeloom.adapters.parquet.price_steps import read_stated, read_steps
from strikeloom.adapters.parquet.reading import among, read_frame, read_tables
from strikeloom.domain.market_names import is_synthetic
from strikeloom.errors import MissingHistory
from strikeloom.nse.corporate_actions import CorporateAction, joined
from strikeloom.nse.stated_steps import StatedStep, answered

if TYPE_CHECKING:
    import pandas as pd


class PublishedHistory:
    """Rows of one market as they were published, without adjustment.

    Parameters
    ----------
    folder : pathlib.Path
        Folder of the market.
    """

    def __init__(self, folder: Path, market: str) -> None:
        self.folder = folder
        self.market = market

    def banned(self, day: date) -> frozenset[str] | None:
        """Symbols in the ban period on a day; ``None`` when no list of the day is stored.

        A synthetic market has no market-wide position limits: never ``None`` there.
        """
        if is_synthetic(self.market):
            return frozenset()
        return read_ban_list(self.folder, day)

    def days(self) -> list[date]:
        """Days with contracts, ascending."""
        return stored_days(self.folder / "contracts")

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
        dataset = DATASETS["contracts"]
        path, wanted = self._path(dataset, day), columns or list(dataset.schema.columns)
        if not path.exists():
            raise self._missing(day)
        return read_frame([path], dataset, among("symbol", symbols), columns=wanted)

    def cash(
        self, first: date, last: date, *, symbols: Sequence[str] | None = None
    ) -> pd.DataFrame:
        """``CASH`` rows from ``first`` to ``last`` inclusive; empty when none are stored."""
        return self._between(DATASETS["cash"], first, last, "symbol", symbols)

    def indices(
        self, first: date, last: date, *, names: Sequence[str] | None = None
    ) -> pd.DataFrame:
        """``INDICES`` rows from ``first`` to ``last`` inclusive; empty when none are stored."""
        return self._between(DATASETS["indices"], first, last, "index", names)

    def quote_times(self, day: date) -> list[datetime]:
        """Times of recorded intraday snapshots of a day, ascending; empty when none."""
        from strikeloom.nse.sessions import IST

        dataset = DATASETS["quotes"]
        path = self._path(dataset, day)
        if not path.exists():
            return []
        times = read_tables([path], dataset, columns=["at"])["at"].unique()
        return sorted(at.astimezone(IST) for at in times.to_pylist())

    def quotes(self, at: datetime, *, symbols: Sequence[str] | None = None) -> pd.DataFrame:
        """``QUOTES`` of the snapshot taken at exactly that time.

        Raises
        ------
        MissingHistory
            When there is no snapshot at that time.
        """
        import pyarrow.compute as pc

        from strikeloom.nse.sessions import IST

        dataset = DATASETS["quotes"]
        path = self._path(dataset, at.astimezone(IST).date())
        if path.exists():
            rows = among("symbol", symbols, pc.field("at") == at)
            frame = read_frame([path], dataset, rows)
            if len(frame) or (symbols is not None and at in self.quote_times(at.date())):
                return frame
        raise MissingHistory(
            f"market {self.market} has no quotes recorded at {at.isoformat()}; quote_times(day) "
            "lists the times of a day",
            at=at.isoformat(),
        )

    def chain_times(self, day: date) -> dict[str, datetime]:
        """When each underlying's chain was last read from a broker on a day, by symbol."""
        return chain_times(self.folder, day)

    def actions(self, first: date, last: date) -> list[CorporateAction]:
        """Corporate actions on record, found and stated, ``first`` to ``last``, oldest first.

        Price steps to ask about are among them, until somebody has stated what they were.
        """
        detected = [item for pair in read_compared(self.folder).values() for item in pair.found]
        known = joined([*detected, *read_steps(self.folder)])
        return [
            item for item in answered(known, read_stated(self.folder)) if first <= item.day <= last
        ]

    def stated(self) -> list[StatedStep]:
        """What a person stated about price steps, oldest first."""
        return read_stated(self.folder)

    def _path(self, dataset: Dataset, day: date) -> Path:
        return self.folder / dataset.name / f"{day.strftime(dataset.grain)}.parquet"

    def _between(
        self,
        dataset: Dataset,
        first: date,
        last: date,
        column: str,
        wanted: Sequence[str] | None,
    ) -> pd.DataFrame:
        import pyarrow.compute as pc

        low, high = self._path(dataset, first), self._path(dataset, last)
        paths = [path for path in stored(self.folder / dataset.name) if low <= path <= high]
        within = (pc.field("day") >= first) & (pc.field("day") <= last)
        return read_frame(paths, dataset, among(column, wanted, within))

    def _missing(self, day: date) -> MissingHistory:
        days = self.days()
        if not days:
            return MissingHistory(
                f"market {self.market} has no stored days; run strikeloom data import PATH"
            )
        place = bisect.bisect(days, day)
        remedy = ". Import that day's file with strikeloom data import PATH"
        if is_synthetic(self.market):
            remedy = "; a synthetic market has no others"
        near = [str(d) for d in days[max(0, place - 1) : place + 1]]
        return MissingHistory(
            f"market {self.market} has no contracts of {day}; nearest stored: "
            f"{' and '.join(near)}{remedy}",
            day=day.isoformat(),
        )
