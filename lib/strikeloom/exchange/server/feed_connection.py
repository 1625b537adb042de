"""A connection of the market feed: requests in, the latest packets out."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from strikeloom.exchange.server import packets
from strikeloom.exchange.server.client_socket import ClientSocket
from strikeloom.exchange.server.fault_injection import FaultKind
from strikeloom.exchange.server.feed_hub import FULL, QUOTE, SUBSCRIBE, TICKER, FeedHub
from strikeloom.exchange.server.feed_protocol import (
    BAD_REQUEST,
    DISCONNECT,
    EXPIRED,
    TOO_MANY_INSTRUMENTS,
    login_error,
    parse_request,
    parse_security,
)
from strikeloom.exchange.server.packets import SEGMENTS
from strikeloom.exchange.server.wire_codes import CONTRACTS, INDICES, WireSecurity

_UNSUBSCRIBE: Final = {16: TICKER, 18: QUOTE, 22: FULL}
MAX_INSTRUMENTS, MAX_A_MESSAGE = 5000, 100
_BATCH: Final = 50  # securities read from the market at once
_STACK: Final = 10  # packets of a message when they are stacked


class FeedConnection:
    """One client's connection of the market feed.

    Attributes
    ----------
    modes : dict
        Subscribed securities and the mode of each.
    """

    def __init__(self, socket: ClientSocket, hub: FeedHub) -> None:
        self.socket, self._hub = socket, hub
        self._exchange = socket.exchange
        self.client_id = self._token = ""
        self.modes: dict[WireSecurity, int] = {}
        self._changed: dict[WireSecurity, None] = {}
        self._interest_sent: dict[WireSecurity, int] = {}
        self._wake = asyncio.Event()
        self._sender: asyncio.Future[None] | None = None

    def open(self) -> None:
        """Check the token in the address; accept the connection or send the reason and close."""
        self.client_id = self.socket.get_query_argument("clientId", "")
        self._token = self.socket.get_query_argument("token", "")
        refused = login_error(self._exchange, self.client_id, self._token)
        self.socket.set_nodelay(True)
        if refused is not None:
            self.end(refused)
            return
        self._hub.add(self)
        self._sender = self.socket.run_sender(self._send)

    def receive(self, message: str | bytes) -> None:
        """Handle a request; binary frames belong to an older protocol and are ignored."""
        if isinstance(message, bytes) or self.socket.ended:
            return
        request = parse_request(message)
        if request is None:
            self.end(BAD_REQUEST)
            return
        code, body = request
        if code == DISCONNECT:
            self.socket.close()
        elif code in SUBSCRIBE or code in _UNSUBSCRIBE:
            self._change(code, body)

    def _change(self, code: int, body: dict[str, Any]) -> None:
        rows = body.get("InstrumentList")
        if not isinstance(rows, list) or len(rows) > MAX_A_MESSAGE:
            self.end(TOO_MANY_INSTRUMENTS if isinstance(rows, list) else BAD_REQUEST)
            return
        securities = [it for row in rows if (it := parse_security(row)) is not None]
        if code in _UNSUBSCRIBE:
            for security in securities:
                if self.modes.get(security) == _UNSUBSCRIBE[code]:
                    del self.modes[security]
                    self._changed.pop(security, None)
                    self._interest_sent.pop(security, None)
                    self._hub.unsubscribe(self, security)
            return
        if len(self.modes.keys() | set(securities)) > MAX_INSTRUMENTS:
            self.end(TOO_MANY_INSTRUMENTS)
            return
        self.modes.update(dict.fromkeys(securities, code))
        self._hub.subscribe(self, securities)

    def mark_changed(self, security: WireSecurity, *, first: bool = False) -> None:
        """Note that a security has a newer tick than was sent."""
        if security in self._changed:
            self._hub.conflated += not first
            return
        self._changed[security] = None
        self._wake.set()

    async def _send(self) -> None:
        await self.socket.send(packets.market_status(SEGMENTS[CONTRACTS]))
        while not self.socket.ended:
            await self._wake.wait()
            self._wake.clear()
            while self._changed and not self.socket.ended:
                if self._exchange.seconds() < self.socket.stalled_until:
                    await asyncio.sleep(0.05)
                    continue
                await self._send_batch()

    async def _send_batch(self) -> None:
        """Send the latest ticks of a few securities, longest waiting first."""
        batch = list(self._changed)[:_BATCH]
        for security in batch:
            del self._changed[security]
        batch = [security for security in batch if security in self.modes]
        self._hub.refresh(batch)
        stacked: list[bytes] = []
        for security in batch:
            due = self._due_packets(security)
            if due and self._exchange.faults.draw((FaultKind.STACKED,), self.socket.stream_name):
                stacked += due
                continue
            for packet in due:
                await self.socket.send(packet)
        for at in range(0, len(stacked), _STACK):
            await self.socket.send(b"".join(stacked[at : at + _STACK]))

    def _due_packets(self, security: WireSecurity) -> list[bytes]:
        """Packets of a security that are due; empty when nothing is known of it."""
        if security not in self.modes or security not in self._hub.latest:
            return []
        mode, due = self.modes[security], list[bytes]()
        if security[0] == INDICES and security not in self._interest_sent:
            self._interest_sent[security] = 0
            due.append(packets.previous_close(self._hub.latest[security]))
        due += self._hub.packets(security, mode)
        interest = self._hub.interest(security) if mode == QUOTE else None
        if interest is not None and self._interest_sent.get(security) != interest[0]:
            self._interest_sent[security] = interest[0]
            due.append(interest[1])
        return due

    def release(self) -> None:
        """Leave the feed and let the sender finish."""
        self._hub.remove(self)
        self._wake.set()

    def end(self, reason: int) -> None:
        """Send the reason and close."""
        self.socket.close_with(packets.disconnect(reason))

    def close(self) -> None:
        """Close the socket."""
        self.socket.close()

    def check(self) -> None:
        """End the connection when its token has expired; keep it alive otherwise."""
        if self.client_id and not self._exchange.tokens.accepts(self.client_id, self._token):
            self.end(EXPIRED)
            return
        self.socket.keep_alive()
