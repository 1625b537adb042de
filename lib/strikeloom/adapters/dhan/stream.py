"""The market feed's socket: what is wanted is a state, said again on every connect."""

from __future__ import annotations

import asyncio
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from urllib.parse import urlencode, urlsplit

from strikeloom.adapters.dhan.credentials import Addresses, Credentials
from strikeloom.adapters.dhan.instruments import SecurityId
from strikeloom.adapters.dhan.packets import (
    SEGMENT_NUMBERS,
    Disconnect,
    MarketStatus,
    Packet,
    decode,
)
from strikeloom.adapters.dhan.socket import Connection, Pauses, Socket, Status
from strikeloom.adapters.dhan.ticks import TickQueue
from strikeloom.errors import BrokerError, NotAuthorised, RateLimited

#: Subscribe and unsubscribe by what is asked for.
FULL, QUOTE, TICKER = (21, 22), (17, 18), (15, 16)
_A_MESSAGE, MOST_INSTRUMENTS = 100, 5000
_TOO_MANY = 805
#: The broker's reasons that no new connection mends.
_FINAL = {
    806: "there is no data subscription",
    807: "the token has expired",
    808: "the login failed",
    809: "the token is not valid",
    810: "the client id is not valid",
}


class FeedStream:
    """Subscribed packets, through a queue to whoever uses them.

    Parameters
    ----------
    use : callable
        Takes what waits in the queue as soon as no message is at hand, in the socket's
        thread: another thread in between would cost more than it saves.
    gap : callable
        Called on every connect after the first, in the socket's thread: ticks were missed.
    silence_matters : callable
        Whether something should be heard now.

    Attributes
    ----------
    counts : Counter
        ``packets``, ``unknown`` codes, ``bad`` messages, ``unasked`` packets of instruments
        that are not wanted (any more), batches ``unused`` for want of a clock.
    """

    def __init__(
        self,
        credentials: Credentials,
        addresses: Addresses,
        queue: TickQueue,
        use: Callable[[list[Packet]], None],
        *,
        gap: Callable[[], None] = lambda: None,
        silence_matters: Callable[[], bool] = lambda: True,
        pauses: Pauses = Pauses(),  # noqa: B008 (frozen)
    ) -> None:
        self._credentials = credentials
        self._feed = addresses.feed
        self._queue = queue
        self._use = use
        self._gap = gap
        self._lock = threading.Lock()
        self._wanted: dict[SecurityId, tuple[int, int]] = {}
        self._asked: dict[SecurityId, tuple[int, int]] = {}
        self._places: frozenset[tuple[int, int]] = frozenset()
        self._token_mark = ""
        self.counts: Counter[str] = Counter()
        self._socket = Socket(
            "market feed",
            self._address,
            greet=self._greet,
            hear=self._hear,
            silence_matters=lambda: bool(self._wanted) and silence_matters(),
            pauses=pauses,
        )

    @property
    def status(self) -> Status:
        """How the socket is doing."""
        return self._socket.status

    def want(self, securities: Iterable[SecurityId], mode: tuple[int, int] = FULL) -> None:
        """Add instruments; beyond 5,000 those wanted longest ago are let go."""
        with self._lock:
            before = dict(self._wanted)
            for security in securities:
                self._wanted.pop(security, None)
                self._wanted[security] = mode
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
        """Want nothing any more: the ids are another day's."""
        with self._lock:
            self._wanted.clear()
            self._places = frozenset()
        self._socket.nudge()

    @property
    def renewed(self) -> bool:
        """The token is another than the one of the last try."""
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

    async def _greet(self, connection: Connection, new: bool) -> None:
        """Bring what the server sends to what is wanted."""
        if new:
            self._asked = {}
            if self.status.connections:
                self._gap()
        with self._lock:
            wanted = dict(self._wanted)
        gone = [(s, mode[1]) for s, mode in self._asked.items() if wanted.get(s) != mode]
        come = [(s, mode[0]) for s, mode in wanted.items() if self._asked.get(s) != mode]
        for code, some in _batches([*gone, *come]):
            await connection.send(_request(code, some))
        self._asked = wanted

    def _hear(self, message: str | bytes) -> None:
        if isinstance(message, str):
            self.counts["unknown"] += 1
            return
        packets, unknown, error = decode(message)
        self.counts["packets"] += len(packets)
        self.counts["unknown"] += unknown
        self.counts["bad"] += error is not None
        places = self._places
        asked = [p for p in packets if (p.segment, p.security_id) in places]
        if asked and self._queue.put(asked):
            asyncio.get_running_loop().call_soon(self._hand_on)
        if len(asked) == len(packets):
            return
        for packet in packets:
            if isinstance(packet, Disconnect):
                self._told_to_go(packet.reason)
            if not isinstance(packet, MarketStatus):
                self.counts["unasked"] += (packet.segment, packet.security_id) not in places

    def _hand_on(self) -> None:
        try:
            self._use(self._queue.take())
        except BrokerError:
            self.counts["unused"] += 1  # no time to put them at: an exchange's clock is away

    def _told_to_go(self, reason: int) -> None:
        if reason in _FINAL:
            raise NotAuthorised(
                f"Dhan ended the market feed: {_FINAL[reason]} ({reason}). It is not tried again "
                "until that is mended",
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
