"""``ports.feed.MarketFeed`` over Dhan: streamed where something ticks, asked for where not."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from typing import Any

from strikeloom.adapters.dhan.client import DhanClient
from strikeloom.adapters.dhan.credentials import Addresses
from strikeloom.adapters.dhan.instruments import OPTIONS, DhanInstruments, SecurityId
from strikeloom.adapters.dhan.live_quotes import LiveQuotes
from strikeloom.adapters.dhan.mapping import full_quote, price_on_tick, traded_moment
from strikeloom.adapters.dhan.packets import (
    SEGMENT_NUMBERS,
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
from strikeloom.domain.instruments import OptionContract
from strikeloom.domain.quotes import Quote
from strikeloom.errors import BrokerError, DataError, NoQuote
from strikeloom.nse.sessions import is_trading_day, session
from strikeloom.ports.clock import Clock

#: Real seconds in which what is being asked for is waited for at the end.
_ENDING = 20.0
#: Real seconds after which a quote that did not tick is asked for. An illiquid contract may not
#: tick for minutes although its book stands.
_FRESH = 5.0

Place = tuple[int, int]


class DhanFeed:
    """Last known quotes, as of now.

    A quote's moment is when it was received, by the desk's clock: an instrument's last trade
    may be hours older than the book that stands.

    Parameters
    ----------
    stream : Addresses, optional
        Subscribe to what is asked for, there; without it every look asks by REST.
    on_tick : callable, optional
        Called in the socket's thread when ticks of subscribed instruments have changed the
        cache, once for all that arrived together.
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
        self._contracts: dict[Place, OptionContract] = {}
        self._symbols: dict[Place, str] = {}
        self._levels: dict[str, tuple[int, datetime]] = {}
        self._seen: dict[str, float] = {}  # contract key or symbol -> monotonic seconds
        self._repairing = threading.Lock()
        self._mender: threading.Thread | None = None
        self._begun = self._ended = False
        self._stream: FeedStream | None = None
        if stream is not None:
            self._stream = FeedStream(
                client.credentials,
                stream,
                self.queue,
                self._use,
                gap=self.mend_gap,
                silence_matters=self.market_is_open,
                pauses=pauses,
            )
        self.repairs = 0

    @property
    def status(self) -> Status | None:
        """How the socket is doing; ``None`` where nothing is streamed."""
        return self._stream.status if self._stream else None

    def quotes(self, contracts: Iterable[OptionContract]) -> dict[str, Quote]:
        """Quotes by contract key; a contract without any quote is absent.

        Raises
        ------
        BrokerError
            When a quote was never seen and Dhan could not be asked.
        """
        wanted = {contract.key: contract for contract in contracts}
        day = self._turn_day()
        found = self._securities(wanted.values(), day)
        self._subscribe(found, FULL)
        held = self.cache.get(wanted)
        stale = [contract for contract in found.values() if self._is_stale(contract.key)]
        if stale:
            self._poll(stale, seen=held)
        return self.cache.get(contract.key for contract in found.values())

    def spot(self, symbol: str) -> tuple[int, datetime]:
        """Underlying's level in paise and the moment it was true.

        Raises
        ------
        NoQuote
            When no level is known.
        BrokerError
            When none was ever seen and Dhan could not be asked.
        """
        day = self._turn_day()
        try:
            security = self._instruments.spot_of(symbol, day)
        except DataError as error:
            raise NoQuote(f"no level of {symbol} is known: {error}", symbol=symbol) from None
        place = SEGMENT_NUMBERS[security.segment], security.number
        self._symbols[place] = symbol
        if self._stream:
            self._stream.want([security], QUOTE)
            self._start()
        if self._is_stale(symbol):
            self._ask_level(symbol, security, self._levels.get(symbol))
        if symbol not in self._levels:
            raise NoQuote(f"Dhan shows no level of {symbol}", symbol=symbol)
        return self._levels[symbol]

    def last_day(self, symbol: str, expiry: date, since: date) -> date:
        """Last day of a series, as the imported files from ``since`` to today say."""
        return self._settlements.last_day(symbol, expiry, since, self._clock.now())

    def settlement(self, symbol: str, day: date) -> int | None:
        """Value of the underlying in paise at which series that end on a day settle."""
        return self._settlements.value(symbol, day, self._clock.now())

    def market_is_open(self) -> bool:
        """Whether something should tick now."""
        now = self._clock.now()
        return (
            is_trading_day(now.date())
            and session(now.date()).open <= now <= session(now.date()).close
        )

    def mend_gap(self) -> None:
        """Ask for everything that is subscribed: ticks were missed. In a thread of its own."""
        if not self._ended and self._repairing.acquire(blocking=False):
            self._mender = threading.Thread(target=self._mend, name="dhan-mend", daemon=True)
            self._mender.start()

    def close(self) -> None:
        """End the socket, and what is being asked for; it is not begun again."""
        self._ended = True
        if self._stream:
            self._stream.stop()
        if self._mender is not None:
            self._mender.join(_ENDING)

    def _mend(self) -> None:
        try:
            contracts = list(self._contracts.values())
            self._poll(contracts, seen={c.key: None for c in contracts})
            self.repairs += 1
            self._on_tick()
        except DataError:
            pass  # the day has turned meanwhile: what is wanted now is asked for when it is
        finally:
            self._repairing.release()

    def _is_stale(self, name: str) -> bool:
        """Whether neither a tick nor an answer told of it just now."""
        seen = self._seen.get(name)
        return self._stream is None or seen is None or time.monotonic() - seen > _FRESH

    def _turn_day(self) -> date:
        """Day of the list in force; when it is another, nothing known by the old ids counts.

        An id of yesterday may stand for another contract now, and must not tick into this one.
        """
        day = self._instruments.in_force()
        if day != self._day:
            self._day = day
            self._contracts, self._symbols, self._levels, self._seen = {}, {}, {}, {}
            if self._stream:
                self._stream.forget()
        return day

    def _securities(
        self, contracts: Iterable[OptionContract], day: date
    ) -> dict[SecurityId, OptionContract]:
        found: dict[SecurityId, OptionContract] = {}
        for contract in contracts:
            try:
                security = self._instruments.security_of(contract.key, day)
            except DataError:
                continue  # not listed: it has no quote, and the guard for listing says so
            found[security] = contract
            self._contracts[SEGMENT_NUMBERS[OPTIONS], security.number] = contract
        return found

    def _subscribe(self, securities: Iterable[SecurityId], mode: tuple[int, int]) -> None:
        if self._stream:
            self._stream.want(securities, mode)
            self._start()

    def _start(self) -> None:
        """Begin to stream; again when the door was shut and the token is another now."""
        if self._stream is None or self._ended:
            return
        if not self._begun or (self._stream.status.stopped and self._stream.renewed):
            self._begun = True
            self._stream.start()

    def _poll(self, contracts: list[OptionContract], *, seen: Mapping[str, Any]) -> None:
        """Ask for quotes; one that was never seen must be answered for."""
        for first in range(0, len(contracts), MOST_IN_A_CALL):
            some = contracts[first : first + MOST_IN_A_CALL]
            try:
                self._ask(some)
            except BrokerError:
                if any(contract.key not in seen for contract in some):
                    raise

    def _ask(self, contracts: list[OptionContract]) -> None:
        quotes = self._calls.quotes(contracts)
        self._seen |= dict.fromkeys((c.key for c in contracts), time.monotonic())
        self._keep(quotes)

    def _ask_level(self, symbol: str, security: SecurityId, known: object) -> None:
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
        """Turn ticks into quotes and levels, then report that there are new ones."""
        at = self._clock.now()
        quotes: list[Quote] = []
        levels = 0
        for packet in packets:
            place = packet.segment, packet.security_id
            contract = self._contracts.get(place)
            if contract is not None and isinstance(packet, FullTick):
                self._seen[contract.key] = time.monotonic()
                quotes.append(full_quote(packet, contract, at))
            elif isinstance(packet, Ticker | QuoteTick | FullTick):
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
        symbol = self._symbols.get((packet.segment, packet.security_id))
        level = price_on_tick(packet.last, 5) if symbol is not None else None
        if symbol is None or level is None:
            return False
        self._seen[symbol] = time.monotonic()
        self._levels[symbol] = level, min(at, traded_moment(packet.traded_at) or at)
        return True
