"""WebSockets of clients: what all streams share, and the queue of those that send everything."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Protocol

from tornado.iostream import StreamClosedError
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from strikeloom.exchange.server.exchange_state import ExchangeState
from strikeloom.exchange.server.fault_injection import STREAM_FAULTS, FaultKind
from strikeloom.exchange.server.http_handler import HOSTS, log_failure, reset

PING_SECONDS, SILENCE_SECONDS = 10.0, 40.0


class StreamConnection(Protocol):
    """One client's connection to one of the streams, on top of its socket."""

    def open(self) -> None:
        """Begin: the socket is open and its address can be read."""
        ...

    def receive(self, message: str | bytes) -> None:
        """Handle a message of the client."""
        ...

    def release(self) -> None:
        """Leave the stream: the socket has ended. May be called more than once."""
        ...

    def close(self) -> None:
        """Close the socket."""
        ...

    def check(self) -> None:
        """End the connection when its token has expired; keep it alive otherwise."""
        ...


class ClientSocket(WebSocketHandler):
    """The socket of a stream connection: checks, pings, silence, resets, injected stalls.

    Attributes
    ----------
    last_seen : float
        Seconds of the exchange's real clock at the client's last sign of life.
    stalled_until : float
        Seconds of that clock until which nothing is sent, because a fault was injected.
    ended : bool
        Whether the socket was closed, reset or lost.
    """

    def initialize(
        self,
        exchange: ExchangeState,
        stream: str,
        connect: Callable[[ClientSocket], StreamConnection],
    ) -> None:
        """Store the exchange's state and the stream's name, and make the connection."""
        self.exchange, self.stream_name = exchange, stream
        self.last_seen = self._pinged_at = exchange.seconds()
        self.stalled_until = 0.0
        self.ended = False
        self._connection = connect(self)

    def prepare(self) -> None:
        """Refuse a socket that was addressed to another host, or while there are too many."""
        if self.request.host.rsplit(":", 1)[0] not in HOSTS:
            self.set_status(421)
            self.finish()
        elif self.exchange.faults.draw(
            (FaultKind.TOO_MANY, FaultKind.TOO_MANY_HTML), self.stream_name
        ):
            self.set_status(429)
            self.finish()

    def open(self, *_args: str, **_kwargs: str) -> None:
        """Begin the connection."""
        self._connection.open()

    def on_message(self, message: str | bytes) -> None:
        """Note a sign of life and pass the message on."""
        self.last_seen = self.exchange.seconds()
        self._connection.receive(message)

    def on_pong(self, _data: bytes) -> None:
        """Note a sign of life."""
        self.last_seen = self.exchange.seconds()

    def on_close(self) -> None:
        """Release the connection."""
        self.ended = True
        self._connection.release()

    def reset(self) -> None:
        """End the socket by a bare TCP reset."""
        self.ended = True
        stream = getattr(self.ws_connection, "stream", None)
        if stream is not None:
            reset(stream)
        self._connection.release()

    def close_with(self, message: bytes) -> None:
        """Send a last message and close; the client may have left already."""
        if not self.ended:
            self.ended = True
            with suppress(WebSocketClosedError):
                self.write_message(message, binary=True)
            self.close()
            self._connection.release()

    async def send(self, message: bytes | str) -> bool:
        """Send a message and wait until it is on its way; ``False`` when the socket has ended."""
        if self.ended:
            return False
        try:
            await self.write_message(message, binary=isinstance(message, bytes))
        except (WebSocketClosedError, StreamClosedError):
            self.ended = True
            return False
        return True

    def keep_alive(self) -> None:
        """Ping when it is due, drop a silent client, inject the faults of a stream."""
        now = self.exchange.seconds()
        if self.ended:
            return
        if now - self.last_seen > SILENCE_SECONDS:
            self.reset()
            return
        if now - self._pinged_at >= PING_SECONDS:
            self._pinged_at = now
            try:
                self.ping(b"")
            except WebSocketClosedError:
                self.ended = True
        fault = self.exchange.faults.draw(STREAM_FAULTS, self.stream_name)
        if fault is None:
            return
        if fault.kind is FaultKind.STREAM_RESET:
            self.reset()
        else:
            self.stalled_until = now + fault.seconds

    def run_sender(self, work: Callable[[], Coroutine[Any, Any, None]]) -> asyncio.Future[None]:
        """Send in the background; a failure is logged and resets the socket."""
        return asyncio.ensure_future(self._guard(work))

    async def _guard(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        try:
            await work()
        except Exception:  # noqa: BLE001 (logged, and the client's connection is reset)
            log_failure(self, *sys.exc_info())
            self.reset()

    def log_exception(self, *error: Any) -> None:
        """Log what failed; never the token in the address."""
        log_failure(self, *error)


class OutgoingQueue:
    """Messages of one socket: every one is sent, in order, as fast as the client takes them."""

    def __init__(self, socket: ClientSocket) -> None:
        self._socket = socket
        self._messages: asyncio.Queue[bytes | str] = asyncio.Queue()
        self._sender: asyncio.Future[None] | None = None

    def start(self) -> None:
        """Start sending, small messages at once."""
        self._socket.set_nodelay(True)
        self._sender = self._socket.run_sender(self._send)

    def put(self, message: bytes | str) -> None:
        """Queue a message."""
        self._messages.put_nowait(message)

    def stop(self) -> None:
        """Stop sending."""
        if self._sender is not None:
            self._sender.cancel()

    async def _send(self) -> None:
        socket = self._socket
        while not socket.ended:
            message = await self._messages.get()
            while socket.exchange.seconds() < socket.stalled_until and not socket.ended:
                await asyncio.sleep(0.05)
            await socket.send(message)
