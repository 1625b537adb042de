"""HTTP calls of this machine: the checks, the responses and the logging that all of them share."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import struct
from typing import Any, Protocol

from tornado.iostream import IOStream, StreamClosedError
from tornado.web import HTTPError, RequestHandler

from strikeloom.exchange.server.responses import ApiResponse

_LOG = logging.getLogger(__name__)

HOSTS = ("127.0.0.1", "localhost", "[::1]")


class HttpService(Protocol):
    """Answers the calls of one group of paths.

    Attributes
    ----------
    methods : tuple of str
        HTTP methods that are answered; the others are refused with 405.
    """

    methods: tuple[str, ...]

    async def respond(self, http: LocalHandler, *parts: str) -> None:
        """Answer a call; ``parts`` are the captured parts of its path."""
        ...

    def failure(self, status: int) -> ApiResponse | None:
        """Response to a failure of this exchange; ``None`` leaves it to the web framework."""
        ...


class LocalHandler(RequestHandler):
    """Hands the calls that were addressed to this machine to a service.

    Calls under any other host name are refused, so no web page elsewhere can reach the exchange.

    Attributes
    ----------
    client_left : asyncio.Event
        Set once the client has closed its connection.
    """

    def initialize(self, service: HttpService) -> None:
        """Store the service that answers."""
        self.service = service
        self.client_left = asyncio.Event()

    def prepare(self) -> None:
        """Refuse a call that was addressed to another host."""
        host = self.request.host.rsplit(":", 1)[0]
        if host not in HOSTS:
            self.set_status(421)
            self.finish({"error": "this exchange answers as 127.0.0.1 only"})

    def on_connection_close(self) -> None:
        """Note that the client has left."""
        self.client_left.set()

    async def get(self, *parts: str) -> None:
        """Answer."""
        await self._respond(*parts)

    async def post(self, *parts: str) -> None:
        """Answer."""
        await self._respond(*parts)

    async def put(self, *parts: str) -> None:
        """Answer."""
        await self._respond(*parts)

    async def delete(self, *parts: str) -> None:
        """Answer."""
        await self._respond(*parts)

    async def _respond(self, *parts: str) -> None:
        if self.request.method not in self.service.methods:
            raise HTTPError(405)
        await self.service.respond(self, *parts)

    def send(self, response: ApiResponse) -> None:
        """Write a response."""
        self.set_status(response.status)
        if response.body is None:
            self.clear_header("Content-Type")
            return
        self.set_header("Content-Type", response.content)
        text = (
            response.body
            if isinstance(response.body, str)
            else json.dumps(response.body, allow_nan=False)
        )
        self.write(text)

    def reset_connection(self) -> None:
        """End the connection by a bare TCP reset, without a response."""
        stream = getattr(self.request.connection, "stream", None)
        if stream is not None:
            reset(stream)
        self._finished = True
        self._auto_finish = False

    def log_exception(self, *error: Any) -> None:
        """Log what failed, except a client that has left; never the query of the address."""
        if not isinstance(error[1], StreamClosedError):
            log_failure(self, *error)

    def write_error(self, status_code: int, **rest: Any) -> None:
        """Answer a failure as the service words it."""
        response = self.service.failure(status_code)
        if response is None:
            super().write_error(status_code, **rest)
            return
        self.send(response)
        self.finish()


def reset(stream: IOStream) -> None:
    """End a connection by a bare TCP reset."""
    if not stream.closed():
        linger = struct.pack("ii", 1, 0)
        stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        stream.close()


def log_failure(handler: RequestHandler, *error: Any) -> None:
    """Log an exception with method and path: what follows them may hold a token or a PIN."""
    request = handler.request
    _LOG.error("%s %s failed", request.method, request.path, exc_info=error)
