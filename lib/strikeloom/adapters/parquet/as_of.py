"""A history as it was known after the close of a day: nothing later, in that day's terms."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from strikeloom.adapters.parquet.chain_day import chain_path, contracts_of_chains
from strikeloom.adapters.parquet.datasets import DATASETS, PAISE, from_disk
from strikeloom.adapters.parquet.partitions import Sources, read_sources
from strikeloom.adapters.parquet.reading import read_tables
from strikeloom.errors import MissingHistory
from strikeloom.nse.adjusted import adjusted_contracts, adjusted_prices
from strikeloom.nse.corporate_actions import CorporateAction

if TYPE_CHECKING:
    import pandas as pd

    from strikeloom.adapters.parquet.history import ParquetHistory

_PARTITIONS_KEPT = 10  # months of cash, years of indices: 50,000 rows each
_DAYS_KEPT = 260  # of spots: 200 rows each
_FOOTERS_KEPT = 512
_DATE = len("2026-01-31")
_SIDES = ("open", "high", "low", "close")


class HistoryAsOf:
    """``ports.history.Past``: a view that ends at a day and speaks in its shares and symbols.

    Made by ``ParquetHistory.as_of``. Reads of a span end at the day; a read of a later day or
    moment raises ``MissingHistory``.
    """

    def __init__(self, history: ParquetHistory, day: date) -> None:
        self.market = history.market
        self.day = day
        self._history = history

    def days(self) -> list[date]:
        """Days with contracts, from a file or read from a broker, ascending."""
        chains = (self._history.folder / "chains").glob("[0-9]*.parquet")
        read = {date.fromisoformat(path.stem) for path in chains}
        return sorted(day for day in read | set(self._history.days()) if day <= self.day)

    def contracts(self, day: date, *, symbols: Sequence[str] | None = None) -> pd.DataFrame:
        """``CONTRACTS`` of a day, in the terms of the view's day.

        Raises
        ------
        MissingHistory
            When the day is not stored or later than the view's.
        """
        self._refuse_later(day, f"contracts of {day}")
        since = [item for item in self.actions(day, self.day) if item.day > day]
        if not since:
            return self._published(day, symbols)
        names = None if symbols is None else _with_former(symbols, since)
        frame = adjusted_contracts(self._published(day, names), since)
        key = list(DATASETS["contracts"].schema.key)
        return _only(frame, symbols).sort_values(key, ignore_index=True, kind="stable")

    def cash(
        self, first: date, last: date, *, symbols: Sequence[str] | None = None
    ) -> pd.DataFrame:
        """``CASH`` rows from ``first`` to ``last`` or the view's day, in its terms."""
        last = min(last, self.day)
        since = self.actions(first, self.day)
        names = None if symbols is None else _with_former(symbols, since)
        frame = self._rows("cash", first, last, names)
        frame = _only(adjusted_prices(frame, since), symbols)
        return frame.sort_values(["day", "symbol"], ignore_index=True)

    def indices(
        self, first: date, last: date, *, names: Sequence[str] | None = None
    ) -> pd.DataFrame:
        """``INDICES`` rows from ``first`` to ``last`` or the view's day."""
        return self._history.indices(first, min(last, self.day), names=names)

    def prices(
        self, first: date, last: date, *, symbols: Sequence[str] | None = None
    ) -> pd.DataFrame:
        """Daily prices of underlyings, stocks and indices alike, in the terms of the view's day.

        Returns
        -------
        DataFrame
            ``symbol``, ``day``, ``open``, ``high``, ``low``, ``close`` (rupees), sorted by
            symbol and day. Of stocks the cash market's; of indices the exchange's levels, else
            another publisher's; where neither is stored the underlying's level in the
            contracts, a close alone. A day that has none of these is absent.
        """
        import pandas as pd

        last = min(last, self.day)
        since = self.actions(first, self.day)
        names = None if symbols is None else _with_former(symbols, since)
        cash = self._rows("cash", first, last, names)
        levels = self._rows("indices", first, last, names).rename(columns={"index": "symbol"})
        levels = levels.sort_values("publisher", key=lambda who: who != "nse", kind="stable")
        spots = [self._spots(day) for day in self.days() if first <= day <= last]
        columns = ["symbol", "day", *_SIDES]
        parts = [cash[columns], levels[columns]]
        parts += [_only(pd.concat(spots, ignore_index=True), names)] if spots else []
        frame = pd.concat([part for part in parts if len(part)] or parts, ignore_index=True)
        frame = frame.drop_duplicates(["symbol", "day"])
        frame = _only(adjusted_prices(frame, since), symbols)
        return frame.sort_values(["symbol", "day"], ignore_index=True)

    def actions(self, first: date, last: date) -> list[CorporateAction]:
        """Corporate actions from ``first`` to ``last`` or the view's day, oldest first."""
        return self._history.actions(first, min(last, self.day))

    def fingerprint(self, first: date, salt: str) -> str:
        """What everything readable from ``first`` to the view's day came from."""
        begin, end = str(first), str(self.day)
        seen: dict[str, object] = {
            "salt": salt,
            "contracts": self._history.sources("contracts", end) or self._read_today(),
            "days": [str(day) for day in self.days() if day >= first],
            "actions": [repr(item) for item in self.actions(first, self.day)],
        }
        for name in ("cash", "indices"):
            low, high = (day.strftime(DATASETS[name].grain) for day in (first, self.day))
            for path in sorted((self._history.folder / name).glob("[0-9]*.parquet")):
                if low <= path.stem <= high:
                    scopes = _sources(path, _stamp(path)).items()
                    inside = {k: files for k, files in scopes if begin <= k[:_DATE] <= end}
                    seen |= {f"{name} {path.stem}": inside} if inside else {}
        text = json.dumps(seen, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def _read_today(self) -> dict[str, str]:
        """Moment of each underlying's chain, on a day that has no file yet."""
        return {name: at.isoformat() for name, at in self._history.chain_times(self.day).items()}

    def quote_times(self, day: date) -> list[datetime]:
        """Moments of recorded intraday snapshots of a day; empty for a later one."""
        return self._history.quote_times(day) if day <= self.day else []

    def quotes(self, at: datetime, *, symbols: Sequence[str] | None = None) -> pd.DataFrame:
        """``QUOTES`` of the snapshot taken at exactly that moment, as quoted.

        Raises
        ------
        MissingHistory
            When there is none, or the moment is on a later day.
        """
        from strikeloom.nse.sessions import IST

        self._refuse_later(at.astimezone(IST).date(), f"quotes of {at.isoformat()}")
        return self._history.quotes(at, symbols=symbols)

    def _refuse_later(self, day: date, what: str) -> None:
        if day > self.day:
            raise MissingHistory(
                f"{what} are later than {self.day}, the day whose knowledge is asked for; open "
                "the desk for a later day",
                day=day.isoformat(),
            )

    def _published(self, day: date, symbols: Sequence[str] | None) -> pd.DataFrame:
        """Contracts of the day's file, else as read from a broker."""
        folder = self._history.folder
        filed = self._history.days()
        if day in filed or not chain_path(folder, day).exists():
            return self._history.contracts(day, symbols=symbols)
        import pandas as pd

        before = [item for item in filed if item < day]
        lots = pd.Series(dtype=np.int64, index=pd.MultiIndex.from_arrays([[], []]))
        if before:
            lots = self.contracts(before[-1]).groupby(["symbol", "expiry"])["lot_size"].max()
        return contracts_of_chains(folder, day, lots, symbols=symbols)

    def _rows(
        self, name: str, first: date, last: date, names: Sequence[str] | None
    ) -> pd.DataFrame:
        """Rows of cash or indices as published, through a memory of whole partitions."""
        import pandas as pd

        dataset = DATASETS[name]
        low, high = (f"{day.strftime(dataset.grain)}.parquet" for day in (first, last))
        paths = sorted((self._history.folder / name).glob("[0-9]*.parquet"))
        held = [_partition(path, name, _stamp(path)) for path in paths if low <= path.name <= high]
        if not held:
            return from_disk(dataset.on_disk.empty_table(), dataset)
        begin, end = pd.Timestamp(first), pd.Timestamp(last)
        column = "symbol" if name == "cash" else "index"
        wanted = []
        for frame in held:
            inside = frame["day"].between(begin, end)
            if names is not None:
                inside &= frame[column].isin(list(names))
            wanted.append(frame[inside])
        return pd.concat(wanted, ignore_index=True)

    def _spots(self, day: date) -> pd.DataFrame:
        """Level of every underlying, from the contracts of a day or the chains that were read."""
        folder = self._history.folder
        path = folder / "contracts" / f"{day}.parquet"
        name, column = "contracts", "underlying"
        if not path.exists():
            path, name, column = chain_path(folder, day), "chains", "spot"
        return _levels(path, name, column, _stamp(path))


def _only(frame: pd.DataFrame, symbols: Sequence[str] | None) -> pd.DataFrame:
    return frame if symbols is None else frame[frame["symbol"].isin(list(symbols))]


def _with_former(symbols: Sequence[str], actions: Sequence[CorporateAction]) -> list[str]:
    """Symbols, and what they were called before."""
    names = set(symbols)
    for item in sorted(actions, key=lambda action: action.day, reverse=True):
        if item.successor in names:
            names.add(item.symbol)
    return sorted(names)


def _stamp(path: Path) -> tuple[int, int]:
    """Tells a partition from its replacement."""
    stat = path.stat()
    return stat.st_mtime_ns, stat.st_ino


@lru_cache(maxsize=_FOOTERS_KEPT)
def _sources(path: Path, _stamp: tuple[int, int]) -> Sources:
    return read_sources(path)


@lru_cache(maxsize=_PARTITIONS_KEPT)
def _partition(path: Path, name: str, _stamp: tuple[int, int]) -> pd.DataFrame:
    return from_disk(read_tables([path], DATASETS[name]), DATASETS[name])


@lru_cache(maxsize=_DAYS_KEPT)
def _levels(path: Path, name: str, column: str, _stamp: tuple[int, int]) -> pd.DataFrame:
    """Level of every underlying in a partition, as closes without a range; the last in order."""
    import pandas as pd

    table = read_tables([path], DATASETS[name], columns=["symbol", column])
    spots = table.group_by("symbol", use_threads=False).aggregate([(column, "last")])
    close = spots[f"{column}_last"].to_numpy().astype(np.float64) / PAISE
    nothing = np.full(len(close), np.nan)
    frame = pd.DataFrame(
        {
            "symbol": spots["symbol"].to_numpy(),
            "day": np.full(len(close), np.datetime64(path.stem, "s")),
            **dict.fromkeys(("open", "high", "low"), nothing),
            "close": close,
        }
    )
    return frame[frame["close"].notna()]
