"""What a contract keeps from one day to the next under its instrument id.

In the real files an id kept its right, its expiry moved by a week at most, and contracts of a
symbol were taken off the list one or two sessions after its month had ended, never at another time.
"""

from __future__ import annotations

import numpy as np

from strikeloom.adapters.bhavcopy.plausible.findings import Findings
from strikeloom.adapters.bhavcopy.plausible.neighbours import Pair

_MOVED = 10  # days by which an expiry is moved; 7
_KEPT = 0.98
_NEAR = 24  # days to the nearest expiry: the month before has ended lately
_ENOUGH = 20
_MOST_SHORT = 4  # symbols; none


def check_identities(pair: Pair, found: Findings) -> None:
    """Check a file against the stored day next to it, by instrument id."""
    if not pair.by_id or not len(pair.old):
        return
    before, after, old, new = pair.before, pair.after, pair.old, pair.new
    moved = after.expiry[new] - before.expiry[old]
    other = (before.call[old] != after.call[new]) | (before.future[old] != after.future[new])
    other |= np.abs(moved) > _MOVED

    def describe(row: int) -> str:
        at = pair.place(row)
        return f"{after.named(new[at])} was {before.named(old[at])} on {before.date} (same id)"

    found.damaged("contracts", pair.marked(other), describe)
    few = np.unique(after.codes[new[(moved != 0) & ~other]])
    if len(few):
        names = ", ".join(sorted(after.symbols[code] for code in few)[:5])
        found.remark(f"expiries of {names} are others than on {before.date}")
    if pair.adjacent:
        _short(pair, found)


def _short(pair: Pair, found: Findings) -> None:
    """Symbols that lost contracts although none of theirs ended lately."""
    before, size = pair.before, len(pair.before.symbols)
    live = np.bincount(before.codes[pair.live], minlength=size)
    kept = np.bincount(before.codes[pair.old], minlength=size)
    ended = np.bincount(before.codes[before.last_day <= before.number], minlength=size) > 0
    nearest = np.full(size, np.iinfo(np.int64).max)
    np.minimum.at(nearest, before.codes, before.last_day)
    ended |= nearest - before.number > _NEAR
    short = (live >= _ENOUGH) & (kept > 0) & (kept < _KEPT * live) & ~ended
    codes = np.flatnonzero(short)
    if not len(codes):
        return
    names = ", ".join(
        f"{before.symbols[code]} {kept[code]} of {live[code]}"
        for code in sorted(codes, key=lambda code: before.symbols[code])[:5]
    )
    why = f"contracts of {before.date} that are there on {pair.after.date}: {names}"
    if len(codes) > _MOST_SHORT:
        found.object("missing", f"{why} and of {len(codes)} symbols in all; it may be cut off")
    else:
        found.remark(f"{why}; it may be cut off")
