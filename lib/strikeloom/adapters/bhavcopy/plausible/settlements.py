"""Settlement prices against closes, futures against the level.

The exchange settles an option that traded in the closing half hour at its own close: so it did for
97 % or more of the options over 100 lots of each real day, 82 % or more of each symbol's.
"""

from __future__ import annotations

import numpy as np

from strikeloom.adapters.bhavcopy.plausible.day_table import DayTable, rupees
from strikeloom.adapters.bhavcopy.plausible.findings import Findings

_MANY_LOTS = 100
_EQUAL = 0.8  # of a day's options over 100 lots
_EQUAL_OF_SYMBOL = 0.5
_CARRIED = 0.3  # of a day's options without a trade: their settlement is theoretical; 0.013
_ENOUGH = 20
_BARE = 0.2  # of the traded futures, without open, high and low; 3 of 39,419
_FUTURES = 0.75, 1.3  # close of a traded future over its settlement; 0.90 to 1.03
_NEAREST = 0.97, 1.03  # median of the nearest futures over the levels; 0.997 to 1.010
_FEWEST = 10


def check_settlements(day: DayTable, found: Findings) -> None:
    """Check the settlements of one file, of the layout that has all of them."""
    if not day.complete:
        return
    close, settle = (day.numbers(name).astype(float) for name in ("close", "settle"))
    live = ~day.future & (day.last_day > day.number)

    def describe(row: int) -> str:
        return f"{day.named(row)}: close {rupees(close[row])}, settlement {rupees(settle[row])}"

    # an index option is settled at 0 where the theoretical price rounds to it
    absent = live & (np.isnan(settle) | (day.stock & (settle == 0)))
    absent |= day.future & (np.isnan(settle) | (day.traded & np.isnan(close)))
    found.damaged("prices", absent, describe)
    rows = np.flatnonzero(live & (day.numbers("lots_traded") > _MANY_LOTS))
    equal = close[rows] == settle[rows]
    if len(rows) >= _ENOUGH and equal.mean() < _EQUAL:
        row = int(rows[np.argmin(equal)])
        found.object(
            "prices",
            f"{equal.sum()} of {len(rows)} options over {_MANY_LOTS} lots settle at their close, "
            f"unlike {describe(row)}",
        )
        return
    idle = np.flatnonzero(live & ~day.traded & ~np.isnan(settle))
    carried = day.numbers("previous_close")[idle] == settle[idle]
    if len(idle) >= _ENOUGH and carried.mean() > _CARRIED:
        found.object(
            "prices",
            f"{carried.sum()} of {len(idle)} options without a trade settle at the close carried",
        )
        return
    size = len(day.symbols)
    count = np.bincount(day.codes[rows], minlength=size)
    share = np.bincount(day.codes[rows], equal, minlength=size) / np.maximum(1, count)
    wrong = (count >= _ENOUGH) & (share < _EQUAL_OF_SYMBOL)
    found.damaged("prices", live & wrong[day.codes] & day.traded & (close != settle), describe)
    with np.errstate(invalid="ignore", divide="ignore"):
        _futures(day, close / settle, settle, found)


def _futures(day: DayTable, ratio: np.ndarray, settle: np.ndarray, found: Findings) -> None:
    traded = day.future & day.traded
    count = int(traded.sum())
    off = traded & ((ratio < _FUTURES[0]) | (ratio > _FUTURES[1]))

    def describe(row: int) -> str:
        return f"{day.named(row)}: closes at {ratio[row]:.3g} times its settlement"

    found.damaged("units", off, describe, of=count)
    bare = int((traded & np.isnan(day.numbers("high").astype(float))).sum())
    if count >= _FEWEST and bare > _BARE * count:
        found.object("prices", f"{bare} of {count} traded futures have no open, high or low")
    rows = np.flatnonzero(day.future)
    rows = rows[np.argsort(-day.expiry[rows], kind="stable")]
    nearest = np.full(len(day.symbols), np.nan)
    nearest[day.codes[rows]] = settle[rows]  # the nearest expiry is written last
    basis = nearest / day.level
    basis = basis[~np.isnan(basis)]
    middle = float(np.median(basis)) if len(basis) >= _FEWEST else 1.0
    if not _NEAREST[0] <= middle <= _NEAREST[1]:
        found.object("units", f"the median nearest future is {middle:.4g} times its level")
