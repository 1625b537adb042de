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
from typing import TYPE_CHECKING

from strikeloom.adapters.dhan.day_list import DayList, SecurityId, first_expiry
from strikeloom.adapters.dhan.list_changes import list_adjustments
from strikeloom.domain.adjustments import ContractAdjustment
from strikeloom.domain.instruments import Instrument, InstrumentKind, Share, Underlying
from strikeloom.errors import StaleData
from strikeloom.ports.clock import Clock
from strikeloom.ports.instruments import Instruments

if TYPE_CHECKING:
    from strikeloom.adapters.dhan.master_store import MasterStore
    from strikeloom.adapters.dhan.security_master import SecurityMaster

#: From this time on a list that is served is taken as that of its day. No hour is documented; it
#: may still be older, which shows when it lists contracts that have expired.
_PUBLISHED = time(8, 30)
_ASK_AGAIN = timedelta(minutes=1)


def list_day(now: datetime) -> date:
    """Day of the list in force at a time: from midnight to morning the day before."""
    return now.date() - timedelta(days=now.time() < _PUBLISHED)


class DhanInstruments:
    """``ports.instruments.Instruments`` of what is traded on NSE, by Dhan's list.

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

    def instrument(self, key: str, day: date) -> Instrument:
        """Instrument by key, with its own lot size and tick.

        Raises
        ------
        DataError
            When it is not in the list.
        """
        if day < self._clock.now().date():
            return self._known.instrument(key, day)
        return self._list(day).instrument(key)

    def adjustments(
        self, instrument: Instrument, held_since: date, until: date
    ) -> list[ContractAdjustment]:
        """What became of a held contract: by the known lists, then by the stored ones of Dhan.

        A contract keeps its wire id. The list of today is read once it is in force.

        Raises
        ------
        DataError
            When a list is damaged, or that of today is not out yet.
        """
        found = self._known.adjustments(instrument, held_since, until)
        held, since = (found[-1].new, found[-1].day) if found else (instrument, held_since)
        if until >= self._clock.now().date():
            self._list(until)
        until = min(until, self.in_force())
        days = [day for day in self._store.days() if since <= day <= until]
        return found + list_adjustments(held, days, self._day)

    def order_limit(self, instrument: Instrument, day: date) -> int | None:
        """Largest order in units by the list of the day; by the known list where it has none.

        Of shares none is known where the list has none.
        """
        if day >= self._clock.now().date():
            published = self._list(day).largest_order(instrument.key)
            if published:
                return published
        return None if isinstance(instrument, Share) else self._known.order_limit(instrument, day)

    def tick(self, symbol: str, kind: InstrumentKind, day: date, right: str = "") -> int:
        """Price step in paise of every option on an underlying; by ``right`` of another kind.

        Raises
        ------
        DataError
            When nothing of the kind is in the list.
        """
        if day < self._clock.now().date():
            return self._known.tick(symbol, kind, day, right)
        return self._list(day).tick(symbol, right)

    def security_of(self, key: str, day: date) -> SecurityId:
        """Segment and wire id of an instrument.

        Raises
        ------
        DataError
            When it is not in the list.
        """
        return self._list(day).security(key)

    def instrument_of(self, security: SecurityId, day: date) -> Instrument:
        """Instrument of a segment and wire id.

        Raises
        ------
        DataError
            When the list has none there.
        """
        return self._list(day).by_number(security)

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

    def _list(self, day: date) -> DayList:
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

    def _load(self, day: date) -> DayList:
        return DayList(self._store.read(day), day)
