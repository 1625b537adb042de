"""The order-update stream: every change of every order of a client, to all its connections."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

from strikeloom.exchange.server.client_socket import ClientSocket, OutgoingQueue
from strikeloom.exchange.server.exchange_state import ExchangeState
from strikeloom.exchange.server.fault_injection import UPDATE_FAULTS, FaultKind
from strikeloom.exchange.server.order_messages import order_message, pascal_names

_LOGIN = 42


class UpdateHub:
    """All connections of the stream, and the last event of each account that was sent.

    Events are not repeated for a client that connects later: the broker repeats none either.

    Attributes
    ----------
    sent : int
        Messages so far.
    """

    def __init__(self, exchange: ExchangeState) -> None:
        self._exchange = exchange
        self._connections: dict[str, list[UpdateConnection]] = defaultdict(list)
        self.sent = 0
        self._after = {name: _last(engine) for name, engine in exchange.engines.items()}
        self._held_back: dict[str, str] = {}

    @property
    def connections(self) -> list[UpdateConnection]:
        """Connections of all clients that are logged in."""
        return [it for own in self._connections.values() for it in own]

    def add(self, connection: UpdateConnection) -> None:
        """Add a connection."""
        self._connections[connection.client_id].append(connection)

    def remove(self, connection: UpdateConnection) -> None:
        """Remove a connection."""
        own = self._connections[connection.client_id]
        if connection in own:
            own.remove(connection)

    def publish(self) -> None:
        """Send what happened to orders since the last time."""
        for name, engine in self._exchange.engines.items():
            while events := engine.events(self._after[name]):
                self._after[name] = events[-1].seq
                for event in events:
                    listed, names = self._exchange.named(event.order.instrument)
                    message = order_message(name, event, names["securityId"], listed.display)
                    if self._exchange.faults.draw((FaultKind.UPDATE_PASCAL,), "orders-ws"):
                        message["Data"] = pascal_names(message["Data"])
                    self._send(name, json.dumps(message))

    def _send(self, client_id: str, message: str) -> None:
        fault = self._exchange.faults.draw(UPDATE_FAULTS, "orders-ws")
        messages = [message]
        match fault.kind if fault else None:
            case FaultKind.UPDATE_DROPPED:
                messages = []
            case FaultKind.UPDATE_TWICE:
                messages = [message, message]
            case FaultKind.UPDATE_SWAPPED if client_id not in self._held_back:
                self._held_back[client_id] = message
                return
        held = self._held_back.pop(client_id, None)
        for text in [*messages, *([held] if held else [])]:
            self.sent += 1
            for connection in self._connections[client_id]:
                connection.queue.put(text)


def _last(engine: Any) -> int:
    """Number of the newest event of an account."""
    after = 0
    while events := engine.events(after):
        after = events[-1].seq
    return int(after)


class UpdateConnection:
    """One client's connection of the order-update stream: nothing before a login message."""

    def __init__(self, socket: ClientSocket, hub: UpdateHub) -> None:
        self.socket, self._hub = socket, hub
        self.queue = OutgoingQueue(socket)
        self.client_id = self._token = ""

    def open(self) -> None:
        """Wait for the login."""
        self.queue.start()

    def receive(self, message: str | bytes) -> None:
        """Check the login; a wrong one ends in a bare reset, as at the broker."""
        if self.client_id or self.socket.ended:
            return
        tokens = self.socket.exchange.tokens
        try:
            login = json.loads(message)["LoginReq"]
            name, token = str(login["ClientId"]), str(login["Token"])
            right = int(login["MsgCode"]) == _LOGIN and tokens.accepts(name, token)
        except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
            right, name, token = False, "", ""
        if not right:
            self.socket.reset()
            return
        self.client_id, self._token = name, token
        self._hub.add(self)

    def release(self) -> None:
        """Leave the stream and stop sending."""
        self._hub.remove(self)
        self.queue.stop()

    def close(self) -> None:
        """Close the socket."""
        self.socket.close()

    def check(self) -> None:
        """Reset the connection when its token has expired; keep it alive otherwise."""
        if self.client_id and not self.socket.exchange.tokens.accepts(self.client_id, self._token):
            self.socket.reset()
            return
        self.socket.keep_alive()
