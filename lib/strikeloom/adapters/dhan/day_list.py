"""One day's list of Dhan's: the option contracts on NSE, their wire ids and largest orders."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from strikeloom.domain.instruments import InstrumentKind, OptionContract, Right, symbol_of
from strikeloom.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

OPTIONS = "NSE_FNO"
#: Our symbol -> the index's name in Dhan's list, where they differ.
_INDEX_NAMES = {"NIFTYNXT50": "NIFTY NEXT 50", "INDIAVIX": "INDIA VIX"}
_INDEX_OPTION = "OPTIDX"


class SecurityId(NamedTuple):
    """Segment and id, unique together, on one day."""

    segment: str
    number: int


class ListedContract(NamedTuple):
    """Contract of a list, its wire id, and its largest order in units (0: none published)."""

    instrument: OptionContract
    number: int
    largest_order: int


class DayList:
    """One day's list, split by symbol when it is needed."""

    def __init__(self, table: pa.Table, day: date) -> None:
        import pyarrow.compute as pc

        self._where = f"the instrument list of {day}"
        options = table.filter(
            pc.and_(pc.equal(table["segment"], OPTIONS), pc.not_equal(table["right"], "XX"))
        ).sort_by([("symbol", "ascending"), ("expiry", "ascending")])
        self._options = options
        self._symbols = options["symbol"].to_numpy(zero_copy_only=False).astype(str)
        numbers = options["security_id"].to_numpy()
        self._order = np.argsort(numbers, kind="stable")
        self._sorted = numbers[self._order]
        spots = table.filter(pc.is_in(table["segment"], _array(["IDX_I", "NSE_EQ"])))
        spots = spots.filter(
            pc.or_(pc.equal(spots["segment"], "IDX_I"), pc.equal(spots["instrument"], "EQUITY"))
        )
        self._spots: dict[tuple[str, str], list[tuple[int, str]]] = {}
        for row in spots.select(["segment", "symbol", "security_id", "series"]).to_pylist():
            place = (row["segment"], row["symbol"])
            self._spots.setdefault(place, []).append((row["security_id"], row["series"]))
        self._of_symbol = lru_cache(maxsize=512)(self._read)

    def instrument(self, key: str) -> OptionContract:
        """Contract by key; ``DataError`` when it is not in the list."""
        return self._entry(key).instrument

    def entries(self, symbol: str) -> dict[str, ListedContract]:
        """Options on an underlying by key; empty when the list has none."""
        return self._of_symbol(symbol)

    def number(self, key: str) -> int:
        """Wire id of a contract; ``DataError`` when it is not in the list."""
        return self._entry(key).number

    def largest_order(self, key: str) -> int:
        """Largest order in units; 0 when none is published, or the list has no such contract."""
        found = self._of_symbol(symbol_of(key)).get(key)
        return 0 if found is None else found.largest_order

    def tick(self, symbol: str) -> int:
        """Coarsest price step in paise of the options on an underlying."""
        ticks = {entry.instrument.tick for entry in self._of_symbol(symbol).values()}
        if not ticks:
            raise DataError(f"no option on {symbol} is in {self._where}", symbol=symbol)
        return max(ticks)  # a price on the coarser tick is also on the finer one

    def by_number(self, number: int) -> OptionContract:
        """Contract of a wire id; ``DataError`` when the list has no such option."""
        place = int(np.searchsorted(self._sorted, number))
        if place == len(self._sorted) or self._sorted[place] != number:
            raise DataError(f"no option {OPTIONS} {number} is in {self._where}", number=number)
        row = int(self._order[place])
        return _entry(self._options.slice(row, 1).to_pylist()[0]).instrument

    def spot(self, symbol: str, kind: InstrumentKind) -> SecurityId:
        """Wire id of an underlying's own price; ``DataError`` when the list has none."""
        segment = "IDX_I" if kind is InstrumentKind.INDEX else "NSE_EQ"
        found = self._spots.get((segment, _INDEX_NAMES.get(symbol, symbol)), [])
        traded = [number for number, series in found if segment == "IDX_I" or series == "EQ"]
        if len(traded) != 1:
            raise DataError(
                f"{self._where} has {len(traded)} {segment} rows for {symbol}, expected one",
                symbol=symbol,
            )
        return SecurityId(segment, traded[0])

    def _entry(self, key: str) -> ListedContract:
        found = self._of_symbol(symbol_of(key)).get(key)
        if found is None:
            raise DataError(f"{key} is not in {self._where}", key=key)
        return found

    def _read(self, symbol: str) -> dict[str, ListedContract]:
        first = int(np.searchsorted(self._symbols, symbol, side="left"))
        last = int(np.searchsorted(self._symbols, symbol, side="right"))
        rows = self._options.slice(first, last - first).to_pylist()
        return {entry.instrument.key: entry for entry in map(_entry, rows)}


def _entry(row: dict[str, object]) -> ListedContract:
    tick = float(str(row["tick"]))
    if tick != int(tick):
        raise DataError(f"{row['symbol']} {row['security_id']}: a tick of {tick} paise")
    expiry = row["expiry"]
    assert isinstance(expiry, date)  # noqa: S101 (the list is checked when it is read)
    instrument = OptionContract(
        symbol=str(row["symbol"]),
        expiry=expiry,
        strike=int(str(row["strike"])),
        right=Right(str(row["right"])),
        kind=InstrumentKind.INDEX if row["instrument"] == _INDEX_OPTION else InstrumentKind.STOCK,
        lot_size=int(str(row["lot_size"])),
        tick=int(tick),
    )
    return ListedContract(instrument, int(str(row["security_id"])), int(str(row["largest_order"])))


def _array(values: list[str]) -> pa.Array:
    import pyarrow as pa

    return pa.array(values)


def first_expiry(table: pa.Table) -> date | None:
    """Nearest expiry among the options on NSE in a list; ``None`` when it has none."""
    import pyarrow.compute as pc

    options = pc.and_(pc.equal(table["segment"], OPTIONS), pc.not_equal(table["right"], "XX"))
    found: date | None = pc.min(table.filter(options)["expiry"]).as_py()
    return found
