"""Cash prices against each other, the day before, and the contracts of their day."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from strikeloom.adapters.bhavcopy.plausible.day_table import rupees
from strikeloom.adapters.bhavcopy.plausible.findings import Findings

if TYPE_CHECKING:
    import pyarrow as pa

_LEVELS = 0.95, 1.05  # close over the contracts' level; 0.996 to 1.0024 in the real files
_MOST_MOVED = 0.05  # of the closes outside the next bounds; splits and funds' units
_MOVES = 0.4, 2.5
_RANGE = 8.0  # high over low; 1.46 in the real files, 6.1 in the fall of SATYAMCOMP in 2009
_ENOUGH = 20
_KEPT = 0.9
_TAIL = 0.9  # of the absent names, behind the last one
_MOST_ABSENT = 3

Before = Callable[[date], date | None]


class CashTable:
    """Rows of a cash file and stored rows around it; prices are paise.

    Parameters
    ----------
    table, stored : pyarrow.Table
        ``CASH`` rows on disk.
    """

    def __init__(self, table: pa.Table, stored: pa.Table) -> None:
        import pyarrow as pa

        self.rows = len(table)
        both = pa.concat_tables(
            [item.select(["day", "symbol", "close", "previous_close"]) for item in (table, stored)]
        )
        names = both["symbol"].combine_chunks().dictionary_encode()
        self.names = names.dictionary.to_numpy(zero_copy_only=False)
        self.codes = names.indices.to_numpy().astype(np.int64)
        days = both["day"].combine_chunks().cast(pa.int32())
        self.days = days.to_numpy().astype(np.int64)
        self.all_closes = both["close"].to_numpy()
        self.close = self.all_closes[: self.rows]
        self.previous = both["previous_close"].to_numpy()[: self.rows]
        self.low, self.high, self.volume = (
            table[name].to_numpy() for name in ("low", "high", "volume")
        )

    @property
    def mine(self) -> np.ndarray:
        """Days of the file's own rows since 1970."""
        return np.asarray(self.days[: self.rows])

    def named(self, row: int) -> str:
        """Row for messages."""
        return f"{_date(self.days[row])} {self.names[self.codes[row]]}"


def check_cash(
    table: CashTable,
    before: Before,
    levels: Callable[[date], Mapping[str, float]],
    found: Findings,
) -> None:
    """Check the rows of a cash file.

    Parameters
    ----------
    before : callable
        From a day to the session before it; ``None`` where it is unknown.
    levels : callable
        From a day to the level of each stock with contracts, in paise; empty where none are stored.
    """
    sessions = {int(day): before(_date(day)) for day in np.unique(table.mine)}
    earlier = {day: _number(session) for day, session in sessions.items()}
    with np.errstate(invalid="ignore", divide="ignore"):
        _ranges(table, found)
        _moves(table, found)
        _previous(table, earlier, found)
        _levels(table, levels, found)
    _cut(table, earlier, found)


def _ranges(table: CashTable, found: Findings) -> None:
    """What is in the file has traded, within a range that a day can have."""

    def ranged(row: int) -> str:
        return f"{table.named(row)}: low {rupees(table.low[row])}, high {rupees(table.high[row])}"

    found.damaged("prices", table.high > _RANGE * table.low, ranged)
    idle = table.volume <= 0
    found.damaged("units", idle, lambda row: f"{table.named(row)}: no volume")


def _moves(table: CashTable, found: Findings) -> None:
    ratio = table.close / table.previous
    far = (ratio < _MOVES[0]) | (ratio > _MOVES[1])
    if table.rows >= _ENOUGH and far.sum() > _MOST_MOVED * table.rows:
        row = int(np.argmax(far))
        found.object(
            "units",
            f"{far.sum()} of {table.rows} closes are far from the previous close, such as "
            f"{table.named(row)}: {rupees(table.close[row])} after {rupees(table.previous[row])}",
        )


def _previous(table: CashTable, earlier: Mapping[int, int], found: Findings) -> None:
    """A previous close is the close of the session before, to the paisa."""
    distinct, place = np.unique(table.mine, return_inverse=True)
    before = np.array([earlier[int(day)] for day in distinct])[place]
    known = table.days << 24 | table.codes
    wanted = before << 24 | table.codes[: table.rows]
    order = np.argsort(known, kind="stable")
    at = order[np.minimum(np.searchsorted(known, wanted, sorter=order), len(order) - 1)]
    was = np.where(known[at] == wanted, table.all_closes[at], np.nan)
    compared = ~np.isnan(was)

    def describe(row: int) -> str:
        return (
            f"{table.named(row)}: previous close {rupees(table.previous[row])}, closed at "
            f"{rupees(was[row])} on {_date(before[row])}"
        )

    wrong = compared & (table.previous != was)
    if compared.sum() < _ENOUGH:
        return
    found.damaged("previous", wrong, describe, of=int(compared.sum()))


def _levels(
    table: CashTable, levels: Callable[[date], Mapping[str, float]], found: Findings
) -> None:
    """The contracts of a day have the level of their stock, and no stock of theirs is absent."""
    level = np.full(table.rows, np.nan)
    places = {name: code for code, name in enumerate(table.names)}
    by_code = np.full(len(places), np.nan)
    for number in np.unique(table.mine):
        known = levels(_date(number))
        if not known:
            continue
        here = np.flatnonzero(table.mine == number)
        by_code[:] = np.nan
        present = [(places[name], value) for name, value in known.items() if name in places]
        by_code[[code for code, _ in present]] = [value for _, value in present]
        level[here] = by_code[table.codes[here]]
        names = set(table.names[table.codes[here]])
        absent = sorted(known.keys() - names)
        if len(absent) > _MOST_ABSENT:
            found.object(
                "missing",
                f"{len(absent)} stocks that have contracts on {_date(number)} are absent "
                f"({', '.join(absent[:5])}); it may be cut off",
            )
        elif absent:
            found.remark(f"{', '.join(absent)} with contracts on {_date(number)} is absent")
    ratio = table.close / level

    def describe(row: int) -> str:
        here, there = rupees(table.close[row]), rupees(level[row])
        return f"{table.named(row)}: close {here}, its contracts have {there}"

    off = (ratio < _LEVELS[0]) | (ratio > _LEVELS[1])
    found.damaged("levels", off, describe, of=int((~np.isnan(level)).sum()))


def _cut(table: CashTable, earlier: Mapping[int, int], found: Findings) -> None:
    """The last day of a file, in order of names, does not end far before the day before it."""
    last = int(table.mine.max())
    stacked = len(earlier) > 1  # compared with itself: it may hold some names only
    codes = table.codes[: table.rows] if stacked else table.codes[table.rows :]
    days = table.mine if stacked else table.days[table.rows :]
    there = set(codes[days == earlier[last]].tolist())
    here = set(table.codes[: table.rows][table.mine == last].tolist())
    absent = there - here
    if len(there) < _ENOUGH or len(absent) <= (1 - _KEPT) * len(there):
        return
    end = max(table.names[code] for code in here)
    behind = sum(table.names[code] > end for code in absent)
    if stacked or behind >= _TAIL * len(absent):
        found.object(
            "missing",
            f"{_date(last)} ends at {end} with {len(here)} names, {_date(earlier[last])} has "
            f"{len(there)}; it may be cut off",
        )


def _date(number: int) -> date:
    found: date = np.datetime64(int(number), "D").item()
    return found


def _number(day: date | None) -> int:
    return -1 if day is None else int(np.datetime64(day, "D").astype(np.int64))
