"""The depth feed: twenty levels a side, bids and offers in packets of their own."""

from __future__ import annotations

from strikeloom.exchange.server import packets
from strikeloom.exchange.server.client_socket import QueuedStream
from strikeloom.exchange.server.exchange_state import ExchangeState
from strikeloom.exchange.server.feed_connection import place_of, request_of
from strikeloom.exchange.server.feed_hub import (
    BAD_REQUEST,
    EXPIRED,
    MOST_CONNECTIONS,
    TOO_MANY_CONNECTIONS,
    TOO_MANY_INSTRUMENTS,
    Place,
    door,
)

_SUBSCRIBE, _UNSUBSCRIBE, _DISCONNECT = 23, (24, 25), 12
MOST_INSTRUMENTS = 50
_SEGMENTS = ("NSE_EQ", "NSE_FNO")


class DepthHub:
    """All depth sockets."""

    def __init__(self, exchange: ExchangeState) -> None:
        self.exchange = exchange
        self.sockets: list[DepthSocket] = []
        self._sequence = 0

    def admit(self, socket: DepthSocket) -> None:
        """Take a socket in; the sixth of a client drops the oldest."""
        own = [other for other in self.sockets if other.client_id == socket.client_id]
        self.sockets.append(socket)
        for oldest in own[: max(0, len(own) + 1 - MOST_CONNECTIONS)]:
            oldest.farewell(TOO_MANY_CONNECTIONS)

    def forget(self, socket: DepthSocket) -> None:
        """Let a socket go."""
        if socket in self.sockets:
            self.sockets.remove(socket)

    def publish(self) -> None:
        """Send both sides of every security whose depth has changed."""
        wanted = {place: None for socket in self.sockets for place in socket.sent}
        for place in wanted:
            found = self.exchange.instants([place])
            if not found:
                continue
            it = found[0]
            watching = [
                s for s in self.sockets if s.sent.get(place) not in (None, (it.bids, it.asks))
            ]
            if not watching:
                continue
            self._sequence += 1
            message = b"".join(
                packets.deep_side(it, levels, code, self._sequence)
                for levels, code in (
                    (it.bids, packets.DEPTH_BID),
                    (it.asks, packets.DEPTH_ASK),
                )
            )
            for socket in watching:
                socket.sent[place] = (it.bids, it.asks)
                socket.pass_on(message)


class DepthSocket(QueuedStream):
    """One connection of the depth feed."""

    name = "depth"
    hub: DepthHub

    def open(self, *_args: str, **_kwargs: str) -> None:
        """Check the token in the address; let in or say why not."""
        self.sent: dict[Place, object] = {}
        self.token = self.get_query_argument("token", "")
        self.client_id = self.get_query_argument("clientId", "")
        refused = door(self.exchange, self.client_id, self.token)
        if refused is not None:
            self.farewell(refused)
            return
        self.begin()
        self.hub.admit(self)

    def on_message(self, message: str | bytes) -> None:
        """Take a request."""
        self.heard_at = self.exchange.seconds()
        if isinstance(message, bytes) or self.ended:
            return
        asked = request_of(message)
        rows = asked[1].get("InstrumentList", []) if asked else None
        if asked is None or not isinstance(rows, list):
            self.farewell(BAD_REQUEST)
            return
        code = asked[0]
        places = [p for row in rows if (p := place_of(row)) is not None and p[0] in _SEGMENTS]
        if code == _DISCONNECT:
            self.close()
        elif code in _UNSUBSCRIBE:
            for place in places:
                self.sent.pop(place, None)
        elif code == _SUBSCRIBE:
            if len(self.sent.keys() | set(places)) > MOST_INSTRUMENTS:
                self.farewell(TOO_MANY_INSTRUMENTS)
                return
            self.sent.update(dict.fromkeys(places, ()))
            self.hub.publish()

    def farewell(self, reason: int) -> None:
        """Say why, then close."""
        self.part(packets.deep_disconnect(reason))

    def tend(self) -> None:
        """End a socket whose token has died; the rest as for every socket."""
        if self.client_id and not self.exchange.tokens.accepts(self.client_id, self.token):
            self.farewell(EXPIRED)
            return
        super().tend()
