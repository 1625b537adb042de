"""Index levels against their range, their neighbours, and levels already stored."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from strikeloom.adapters.bhavcopy.plausible.day_table import rupees
from strikeloom.adapters.bhavcopy.plausible.findings import Findings

if TYPE_CHECKING:
    import pandas as pd

_OUTSIDE = 0.05  # of the close; 0.01 in the real files, India VIX of 2013-08-22
_JUMP = 0.5, 2.0  # level over that of the session before; 0.66 to 1.66, India VIX of 2012 to 2026
_NEAR = 0.02  # other files of the same level; 0.001
_LARGE = 0.5, 2.0
_VIX, _VIX_RANGE = "INDIAVIX", (300.0, 20_000.0)  # in hundredths; 9.15 to 83.61
_KEPT = 0.9  # names of the day before; all in the real files
_ENOUGH = 20
_DAYS = 5


def check_indices(rows: pd.DataFrame, stored: pd.DataFrame, found: Findings) -> None:
    """Check the levels of a file.

    Parameters
    ----------
    rows, stored : DataFrame
        ``day`` (dates), ``index``, ``close`` and its range in hundredths; stored ones are the
        exchange's own, with the levels that the contracts have.
    """
    close = rows["close"].to_numpy(dtype=float)
    low, high = (rows[side].to_numpy(dtype=float) for side in ("low", "high"))
    names, of = rows["index"].to_numpy(), rows["day"].dt.date.to_numpy()

    def ranged(row: int) -> str:
        return (
            f"{of[row]} {names[row]}: close {rupees(close[row])}, low {rupees(low[row])}, high "
            f"{rupees(high[row])}"
        )

    outside = (close < low * (1 - _OUTSIDE)) | (close > high * (1 + _OUTSIDE)) | (high < low)
    found.damaged("prices", outside, ranged)
    vix = names == _VIX
    wild = vix & ((close < _VIX_RANGE[0]) | (close > _VIX_RANGE[1]))
    found.damaged("levels", wild, ranged, of=int(vix.sum()))
    _jumps(rows, found)
    _known(rows, stored, found)
    _names(rows, stored, found)


def _jumps(rows: pd.DataFrame, found: Findings) -> None:
    """A level far from the sessions on both sides of it."""
    ordered = rows.reset_index(drop=True).sort_values(["index", "day"], kind="stable")
    close = ordered["close"].astype(float)
    by = ordered.groupby("index")["close"]
    sides = [(close / by.shift(step)).to_numpy(dtype=float) for step in (1, -1)]
    far = np.ones(len(ordered), dtype=bool)
    known = np.zeros(len(ordered), dtype=bool)
    for ratio in sides:
        present = ~np.isnan(ratio)
        far &= ~present | (ratio < _JUMP[0]) | (ratio > _JUMP[1])
        known |= present
    alone = (ordered.groupby("index")["day"].transform("size") > len(sides)).to_numpy()
    bad = np.zeros(len(rows), dtype=bool)
    bad[ordered.index[far & known & alone]] = True
    level = rows["close"].to_numpy(dtype=float)
    names, of = rows["index"].to_numpy(), rows["day"].dt.date.to_numpy()

    def describe(row: int) -> str:
        return (
            f"{of[row]} {names[row]}: {rupees(level[row])}, far from its sessions before and after"
        )

    found.damaged("levels", bad, describe)


def _known(rows: pd.DataFrame, stored: pd.DataFrame, found: Findings) -> None:
    """Levels of the same day in other files, and of the day before."""
    if not len(stored):
        return
    keys = zip(stored["day"].dt.date, stored["index"], strict=True)
    known = dict(zip(keys, stored["close"].to_numpy(dtype=float), strict=True))
    days = sorted({day for day, _ in known})
    close = rows["close"].to_numpy(dtype=float)
    names, of = rows["index"].to_numpy(), rows["day"].dt.date.to_numpy()
    same = np.array([known.get(key, np.nan) for key in zip(of, names, strict=True)], dtype=float)
    apart = np.abs(close / same - 1) > _NEAR
    before = {day: _day_before(day, days) for day in set(of)}
    earliest = [(before[day], name) for day, name in zip(of, names, strict=True)]
    was = np.array([known.get(key, np.nan) for key in earliest], dtype=float)
    ratio = close / was
    moved = (ratio < _LARGE[0]) | (ratio > _LARGE[1])

    def other(row: int) -> str:
        return f"{of[row]} {names[row]}: {rupees(close[row])}, another file has {rupees(same[row])}"

    def earlier(row: int) -> str:
        return (
            f"{of[row]} {names[row]}: {rupees(close[row])}, {rupees(was[row])} on {before[of[row]]}"
        )

    found.damaged("levels", apart, other, of=int((~np.isnan(same)).sum()))
    found.damaged("levels", moved, earlier, of=int((~np.isnan(was)).sum()))


def _names(rows: pd.DataFrame, stored: pd.DataFrame, found: Findings) -> None:
    """Every index of the day before is in the next file of all indices."""
    if rows["day"].nunique() > 1 or not len(stored):
        return
    of = stored["day"].dt.date
    before = _day_before(rows["day"].iloc[0].date(), sorted(set(of)))
    there = set(stored.loc[of == before, "index"])
    absent = sorted(there - set(rows["index"]))
    if len(there) >= _ENOUGH and len(absent) > (1 - _KEPT) * len(there):
        found.object(
            "missing",
            f"{len(absent)} of {len(there)} indices of {before} are absent "
            f"({', '.join(absent[:3])}); it may be cut off",
        )


def _day_before(day: date, days: list[date]) -> date | None:
    earlier = [item for item in days if 0 < (day - item).days <= _DAYS]
    return earlier[-1] if earlier else None
