"""One day's list of Dhan's: what is traded on NSE, with wire ids and largest orders."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from strikeloom.domain.instruments import (
    FUTURE_RIGHT,
    SHARE_RIGHT,
    FutureContract,
    Instrument,
    InstrumentKind,
    OptionContract,
    Right,
    Share,
    symbol_of,
)
from strikeloom.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

#: Segments on NSE: of options and futures, of shares, and of indices.
CONTRACTS, SHARES, INDICES = "NSE_FNO", "NSE_EQ", "IDX_I"
#: Our symbol -> the index's name in Dhan's list, where they differ.
_INDEX_NAMES = {"NIFTYNXT50": "NIFTY NEXT 50", "INDIAVIX": "INDIA VIX"}
_OF_INDEX = ("OPTIDX", "FUTIDX")
_FUTURES = ("FUTIDX", "FUTSTK")
_KINDS: dict[str, tuple[type, str]] = {
    FUTURE_RIGHT: (FutureContract, "future"),
    SHARE_RIGHT: (Share, "share"),
}
#: Series of a company's shares: traded freely, else only for delivery. Others are bonds and funds.
_SERIES = ("EQ", "BE", "BZ")


class SecurityId(NamedTuple):
    """Segment and id, unique together, on one day."""

    segment: str
    number: int


class ListedInstrument(NamedTuple):
    """Instrument of a list, its wire id, and its largest order in units (0: none published)."""

    instrument: Instrument
    security: SecurityId
    largest_order: int


class DayList:
    """One day's list, split by symbol when it is needed."""

    def __init__(self, table: pa.Table, day: date) -> None:
        import pyarrow.compute as pc

        self._where = f"the instrument list of {day}"
        self._contracts = _contracts(table).sort_by(
            [("symbol", "ascending"), ("expiry", "ascending")]
        )
        self._symbols = self._contracts["symbol"].to_numpy(zero_copy_only=False).astype(str)
        numbers = self._contracts["security_id"].to_numpy()
        self._order = np.argsort(numbers, kind="stable")
        self._sorted = numbers[self._order]
        indices = table.filter(pc.equal(table["segment"], INDICES))
        self._indices: dict[str, list[int]] = {}
        for row in indices.select(["symbol", "security_id"]).to_pylist():
            self._indices.setdefault(row["symbol"], []).append(row["security_id"])
        self._shares = _shares(table)
        self._symbol_of = {number: symbol for symbol, (number, _, _) in self._shares.items()}
        self._of_symbol = lru_cache(maxsize=512)(self._read)

    def instrument(self, key: str) -> Instrument:
        """Instrument by key; ``DataError`` when it is not in the list."""
        return self._entry(key).instrument

    def entries(self, symbol: str) -> dict[str, ListedInstrument]:
        """Contracts on an underlying, and its share, by key; empty when the list has none."""
        return self._of_symbol(symbol)

    def security(self, key: str) -> SecurityId:
        """Segment and wire id of an instrument; ``DataError`` when it is not in the list."""
        return self._entry(key).security

    def largest_order(self, key: str) -> int:
        """Largest order in units; 0 when none is published, or the list has no such instrument."""
        found = self._of_symbol(symbol_of(key)).get(key)
        return 0 if found is None else found.largest_order

    def tick(self, symbol: str, right: str = "") -> int:
        """Coarsest price step in paise of the options on an underlying.

        With ``right`` XX of its futures, with EQ of its share.
        """
        kind, named = _KINDS.get(right, (OptionContract, "option"))
        listed = (entry.instrument for entry in self._of_symbol(symbol).values())
        ticks = {it.tick for it in listed if isinstance(it, kind)}
        if not ticks:
            raise DataError(f"no {named} on {symbol} is in {self._where}", symbol=symbol)
        return max(ticks)  # a price on the coarser tick is also on the finer one

    def by_number(self, security: SecurityId) -> Instrument:
        """Instrument of a segment and wire id; ``DataError`` when the list has none there."""
        segment, number = security
        if segment == SHARES and number in self._symbol_of:
            return self._share(self._symbol_of[number]).instrument
        place = int(np.searchsorted(self._sorted, number))
        if segment == CONTRACTS and place < len(self._sorted) and self._sorted[place] == number:
            row = int(self._order[place])
            return _entry(self._contracts.slice(row, 1).to_pylist()[0]).instrument
        raise DataError(f"no instrument {segment} {number} is in {self._where}", number=number)

    def spot(self, symbol: str, kind: InstrumentKind) -> SecurityId:
        """Wire id of an underlying's own price; ``DataError`` when the list has none."""
        if kind is InstrumentKind.INDEX:
            segment, found = INDICES, self._indices.get(_INDEX_NAMES.get(symbol, symbol), [])
        else:
            known = self._shares.get(symbol)
            segment, found = SHARES, [known[0]] if known and known[2] == "EQ" else []
        if len(found) != 1:
            raise DataError(
                f"{self._where} has {len(found)} {segment} rows for {symbol}, expected one",
                symbol=symbol,
            )
        return SecurityId(segment, found[0])

    def _entry(self, key: str) -> ListedInstrument:
        found = self._of_symbol(symbol_of(key)).get(key)
        if found is None:
            raise DataError(f"{key} is not in {self._where}", key=key)
        return found

    def _read(self, symbol: str) -> dict[str, ListedInstrument]:
        first = int(np.searchsorted(self._symbols, symbol, side="left"))
        last = int(np.searchsorted(self._symbols, symbol, side="right"))
        found = [*map(_entry, self._contracts.slice(first, last - first).to_pylist())]
        if symbol in self._shares:
            found.append(self._share(symbol))
        return {entry.instrument.key: entry for entry in found}

    def _share(self, symbol: str) -> ListedInstrument:
        number, tick, _ = self._shares[symbol]
        share = Share(symbol, _whole_tick(tick, symbol, number))
        return ListedInstrument(share, SecurityId(SHARES, number), 0)


