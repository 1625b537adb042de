"""Point-in-time view of a history: what was known after the close of a day, in that day's terms."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from strikeloom.adapters.parquet.chain_day import chain_path, contracts_of_chains
from strikeloom.adapters.parquet.daily_prices import daily_prices
from strikeloom.adapters.parquet.datasets import DATASETS
from strikeloom.adapters.parquet.partitions import read_digests, stamp, stored, stored_days
from strikeloom.adapters.parquet.published import PublishedHistory
from strikeloom.adapters.parquet.reading import read_frame
from strikeloom.errors import MissingHistory
from strikeloom.nse.adjusted import adjusted_contracts, adjusted_prices
from strikeloom.nse.corporate_actions import CorporateAction, on_record
from strikeloom.nse.edges import expected_before
from strikeloom.nse.renames import KnownAs, known_as

if TYPE_CHECKING:
    import pandas as pd

_PARTITIONS_KEPT = 10  # months of cash, years of indices: 50,000 rows each
_DATE = len("2026-01-31")


class HistoryAsOf:
    """``ports.history.Past``: a view that ends at a day, in that day's shares and symbols.

    Made by ``ParquetHistory.as_of``. Reads of a span end at the day; a read of a later day or
    time raises ``MissingHistory``.
    """

    def __init__(self, history: PublishedHistory, day: date) -> None:
        self.market = history.market
        self.day = day
        self._history = history

    def days(self) -> list[date]:
        """Days with contracts, from a file or read from a broker, ascending."""
        read = stored_days(self._history.folder / "chains")
        return sorted(day for day in {*read, *self._history.days()} if day <= self.day)

    def banned(self, day: date) -> frozenset[str] | None:
        """Symbols in the ban period on a day; ``None`` if unknown.

        The list of the view's next trading day is known: it is published the evening before.

        Raises
        ------
        MissingHistory
            When the day is later than that.
        """
        self._refuse_later(expected_before(day), f"the ban list of {day}")
        return self._history.banned(day)

    def contracts(
        self,
        day: date,
        *,
        symbols: Sequence[str] | None = None,
        columns: Sequence[str] | None = None,
    ) -> pd.DataFrame:
        """``CONTRACTS`` of a day, or those of its columns that are named, in the view's terms.

        Raises
        ------
        MissingHistory
            When the day is not stored or later than the view's.
        """
        self._refuse_later(day, f"contracts of {day}")
        since = [item for item in self.actions(day, self.day) if item.day > day]
        if not since:
            return self._published(day, symbols, columns)
        names = None if symbols is None else _with_former(symbols, since)
        frame = adjusted_contracts(self._published(day, names), since)
        key = list(DATASETS["contracts"].schema.key)
        frame = _only(frame, symbols).sort_values(key, ignore_index=True, kind="stable")
        return frame if columns is None else frame[list(columns)]

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
            another publisher's; where neither is stored, the underlying's level in the contracts (a
            close only). A day without any of these is absent.
        """
        last = min(last, self.day)
        since = self.actions(first, self.day)
        names = None if symbols is None else _with_former(symbols, since)
        since = [item for item in since if names is None or item.symbol in names]
        days = [day for day in self.days() if first <= day <= last]
        frame = daily_prices(self._history.folder, days, first, last, names)
        if since:
            frame = adjusted_prices(frame, since)
        if not any(item.successor for item in since):
            return frame
        return _in_order(frame, symbols)

    def actions(self, first: date, last: date) -> list[CorporateAction]:
        """Corporate actions from ``first`` to ``last`` or the view's day, oldest first."""
        return self._history.actions(first, min(last, self.day))

    def known_as(self, name: str) -> KnownAs:
        """Symbol on the view's day of the underlying that has, had or will have a name."""
        asked = name.strip().upper()
        later = (item for item in on_record() if item.day > self.day)
        found = known_as(asked, self.day, [*self.actions(date.min, self.day), *later])
        if found.renames and self.day in self.days():
            listed = self.contracts(self.day, symbols=[asked], columns=["symbol"])
            if len(listed):  # used again for another underlying
                return KnownAs(asked)
        return found

    def day_fingerprint(self, salt: str) -> str:
        """Fingerprint of the contracts of the view's day."""
        folder, days = self._history.folder, [self.day]
        seen: dict[str, object] = {"salt": salt}
        if self.day not in self._history.days():  # read from a broker: lots are of the last file
            days = [day for day in self._history.days() if day < self.day][-1:]
            since = self.actions(days[0], self.day) if days else []
            seen["actions"] = [repr(item) for item in since]
            seen["chains"] = read_digests(chain_path(folder, self.day))
        for day in days:
            seen[str(day)] = read_digests(folder / "contracts" / f"{day}.parquet")
        return _short(seen)

    def fingerprint(self, first: date, salt: str) -> str:
        """Fingerprint of all data from ``first`` to the view's day."""
        begin, end = str(first), str(self.day)
        folder = self._history.folder
        seen: dict[str, object] = {
            "salt": salt,
            "actions": [repr(item) for item in self.actions(first, self.day)],
        }
        for day in self.days():
            if day >= first:
                held = read_digests(folder / "contracts" / f"{day}.parquet")
                seen[str(day)] = held or read_digests(chain_path(folder, day))
        for name in ("cash", "indices"):
            low, high = (day.strftime(DATASETS[name].grain) for day in (first, self.day))
            for path in stored(folder / name):
                if low <= path.stem <= high:
                    scopes = read_digests(path).items()
                    inside = {k: held for k, held in scopes if begin <= k[:_DATE] <= end}
                    seen |= {f"{name} {path.stem}": inside} if inside else {}
        return _short(seen)

    def quote_times(self, day: date) -> list[datetime]:
        """Times of recorded intraday snapshots of a day; empty for a later day."""
        return self._history.quote_times(day) if day <= self.day else []

    def quotes(self, at: datetime, *, symbols: Sequence[str] | None = None) -> pd.DataFrame:
        """``QUOTES`` of the snapshot taken at exactly that time, as quoted.

        Raises
        ------
        MissingHistory
            When there is none, or the time is on a later day.
        """
        from strikeloom.nse.sessions import IST

        self._refuse_later(at.astimezone(IST).date(), f"quotes of {at.isoformat()}")
        return self._history.quotes(at, symbols=symbols)

    def _refuse_later(self, day: date, what: str) -> None:
        if day > self.day:
            raise MissingHistory(
                f"{what} are later than {self.day}, the day of this view; open the desk for "
                "a later day",
                day=day.isoformat(),
            )

    def _published(
        self, day: date, symbols: Sequence[str] | None, columns: Sequence[str] | None = None
    ) -> pd.DataFrame:
        """Contracts of the day's bhavcopy, else as read from a broker."""
        folder = self._history.folder
        filed = self._history.days()
        if day in filed or not chain_path(folder, day).exists():
            return self._history.contracts(day, symbols=symbols, columns=columns)
        import pandas as pd

        before = [item for item in filed if item < day]
        lots = pd.Series(dtype=np.int64, index=pd.MultiIndex.from_arrays([[], []]))
        if before:
            lots = self.contracts(before[-1]).groupby(["symbol", "expiry"])["lot_size"].max()
        frame = contracts_of_chains(folder, day, lots, symbols=symbols)
        return frame if columns is None else frame[list(columns)]

    def _rows(
        self, name: str, first: date, last: date, names: Sequence[str] | None
    ) -> pd.DataFrame:
        """Rows of cash or indices as published; whole partitions are cached."""
        import pandas as pd

        dataset = DATASETS[name]
        low, high = (f"{day.strftime(dataset.grain)}.parquet" for day in (first, last))
        paths = stored(self._history.folder / name)
        held = [_partition(path, name, stamp(path)) for path in paths if low <= path.name <= high]
        if not held:
            return read_frame([], dataset)
        begin, end = pd.Timestamp(first), pd.Timestamp(last)
        column = "symbol" if name == "cash" else "index"
        wanted = []
        for frame in held:
            inside = frame["day"].between(begin, end)
            if names is not None:
                inside &= frame[column].isin(list(names))
            wanted.append(frame[inside])
        return pd.concat(wanted, ignore_index=True)


