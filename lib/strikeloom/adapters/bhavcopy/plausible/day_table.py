"""Contracts of one day as arrays, each made when it is first needed."""

from __future__ import annotations

from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from strikeloom.domain.instruments import InstrumentKind

if TYPE_CHECKING:
    import pyarrow as pa

#: Columns of stored contracts that a comparison of two days reads.
COLUMNS = (
    "day", "symbol", "kind", "expiry", "last_day", "strike", "right", "instrument_id", "lot_size",
    "close", "settle", "previous_close", "underlying", "lots_traded", "open_interest", "oi_change",
    "traded",
)  # fmt: skip
_FUTURE = "XX"
_LARGEST_ID = 5_000_000  # 35,003 to 170,000 in the real files


class DayTable:
    """Contracts of one day; prices are paise, NaN where there is none.

    Parameters
    ----------
    table : pyarrow.Table
        ``CONTRACTS`` rows on disk; their texts may be dictionary-coded, each used and there once.
    """

    def __init__(self, table: pa.Table) -> None:
        self._table = table
        self.rows = len(table)
        self._numbers: dict[str, np.ndarray] = {}

    def numbers(self, column: str) -> np.ndarray:
        """A numeric column; floats with NaN where values are missing."""
        if column not in self._numbers:
            self._numbers[column] = np.asarray(self._table[column].to_numpy())
        return self._numbers[column]

    @cached_property
    def dates(self) -> np.ndarray:
        """Trade date of each row as days since 1970."""
        return self._days("day")

    @cached_property
    def date(self) -> date:
        """Trade date of most rows."""
        if (self.dates == self.dates[0]).all():
            most = self.dates[0]
        else:
            distinct, counts = np.unique(self.dates, return_counts=True)
            most = distinct[np.argmax(counts)]
        found: date = np.datetime64(int(most), "D").item()
        return found

    @cached_property
    def number(self) -> int:
        """Trade date of most rows as days since 1970."""
        return int(np.datetime64(self.date, "D").astype(np.int64))

    @cached_property
    def expiry(self) -> np.ndarray:
        """Listed expiry as days since 1970."""
        return self._days("expiry")

    @cached_property
    def last_day(self) -> np.ndarray:
        """Last day as days since 1970; the expiry where the layout has none."""
        column = self._table["last_day"]
        if not column.null_count:
            return self._days("last_day")
        days = column.to_numpy().astype("datetime64[D]")
        return np.where(np.isnat(days), self.expiry, days.astype(np.int64))

    @cached_property
    def symbols(self) -> list[str]:
        """Distinct symbols."""
        return [str(name) for name in self._symbols[0]]

    @cached_property
    def codes(self) -> np.ndarray:
        """Position in ``symbols`` of each row's symbol."""
        return self._symbols[1]

    @cached_property
    def stock(self) -> np.ndarray:
        """Rows of stocks."""
        return self._is("kind", InstrumentKind.STOCK.value)

    @cached_property
    def future(self) -> np.ndarray:
        """Rows of futures."""
        return self._is("right", _FUTURE)

    @cached_property
    def call(self) -> np.ndarray:
        """Rows of calls."""
        return self._is("right", "CE")

    @cached_property
    def traded(self) -> np.ndarray:
        """Rows with trades."""
        return self.numbers("lots_traded") > 0

    @cached_property
    def strike(self) -> np.ndarray:
        """Strikes in paise, 0 for futures."""
        return self.numbers("strike")

    @cached_property
    def ids(self) -> np.ndarray:
        """Instrument ids; 0 in the old layout."""
        return self.numbers("instrument_id")

    @cached_property
    def complete(self) -> bool:
        """Whether the layout has lots, ids and levels of the underlying."""
        return bool(self.rows) and bool((self.numbers("lot_size") > 0).all())

    @cached_property
    def numbered(self) -> bool:
        """Whether instrument ids are known, in the range that the exchange uses."""
        return self.complete and int(self.ids.max()) <= _LARGEST_ID

    @cached_property
    def row_of_id(self) -> np.ndarray:
        """Row of each instrument id, -1 for an id without a row; the last of several."""
        found = np.full(int(self.ids.max()) + 1, -1, dtype=np.int32)
        found[self.ids] = np.arange(self.rows, dtype=np.int32)
        return found

    @cached_property
    def first(self) -> np.ndarray:
        """First row of each symbol."""
        found = np.zeros(len(self.symbols), dtype=np.int64)
        found[self.codes[::-1]] = np.arange(self.rows)[::-1]
        return found

    @cached_property
    def stock_symbols(self) -> np.ndarray:
        """Whether each of ``symbols`` is a stock."""
        return np.asarray(self.stock[self.first])

    @cached_property
    def level(self) -> np.ndarray:
        """Level of each symbol in paise: its underlying, else its nearest future; NaN if none."""
        if self.complete:
            return agreed(self.numbers("underlying"), self.codes, self.first)
        levels = np.full(len(self.symbols), np.nan)
        rows = np.flatnonzero(self.future)
        rows = rows[np.argsort(-self.expiry[rows], kind="stable")]
        settle = self.numbers("settle").astype(float)
        levels[self.codes[rows]] = settle[rows]  # the nearest expiry is written last
        return levels

    def named(self, row: int) -> str:
        """Contract of a row, for messages."""
        at = int(row)
        expiry = np.datetime64(int(self.expiry[at]), "D")
        symbol = self.symbols[self.codes[at]]
        if self.future[at]:
            return f"{symbol} {expiry} future"
        right = "CE" if self.call[at] else "PE"
        return f"{symbol} {expiry} {self.strike[at] / 100:g} {right}"

    @cached_property
    def _symbols(self) -> tuple[list[str], np.ndarray]:
        encoded = self._table["symbol"].combine_chunks().dictionary_encode()
        return encoded.dictionary.to_pylist(), encoded.indices.to_numpy()

    def _days(self, column: str) -> np.ndarray:
        import pyarrow as pa

        days = self._table[column].combine_chunks().cast(pa.int32())
        return np.asarray(days.to_numpy(), dtype=np.int64)

    def _is(self, column: str, text: str) -> np.ndarray:
        encoded = self._table[column].combine_chunks().dictionary_encode()
        wanted = np.array([each == text for each in encoded.dictionary.to_pylist()], dtype=bool)
        return np.asarray(wanted[encoded.indices.to_numpy()])


def agreed(values: np.ndarray, codes: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Value that more than half of the rows of each code have; NaN when none does."""
    found = np.asarray(values, dtype=float)[first]
    differing = np.flatnonzero(values != found[codes])
    for code in np.unique(codes[differing]):
        mine = values[codes == code]
        distinct, counts = np.unique(mine[~np.isnan(mine)], return_counts=True)
        most = int(np.argmax(counts)) if len(counts) else 0
        enough = len(counts) and counts[most] * 2 > len(mine)
        found[code] = distinct[most] if enough else np.nan
    return np.asarray(found)


def rupees(paise: float) -> str:
    """A price for messages."""
    return "none" if np.isnan(paise) else f"{paise / 100:.2f}"
