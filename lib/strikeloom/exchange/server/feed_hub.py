"""The market feed: which connection subscribes to which securities, and the packets of a tick."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Final, Protocol

import numpy as np

from strikeloom.exchange.server import packets
from strikeloom.exchange.server.client_socket import StreamConnection
from strikeloom.exchange.server.exchange_state import ExchangeState
from strikeloom.exchange.server.feed_protocol import (
    MAX_CONNECTIONS,
    TOO_MANY_CONNECTIONS,
)
from strikeloom.exchange.server.packets import Instant
from strikeloom.exchange.server.wire_codes import CONTRACTS, INDICES, WireSecurity

TICKER, QUOTE, FULL = 15, 17, 21
SUBSCRIBE: Final = (TICKER, QUOTE, FULL)


class FeedSubscriber(StreamConnection, Protocol):
    """What the hub needs of a connection of the feed.

    Attributes
    ----------
    modes : dict
        Subscribed securities and the mode of each.
    """

    client_id: str
    modes: dict[WireSecurity, int]

    def mark_changed(self, security: WireSecurity, *, first: bool = False) -> None:
        """Note that a security has a newer tick than was sent."""
        ...

    def end(self, reason: int) -> None:
        """Send the reason and close."""
        ...


class FeedHub:
    """All connections of the feed, and the ticks they last saw.

    Attributes
    ----------
    conflated : int
        Ticks that were overtaken by a newer one of the same security before they were sent.
    latest : dict
        Latest tick by security; read from the market when a connection needs it.
    """

    def __init__(self, exchange: ExchangeState) -> None:
        self.exchange = exchange
        self.connections: list[FeedSubscriber] = []
        self.conflated = 0
        self.latest: dict[WireSecurity, Instant] = {}
        self._subscribers: dict[WireSecurity, dict[FeedSubscriber, None]] = defaultdict(dict)
        self._published: np.ndarray = np.empty((0, 7), dtype=np.int64)
        self._rows: np.ndarray = np.empty(0, dtype=np.int64)
        self._listed: list[WireSecurity] = []
        self._spots: dict[WireSecurity, int] = {}
        self._has_unsubscribed = False
        self._packets: dict[tuple[WireSecurity, int], list[bytes]] = {}

    def add(self, connection: FeedSubscriber) -> None:
        """Add a connection; the sixth of a client ends the oldest."""
        own = [other for other in self.connections if other.client_id == connection.client_id]
        self.connections.append(connection)
        for oldest in own[: max(0, len(own) + 1 - MAX_CONNECTIONS)]:
            oldest.end(TOO_MANY_CONNECTIONS)

    def remove(self, connection: FeedSubscriber) -> None:
        """Remove a connection and its subscriptions."""
        if connection in self.connections:
            self.connections.remove(connection)
        for security in connection.modes:
            self.unsubscribe(connection, security)

    def subscribe(self, connection: FeedSubscriber, securities: Iterable[WireSecurity]) -> None:
        """Send a connection these securities from now on, and what is known of them at once."""
        added = list(securities)
        for security in added:
            self._subscribers[security][connection] = None
        self._add_rows(added)
        for security in added:
            connection.mark_changed(security, first=True)

    def unsubscribe(self, connection: FeedSubscriber, security: WireSecurity) -> None:
        """Stop sending a connection a security."""
        subscribers = self._subscribers.get(security)
        if subscribers is not None:
            subscribers.pop(connection, None)
            if not subscribers:
                del self._subscribers[security]
                self._discard_tick(security)
                self._spots.pop(security, None)
                self._has_unsubscribed = True

    def _add_rows(self, added: list[WireSecurity]) -> None:
        """Compare more rows of the market from now on; the others keep what was published."""
        known, securities = set(self._listed), self.exchange.securities
        found = {it: securities.listed(*it) for it in added if it not in known}
        new = {security: row for security, row in found.items() if row is not None}
        if new:
            rows = np.array([row.row for row in new.values()], dtype=np.int64)
            self._listed += new
            self._rows = np.concatenate([self._rows, rows])
            self._published = np.vstack([self._published, self._table(rows)])

    def _drop_rows(self) -> None:
        """Stop comparing rows without a subscriber."""
        self._has_unsubscribed = False
        kept = [at for at, security in enumerate(self._listed) if security in self._subscribers]
        if len(kept) < len(self._listed):
            self._listed = [self._listed[at] for at in kept]
            self._rows, self._published = self._rows[kept], self._published[kept]

    def _table(self, rows: np.ndarray) -> np.ndarray:
        it = self.exchange.market.columns(rows)
        if it is None:
            return np.zeros((len(rows), 7), dtype=np.int64)
        sides = (it.bid, it.ask, it.last, it.bid_size, it.ask_size, it.volume, it.open_interest)
        return np.stack(sides, axis=1)

    def publish(self) -> int:
        """Send what has changed since the last time. Returns how many securities did."""
        changed: list[WireSecurity] = []
        if self._has_unsubscribed:
            self._drop_rows()
        if len(self._rows):
            table = self._table(self._rows)
            moved = np.flatnonzero((table != self._published).any(axis=1))
            self._published = table
            changed += [self._listed[at] for at in moved.tolist()]
        spots = [security for security in self._subscribers if security[0] != CONTRACTS]
        changed += [security for security in spots if self._spot_moved(security)]
        moved_once = dict.fromkeys(changed)
        for security in moved_once:
            self._discard_tick(security)
            for connection in self._subscribers[security]:
                connection.mark_changed(security)
        return len(moved_once)

    def _spot_moved(self, security: WireSecurity) -> bool:
        level = self.exchange.level(*security)
        if self._spots.get(security, 0) == level:
            return False
        self._spots[security] = level
        return True

    def _discard_tick(self, security: WireSecurity) -> None:
        """Discard the stored tick of a security and its packets: there is a newer one."""
        self.latest.pop(security, None)
        for mode in SUBSCRIBE:
            self._packets.pop((security, mode), None)

    def refresh(self, securities: list[WireSecurity]) -> None:
        """Read the ticks of these securities from the market, where they are not stored."""
        missing = [security for security in securities if security not in self.latest]
        for segment in {security[0]: None for security in missing}:
            of_segment = [security for security in missing if security[0] == segment]
            for it in self.exchange.instants(of_segment):
                self.latest[segment, it.security_id] = it

    def interest(self, security: WireSecurity) -> tuple[int, bytes] | None:
        """Open interest of an option or future, and its packet."""
        it = self.latest[security]
        return (it.interest, packets.open_interest(it)) if security[0] == CONTRACTS else None

    def packets(self, security: WireSecurity, mode: int) -> list[bytes]:
        """Packets of a security's tick in a mode; made once for all connections."""
        if (security, mode) not in self._packets:
            self._packets[security, mode] = _packets(security, mode, self.latest[security])
        return self._packets[security, mode]


def _packets(security: WireSecurity, mode: int, it: Instant) -> list[bytes]:
    if security[0] == INDICES:  # an index has neither depth nor interest
        return [packets.ticker(it)] + ([packets.quote(it)] if mode != TICKER else [])
    if mode == TICKER:
        return [packets.ticker(it)]
    if mode == FULL:
        return [packets.full(it)]
    return [packets.quote(it)]