def _contracts(table: pa.Table) -> pa.Table:
    """Options and futures on NSE; a future without expiry, lot or tick is left out."""
    import pyarrow.compute as pc

    here = table.filter(pc.equal(table["segment"], CONTRACTS))
    whole = pc.and_(pc.is_valid(here["expiry"]), pc.greater(here["lot_size"], 0))
    whole = pc.and_(whole, pc.greater(here["tick"], 0))
    future = pc.and_(pc.is_in(here["instrument"], _array(list(_FUTURES))), whole)
    return here.filter(pc.or_(pc.not_equal(here["right"], FUTURE_RIGHT), future))


def _shares(table: pa.Table) -> dict[str, tuple[int, float, str]]:
    """Number, tick and series of each company's share on NSE, by symbol."""
    import pyarrow.compute as pc

    rows = table.filter(
        pc.and_(
            pc.and_(pc.equal(table["segment"], SHARES), pc.equal(table["instrument"], "EQUITY")),
            pc.and_(pc.is_in(table["series"], _array(list(_SERIES))), pc.greater(table["tick"], 0)),
        )
    ).select(["symbol", "security_id", "tick", "series"])
    found: dict[str, tuple[int, float, str]] = {}
    for row in sorted(rows.to_pylist(), key=lambda row: _SERIES.index(row["series"])):
        found.setdefault(row["symbol"], (row["security_id"], row["tick"], row["series"]))
    return found


def _whole_tick(tick: float, symbol: str, number: int) -> int:
    if tick != int(tick):
        raise DataError(f"{symbol} {number}: a tick of {tick} paise")
    return int(tick)


def _entry(row: dict[str, object]) -> ListedInstrument:
    symbol, number = str(row["symbol"]), int(str(row["security_id"]))
    tick = _whole_tick(float(str(row["tick"])), symbol, number)
    expiry = row["expiry"]
    assert isinstance(expiry, date)  # noqa: S101 (the list is checked when it is read)
    kind = InstrumentKind.INDEX if row["instrument"] in _OF_INDEX else InstrumentKind.STOCK
    lot = int(str(row["lot_size"]))
    instrument: Instrument
    if row["right"] == FUTURE_RIGHT:
        instrument = FutureContract(symbol, expiry, kind, lot, tick)
    else:
        strike, right = int(str(row["strike"])), Right(str(row["right"]))
        instrument = OptionContract(symbol, expiry, strike, right, kind, lot, tick)
    return ListedInstrument(
        instrument, SecurityId(CONTRACTS, number), int(str(row["largest_order"]))
    )


def _array(values: list[str]) -> pa.Array:
    import pyarrow as pa

    return pa.array(values)


def first_expiry(table: pa.Table) -> date | None:
    """Nearest expiry among the options on NSE in a list; ``None`` when it has none."""
    import pyarrow.compute as pc

    options = pc.and_(
        pc.equal(table["segment"], CONTRACTS), pc.not_equal(table["right"], FUTURE_RIGHT)
    )
    found: date | None = pc.min(table.filter(options)["expiry"]).as_py()
    return found
