"""Contracts of one day against those of a day next to it.

The previous close of a contract is the close of the session before, to the paisa; of one that did
not trade then, its previous close of that session. So it was for every contract in the real files,
across corporate actions too, since the instrument id stays.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from strikeloom.adapters.bhavcopy.plausible.day_table import DayTable, rupees
from strikeloom.adapters.bhavcopy.plausible.findings import Findings

_FEWEST_KEPT = 0.7  # of the live contracts, by id; 0.85 or more in the real files
_FEWEST_NAMES = 0.5  # the same by strike, which corporate actions change
_MOST_GONE = 4  # symbols that are absent or lost half of their contracts; 1 at most
_HALF = 0.5
_INDEX_MOVE = 0.6, 1.6  # level over the day before; 0.92 to 1.05
_STOCKS_MOVE = 0.7, 1.4  # median of ten stocks or more; 0.97 to 1.03
_FEWEST_STOCKS = 10
_LEAST_INTEREST = 0.4  # rows whose open interest adds up; 0.79 or more
_MOST_INTEREST = 0.98  # below this it is remarked: 0.94 on 2026-01-12, else all
_MOST_SAME = 0.5  # contracts of more than 100 lots with the volume of the day before; 0.01
_MANY_LOTS = 100
_VOLUME = 0.01, 30.0  # lots over those of the day before; 0.035 to 7.3
_LOTS = 0.2, 5.0
_RE_STRUCK = 0.25  # symbols whose strikes or lots changed; 0.01
_ENOUGH = 20


@dataclass(frozen=True)
class Pair:
    """Two days and the rows of the contracts that both have.

    Attributes
    ----------
    old, new : ndarray of int
        Row of each common contract in the earlier and in the later day.
    adjacent : bool
        Whether no session lies between the days.
    later : bool
        Whether the file being imported is the later of the two.
    """

    before: DayTable
    after: DayTable
    adjacent: bool
    later: bool
    by_id: bool
    live: np.ndarray
    old: np.ndarray
    new: np.ndarray

    @property
    def other(self) -> str:
        """The stored day, for messages."""
        return str(self.before.date if self.later else self.after.date)

    def marked(self, wrong: np.ndarray) -> np.ndarray:
        """Rows of the imported file, from a mask over the common contracts."""
        rows = self.new if self.later else self.old
        bad = np.zeros(self.after.rows if self.later else self.before.rows, dtype=bool)
        bad[rows[wrong]] = True
        return bad

    def place(self, row: int) -> int:
        """Position among the common contracts of a row of the imported file."""
        return int(np.argmax((self.new if self.later else self.old) == row))


def paired(before: DayTable, after: DayTable, *, adjacent: bool, later: bool) -> Pair:
    """Contracts that both days have, by instrument id where both layouts have it, else by name."""
    live = before.last_day >= after.number
    by_id = before.numbered and after.numbered
    # symbols of the earlier day as codes of the later one; -1 where it has no such symbol
    codes = {symbol: code for code, symbol in enumerate(after.symbols)}
    theirs = np.array([codes.get(symbol, -1) for symbol in before.symbols], dtype=np.int64)
    if by_id:
        ids = before.ids
        old = np.flatnonzero(live & (ids < len(after.row_of_id)))
        new = after.row_of_id[ids[old]]
        common = (new >= 0) & (after.codes[new] == theirs[before.codes[old]])
    else:
        symbol = theirs[before.codes]
        old = np.flatnonzero(live & (symbol >= 0))
        keys, names = _names(before, symbol)[old], _names(after, after.codes)
        order = np.argsort(names, kind="stable")
        ordered = names[order]
        place = np.minimum(np.searchsorted(ordered, keys), len(ordered) - 1)
        new = order[place]
        common = ordered[place] == keys
    return Pair(before, after, adjacent, later, by_id, live, old[common], new[common])


def check_neighbours(pair: Pair, found: Findings) -> None:
    """Check a file against the stored day next to it."""
    _missing(pair, found)
    with np.errstate(invalid="ignore", divide="ignore"):
        _moves(pair, found)
        _changed(pair, found)
    if len(pair.old) < 1:
        return
    _trades(pair, found)
    if pair.adjacent:
        _closes(pair, found)
        _interest(pair, found)


def _names(day: DayTable, codes: np.ndarray) -> np.ndarray:
    right = np.where(day.future, 0, np.where(day.call, 1, 2))
    series = (codes.astype(np.int64) << 16 | day.expiry) << 2 | right
    return np.asarray(series << 34 | day.strike)


def _missing(pair: Pair, found: Findings) -> None:
    """Contracts that have not ended are in the next file too; a file may hold some indices only."""
    before, after = pair.before, pair.after
    live = np.bincount(before.codes[pair.live], minlength=len(before.symbols))
    kept = np.bincount(before.codes[pair.old], minlength=len(before.symbols))
    here = np.isin(np.array(before.symbols), after.symbols)
    stocks = bool(after.stock_symbols.any())
    expected = (live > 0) & (here | stocks)
    if not pair.later:  # a stored later day that holds indices only expects no stocks of this one
        expected &= here | (len(after.symbols) > _MOST_GONE)
    gone = expected & ~here
    if pair.by_id:
        gone |= expected & (live >= _ENOUGH) & (kept < _HALF * live)
    share = kept[expected & here].sum() / max(1, live[expected & here].sum())
    # moved expiries change the names of all contracts of an index
    enough = _FEWEST_KEPT if pair.by_id or stocks else _FEWEST_NAMES
    names = [before.symbols[code] for code in np.flatnonzero(gone)]
    listed = ", ".join(sorted(names)[:5])
    blame = "" if pair.later else f"; {after.date} lacks them, this file or that one is cut off"
    if len(names) >= _MOST_GONE:
        found.object(
            "missing",
            f"contracts of {len(names)} symbols of {before.date} are absent on {after.date} "
            f"({listed}){blame}",
        )
    elif live[expected & here].sum() >= _ENOUGH and share < enough:
        found.object(
            "missing",
            f"{after.date} has {100 * share:.0f} % of the contracts of {before.date} that have not "
            f"ended, {live[expected & here].sum()} in all{blame}",
        )
    elif names and pair.later:
        why = f"contracts of {listed} were there on {before.date} and are absent"
        found.remark(why + _successors(pair, gone))


def _successors(pair: Pair, gone: np.ndarray) -> str:
    """Symbols under which the ids of absent ones go on: renames."""
    before, after = pair.before, pair.after
    if not pair.by_id:
        return ""
    found = []
    for code in np.flatnonzero(gone):
        ids = before.ids[(before.codes == code) & pair.live]
        rows = after.row_of_id[ids[ids < len(after.row_of_id)]]
        codes, counts = np.unique(after.codes[rows[rows >= 0]], return_counts=True)
        if len(codes) and counts.max() > _HALF * len(ids):
            found.append(f"{before.symbols[code]} is {after.symbols[codes[np.argmax(counts)]]} now")
    return f"; by their ids {', '.join(sorted(found))}" if found else ""


def _moves(pair: Pair, found: Findings) -> None:
    """Levels move little from day to day; splits of single stocks aside."""
    after = {symbol: code for code, symbol in enumerate(pair.after.symbols)}
    both = [
        (code, after[symbol]) for code, symbol in enumerate(pair.before.symbols) if symbol in after
    ]
    if not both:
        return
    old, new = np.array(both).T
    ratio = pair.after.level[new] / pair.before.level[old]
    stock = pair.after.stock_symbols[new]
    index = ~stock & ((ratio < _INDEX_MOVE[0]) | (ratio > _INDEX_MOVE[1]))
    moves = ratio[stock & ~np.isnan(ratio)]
    median = float(np.median(moves)) if len(moves) >= _FEWEST_STOCKS else 1.0
    if index.any():
        at = int(np.argmax(index))
        found.object(
            "levels",
            f"{pair.after.symbols[new[at]]} is {rupees(pair.after.level[new[at]])} on "
            f"{pair.after.date} and was {rupees(pair.before.level[old[at]])} on "
            f"{pair.before.date}; one of the two files is damaged",
        )
    elif not _STOCKS_MOVE[0] <= median <= _STOCKS_MOVE[1]:
        found.object(
            "levels",
            f"the median stock is {median:.3g} times its level of {pair.before.date} on "
            f"{pair.after.date}; one of the two files is damaged",
        )


def _changed(pair: Pair, found: Findings) -> None:
    """A corporate action changes all strikes of a symbol, or none."""
    if not pair.by_id or len(pair.old) < _ENOUGH:
        return
    before, after, old, new = pair.before, pair.after, pair.old, pair.new
    other = (before.strike[old] != after.strike[new]) | (before.call[old] != after.call[new])
    ratio = after.numbers("lot_size")[new] / before.numbers("lot_size")[old]
    lots = (ratio < _LOTS[0]) | (ratio > _LOTS[1])
    if not (other.any() or lots.any()):
        return
    codes, size = after.codes[new], len(after.symbols)
    count = np.maximum(1, np.bincount(codes, minlength=size))
    for what, changed in (("strikes", other), ("lots", lots)):
        share = np.bincount(codes, changed, minlength=size) / count
        most = share > _HALF
        if size >= _FEWEST_STOCKS and most.sum() > _RE_STRUCK * size:
            found.object(
                "units",
                f"the {what} of {most.sum()} of {size} symbols are others than on {pair.other}",
            )
            return
    share = np.bincount(codes, other, minlength=size) / count
    single = other & (share[codes] < _HALF)

    def describe(row: int) -> str:
        at = pair.place(row)
        return f"{after.named(new[at])} was {before.named(old[at])} on {before.date} (same id)"

    found.damaged("contracts", pair.marked(single), describe)


def _trades(pair: Pair, found: Findings) -> None:
    """Volumes are of the day, and count lots."""
    old = pair.before.numbers("lots_traded")[pair.old]
    new = pair.after.numbers("lots_traded")[pair.new]
    many = (old > _MANY_LOTS) & (new > 0)
    same, count = int((many & (old == new)).sum()), int(many.sum())
    if count >= _ENOUGH and same > _MOST_SAME * count:
        found.object(
            "previous",
            f"{same} of {count} contracts have the volume of {pair.other}: the trades of that day "
            "under another date",
        )
    both = (old > 0) & (new > 0)
    ratio = new[both].sum() / max(1, old[both].sum())
    if both.sum() >= _ENOUGH and not _VOLUME[0] <= ratio <= _VOLUME[1]:
        found.object(
            "previous",
            f"{ratio:.3g} times as many lots traded on {pair.after.date} as on {pair.before.date}; "
            "volume counts lots",
        )


def _closes(pair: Pair, found: Findings) -> None:
    # a contract that did not trade keeps its close, which is not stored
    traded = pair.before.traded[pair.old]
    carried = pair.before.numbers("previous_close")[pair.old].astype(float)
    close = np.where(traded, pair.before.numbers("close")[pair.old].astype(float), carried)
    stated = pair.after.numbers("previous_close")[pair.new].astype(float)
    known = ~np.isnan(close) & pair.by_id

    def describe(row: int) -> str:
        at = pair.place(row)
        return (
            f"{pair.after.named(pair.new[at])}: previous close {rupees(stated[at])} on "
            f"{pair.after.date}, closed at {rupees(close[at])} on {pair.before.date}"
        )

    wrong = known & (stated != close)
    if wrong.any() and known.sum() >= _ENOUGH:
        found.damaged("previous", pair.marked(wrong), describe, of=int(known.sum()))


def _interest(pair: Pair, found: Findings) -> None:
    """Open interest is that of the day before plus its change.

    Where the exchange moves the expiry of a series, all of its open interest counts as new.
    """
    old = pair.before.numbers("open_interest")[pair.old]
    new = pair.after.numbers("open_interest")[pair.new]
    change = pair.after.numbers("oi_change")[pair.new]
    held = (old > 0) & (new > 0) & (change != new)
    if pair.by_id:  # a split multiplies it, and a dividend replaces it
        held &= pair.before.strike[pair.old] == pair.after.strike[pair.new]
    right, count = int((held & (old + change == new)).sum()), int(held.sum())
    if count >= _ENOUGH and right < _LEAST_INTEREST * count:
        found.object(
            "previous",
            f"open interest of {pair.before.date} plus its change is that of {pair.after.date} in "
            f"{right} of {count} contracts only",
        )
    elif count >= _ENOUGH and right < _MOST_INTEREST * count:
        found.remark(
            f"open interest of {pair.before.date} plus its change is not that of "
            f"{pair.after.date} in {count - right} of {count} contracts"
        )
