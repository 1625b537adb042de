"""Dhan's instruments behind the port, and their ids on the wire.

Ids are reused for other contracts, so a list is valid for its own day: it is stored by day and
looked up by contract. Between midnight and the morning the broker still serves, and uses, the
list of the day before.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from strikeloom.domain.instruments import (
    InstrumentKind,
    OptionContract,
    Right,
    Underlying,
    parse_key,
)
from strikeloom.errors import DataError, StaleData
from strikeloom.ports.clock import Clock
from strikeloom.ports.instruments import Instruments

if TYPE_CHECKING:
    import pyarrow as pa

    from strikeloom.adapters.dhan.master_store import MasterStore
    from strikeloom.adapters.dhan.security_master import SecurityMaster

OPTIONS = "NSE_FNO"
#: Our symbol -> the index's name in Dhan's list, where they differ.
_INDEX_NAMES = {"NIFTYNXT50": "NIFTY NEXT 50", "INDIAVIX": "INDIA VIX"}
_INDEX_OPTION = "OPTIDX"
#: From this time on a list that is served is taken as that of its day. No hour is documented; it
#: may still be older, which shows when it lists contracts that have expired.
_PUBLISHED = time(8, 30)
_ASK_AGAIN = timedelta(minutes=1)


class SecurityId(NamedTuple):
    """Segment and id, unique together, on one day."""

    segment: str
    number: int


def list_day(now: datetime) -> date:
    """Day of the list in force at a time: from midnight to morning the day before."""
    return now.date() - timedelta(days=now.time() < _PUBLISHED)


class DhanInstruments:
    """``ports.instruments.Instruments`` of the option contracts on NSE, by Dhan's list.

    Parameters
    ----------
    store : MasterStore
        Where lists are stored.
    known : Instruments
        Kind and sector of underlyings, and contracts listed on earlier days.
    clock : Clock
        Decides which day's list is used: an id may be another contract's on another day.
    fetch : callable, optional
        Downloads the list when the one in force is not stored.
    """

    def __init__(
        self,
        store: MasterStore,
        known: Instruments,
        clock: Clock,
        fetch: Callable[[], SecurityMaster] | None = None,
    ) -> None:
        self._store = store
        self._known = known
        self._clock = clock
        self._fetch = fetch
        self._lock = threading.Lock()
        self._tried: tuple[datetime, StaleData] | None = None
        self._day = lru_cache(maxsize=2)(self._load)

    def underlying(self, symbol: str) -> Underlying:
        """Kind and sector of a symbol.

        Raises
        ------
        DataError
            When the symbol is unknown; names the nearest.
        """
        return self._known.underlying(symbol)

    def contract(self, key: str, day: date) -> OptionContract:
        """Contract by key, with the lot size and tick of that very contract.

        Raises
        ------
        DataError
            When it is not in the list.
        """
        if day < self._clock.now().date():
            return self._known.contract(key, day)
        return self._list(day).contract(key)

    def order_limit(self, contract: OptionContract, day: date) -> int | None:
        """Largest order in units by the list of the day; by the known list where it has none."""
        if day >= self._clock.now().date():
            published = self._list(day).largest_order(contract.key)
            if published:
                return published
        return self._known.order_limit(contract, day)

    def tick(self, symbol: str, kind: InstrumentKind, day: date) -> int:
        """Price step in paise of every option on an underlying.

        Raises
        ------
        DataError
            When no option on it is in the list.
        """
        if day < self._clock.now().date():
            return self._known.tick(symbol, kind, day)
        return self._list(day).tick(symbol)

    def security_of(self, key: str, day: date) -> SecurityId:
        """Wire id of an option contract.

        Raises
        ------
        DataError
            When it is not in the list.
        """
        return SecurityId(OPTIONS, self._list(day).number(key))

    def contract_of(self, number: int, day: date) -> OptionContract:
        """Option contract of a wire id.

        Raises
        ------
        DataError
            When the list has no such option.
        """
        return self._list(day).by_number(number)

    def spot_of(self, symbol: str, day: date) -> SecurityId:
        """Wire id of an underlying's own price.

        Raises
        ------
        DataError
            When the list has none.
        """
        return self._list(day).spot(symbol, self.underlying(symbol).kind)

    def in_force(self) -> date:
        """Day of the list whose ids are valid now."""
        return list_day(self._clock.now())

    def _list(self, day: date) -> _Listed:
        with self._lock:
            day = min(day, self.in_force())
            if day not in self._store.days():
                if self._fetch is None:
                    raise StaleData(
                        f"the instrument list of {day} is not stored (those of "
                        f"{self._store.newest() or 'no day'} are); run strikeloom data "
                        "instruments --fetch",
                        day=str(day),
                    )
                self._store.keep(self._fetched(self._fetch, day), day)
            return self._day(day)

    def _fetched(self, fetch: Callable[[], SecurityMaster], day: date) -> SecurityMaster:
        """Download the list, and check that it can be the one of the day.

        Raises
        ------
        StaleData
            When it still has options that had expired by then; requested again in a minute.
        """
        now = self._clock.now()
        if self._tried and now - self._tried[0] < _ASK_AGAIN:
            raise self._tried[1]
        master = fetch()
        oldest = first_expiry(master.table)
        if oldest is not None and oldest < day:
            error = StaleData(
                f"the instrument list of {day} is not out yet: the one served at {now:%H:%M} "
                f"still has options that expired on {oldest}. It is requested again in a minute; "
                "until then no contract can be priced or ordered",
                day=str(day),
            )
            self._tried = now, error
            raise error
        self._tried = None
        return master

    def _load(self, day: date) -> _Listed:
        return _Listed(self._store.read(day), day)


def first_expiry(table: pa.Table) -> date | None:
    """Nearest expiry among the options on NSE in a list; ``None`` when it has none."""
    import pyarrow.compute as pc

    options = pc.and_(pc.equal(table["segment"], OPTIONS), pc.not_equal(table["right"], "XX"))
    found: date | None = pc.min(table.filter(options)["expiry"]).as_py()
    return found


class _Entry(NamedTuple):
    """Contract of a list, its wire id, and its largest order in units (0: none published)."""

    contract: OptionContract
    number: int
    largest_order: int


class _Listed:
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

    def contract(self, key: str) -> OptionContract:
        return self._entry(key).contract

    def number(self, key: str) -> int:
        return self._entry(key).number

    def largest_order(self, key: str) -> int:
        found = self._of_symbol(parse_key(key)[0]).get(key)
        return 0 if found is None else found.largest_order

    def tick(self, symbol: str) -> int:
        ticks = {entry.contract.tick for entry in self._of_symbol(symbol).values()}
        if not ticks:
            raise DataError(f"no option on {symbol} is in {self._where}", symbol=symbol)
        return max(ticks)  # a price on the coarser tick is also on the finer one

    def by_number(self, number: int) -> OptionContract:
        place = int(np.searchsorted(self._sorted, number))
        if place == len(self._sorted) or self._sorted[place] != number:
            raise DataError(f"no option {OPTIONS} {number} is in {self._where}", number=number)
        row = int(self._order[place])
        return _entry(self._options.slice(row, 1).to_pylist()[0]).contract

    def spot(self, symbol: str, kind: InstrumentKind) -> SecurityId:
        segment = "IDX_I" if kind is InstrumentKind.INDEX else "NSE_EQ"
        found = self._spots.get((segment, _INDEX_NAMES.get(symbol, symbol)), [])
        traded = [number for number, series in found if segment == "IDX_I" or series == "EQ"]
        if len(traded) != 1:
            raise DataError(
                f"{self._where} has {len(traded)} {segment} rows for {symbol}, expected one",
                symbol=symbol,
            )
        return SecurityId(segment, traded[0])

    def _entry(self, key: str) -> _Entry:
        found = self._of_symbol(parse_key(key)[0]).get(key)
        if found is None:
            raise DataError(f"{key} is not in {self._where}", key=key)
        return found

    def _read(self, symbol: str) -> dict[str, _Entry]:
        first = int(np.searchsorted(self._symbols, symbol, side="left"))
        last = int(np.searchsorted(self._symbols, symbol, side="right"))
        rows = self._options.slice(first, last - first).to_pylist()
        return {entry.contract.key: entry for entry in map(_entry, rows)}


def _entry(row: dict[str, object]) -> _Entry:
    tick = float(str(row["tick"]))
    if tick != int(tick):
        raise DataError(f"{row['symbol']} {row['security_id']}: a tick of {tick} paise")
    expiry = row["expiry"]
    assert isinstance(expiry, date)  # noqa: S101 (the list is checked when it is read)
    contract = OptionContract(
        symbol=str(row["symbol"]),
        expiry=expiry,
        strike=int(str(row["strike"])),
        right=Right(str(row["right"])),
        kind=InstrumentKind.INDEX if row["instrument"] == _INDEX_OPTION else InstrumentKind.STOCK,
        lot_size=int(str(row["lot_size"])),
        tick=int(tick),
    )
    return _Entry(contract, int(str(row["security_id"])), int(str(row["largest_order"])))


def _array(values: list[str]) -> pa.Array:
    import pyarrow as pa

    return pa.array(values)
