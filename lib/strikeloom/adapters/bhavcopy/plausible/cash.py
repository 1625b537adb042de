"""Cash prices against each other, the day before, and the contracts of their day."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from strikeloom.adapters.bhavcopy.plausible.day_table import rupees
from strikeloom.adapters.bhavcopy.plausible.findings import Findings

if TYPE_CHECKING:
    import pandas as pd

_LEVELS = 0.95, 1.05  # close over the contracts' level; 0.996 to 1.0024 in the real files
_MOST_MOVED = 0.05  # of a day's closes outside the next bounds; splits and funds' units
_MOVES = 0.4, 2.5
_ENOUGH = 20
_KEPT = 0.9
_TAIL = 0.9  # of the absent names, behind the last one
_MOST_ABSENT = 3

Before = Callable[[date], date | None]


def check_cash(
    rows: pd.DataFrame,
    stored: pd.DataFrame,
    before: Before,
    levels: Callable[[date], Mapping[str, float]],
    found: Findings,
) -> None:
    """Check the rows of a cash file.

    Parameters
    ----------
    rows, stored : DataFrame
        ``day`` (dates), ``symbol`` and prices in paise: of the file, and stored ones around it.
    before : callable
        From a day to the session before it; ``None`` where it is unknown.
    levels : callable
        From a day to the level of each stock with contracts, in paise; empty where none are stored.
    """
    _moves(rows, found)
    days = sorted(rows["day"].unique())
    known = _closes(stored, rows)
    previous = {day: before(day) for day in days}
    close = rows["close"].to_numpy(dtype=float)
    stated = rows["previous_close"].to_numpy(dtype=float)
    keys = zip(rows["day"].map(previous), rows["symbol"], strict=True)
    was = np.array([known.get(key, np.nan) for key in keys])
    names, of = rows["symbol"].to_numpy(), rows["day"].to_numpy()

    def previously(row: int) -> str:
        return (
            f"{of[row]} {names[row]}: previous close {rupees(stated[row])}, closed at "
            f"{rupees(was[row])} on {previous[of[row]]}"
        )

    compared = ~np.isnan(was)
    found.damaged("previous", compared & (stated != was), previously, of=int(compared.sum()))
    level = np.full(len(rows), np.nan)
    for day in days:
        known_levels = levels(day)
        if known_levels:
            mine = of == day
            level[mine] = [known_levels.get(name, np.nan) for name in names[mine]]
            absent = sorted(set(known_levels) - set(names[mine]))
            if len(absent) > _MOST_ABSENT:
                found.object(
                    "missing",
                    f"{len(absent)} stocks that have contracts on {day} are absent "
                    f"({', '.join(absent[:5])}); it may be cut off",
                )
    ratio = close / level
    off = (ratio < _LEVELS[0]) | (ratio > _LEVELS[1])

    def apart(row: int) -> str:
        return (
            f"{of[row]} {names[row]}: close {rupees(close[row])}, the contracts' level is "
            f"{rupees(level[row])}"
        )

    found.damaged("levels", off, apart, of=int((~np.isnan(level)).sum()))
    _cut(rows, stored, previous, found)


def _moves(rows: pd.DataFrame, found: Findings) -> None:
    ratio = (rows["close"] / rows["previous_close"]).to_numpy(dtype=float)
    far = (ratio < _MOVES[0]) | (ratio > _MOVES[1])
    if len(rows) >= _ENOUGH and far.sum() > _MOST_MOVED * len(rows):
        at = int(np.argmax(far))
        row = rows.iloc[at]
        found.object(
            "units",
            f"{far.sum()} of {len(rows)} closes are far from the previous close, such as "
            f"{row['symbol']}: {rupees(row['close'])} after {rupees(row['previous_close'])}",
        )


def _closes(stored: pd.DataFrame, rows: pd.DataFrame) -> dict[tuple[date, str], float]:
    known: dict[tuple[date, str], float] = {}
    for frame in (rows, stored):
        keys = zip(frame["day"], frame["symbol"], strict=True)
        known.update(zip(keys, frame["close"].to_numpy(dtype=float), strict=True))
    return known


def _cut(
    rows: pd.DataFrame,
    stored: pd.DataFrame,
    previous: Mapping[date, date | None],
    found: Findings,
) -> None:
    """The last day of a file, in order of names, does not end far before the names of the day before."""
    last = rows["day"].max()
    day_before = previous[last]
    here = set(rows.loc[rows["day"] == last, "symbol"])
    there: set[str] = set()
    for frame in (rows, stored):
        there |= set(frame.loc[frame["day"] == day_before, "symbol"])
    absent = there - here
    if len(there) < _ENOUGH or len(absent) <= (1 - _KEPT) * len(there):
        return
    end = max(here)
    behind = sum(name > end for name in absent)
    if behind >= _TAIL * len(absent) or rows["day"].nunique() > 1:
        found.object(
            "missing",
            f"{last} ends at {end} with {len(here)} names, {day_before} has {len(there)}; it may "
            "be cut off",
        )
