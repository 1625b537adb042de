"""Stocks whose contracts may show a corporate action between two days: only those are searched.

On nearly every day nearly every contract stays as it was. Numbers compared in columns find the
others in a fraction of the time that joining two whole days takes. The search then reads every row
that it would have used, so it finds the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from strikeloom.adapters.parquet.datasets import DATASETS, from_disk
from strikeloom.domain.instruments import InstrumentKind

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

#: Contracts of two days, as in ``CONTRACTS``.
Moved = tuple["pd.DataFrame", "pd.DataFrame"]
Codes = NDArray[np.int64]
Flags = NDArray[np.bool_]

_FUTURE = "XX"
_RIGHTS = {_FUTURE: 0, "CE": 1, "PE": 2}
_EXPIRY = 2**20  # days since 1970 are fewer


@dataclass(frozen=True)
class StockContracts:
    """Contracts of stocks on a day.

    Attributes
    ----------
    table : pyarrow.Table
        ``contract_changes.COLUMNS`` as stored, texts dictionary-coded, each column in one piece.
    """

    table: pa.Table

    @classmethod
    def among(cls, contracts: pa.Table) -> StockContracts:
        """Those among all contracts of a day."""
        import pyarrow as pa

        whole = cls(contracts.unify_dictionaries().combine_chunks())
        kinds, codes = whole.coded("kind")
        stock = np.array([kind == InstrumentKind.STOCK.value for kind in kinds], dtype=bool)
        return cls(whole.table.filter(pa.array(stock[codes])).combine_chunks())

    def coded(self, name: str) -> tuple[list[str], Codes]:
        """Distinct texts of a column, and the place of each row's own among them."""
        import pyarrow as pa

        array = self.table[name].combine_chunks()
        if isinstance(array, pa.ChunkedArray):  # of no rows
            return [], np.empty(0, dtype=np.int64)
        return array.dictionary.to_pylist(), array.indices.to_numpy().astype(np.int64)

    def numbers(self, name: str) -> Codes:
        """Whole numbers of a column; dates as days since 1970."""
        import pyarrow as pa

        column = self.table[name]
        days = pa.types.is_date(column.type)
        return np.asarray((column.cast(pa.int32()) if days else column).to_numpy(), dtype=np.int64)

    @cached_property
    def symbols(self) -> tuple[list[str], Codes]:
        """Symbols, and the place of each row's own among them."""
        return self.coded("symbol")

    @cached_property
    def ids(self) -> Codes:
        """Contract ids; 0 where the layout has none."""
        return self.numbers("instrument_id")

    @cached_property
    def last_days(self) -> Codes:
        """Last days as days since 1970: the expiry where no other was announced."""
        import pyarrow as pa
        import pyarrow.compute as pc

        day = pc.coalesce(self.table["last_day"], self.table["expiry"]).cast(pa.int32())
        return np.asarray(day.to_numpy(), dtype=np.int64)

    @cached_property
    def rights(self) -> Codes:
        """Rights as numbers; 0: a future."""
        texts, codes = self.coded("right")
        return np.array([_RIGHTS[text] for text in texts], dtype=np.int64)[codes]

    @cached_property
    def keys(self) -> Codes:
        """Id, expiry and right as one number: what a contract keeps through an action."""
        return (self.ids * len(_RIGHTS) + self.rights) * _EXPIRY + self.numbers("expiry")

    def frame(self, rows: Flags) -> pd.DataFrame:
        """Rows as they are in ``CONTRACTS``."""
        import pyarrow as pa

        return from_disk(self.table.filter(pa.array(rows)), DATASETS["contracts"])


def moved(before: StockContracts, after: StockContracts, day: date) -> Moved | None:
    """Contracts of both days that the search for actions needs; ``None`` when it needs none.

    A stock is searched when one of its contracts that are to live until ``day``, the later one,
    has another strike or symbol afterwards or was settled or was to end early, and when any of its
    rows has no id.
    """
    import pandas as pd

    symbols, codes = before.symbols
    today = (day - date(1970, 1, 1)).days
    lives = before.numbers("expiry") >= today
    wanted = np.zeros(len(symbols), dtype=bool)
    wanted[codes[lives & before.table["final_settlement"].is_valid().to_numpy()]] = True
    wanted[codes[lives & (before.last_days < today)]] = True
    wanted[codes[before.ids == 0]] = True
    known = {symbol: place for place, symbol in enumerate(symbols)}
    names, places = after.symbols
    former = np.array([known.get(name, -1) for name in names], dtype=np.int64)[places]
    wanted[former[(after.ids == 0) & (former >= 0)]] = True
    old = np.flatnonzero(lives & (before.ids != 0) & (before.rights != 0))
    new = np.flatnonzero(after.ids != 0)
    keys = pd.Index(after.keys[new])
    if not keys.is_unique:  # two contracts with one id: which one moved is not clear
        wanted[:] = True
    else:
        place = keys.get_indexer(pd.Index(before.keys[old]))
        same = place >= 0
        old, new = old[same], new[place[same]]
        changed = before.numbers("strike")[old] != after.numbers("strike")[new]
        changed |= codes[old] != former[new]
        wanted[codes[old[changed]]] = True
    if not wanted.any():
        return None
    rows = wanted[codes]
    theirs = np.isin(after.ids, before.ids[rows])
    theirs |= (former >= 0) & wanted[former]
    return before.frame(rows), after.frame(theirs)
