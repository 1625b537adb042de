"""Corporate actions found in the contracts of a history, stored beside them.

``corporate_actions.json`` records which pairs of neighbouring days were compared, and the actions
found. It depends on the files alone: a day that is added between two others, or replaced, is
compared again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from itertools import chain, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from strikeloom.adapters.parquet.json_file import write_json
from strikeloom.adapters.parquet.moved import Moved, StockContracts, moved
from strikeloom.adapters.parquet.partitions import read_digests
from strikeloom.adapters.read_ahead import read_ahead
from strikeloom.errors import StoreError
from strikeloom.nse.contract_changes import COLUMNS, contract_changes
from strikeloom.nse.corporate_actions import CorporateAction

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

FILE = "corporate_actions.json"
_VERSION = 4  # of the search; after a change everything is compared again
_MOST_PREPARED = 200_000  # rows, 100 MB

#: Reads some columns of the contracts of a day, as stored, texts dictionary-coded.
ReadDay = Callable[[date, Sequence[str]], "pa.Table"]
#: Contracts that moved between two days, by the digests of both; ``None`` where none did.
Prepared = dict[tuple[str, ...], Moved | None]
#: Opens and closes of the cash market of a span of days, as ``CASH``.
ReadCash = Callable[[date, date], "pd.DataFrame"]


@dataclass(frozen=True, slots=True)
class Compared:
    """Two neighbouring days that were compared, and the actions found.

    Attributes
    ----------
    marks : tuple of str
        Digests of the two partitions, to detect that one was replaced; and of the cash prices of
        both days, where they were stored.
    """

    day_before: date
    day: date
    marks: tuple[str, ...]
    found: tuple[CorporateAction, ...]


def read_compared(folder: Path) -> dict[date, Compared]:
    """Pairs compared so far, by their later day; empty when none were.

    Raises
    ------
    StoreError
        When the file is damaged.
    """
    path = folder / FILE
    if not path.exists():
        return {}
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
        if body["version"] != _VERSION:
            return {}
        rows = [_compared(item) for item in body["pairs"]]
    except (ValueError, KeyError, TypeError) as error:
        raise StoreError(
            f"{path} is damaged ({error}); delete it and import any file again: it is then rebuilt",
            path=str(path),
        ) from error
    return {row.day: row for row in rows}


def uncompared(folder: Path, days: Sequence[date]) -> bool:
    """Whether any neighbouring days were not compared (a history from an earlier version)."""
    known = read_compared(folder)
    return any(
        day not in known or known[day].day_before != before for before, day in pairwise(days)
    )


def prepare(folder: Path, files: Sequence[Path], read_day: ReadDay) -> Prepared:
    """What ``compare`` needs of the contracts of days not compared yet, whatever the cash prices.

    Where it is much, as of an old layout whose contracts have no ids, of the first days only.
    """
    known = read_compared(folder)
    pairs = {pair.day: pair for pair in _neighbours(files, {})}
    due = {
        day
        for day, pair in pairs.items()
        if day not in known or known[day].marks[:2] != pair.marks[:2]
    }
    prepared: Prepared = {}
    rows = 0
    for day, frames in _moves(pairs, due, read_day):
        prepared[pairs[day].marks[:2]] = frames
        rows += sum(map(len, frames or ()))
        if rows > _MOST_PREPARED:
            break
    return prepared


def compare(
    folder: Path,
    files: Sequence[Path],
    read_day: ReadDay,
    read_cash: ReadCash,
    cash: Mapping[str, str],
    prepared: Prepared,
) -> list[CorporateAction]:
    """Compare the neighbouring days not compared yet. Call it under the write lock.

    Parameters
    ----------
    files : sequence of pathlib.Path
        Partitions of contracts, ascending.
    cash : mapping of str to str
        Digest of the cash prices of each day that has any.
    prepared : Prepared
        What ``prepare`` returned, or nothing.

    Returns
    -------
    list of CorporateAction
        All actions found in the history.
    """
    known = read_compared(folder)
    pairs = {pair.day: pair for pair in _neighbours(files, cash)}
    due = {day for day, pair in pairs.items() if not _equal(pair, known.get(day))}
    pairs.update((day, known[day]) for day in pairs.keys() - due)
    ready = {day: pairs[day].marks[:2] for day in due if pairs[day].marks[:2] in prepared}
    given = ((day, prepared[marks]) for day, marks in ready.items())
    done = set()
    for day, frames in chain(given, _moves(pairs, due - ready.keys(), read_day)):
        found = _actions(frames, pairs[day], read_cash)
        pairs[day] = replace(pairs[day], found=tuple(found))
        done.add(day)
    for day in due - done:  # reading a damaged day raises; its pairs are compared once repaired
        del pairs[day]
    ordered = [pairs[day] for day in sorted(pairs)]
    if ordered != list(known.values()):
        body = {"version": _VERSION, "pairs": [asdict(pair) for pair in ordered]}
        write_json(folder / FILE, body)
    return [item for pair in ordered for item in pair.found]


def _moves(
    pairs: Mapping[date, Compared], due: Collection[date], read_day: ReadDay
) -> Iterator[tuple[date, Moved | None]]:
    """Each day due with what moved since the day before; not where one of them is damaged."""
    wanted = sorted({day for late in due for day in (pairs[late].day_before, late)})

    def read(day: date) -> StockContracts:
        return StockContracts.among(read_day(day, COLUMNS))

    before: StockContracts | None = None
    for day, reading in read_ahead(wanted, read, threads=1, ahead=2):
        try:
            after = reading.result()
        except StoreError:
            after = None
        if day in due and before is not None and after is not None:
            yield day, moved(before, after, day)
        before = after


def _neighbours(files: Sequence[Path], cash: Mapping[str, str]) -> Iterator[Compared]:
    """Neighbouring days as they are stored, nothing found yet; without those of damaged files."""
    for earlier, later in pairwise(files):
        day_before, day = (date.fromisoformat(path.stem) for path in (earlier, later))
        try:
            held = (read_digests(earlier)[""], read_digests(later)[""])
        except StoreError:
            continue
        marks = (*held, *(cash.get(str(each), "") for each in (day_before, day)))
        yield Compared(day_before, day, marks, ())


def _equal(pair: Compared, known: Compared | None) -> bool:
    return known is not None and replace(known, found=()) == pair


def _actions(frames: Moved | None, pair: Compared, read_cash: ReadCash) -> list[CorporateAction]:
    if not frames:
        return []
    prices = read_cash(pair.day_before, pair.day)
    return contract_changes(*frames, day=pair.day, day_before=pair.day_before, cash=prices)


def _compared(item: dict[str, Any]) -> Compared:
    found = [
        CorporateAction(
            **{name: value for name, value in row.items() if name not in ("day", "seen_after")},
            day=date.fromisoformat(row["day"]),
            seen_after=date.fromisoformat(item["day_before"]),
        )
        for row in item["found"]
    ]
    return Compared(
        date.fromisoformat(item["day_before"]),
        date.fromisoformat(item["day"]),
        tuple(item["marks"]),
        tuple(found),
    )
