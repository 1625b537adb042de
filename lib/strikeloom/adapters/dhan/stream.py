"""The market feed's socket: subscriptions are a state, sent again on every connect."""

from __future__ import annotations

import asyncio
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from urllib.parse import urlencode, urlsplit

from strikeloom.adapters.dhan.credentials import Addresses, Credentials
from strikeloom.adapters.dhan.day_list import SecurityId
from strikeloom.adapters.dhan.packets import (
    SEGMENT_NUMBERS,
    Disconnect,
    MarketStatus,
    Packet,
    decode,
)
from strikeloom.adapters.dhan.socket import Pauses, Socket, SocketConnection, Status
from strikeloom.adapters.dhan.ticks import TickQueue
from strikeloom.errors import BrokerError, NotAuthorised, RateLimited

#: Request codes to subscribe and to unsubscribe, by kind of packet.
FULL, QUOTE, TICKER = (21, 22), (17, 18), (15, 16)
_A_MESSAGE, MOST_INSTRUMENTS = 100, 5000
_TOO_MANY = 805
#: Reasons of the broker after which a new connection cannot help.
_FINAL = {
    806: "there is no data subscription",
    807: "the token has expired",
    808: "the login failed",
    809: "the token is not valid",
    810: "the client id is not valid",
}


class FeedStream:
    """Delivers packets of subscribed instruments through a queue.

    Parameters
    ----------
    use : callable
        Takes the packets of the queue as soon as no message is at hand, in the socket's
        thread: another thread in between would cost more than it saves.
    on_gap : callable
        Called on every connect after the first, in the socket's thread: ticks were missed.
    expects_ticks : callable
        Whether ticks are expected now.

    Attributes
    ----------
    counts : Counter
        ``packets``, ``unknown`` codes, ``bad`` messages, ``unasked`` packets of instruments
        that are not subscribed (any more), batches ``unused`` because the clock failed.
    """

    def __init__(
        self,
        credentials: Credentials,
        addresses: Addresses,
        queue: TickQueue,
        use: Callable[[list[Packet]], None],
        *,
        on_gap: Callable[[], None] = lambda: None,
        expects_ticks: Callable[[], bool] = lambda: True,
        pauses: Pauses = Pauses(),  # noqa: B008 (frozen)
    ) -> None:
        self._credentials = credentials
        self._feed = addresses.feed
        self._queue = queue
        self._use = use
        self._on_gap = on_gap
        self._lock = threading.Lock()
        self._wanted: dict[SecurityId, tuple[int, int]] = {}
        self._sent: dict[SecurityId, tuple[int, int]] = {}
        self._places: frozenset[tuple[int, int]] = frozenset()
        self._token_mark = ""
        self.counts: Counter[str] = Counter()
        self._socket = Socket(
            "market feed",
            self._address,
            greet=self._greet,
            on_message=self._on_message,
            expects_messages=lambda: bool(self._wanted) and expects_ticks(),
            pauses=pauses,
        )

    @property
    def status(self) -> Status:
        """State of the socket."""
        return self._socket.status

    def want(self, securities: Iterable[SecurityId], mode: tuple[int, int] = FULL) -> None:
        """Subscribe to instruments; beyond 5,000 those requested longest ago are dropped."""
        with self._lock:
            before = dict(self._wanted)
            for security in securities:
                # a share is also the level of its stock: the fuller of two modes counts
                self._wanted[security] = max(mode, self._wanted.pop(security, mode))
            while len(self._wanted) > MOST_INSTRUMENTS:
                del self._wanted[next(iter(self._wanted))]
            changed = before != self._wanted
            if changed:
                self._places = frozenset(
                    (SEGMENT_NUMBERS[s.segment], s.number) for s in self._wanted
                )
        if changed:
            self._socket.nudge()

    def forget(self) -> None:
        """Drop all subscriptions: the ids are another day's."""
        with self._lock:
            self._wanted.clear()
            self._places = frozenset()
        self._socket.nudge()

    @property
    def renewed(self) -> bool:
        """Whether the token differs from the one of the last attempt."""
        return self._credentials.token_mark() != self._token_mark

    def start(self) -> None:
        """Connect and stay connected."""
        self._socket.start()

    def stop(self) -> None:
        """End the connection."""
        self._socket.stop()

    def _address(self) -> str:
        self._token_mark = self._credentials.token_mark()
        query = urlencode(
            {
                "version": 2,
                "token": self._credentials.token().reveal(),
                "clientId": self._credentials.client_id.reveal(),
                "authType": 2,
            }
        )
        base = self._feed if urlsplit(self._feed).path else f"{self._feed}/"
        return f"{base}?{query}"

    async def _greet(self, connection: SocketConnection, new: bool) -> None:
        """Subscribe and unsubscribe until the server sends what is wanted."""
        if new:
            self._sent = {}
            if self.status.connections:
                self._on_gap()
        with self._lock:
            wanted = dict(self._wanted)
        dropped = [(s, mode[1]) for s, mode in self._sent.items() if wanted.get(s) != mode]
        added = [(s, mode[0]) for s, mode in wanted.items() if self._sent.get(s) != mode]
        for code, some in _batches([*dropped, *added]):
            await connection.send(_request(code, some))
        self._sent = wanted

    def _on_message(self, message: str | bytes) -> None:
        if isinstance(message, str):
            self.counts["unknown"] += 1
            return
        packets, unknown, error = decode(message)
        self.counts["packets"] += len(packets)
        self.counts["unknown"] += unknown
        self.counts["bad"] += error is not None
        places = self._places
        wanted = [p for p in packets if (p.segment, p.security_id) in places]
        if wanted and self._queue.put(wanted):
            asyncio.get_running_loop().call_soon(self._use_queued)
        if len(wanted) == len(packets):
            return
        for packet in packets:
            if isinstance(packet, Disconnect):
                self._raise_disconnected(packet.reason)
            if not isinstance(packet, MarketStatus):
                self.counts["unasked"] += (packet.segment, packet.security_id) not in places

    def _use_queued(self) -> None:
        try:
            self._use(self._queue.take())
        except BrokerError:
            self.counts["unused"] += 1  # they cannot be dated: an exchange's clock is not reached

    def _raise_disconnected(self, reason: int) -> None:
        if reason in _FINAL:
            raise NotAuthorised(
                f"Dhan ended the market feed: {_FINAL[reason]} ({reason}). It is not tried again "
                "until that is corrected",
                code=reason,
            )
        if reason == _TOO_MANY:
            raise RateLimited(
                f"Dhan ended the market feed: too many connections or requests ({reason})",
                code=reason,
            )
        raise BrokerError(f"Dhan ended the market feed ({reason})", code=reason)


def _batches(changes: list[tuple[SecurityId, int]]) -> Iterable[tuple[int, list[SecurityId]]]:
    by_code: dict[int, list[SecurityId]] = {}
    for security, code in changes:
        by_code.setdefault(code, []).append(security)
    for code, securities in by_code.items():
        for first in range(0, len(securities), _A_MESSAGE):
            yield code, securities[first : first + _A_MESSAGE]


def _request(code: int, securities: list[SecurityId]) -> str:
    return json.dumps(
        {
            "RequestCode": code,
            "InstrumentCount": len(securities),
            "InstrumentList": [
                {"ExchangeSegment": s.segment, "SecurityId": str(s.number)} for s in securities
            ],
        }
    )
