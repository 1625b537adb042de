"""What all sockets share: the token at the door, pings, silence, resets."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from tornado.iostream import StreamClosedError
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from strikeloom.exchange.server.exchange_state import ExchangeState
from strikeloom.exchange.server.fault_injection import STREAMS, FaultKind
from strikeloom.exchange.server.rest_api import HOSTS, log_failure, reset

PING_SECONDS, SILENCE_SECONDS = 10.0, 40.0


class Stream(WebSocketHandler):
    """One socket of a client.

    Attributes
    ----------
    client_id : str
        Empty until the token was accepted.
    stalled_until : float
        Seconds of the exchange's clock until which nothing is sent, on purpose.
    """

    name = ""

    def initialize(self, exchange: ExchangeState, hub: Any) -> None:
        """Take what is behind."""
        self.exchange, self.hub = exchange, hub
        self.client_id = ""
        self.opened_at = self.heard_at = self.pinged_at = exchange.seconds()
        self.stalled_until = 0.0
        self.ended = False

    def prepare(self) -> None:
        """Refuse a socket that was addressed to another host, or while there are too many."""
        if self.request.host.rsplit(":", 1)[0] not in HOSTS:
            self.set_status(421)
            self.finish()
        elif self.exchange.faults.draw((FaultKind.TOO_MANY, FaultKind.TOO_MANY_HTML), self.name):
            self.set_status(429)
            self.finish()

    def on_pong(self, _data: bytes) -> None:
        """Note a sign of life."""
        self.heard_at = self.exchange.seconds()

    def on_close(self) -> None:
        """Forget the socket."""
        self.ended = True
        self.hub.forget(self)

    def reset(self) -> None:
        """End the socket by a bare TCP reset."""
        self.ended = True
        connection = self.ws_connection
        stream = getattr(connection, "stream", None)
        if stream is not None:
            reset(stream)
        self.hub.forget(self)

    def part(self, word: bytes) -> None:
        """Say a last word, then close; the client may have left already."""
        if not self.ended:
            self.ended = True
            with suppress(WebSocketClosedError):
                self.write_message(word, binary=True)
            self.close()
            self.hub.forget(self)

    async def say(self, message: bytes | str) -> bool:
        """Send a message and wait until it is on its way; ``False`` when the socket is gone."""
        if self.ended:
            return False
        try:
            await self.write_message(message, binary=isinstance(message, bytes))
        except (WebSocketClosedError, StreamClosedError):
            self.ended = True
            return False
        return True

    def tend(self) -> None:
        """Ping when it is time, drop a client that is silent, let a stream's fault strike."""
        now = self.exchange.seconds()
        if self.ended:
            return
        if now - self.heard_at > SILENCE_SECONDS:
            self.reset()
            return
        if now - self.pinged_at >= PING_SECONDS:
            self.pinged_at = now
            try:
                self.ping(b"")
            except WebSocketClosedError:
                self.ended = True
        fault = self.exchange.faults.draw(STREAMS, self.name)
        if fault is None:
            return
        if fault.kind is FaultKind.STREAM_RESET:
            self.reset()
        else:
            self.stalled_until = now + fault.seconds

    async def guarded(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Send in the background; what fails is logged and ends the socket, never silently."""
        try:
            await work()
        except Exception:  # noqa: BLE001 (logged, and the client hears of it)
            log_failure(self, *sys.exc_info())
            self.reset()

    def log_exception(self, *error: Any) -> None:
        """Log what went wrong; never the token in the address."""
        log_failure(self, *error)


class QueuedStream(Stream):
    """A socket whose messages go out in order, each of them, as fast as the client takes them."""

    def initialize(self, exchange: ExchangeState, hub: Any) -> None:
        """Take what is behind."""
        super().initialize(exchange, hub)
        self._queue: asyncio.Queue[bytes | str] = asyncio.Queue()
        self._sender: asyncio.Future[None] | None = None

    def begin(self) -> None:
        """Start sending, small messages at once."""
        self.set_nodelay(True)
        self._sender = asyncio.ensure_future(self.guarded(self._send))

    def pass_on(self, message: bytes | str) -> None:
        """Queue a message."""
        self._queue.put_nowait(message)

    async def _send(self) -> None:
        while not self.ended:
            message = await self._queue.get()
            while self.exchange.seconds() < self.stalled_until and not self.ended:
                await asyncio.sleep(0.05)
            await self.say(message)

    def on_close(self) -> None:
        """End the sender too."""
        super().on_close()
        self._end_sender()

    def reset(self) -> None:
        """End the sender too."""
        super().reset()
        self._end_sender()

    def _end_sender(self) -> None:
        if self._sender is not None:
            self._sender.cancel()
