"""The market feed: who watches what, and the packets that go to them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

import numpy as np

from strikeloom.exchange.server import packets
from strikeloom.exchange.server.exchange_state import ExchangeState
from strikeloom.exchange.server.packets import Instant
from strikeloom.exchange.server.wire_codes import OPTIONS

if TYPE_CHECKING:
    from strikeloom.exchange.server.feed_connection import FeedSocket

Place = tuple[str, int]

TICKER, QUOTE, FULL = 15, 17, 21
SUBSCRIBE: Final = (TICKER, QUOTE, FULL)
MOST_CONNECTIONS = 5
TOO_MANY_INSTRUMENTS, TOO_MANY_CONNECTIONS, NO_DATA, EXPIRED = 804, 805, 806, 807
BAD_LOGIN, BAD_TOKEN, BAD_CLIENT, BAD_REQUEST = 808, 809, 810, 814


def door(exchange: ExchangeState, client_id: str, token: str) -> int | None:
    """Code with which a socket is refused; ``None`` lets it in."""
    client = exchange.tokens.client(client_id)
    if client is None:
        return BAD_CLIENT
    if not token:
        return BAD_LOGIN
    if not exchange.tokens.accepts(client_id, token):
        return EXPIRED if exchange.tokens.knew(client_id, token) else BAD_TOKEN
    return None if client.data_plan else NO_DATA


class FeedHub:
    """All feed sockets, and what they last saw.

    Attributes
    ----------
    conflated : int
        Ticks that were overtaken by a newer one of the same security before they were sent.
    """

    def __init__(self, exchange: ExchangeState) -> None:
        self.exchange = exchange
        self.sockets: list[FeedSocket] = []
        self.conflated = 0
        self.latest: dict[Place, Instant] = {}
        self._watchers: dict[Place, dict[FeedSocket, None]] = defaultdict(dict)
        self._seen: np.ndarray = np.empty((0, 7), dtype=np.int64)
        self._rows: np.ndarray = np.empty(0, dtype=np.int64)
        self._places: list[Place] = []
        self._spots: dict[Place, object] = {}
        self._unwatched = False
        self._packets: dict[tuple[Place, int], list[bytes]] = {}

    def admit(self, socket: FeedSocket) -> None:
        """Take a socket in; the sixth of a client drops the oldest."""
        own = [other for other in self.sockets if other.client_id == socket.client_id]
        self.sockets.append(socket)
        for oldest in own[: max(0, len(own) + 1 - MOST_CONNECTIONS)]:
            oldest.farewell(TOO_MANY_CONNECTIONS)

    def forget(self, socket: FeedSocket) -> None:
        """Let a socket go."""
        if socket in self.sockets:
            self.sockets.remove(socket)
        for place in socket.modes:
            self.unwatch(socket, place)

    def watch(self, socket: FeedSocket, places: Iterable[Place]) -> None:
        """Tell a socket of these from now on, and what is known of them at once."""
        fresh = list(places)
        for place in fresh:
            self._watchers[place][socket] = None
        self._add_rows(fresh)
        for place in fresh:
            socket.dirty(place, first=True)

    def unwatch(self, socket: FeedSocket, place: Place) -> None:
        """Tell a socket no more of a security."""
        watching = self._watchers.get(place)
        if watching is not None:
            watching.pop(socket, None)
            if not watching:
                del self._watchers[place]
                self._forget(place)
                self._spots.pop(place, None)
                self._unwatched = True

    def _add_rows(self, fresh: list[Place]) -> None:
        """Look at more rows from now on; what was seen of the others stays."""
        market, known = self.exchange.market, set(self._places)
        new = [place for place in fresh if place[0] == OPTIONS and place not in known]
        new = [place for place in new if self.exchange.target(*place) is not None]
        if new:
            rows = np.array([market.by_id(place[1]).row for place in new], dtype=np.int64)
            self._places += new
            self._rows = np.concatenate([self._rows, rows])
            self._seen = np.vstack([self._seen, self._table(rows)])

    def _drop_rows(self) -> None:
        """Look no more at rows that nobody watches."""
        self._unwatched = False
        kept = [at for at, place in enumerate(self._places) if place in self._watchers]
        if len(kept) < len(self._places):
            self._places = [self._places[at] for at in kept]
            self._rows, self._seen = self._rows[kept], self._seen[kept]

    def _table(self, rows: np.ndarray) -> np.ndarray:
        it = self.exchange.market.columns(rows)
        if it is None:
            return np.zeros((len(rows), 7), dtype=np.int64)
        sides = (it.bid, it.ask, it.last, it.bid_size, it.ask_size, it.volume, it.open_interest)
        return np.stack(sides, axis=1)

    def publish(self) -> int:
        """Send what has changed since the last time. Returns how many securities did."""
        changed: list[Place] = []
        if self._unwatched:
            self._drop_rows()
        if len(self._rows):
            table = self._table(self._rows)
            moved = np.flatnonzero((table != self._seen).any(axis=1))
            self._seen = table
            changed += [self._places[at] for at in moved.tolist()]
        spots = [place for place in self._watchers if place[0] != OPTIONS]
        changed += [place for place in spots if self._spot_moved(place)]
        for place in changed:
            self._forget(place)
            for socket in self._watchers[place]:
                socket.dirty(place)
        return len(changed)

    def _spot_moved(self, place: Place) -> bool:
        symbol = self.exchange.target(*place)
        if not isinstance(symbol, str):
            return False
        found = self.exchange.instants([place])
        if not found or self._spots.get(place) == found[0].last:
            return False
        self._spots[place] = found[0].last
        return True

    def _forget(self, place: Place) -> None:
        """What was made of a security is no longer the latest."""
        self.latest.pop(place, None)
        for mode in SUBSCRIBE:
            self._packets.pop((place, mode), None)

    def refresh(self, places: list[Place]) -> None:
        """Read what the market shows of securities, where it is not known yet."""
        wanted = [place for place in places if place not in self.latest]
        for segment in {place[0]: None for place in wanted}:
            of_segment = [place for place in wanted if place[0] == segment]
            for it in self.exchange.instants(of_segment):
                self.latest[segment, it.security_id] = it

    def interest(self, place: Place) -> tuple[int, bytes] | None:
        """Open interest of an option, and the packet that tells it."""
        it = self.latest[place]
        return (it.interest, packets.open_interest(it)) if place[0] == OPTIONS else None

    def packets(self, place: Place, mode: int) -> list[bytes]:
        """Packets that a tick of a security is in a mode; made once for all sockets."""
        if (place, mode) not in self._packets:
            self._packets[place, mode] = _packets(place, mode, self.latest[place])
        return self._packets[place, mode]


def _packets(place: Place, mode: int, it: Instant) -> list[bytes]:
    if place[0] == "IDX_I":  # an index has neither depth nor interest
        return [packets.ticker(it)] + ([packets.quote(it)] if mode != TICKER else [])
    if mode == TICKER:
        return [packets.ticker(it)]
    if mode == FULL:
        return [packets.full(it)]
    return [packets.quote(it)]
