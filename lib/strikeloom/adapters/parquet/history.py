"""History of one market in a folder of Parquet files: reading, point-in-time views and writing.

A partition is replaced atomically, so a day is either absent or complete.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import TYPE_CHECKING

from strikeloom.adapters.parquet.actions import Prepared, compare, prepare
from strikeloom.adapters.parquet.as_of import HistoryAsOf
from strikeloom.adapters.parquet.ban_lists import write_ban_list
from strikeloom.adapters.parquet.changes import Changes
from strikeloom.adapters.parquet.datasets import DATASETS, to_disk
from strikeloom.adapters.parquet.partitions import (
    Sources,
    all_digests,
    read_sources,
    stored,
    sweep,
)
from strikeloom.adapters.parquet.price_steps import find_steps, write_stated
from strikeloom.adapters.parquet.published import PublishedHistory
from strikeloom.adapters.parquet.reading import read_coded, read_tables
from strikeloom.domain.instruments import InstrumentKind, Underlying
from strikeloom.domain.market_names import is_synthetic
from strikeloom.errors import StoreError
from strikeloom.nse.corporate_actions import CorporateAction, joined
from strikeloom.nse.stated_steps import StatedStep

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

_LOCK_SECONDS = 60


class ParquetHistory(PublishedHistory):
    """``ports.history.History`` over ``<folder>/<dataset>/<partition>.parquet``.

    The folder is created when rows are first written.
    """

    def as_of(self, day: date) -> HistoryAsOf:
        """Point-in-time view: what was known after the close of a day, in that day's terms."""
        return HistoryAsOf(self, day)

    def prepare_actions(self) -> Prepared:
        """Begin to search the stored contracts, while other files are imported."""
        return prepare(self.folder, stored(self.folder / "contracts"), self._coded_contracts)

    def find_actions(self, prepared: Prepared | None = None) -> list[CorporateAction]:
        """Search contracts not compared yet for corporate actions; return all found so far.

        Parameters
        ----------
        prepared : Prepared, optional
            What ``prepare_actions`` returned: that part of the search is not made again.
        """
        if not self.days():
            return []
        with self.changes():
            cash = all_digests(self.folder / "cash")
            found = compare(
                self.folder,
                stored(self.folder / "contracts"),
                self._coded_contracts,
                self.cash,
                cash,
                prepared or {},
            )
            if not is_synthetic(self.market):
                find_steps(
                    self.folder,
                    self.days(),
                    joined(found),
                    cash,
                    lambda symbols: self.cash(date.min, date.max, symbols=symbols),
                    self._coded_contracts,
                )
            return found

    def state_step(self, symbol: str, day: date, step: StatedStep | None) -> None:
        """Record what a person stated about the night before a day; ``None`` takes it back."""
        with self.changes():
            write_stated(self.folder, symbol, day, step)

    def write(self, dataset: str, frame: pd.DataFrame, *, source: str) -> int:
        """Merge rows into a dataset, atomically a partition.

        Returns
        -------
        int
            Rows that were new, or completed a stored row.

        Raises
        ------
        BadFrame
            When a column is missing or of the wrong type.
        BadFile
            When two rows contradict each other, or a row contradicts a stored one; names both
            sources. Nothing is written then.
        """
        kind = DATASETS[dataset]
        table = to_disk(frame, kind, source=source)
        with self.changes() as changes:
            added = changes.add(kind, table, source=source)
            changes.commit()
        return added.new

    def store_ban_list(self, day: date, symbols: Iterable[str], *, source: str) -> bool:
        """Store the symbols in the ban period on a day; whether they differ from those stored.

        Raises
        ------
        StoreError
            When the folder cannot be written.
        """
        return write_ban_list(self.folder, day, symbols, source=source)

    def _coded_contracts(self, day: date, columns: Sequence[str]) -> pa.Table:
        kind = DATASETS["contracts"]
        return read_coded([self._path(kind, day)], kind, columns=columns)

    @contextmanager
    def changes(self) -> Iterator[Changes]:
        """Open changes of several sources that are written together; one writer at a time.

        Changes not committed when the block ends are discarded.

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
        """Names of the source files of a partition, by scope; empty when not stored."""
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

    def index_levels(self, of_contracts: pd.DataFrame | None = None) -> pd.DataFrame:
        """Closes of every known index by day, from index rows and from the contracts.

        Parameters
        ----------
        of_contracts : DataFrame, optional
            What ``contract_levels`` returned, read before.

        Returns
        -------
        DataFrame
            ``day``, ``index``, ``close`` (rupees); the exchange's own rows take precedence.
        """
        import pandas as pd

        published = self.indices(date.min, date.max)
        published = published[published["publisher"] == "nse"][["day", "index", "close"]]
        named = self.contract_levels() if of_contracts is None else of_contracts
        both = pd.concat([published, named], ignore_index=True).dropna()
        return both.drop_duplicates(["day", "index"], ignore_index=True)

    def contract_levels(self) -> pd.DataFrame:
        """Closes of the indices with contracts, as these state them: ``index_levels``' columns."""
        import pandas as pd
        import pyarrow as pa
        import pyarrow.compute as pc

        contracts = DATASETS["contracts"]
        names = ["day", "symbol", "kind", "underlying"]
        levels = [read_tables([], contracts, columns=names)]
        for path in stored(self.folder / "contracts"):  # a file at a time: a filter costs more
            rows = read_coded([path], contracts, columns=names)
            rows = rows.filter(pc.equal(rows["kind"], InstrumentKind.INDEX.value))
            levels.append(rows.cast(levels[0].schema))
        table = pa.concat_tables(levels)
        spots = table.group_by(["day", "symbol"]).aggregate([("underlying", "max")]).to_pandas()
        return pd.DataFrame(
            {
                "day": spots["day"].astype("datetime64[s]"),
                "index": spots["symbol"],
                "close": spots["underlying_max"] / 100,
            }
        )

    def underlyings(self) -> dict[str, Underlying]:
        """Underlyings of a synthetic market; empty for the exchange."""
        path = self.folder / "underlyings.json"
        rows = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
        read = (Underlying(r["symbol"], InstrumentKind(r["kind"]), r["sector"]) for r in rows)
        return {underlying.symbol: underlying for underlying in read}

    def write_underlyings(self, rows: Iterable[Underlying]) -> None:
        """Store the underlyings of a synthetic market beside its history."""
        body = [{"symbol": u.symbol, "kind": u.kind.value, "sector": u.sector} for u in rows]
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "underlyings.json").write_text(json.dumps(body), encoding="utf-8")
