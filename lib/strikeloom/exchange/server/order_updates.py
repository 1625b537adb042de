"""The order-update stream: every change of every order of a client, to each of its sockets."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

from strikeloom.exchange.server.client_socket import QueuedStream
from strikeloom.exchange.server.exchange_state import ExchangeState
from strikeloom.exchange.server.fault_injection import UPDATES, FaultKind
from strikeloom.exchange.server.order_messages import alert, pascal

_LOGIN = 42


class UpdateHub:
    """All order-update sockets, and how far each account's events were told.

    What happened while nobody listened is not told again: the broker replays nothing.
    """

    def __init__(self, exchange: ExchangeState) -> None:
        self.exchange = exchange
        self.sockets: dict[str, list[UpdateSocket]] = defaultdict(list)
        self.told = 0
        self._after = {name: _last(engine) for name, engine in exchange.engines.items()}
        self._held: dict[str, str] = {}

    def admit(self, socket: UpdateSocket) -> None:
        """Take a socket in."""
        self.sockets[socket.client_id].append(socket)

    def forget(self, socket: UpdateSocket) -> None:
        """Let a socket go."""
        if socket in self.sockets[socket.client_id]:
            self.sockets[socket.client_id].remove(socket)

    def publish(self) -> None:
        """Tell what happened to orders since the last time."""
        for name, engine in self.exchange.engines.items():
            while events := engine.events(self._after[name]):
                self._after[name] = events[-1].seq
                for event in events:
                    listed = self.exchange.listed(event.order.contract.key)
                    message = alert(name, event, listed)
                    if self.exchange.faults.draw((FaultKind.UPDATE_PASCAL,), "orders-ws"):
                        message["Data"] = pascal(message["Data"])
                    self._tell(name, json.dumps(message))

    def _tell(self, client_id: str, message: str) -> None:
        fault = self.exchange.faults.draw(UPDATES, "orders-ws")
        messages = [message]
        match fault.kind if fault else None:
            case FaultKind.UPDATE_DROPPED:
                messages = []
            case FaultKind.UPDATE_TWICE:
                messages = [message, message]
            case FaultKind.UPDATE_SWAPPED if client_id not in self._held:
                self._held[client_id] = message
                return
        held = self._held.pop(client_id, None)
        for one in [*messages, *([held] if held else [])]:
            self.told += 1
            for socket in self.sockets[client_id]:
                socket.pass_on(one)


def _last(engine: Any) -> int:
    """Number of the newest event of an account."""
    after = 0
    while events := engine.events(after):
        after = events[-1].seq
    return int(after)


class UpdateSocket(QueuedStream):
    """One connection of the order-update stream: nothing before a login message."""

    name = "orders-ws"
    hub: UpdateHub

    def open(self, *_args: str, **_kwargs: str) -> None:
        """Wait for the login."""
        self.token = ""
        self.begin()

    def on_message(self, message: str | bytes) -> None:
        """Take the login; a wrong one ends in a bare reset, as at the broker."""
        self.heard_at = self.exchange.seconds()
        if self.client_id or self.ended:
            return
        try:
            login = json.loads(message)["LoginReq"]
            name, token = str(login["ClientId"]), str(login["Token"])
            right = int(login["MsgCode"]) == _LOGIN and self.exchange.tokens.accepts(name, token)
        except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
            right, name, token = False, "", ""
        if not right:
            self.reset()
            return
        self.client_id, self.token = name, token
        self.hub.admit(self)

    def tend(self) -> None:
        """Reset a socket whose token has died; the rest as for every socket."""
        if self.client_id and not self.exchange.tokens.accepts(self.client_id, self.token):
            self.reset()
            return
        super().tend()
