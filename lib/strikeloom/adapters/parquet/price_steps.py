"""Price steps to ask about, found in a history, and what a person stated about them.

``price_steps.json`` is found in the files and rebuilt when they change; ``stated_steps.json`` is
the person's record.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from strikeloom.adapters.parquet.actions import ReadDay
from strikeloom.adapters.parquet.datasets import PAISE
from strikeloom.adapters.parquet.json_file import write_json
from strikeloom.domain.instruments import InstrumentKind
from strikeloom.errors import StoreError
from strikeloom.nse.corporate_actions import CorporateAction
from strikeloom.nse.price_steps import FutureStep, unconfirmed_steps
from strikeloom.nse.stated_steps import StatedStep

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

FOUND, STATED = "price_steps.json", "stated_steps.json"
_VERSION = 2  # of the search; after a change it is made again
_FUTURE = ("symbol", "right", "expiry", "instrument_id", "settle", "lots_traded")
_DAYS_KEPT = 64  # of futures, about 600 rows each
_EVERY = 20  # stored days of which one is read for the symbols that have options

Record = TypeVar("Record")

#: Settlement in rupees by expiry and instrument id, of the traded futures of each symbol.
_Futures = dict[str, dict[tuple[date, int], float]]


def find_steps(
    folder: Path,
    days: Sequence[date],
    actions: Sequence[CorporateAction],
    cash: Mapping[str, str],
    read_cash: Callable[[Sequence[str]], pd.DataFrame],
    read_day: ReadDay,
) -> None:
    """Search again where the files have changed. Call it under the write lock.

    Parameters
    ----------
    days : sequence of datetime.date
        With contracts, ascending.
    actions : sequence of CorporateAction
        On record and found in the contracts.
    cash : mapping of str to str
        Digest of the cash prices of each day that has any.
    """
    text = json.dumps([_VERSION, sorted(cash.items()), days, list(map(repr, actions))], default=str)
    key = hashlib.sha256(text.encode()).hexdigest()[:16]
    if _read(folder / FOUND).get("key") == key:
        return
    found: list[CorporateAction] = []
    if days and cash:
        some = [*days[::_EVERY], days[-1]]
        symbols = set().union(*(_stocks(read_day(day, ["symbol", "kind"])) for day in some))
        future = _future_step(set(days), read_day)
        found = unconfirmed_steps(read_cash(sorted(symbols)), actions, future)
    write_json(folder / FOUND, {"key": key, "found": [asdict(item) for item in found]})


def read_steps(folder: Path) -> list[CorporateAction]:
    """Steps found, oldest first; empty when none were searched for.

    Raises
    ------
    StoreError
        When the file is damaged.
    """
    remedy = "delete it and import any file again"
    return _records(folder / FOUND, "found", CorporateAction, remedy)


def read_stated(folder: Path) -> list[StatedStep]:
    """What was stated, oldest first.

    Raises
    ------
    StoreError
        When the file is damaged.
    """
    remedy = "repair it, or move it away and state the steps"
    return _records(folder / STATED, "steps", StatedStep, remedy)


def write_stated(folder: Path, symbol: str, day: date, step: StatedStep | None) -> None:
    """Put a statement in place of an earlier one about the night; ``None`` takes it back.

    Call it under the write lock.
    """
    kept = [item for item in read_stated(folder) if (item.symbol, item.day) != (symbol, day)]
    steps = sorted([*kept, *([step] if step else [])], key=lambda item: (item.day, item.symbol))
    write_json(folder / STATED, {"steps": [asdict(item) for item in steps]})


def _future_step(days: set[date], read_day: ReadDay) -> FutureStep:
    """Log step of the same future, the nearest one that traded on both days."""

    @lru_cache(maxsize=_DAYS_KEPT)
    def futures(day: date) -> _Futures:
        return _traded(read_day(day, _FUTURE))

    def step(symbol: str, before: date, day: date) -> float | None:
        if before not in days or day not in days:
            return None
        old, new = (futures(each).get(symbol, {}) for each in (before, day))
        both = old.keys() & new.keys()
        if not both:
            return None
        nearest = min(both)
        return float(np.log(new[nearest] / old[nearest]))

    return step


def _traded(contracts: pa.Table) -> _Futures:
    """Futures of a day with an id that traded and were settled."""
    import pyarrow.compute as pc

    future = pc.field("right") == "XX"
    live = (pc.field("instrument_id") != 0) & (pc.field("lots_traded") > 0)
    rows = contracts.filter(future & live & (pc.field("settle") > 0)).to_pydict()
    found: _Futures = {}
    names = ("symbol", "expiry", "instrument_id", "settle")
    for symbol, expiry, number, settle in zip(*(rows[name] for name in names), strict=True):
        found.setdefault(symbol, {})[expiry, number] = settle / PAISE
    return found


def _stocks(contracts: pa.Table) -> set[str]:
    """Symbols of stocks among the contracts of a day."""
    import pyarrow.compute as pc

    stocks = contracts.filter(pc.field("kind") == InstrumentKind.STOCK.value)
    return set(stocks["symbol"].unique().to_pylist())


def _records(path: Path, name: str, kind: Callable[..., Record], remedy: str) -> list[Record]:
    """Records of a list in a file, each with its day; empty where there is no file."""
    try:
        rows = _read(path).get(name, [])
        return [kind(**{**row, "day": date.fromisoformat(row["day"])}) for row in rows]
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(path, error, remedy) from error


def _read(path: Path) -> dict[str, Any]:
    try:
        body: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise _damaged(path, error, "delete it and import any file again") from error
    return body


def _damaged(path: Path, error: Exception, remedy: str) -> StoreError:
    return StoreError(f"{path} is damaged ({error}); {remedy}", path=str(path))
