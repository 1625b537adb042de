"""Quotes of a day in columns: one row a snapshot, one column a contract. Paise and units.

A price of 0 is no price. Between two snapshots prices may be read in straight lines; such
prices are synthetic and labelled so by whoever shows them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from strikeloom.errors import DataError
from strikeloom.exchange.market.hashed_random import hashed_uniform

if TYPE_CHECKING:
    import pandas as pd

Ints = NDArray[np.int64]
NAMES = ("bid", "ask", "last", "bid_size", "ask_size", "volume", "open_interest")
SEEN = "seen"
_PRICES = NAMES[:3]


@dataclass(frozen=True)
class QuoteColumns:
    """Quotes of some contracts at one moment; arrays of one length, 0 for none."""

    at: datetime
    bid: Ints
    ask: Ints
    last: Ints
    bid_size: Ints
    ask_size: Ints
    volume: Ints
    open_interest: Ints


@dataclass(frozen=True)
class DayMoment:
    """Where a moment lies: the snapshot before it, and how far on the way to the next."""

    row: int
    share: float
    at: datetime
    step: int


class DayColumns:
    """All quotes of a day.

    Parameters
    ----------
    moments : list of datetime
        Snapshots, ascending.
    tables : dict of str to ndarray, shape (snapshots, contracts)
        One table each of ``NAMES``, and ``SEEN``: the snapshot that a contract's quote is of.
    spots : ndarray, shape (snapshots, underlyings)
        Paise; 0 where unknown.
    tick, lot : ndarray, shape (contracts,)
    step : timedelta
        Distance of the moments between two snapshots; zero shows only the snapshots.
    """

    def __init__(
        self,
        moments: list[datetime],
        tables: dict[str, Ints],
        spots: Ints,
        tick: Ints,
        lot: Ints,
        step: timedelta,
    ) -> None:
        self.snapshots = moments
        self.tables = tables
        self.spots = spots
        self.tick, self.lot = tick, lot
        self.step = step
        self.moments = self._moments()

    def _moments(self) -> list[datetime]:
        if not self.step:
            return list(self.snapshots)
        found: list[datetime] = []
        for begins, ends in zip(self.snapshots, self.snapshots[1:], strict=False):
            count = -(-(ends - begins) // self.step)
            found += [begins + n * self.step for n in range(count)]
        return found + self.snapshots[-1:]

    def between(self, after: datetime, until: datetime) -> list[datetime]:
        """Moments later than ``after``, up to ``until`` inclusive."""
        return self.moments[bisect_right(self.moments, after) : bisect_right(self.moments, until)]

    def place(self, at: datetime) -> DayMoment | None:
        """Latest moment at or before another; ``None`` before the first."""
        index = bisect_right(self.moments, at) - 1
        if index < 0:
            return None
        moment = self.moments[index]
        row = bisect_right(self.snapshots, moment) - 1
        share = 0.0
        if row + 1 < len(self.snapshots):
            begins, ends = self.snapshots[row], self.snapshots[row + 1]
            share = (moment - begins) / (ends - begins)
        return DayMoment(row, share, moment, index)

    def read(self, where: DayMoment, rows: Ints) -> QuoteColumns:
        """Quotes of some contracts at a moment."""
        now = {name: self.tables[name][where.row, rows] for name in NAMES}
        if not where.share:
            return QuoteColumns(where.at, **now)
        then = {name: self.tables[name][where.row + 1, rows] for name in NAMES}
        tick, lot = self.tick[rows], self.lot[rows]
        whole = np.ones(len(rows), dtype=bool)
        for name in ("bid", "ask"):
            whole &= (now[name] > 0) & (then[name] > 0)
        drawn = {
            "bid": np.where(whole, _between(now, then, "bid", where, tick, np.floor), now["bid"]),
            "ask": np.where(whole, _between(now, then, "ask", where, tick, np.ceil), now["ask"]),
        }
        known = (now["last"] > 0) & (then["last"] > 0)
        last = _between(now, then, "last", where, tick, np.rint)
        drawn["last"] = np.where(known, last, now["last"])
        drawn["volume"] = np.maximum(
            now["volume"], _between(now, then, "volume", where, lot, np.floor)
        )
        for side, name in enumerate(("bid_size", "ask_size")):
            swing = 0.5 + hashed_uniform(rows, where.step, side)
            lots = np.maximum(1, np.rint(now[name] / lot * swing)).astype(np.int64)
            drawn[name] = np.where(now[name] > 0, lots * lot, 0)
        return QuoteColumns(where.at, open_interest=now["open_interest"], **drawn)

    def recorded(self, where: DayMoment, rows: Ints) -> Ints:
        """Snapshot that the quotes of some contracts are of: the latest that had them."""
        found: Ints = self.tables[SEEN][where.row, rows]
        return found

    def spot(self, where: DayMoment, column: int) -> int:
        """Level of an underlying in paise; 0 when unknown."""
        now = int(self.spots[where.row, column])
        if not where.share or not now:
            return now
        then = int(self.spots[where.row + 1, column])
        return round(now + (then - now) * where.share) if then else now


def _between(
    now: dict[str, Ints],
    then: dict[str, Ints],
    name: str,
    where: DayMoment,
    unit: Ints,
    how: np.ufunc,
) -> Ints:
    """Straight line between two snapshots, in whole steps of ``unit``."""
    value = now[name] + (then[name] - now[name]) * where.share
    return np.asarray(how(np.round(value / unit, 9)) * unit).astype(np.int64)


def tabled(
    frame: pd.DataFrame, moments: Sequence[datetime], column: Ints, count: int
) -> dict[str, Ints]:
    """Tables of a ``QUOTES`` frame; a contract that a snapshot leaves out stays as it was.

    Parameters
    ----------
    column : ndarray, shape (rows,)
        Contract of each row.

    Raises
    ------
    DataError
        When a price, a size, a volume or an open interest is negative; names the row.
    """
    import pandas as pd

    at = pd.Index(moments).get_indexer(pd.DatetimeIndex(frame["at"]))
    seen = np.full((len(moments), count), -1, dtype=np.int64)
    seen[at, column] = at
    seen = np.maximum.accumulate(seen, axis=0)
    tables = {SEEN: np.maximum(seen, 0)}
    for name in NAMES:
        values = frame[name].to_numpy(dtype=np.float64)
        whole = np.nan_to_num(np.rint(values * (100 if name in _PRICES else 1))).astype(np.int64)
        if (whole < 0).any():
            row = int(np.argmax(whole < 0))
            raise DataError(
                f"quote {row} has {name} {values[row]}: prices, sizes, volume and open interest "
                "must not be negative",
                column=name,
            )
        table = np.zeros((len(moments), count), dtype=np.int64)
        table[at, column] = whole
        carried = np.take_along_axis(table, tables[SEEN], axis=0)
        tables[name] = np.where(seen >= 0, carried, 0)
    return tables
