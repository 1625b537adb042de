"""History of one market in a folder of Parquet files, read in place.

``contracts`` is one file a day, ``cash`` one a month, ``indices`` one a year, ``quotes`` one a
day. A partition is replaced atomically, so a day is either absent or complete.
"""

from __future__ import annotations

import bisect
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from strikeloom.adapters.parquet.actions import compare, read_compared
from strikeloom.adapters.parquet.as_of import HistoryAsOf
from strikeloom.adapters.parquet.chain_day import chain_times
from strikeloom.adapters.parquet.changes import Changes
from strikeloom.adapters.parquet.datasets import DATASETS, Dataset, to_disk
from strikeloom.adapters.parquet.partitions import (
    Sources,
    all_digests,
    read_sources,
    stored,
    stored_days,
    sweep,
)
from strikeloom.adapters.parquet.reading import among, read_frame, read_tables
from strikeloom.domain.instruments import InstrumentKind, Underlying
from strikeloom.errors import MissingHistory, StoreError
from strikeloom.nse.corporate_actions import CorporateAction, joined

if TYPE_CHECKING:
    import pandas as pd

_LOCK_SECONDS = 60


class ParquetHistory:
    """``ports.history.History`` over ``<folder>/<dataset>/<partition>.parquet``.

    Parameters
    ----------
    folder : pathlib.Path
        Folder of the market; made when first written.
    """

    def __init__(self, folder: Path, market: str) -> None:
        self.folder = folder
        self.market = market

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
        """Moments of recorded intraday snapshots of a day, ascending; empty when none."""
        from strikeloom.nse.sessions import IST

        dataset = DATASETS["quotes"]
        path = self._path(dataset, day)
        if not path.exists():
            return []
        moments = read_tables([path], dataset, columns=["at"])["at"].unique()
        return sorted(at.astimezone(IST) for at in moments.to_pylist())

    def quotes(self, at: datetime, *, symbols: Sequence[str] | None = None) -> pd.DataFrame:
        """``QUOTES`` of the snapshot taken at exactly that moment.

        Raises
        ------
        MissingHistory
            When there is no snapshot at that moment.
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
            "lists the moments of a day",
            at=at.isoformat(),
        )

    def chain_times(self, day: date) -> dict[str, datetime]:
        """When each underlying's chain was last read from a broker on a day, by symbol."""
        return chain_times(self.folder, day)

    def as_of(self, day: date) -> HistoryAsOf:
        """What was known after the close of a day, in that day's terms."""
        return HistoryAsOf(self, day)

    def actions(self, first: date, last: date) -> list[CorporateAction]:
        """Corporate actions on record and found, ``first`` to ``last`` inclusive, oldest first."""
        found = (item for pair in read_compared(self.folder).values() for item in pair.found)
        return [item for item in joined(found) if first <= item.day <= last]

    def find_actions(self) -> list[CorporateAction]:
        """Look for corporate actions in contracts not compared yet; everything found so far."""
        if not self.days():
            return []
        with self.changes():
            return compare(
                self.folder,
                stored(self.folder / "contracts"),
                lambda day, columns: self.contracts(day, columns=columns),
                self.cash,
                all_digests(self.folder / "cash"),
            )

    def write(self, dataset: str, frame: pd.DataFrame, *, source: str) -> int:
        """Merge rows into a dataset, atomically a partition.

        Returns
        -------
        int
            Rows that were new or completed.

        Raises
        ------
        BadFrame
            When a column is missing or of another kind.
        BadFile
            When two rows contradict each other, or one a stored row; names both sources.
            Nothing is written then.
        """
        kind = DATASETS[dataset]
        table = to_disk(frame, kind, source=source)
        with self.changes() as changes:
            added = changes.add(kind, table, source=source)
            changes.commit()
        return added.new

    @contextmanager
    def changes(self) -> Iterator[Changes]:
        """Rows of several sources to be written together; one writer at a time.

        What is not committed when the block ends is forgotten.

        Raises
        ------
        StoreError
            When the folder cannot be written, or another process has been writing for a minute.
        """
        from filelock import FileLock, Timeout

        lock = FileLock(self.folder / ".lock", timeout=_LOCK_SECONDS)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock.acquire()
        except Timeout as error:
            raise StoreError(
                f"another process is writing the history of market {self.market}; wait for it "
                "and import again"
            ) from error
        except OSError as error:
            raise StoreError(f"the folder {self.folder} cannot be written: {error}") from error
        try:
            sweep(self.folder)
            yield Changes(self.folder)
        finally:
            lock.release()

    def sources(self, dataset: str, partition: str) -> Sources:
        """Names of the files that a partition came from, by scope; empty when not stored."""
        return read_sources(self.folder / dataset / f"{partition}.parquet")

    def stored_days(self, dataset: str) -> list[date]:
        """Days with at least one row, ascending."""
        from strikeloom.nse.sessions import IST

        kind = DATASETS[dataset]
        if kind.moment not in kind.schema.columns:
            return self.days()
        days: set[date] = set()
        for path in stored(self.folder / dataset):
            moments = read_tables([path], kind, columns=[kind.moment])[kind.moment].unique()
            days.update(
                m.astimezone(IST).date() if isinstance(m, datetime) else m
                for m in moments.to_pylist()
            )
        return sorted(days)

    def index_levels(self) -> pd.DataFrame:
        """Closes of every known index by day, from index rows and from the contracts.

        Returns
        -------
        DataFrame
            ``day``, ``index``, ``close`` (rupees); the exchange's own rows before contracts.
        """
        import pandas as pd
        import pyarrow.compute as pc

        rows = self.indices(date.min, date.max)
        rows = rows[rows["publisher"] == "nse"][["day", "index", "close"]]
        contracts = DATASETS["contracts"]
        table = read_tables(
            stored(self.folder / "contracts"),
            contracts,
            pc.field("kind") == InstrumentKind.INDEX.value,
            columns=["day", "symbol", "underlying"],
        )
        spots = table.group_by(["day", "symbol"]).aggregate([("underlying", "max")]).to_pandas()
        named = pd.DataFrame(
            {
                "day": spots["day"].astype("datetime64[s]"),
                "index": spots["symbol"],
                "close": spots["underlying_max"] / 100,
            }
        )
        both = pd.concat([rows, named], ignore_index=True).dropna()
        return both.drop_duplicates(["day", "index"], ignore_index=True)

    def underlyings(self) -> dict[str, Underlying]:
        """Underlyings that came with the market (a synthetic one); empty for the exchange."""
        path = self.folder / "underlyings.json"
        rows = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
        read = (Underlying(r["symbol"], InstrumentKind(r["kind"]), r["sector"]) for r in rows)
        return {underlying.symbol: underlying for underlying in read}

    def write_underlyings(self, rows: Iterable[Underlying]) -> None:
        """Keep the underlyings of a made market beside its history."""
        body = [{"symbol": u.symbol, "kind": u.kind.value, "sector": u.sector} for u in rows]
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "underlyings.json").write_text(json.dumps(body), encoding="utf-8")

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
        near = [str(d) for d in days[max(0, place - 1) : place + 1]]
        return MissingHistory(
            f"market {self.market} has no contracts of {day}; nearest stored: "
            f"{' and '.join(near)}. Import that day's file with strikeloom data import PATH",
            day=day.isoformat(),
        )
