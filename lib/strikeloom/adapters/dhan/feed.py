"""``ports.feed.MarketFeed`` over Dhan: streamed, and requested by REST what does not tick."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import date, datetime
from typing import Any

from strikeloom.adapters.dhan.background import BackgroundTask
from strikeloom.adapters.dhan.client import DhanClient
from strikeloom.adapters.dhan.credentials import Addresses
from strikeloom.adapters.dhan.day_list import SecurityId
from strikeloom.adapters.dhan.instruments import DhanInstruments
from strikeloom.adapters.dhan.live_quotes import LiveQuotes
from strikeloom.adapters.dhan.mapping import full_quote, price_on_tick, traded_moment
from strikeloom.adapters.dhan.packets import (
    FullTick,
    Packet,
    QuoteTick,
    Ticker,
)
from strikeloom.adapters.dhan.quote_calls import MOST_IN_A_CALL, QuoteCalls
from strikeloom.adapters.dhan.settlements import Settlements
from strikeloom.adapters.dhan.socket import Pauses, Status
from strikeloom.adapters.dhan.stream import FULL, QUOTE, FeedStream
from strikeloom.adapters.dhan.ticks import TickQueue
from strikeloom.adapters.dhan.wire_names import WireNames
from strikeloom.domain.instruments import FutureContract, Instrument
from strikeloom.domain.quotes import Quote
from strikeloom.errors import BrokerError, DataError, NoQuote
from strikeloom.nse.edges import is_open
from strikeloom.ports.clock import Clock

#: Real seconds to wait at the end for requests that are under way.
_ENDING = 20.0
#: Real seconds after which a quote that did not tick is requested. An illiquid contract may not
#: tick for minutes although its book is unchanged.
_FRESH = 5.0


class DhanFeed:
    """Last known quotes, as of now.

    A quote's time is when it was received, by the desk's clock: an instrument's last trade may
    be hours older than its current book.

    Parameters
    ----------
    stream : Addresses, optional
        Where to subscribe to what is read; without it every reading is a REST request.
    on_tick : callable, optional
        Called in the socket's thread when ticks of subscribed instruments have changed the
        cache, once for all that arrived together.

    Attributes
    ----------
    refreshes_in_background : bool
        Whether a known quote that did not tick for 5 s is requested in another thread, which
        calls ``on_tick`` once it is stored, instead of while the caller waits.
    """

    def __init__(
        self,
        client: DhanClient,
        instruments: DhanInstruments,
        clock: Clock,
        settlements: Settlements,
        *,
        stream: Addresses | None = None,
        on_tick: Callable[[], None] = lambda: None,
        pauses: Pauses = Pauses(),  # noqa: B008 (frozen)
    ) -> None:
        self._calls = QuoteCalls(client, instruments, clock)
        self._instruments = instruments
        self._clock = clock
        self._settlements = settlements
        self._on_tick = on_tick
        self.cache = LiveQuotes()
        self.queue = TickQueue()
        self._day: date | None = None
        self._names = WireNames(instruments)
        self._levels: dict[str, tuple[int, datetime]] = {}
        self._seen: dict[str, float] = {}  # contract key or symbol -> monotonic seconds
        self._due: list[Instrument] = []
        self._due_levels: dict[str, SecurityId] = {}
        self._repair = BackgroundTask("dhan-repair", self._request_everything)
        self._refresh = BackgroundTask("dhan-refresh", self._request_due)
        self.refreshes_in_background = False
        self._started = self._ended = False
        self._stream: FeedStream | None = None
        if stream is not None:
            self._stream = FeedStream(
                client.credentials,
                stream,
                self.queue,
                self._use,
                on_gap=self.repair_gap,
                expects_ticks=self.market_is_open,
                pauses=pauses,
            )
        self.repairs = 0

    @property
    def status(self) -> Status | None:
        """State of the socket; ``None`` where nothing is streamed."""
        return self._stream.status if self._stream else None

    def quotes(self, contracts: Iterable[Instrument]) -> dict[str, Quote]:
        """Quotes by contract key; a contract without any quote is absent.

        Raises
        ------
        BrokerError
            When a quote is not known yet and Dhan could not be reached.
        """
        wanted = {instrument.key: instrument for instrument in contracts}
        day = self._check_day()
        found = self._names.add_contracts(wanted.values(), day)
        self._subscribe(found, FULL)
        held = self.cache.get(wanted)
        stale = [instrument for instrument in found.values() if self._is_stale(instrument.key)]
        if self.refreshes_in_background and any(instrument.key in held for instrument in stale):
            # request all that are due soon in one call: few calls are allowed
            self._due = [c for c in found.values() if self._is_stale(c.key, soon=True)]
            self._refresh.start()
            stale = [instrument for instrument in stale if instrument.key not in held]
        if stale:
            self._poll(stale, seen=held)
        return self.cache.get(instrument.key for instrument in found.values())

    def spot(self, symbol: str) -> tuple[int, datetime]:
        """Level of an underlying in paise, and its time.

        Raises
        ------
        NoQuote
            When no level is known.
        BrokerError
            When none is known yet and Dhan could not be reached.
        """
        day = self._check_day()
        try:
            security = self._names.add_symbol(symbol, day)
        except DataError as error:
            raise NoQuote(f"no level of {symbol} is known: {error}", symbol=symbol) from None
        self._subscribe([security], QUOTE)
        if self._is_stale(symbol):
            if self.refreshes_in_background and symbol in self._levels:
                self._due_levels[symbol] = security
                self._refresh.start()
            else:
                self._request_level(symbol, security, self._levels.get(symbol))
        if symbol not in self._levels:
            raise NoQuote(f"Dhan shows no level of {symbol}", symbol=symbol)
        return self._levels[symbol]

    def last_day(self, symbol: str, expiry: date, since: date) -> date:
        """Last day of a series, by the imported files from ``since`` to today."""
        return self._settlements.last_day(symbol, expiry, since, self._clock.now())

    def settlement(self, symbol: str, day: date) -> int | None:
        """Value of the underlying in paise at which series that end on a day settle."""
        return self._settlements.value(symbol, day, self._clock.now())

    def daily_settlement(self, future: FutureContract, day: date) -> int | None:
        """Settlement price of a future, by the imported file of the day."""
        return self._settlements.of_future(future, day, self._clock.now())

    def market_is_open(self) -> bool:
        """Whether ticks are expected now."""
        return is_open(self._clock.now())

    def repair_gap(self) -> None:
        """Request all that is subscribed, in a thread of its own: ticks were missed."""
        self._repair.start()

    def close(self) -> None:
        """End the socket and all requests for good."""
        self._ended = True
        if self._stream:
            self._stream.stop()
        self._repair.end(_ENDING)
        self._refresh.end(_ENDING)

    def _request_everything(self) -> None:
        with suppress(DataError):  # the day has changed: the next reading requests by the new ids
            contracts = self._names.contracts()
            self._poll(contracts, seen={c.key: None for c in contracts})
            self.repairs += 1
            self._on_tick()

    def _request_due(self) -> None:
        """Request what did not tick for some time."""
        with suppress(DataError, BrokerError):
            contracts, levels = self._due, self._due_levels
            self._due, self._due_levels = [], {}
            self._poll(contracts, seen={c.key: None for c in contracts})
            for symbol, security in list(levels.items()):
                self._request_level(symbol, security, self._levels.get(symbol))
            self._on_tick()

    def _is_stale(self, name: str, *, soon: bool = False) -> bool:
        """Whether neither a tick nor a response brought it lately; ``soon``: stale or almost."""
        seen, longest = self._seen.get(name), _FRESH / 2 if soon else _FRESH
        return self._stream is None or seen is None or time.monotonic() - seen > longest

    def _check_day(self) -> date:
        """Day of the list in force; when it has changed, forget all that is known by the old ids.

        An id of yesterday may be another contract's now, whose ticks must not be mixed with it.
        """
        day = self._instruments.in_force()
        if day != self._day:
            self._day = day
            self._levels, self._seen = {}, {}
            self._names.clear()
            if self._stream:
                self._stream.forget()
        return day

    def _subscribe(self, securities: Iterable[SecurityId], mode: tuple[int, int]) -> None:
        if self._stream:
            self._stream.want(securities, mode)
            self._start()

    def _start(self) -> None:
        """Start to stream; after rejected credentials only with a new token."""
        if self._stream is None or self._ended:
            return
        if not self._started or (self._stream.status.stopped and self._stream.renewed):
            self._started = True
            self._stream.start()

    def _poll(self, contracts: list[Instrument], *, seen: Mapping[str, Any]) -> None:
        """Request quotes; a failure counts when one of them is not known yet."""
        for first in range(0, len(contracts), MOST_IN_A_CALL):
            some = contracts[first : first + MOST_IN_A_CALL]
            try:
                self._request(some)
            except BrokerError:
                if any(instrument.key not in seen for instrument in some):
                    raise

    def _request(self, contracts: list[Instrument]) -> None:
        quotes = self._calls.quotes(contracts)
        self._seen |= dict.fromkeys((c.key for c in contracts), time.monotonic())
        self._keep(quotes)

    def _request_level(self, symbol: str, security: SecurityId, known: object) -> None:
        try:
            level = self._calls.level(security)
        except BrokerError:
            if known is None:
                raise
            return
        if level is not None:
            self._levels[symbol] = level, self._clock.now()
            self._seen[symbol] = time.monotonic()

    def _use(self, packets: list[Packet]) -> None:
        """Turn ticks into quotes and levels, then call ``on_tick``."""
        at = self._clock.now()
        quotes: list[Quote] = []
        levels = 0
        for packet in packets:
            instrument = self._names.instrument(packet)
            if instrument is not None and isinstance(packet, FullTick):
                self._seen[instrument.key] = time.monotonic()
                quotes.append(full_quote(packet, instrument, at))
            if isinstance(packet, Ticker | QuoteTick | FullTick):
                levels += self._keep_level(packet, at)
        if self._keep(quotes) or levels:
            self._on_tick()

    def _keep(self, quotes: Iterable[Quote]) -> int:
        """Cache quotes; a contract that shows neither side nor a last price has none."""
        kept = [q for q in quotes if (q.bid, q.ask, q.last) != (None, None, None)]
        self.cache.put(kept)
        return len(kept)

    def _keep_level(self, packet: Ticker | QuoteTick | FullTick, at: datetime) -> bool:
        """Keep the level of an underlying; whether the packet has one."""
        symbol = self._names.symbol(packet)
        level = price_on_tick(packet.last, 5) if symbol is not None else None
        if symbol is None or level is None:
            return False
        self._seen[symbol] = time.monotonic()
        self._levels[symbol] = level, min(at, traded_moment(packet.traded_at) or at)
        return True