def _short(seen: Mapping[str, object]) -> str:
    text = json.dumps(seen, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _only(frame: pd.DataFrame, symbols: Sequence[str] | None) -> pd.DataFrame:
    return frame if symbols is None else frame[frame["symbol"].isin(list(symbols))]


def _in_order(frame: pd.DataFrame, symbols: Sequence[str] | None) -> pd.DataFrame:
    """Prices by symbol and day; sorted by symbol code, since rows are many and symbols few."""
    import pandas as pd

    codes, names = frame["symbol"].factorize(sort=True)
    everything = np.ones(len(names), dtype=bool)
    wanted = everything if symbols is None else pd.Index(names).isin(list(symbols))
    rows = np.flatnonzero(wanted[codes])
    order = rows[np.lexsort((frame["day"].to_numpy()[rows], codes[rows]))]
    return frame.take(order).reset_index(drop=True)


def _with_former(symbols: Sequence[str], actions: Sequence[CorporateAction]) -> list[str]:
    """Symbols and their former symbols."""
    names = set(symbols)
    for item in sorted(actions, key=lambda action: action.day, reverse=True):
        if item.successor in names:
            names.add(item.symbol)
    return sorted(names)


@lru_cache(maxsize=_PARTITIONS_KEPT)
def _partition(path: Path, name: str, _stamp: tuple[int, int]) -> pd.DataFrame:
    return read_frame([path], DATASETS[name])
