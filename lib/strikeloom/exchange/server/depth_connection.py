"""The depth feed: twenty levels a side, bids and offers in packets of their own."""

from __future__ import annotations

from strikeloom.exchange.server import packets
from strikeloom.exchange.server.client_socket import ClientSocket, OutgoingQueue
from strikeloom.exchange.server.exchange_state import ExchangeState
from strikeloom.exchange.server.feed_protocol import (
    BAD_REQUEST,
    DISCONNECT,
    EXPIRED,
    MAX_CONNECTIONS,
    TOO_MANY_CONNECTIONS,
    TOO_MANY_INSTRUMENTS,
    login_error,
    parse_request,
    parse_security,
)
from strikeloom.exchange.server.wire_codes import CONTRACTS, SHARES, WireSecurity

_SUBSCRIBE, _UNSUBSCRIBE = 23, (24, 25)
MAX_INSTRUMENTS = 50
_SEGMENTS = (SHARES, CONTRACTS)


class DepthHub:
    """All connections of the depth feed."""

    def __init__(self, exchange: ExchangeState) -> None:
        self._exchange = exchange
        self.connections: list[DepthConnection] = []
        self._sequence = 0

    def add(self, connection: DepthConnection) -> None:
        """Add a connection; the sixth of a client ends the oldest."""
        own = [other for other in self.connections if other.client_id == connection.client_id]
        self.connections.append(connection)
        for oldest in own[: max(0, len(own) + 1 - MAX_CONNECTIONS)]:
            oldest.end(TOO_MANY_CONNECTIONS)

    def remove(self, connection: DepthConnection) -> None:
        """Remove a connection."""
        if connection in self.connections:
            self.connections.remove(connection)

    def publish(self) -> None:
        """Send both sides of every security whose depth has changed."""
        wanted = {security: None for it in self.connections for security in it.sent}
        for security in wanted:
            ticks = self._exchange.instants([security])
            if not ticks:
                continue
            tick = ticks[0]
            sides = (tick.bids, tick.asks)
            behind = [it for it in self.connections if it.sent.get(security) not in (None, sides)]
            if not behind:
                continue
            self._sequence += 1
            message = b"".join(
                packets.deep_side(tick, levels, code, self._sequence)
                for levels, code in (
                    (tick.bids, packets.DEPTH_BID),
                    (tick.asks, packets.DEPTH_ASK),
                )
            )
            for connection in behind:
                connection.sent[security] = sides
                connection.queue.put(message)


class DepthConnection:
    """One client's connection of the depth feed.

    Attributes
    ----------
    sent : dict
        Subscribed securities, and the bids and offers that were last sent of each.
    """

    def __init__(self, socket: ClientSocket, hub: DepthHub) -> None:
        self.socket, self._hub = socket, hub
        self.queue = OutgoingQueue(socket)
        self.client_id = self._token = ""
        self.sent: dict[WireSecurity, object] = {}

    def open(self) -> None:
        """Check the token in the address; accept the connection or send the reason and close."""
        self._token = self.socket.get_query_argument("token", "")
        self.client_id = self.socket.get_query_argument("clientId", "")
        refused = login_error(self.socket.exchange, self.client_id, self._token)
        if refused is not None:
            self.end(refused)
            return
        self.queue.start()
        self._hub.add(self)

    def receive(self, message: str | bytes) -> None:
        """Handle a request."""
        if isinstance(message, bytes) or self.socket.ended:
            return
        request = parse_request(message)
        rows = request[1].get("InstrumentList", []) if request else None
        if request is None or not isinstance(rows, list):
            self.end(BAD_REQUEST)
            return
        code = request[0]
        parsed = [it for row in rows if (it := parse_security(row)) is not None]
        securities = [it for it in parsed if it[0] in _SEGMENTS]
        if code == DISCONNECT:
            self.socket.close()
        elif code in _UNSUBSCRIBE:
            for security in securities:
                self.sent.pop(security, None)
        elif code == _SUBSCRIBE:
            if len(self.sent.keys() | set(securities)) > MAX_INSTRUMENTS:
                self.end(TOO_MANY_INSTRUMENTS)
                return
            self.sent.update(dict.fromkeys(securities, ()))
            self._hub.publish()

    def release(self) -> None:
        """Leave the feed and stop sending."""
        self._hub.remove(self)
        self.queue.stop()

    def end(self, reason: int) -> None:
        """Send the reason and close."""
        self.socket.close_with(packets.deep_disconnect(reason))

    def close(self) -> None:
        """Close the socket."""
        self.socket.close()

    def check(self) -> None:
        """End the connection when its token has expired; keep it alive otherwise."""
        if self.client_id and not self.socket.exchange.tokens.accepts(self.client_id, self._token):
            self.end(EXPIRED)
            return
        self.socket.keep_alive()
