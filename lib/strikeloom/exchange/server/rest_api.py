"""REST on the wire: tokens, limits, faults, then the call."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from tornado.iostream import IOStream, StreamClosedError
from tornado.web import RequestHandler

from strikeloom.errors import StrikeloomError
from strikeloom.exchange.server.api_call import ApiCall
from strikeloom.exchange.server.clients import Client
from strikeloom.exchange.server.exchange_state import ExchangeState
from strikeloom.exchange.server.fault_injection import AFTER, BEFORE, FaultKind, InjectedFault
from strikeloom.exchange.server.rate_limits import RateLimitClass
from strikeloom.exchange.server.responses import (
    BAD_INPUT,
    TOO_MANY,
    UNKNOWN_CLIENT,
    ApiRefusal,
    ApiResponse,
    data_refused,
    error_body,
    refused,
)
from strikeloom.exchange.server.routes import Route, Style, route_of

_LOG = logging.getLogger(__name__)

#: Longer than any client waits; a call without an answer ends then at last.
_WITHHELD_SECONDS = 75.0
_PAGE = "<html><head><title>{0}</title></head><body><center><h1>{0}</h1></center></body></html>"
HOSTS = ("127.0.0.1", "localhost", "[::1]")


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


class Local(RequestHandler):
    """Answers this machine only, under its own name: no page elsewhere can reach it."""

    def prepare(self) -> None:
        """Refuse a call that was addressed to another host."""
        host = self.request.host.rsplit(":", 1)[0]
        if host not in HOSTS:
            self.set_status(421)
            self.finish({"error": "this exchange answers as 127.0.0.1 only"})

    def log_exception(self, *error: Any) -> None:
        """Log what went wrong, but for a client that has left; never the rest of the address."""
        if not isinstance(error[1], StreamClosedError):
            log_failure(self, *error)

    def send(self, answer: ApiResponse) -> None:
        """Write an answer."""
        self.set_status(answer.status)
        if answer.body is None:
            self.clear_header("Content-Type")
            return
        self.set_header("Content-Type", answer.content)
        text = (
            answer.body
            if isinstance(answer.body, str)
            else json.dumps(answer.body, allow_nan=False)
        )
        self.write(text)


class Rest(Local):
    """Everything under ``/v2``."""

    def initialize(self, exchange: ExchangeState, heard: Callable[[], None]) -> None:
        """Take what is behind; ``heard`` is told after every call that may have moved orders."""
        self.exchange = exchange
        self.heard = heard
        self.gone = asyncio.Event()

    def on_connection_close(self) -> None:
        """Stop withholding an answer from a client that has left."""
        self.gone.set()

    async def get(self) -> None:
        """Response."""
        await self._answer()

    async def post(self) -> None:
        """Response."""
        await self._answer()

    async def put(self) -> None:
        """Response."""
        await self._answer()

    async def delete(self) -> None:
        """Response."""
        await self._answer()

    async def _answer(self) -> None:
        path = self.request.path.removeprefix("/v2")
        found = route_of(str(self.request.method), path)
        if found is None:
            body = {
                "timestamp": int(self.exchange.clock.now().timestamp() * 1000),
                "status": 404,
                "error": "Not Found",
                "path": self.request.path,
            }
            self.send(ApiResponse(body, 404))
            return
        route, parts = found
        try:
            client = self._client(route)
            fault = self.exchange.faults.draw(BEFORE, route.name)
            late = self.exchange.faults.draw((FaultKind.LATENCY,), route.name)
            if late is not None:
                await asyncio.sleep(late.seconds)
            if fault is not None and await self._inject(fault, route):
                return
            self._counted(route, client)
            answer = self._work(route, client, parts)
        except ApiRefusal as refusal:
            answer = refusal.answer
        await self._deliver(answer, route)

    def _client(self, route: Route) -> Client:
        headers = self.request.headers
        name = headers.get("client-id") or headers.get("dhanClientId") or ""
        token = headers.get("access-token") or ""
        client = self.exchange.tokens.client(name)
        if client is None or not self.exchange.tokens.accepts(name, token):
            raise unauthorised(route.style)
        return client

    def _counted(self, route: Route, client: Client) -> None:
        """Count the call; a full window refuses it."""
        limiter, name = self.exchange.limiter, client.client_id
        full = limiter.refusal(name, route.kind)
        if full is None and route.pattern.pattern == "/optionchain":
            body = self._body()
            what = tuple(str(body.get(k)) for k in ("UnderlyingScrip", "UnderlyingSeg", "Expiry"))
            full = limiter.refusal(name, RateLimitClass.CHAIN, what)
        if full is not None:
            raise too_many(route)
        known = self.exchange.addresses.get(name)
        ours = ("127.0.0.1", "::1")
        if (
            route.kind is RateLimitClass.ORDER
            and known
            and not any(address in ours for address, _ in known.values())
        ):
            raise refused("DH-905", "Invalid IP")

    def _body(self) -> dict[str, Any]:
        if not self.request.body.strip():
            return {}
        try:
            body = json.loads(self.request.body)
        except (ValueError, RecursionError):
            raise refused("DH-905", BAD_INPUT) from None
        if not isinstance(body, dict):
            raise refused("DH-905", BAD_INPUT)
        return body

    def _work(self, route: Route, client: Client, parts: tuple[str, ...]) -> ApiResponse:
        query = {name: self.get_query_argument(name) for name in self.request.query_arguments}
        engine = self.exchange.engines[client.client_id]
        call = ApiCall(self.exchange, client, engine, self._body(), parts, query)
        try:
            return route.work(call)
        except ApiRefusal:
            raise
        except StrikeloomError as error:
            _LOG.error("%s %s: %s", route.method, route.pattern.pattern, error)
            raise refused("DH-908", str(error)) from error
        finally:
            self.heard()

    async def _inject(self, fault: InjectedFault, route: Route) -> bool:
        """Carry out a fault that strikes before the call; ``True`` when it is over with that."""
        match fault.kind:
            case FaultKind.REQUEST_LOST:
                await self._withhold(fault)
                return True
            case FaultKind.RESET_BEFORE:
                self._reset()
                return True
            case FaultKind.MARGIN | FaultKind.WRONG_IP if route.kind is not RateLimitClass.ORDER:
                return False
            case kind:
                self.send(_FAULT_RESPONSES[kind](route))
                return True

    async def _deliver(self, answer: ApiResponse, route: Route) -> None:
        fault = self.exchange.faults.draw(AFTER, route.name)
        match fault.kind if fault else None:
            case FaultKind.REPLY_LOST:
                assert fault is not None  # noqa: S101 (for the type checker)
                await self._withhold(fault)
            case FaultKind.RESET_AFTER:
                self._reset()
            case FaultKind.EMPTY:
                self.send(ApiResponse(None, 202))
            case FaultKind.HTML_AFTER:
                self.send(ApiResponse(_PAGE.format("502 Bad Gateway"), 200, "text/html"))
            case _:
                self.send(answer)

    async def _withhold(self, fault: InjectedFault) -> None:
        """Say nothing until the client has left, then close without an answer."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.gone.wait(), fault.seconds or _WITHHELD_SECONDS)
        self._reset()

    def _reset(self) -> None:
        connection = self.request.connection
        stream = getattr(connection, "stream", None)
        if stream is not None:
            reset(stream)
        self._finished = True
        self._auto_finish = False

    def write_error(self, status_code: int, **_rest: Any) -> None:
        """Response a failure of our own in the broker's words."""
        self.send(ApiResponse(error_body("DH-908", "Internal Server Error"), status_code))
        self.finish()


def unauthorised(style: Style) -> ApiRefusal:
    """Refusal of a token, as each group of calls words it."""
    if style is Style.DATA:
        return data_refused(809, "Access Token is invalid", 401)
    if style is Style.CHART:
        return refused("DH-906", "Invalid Token", 400)
    return refused("DH-901", UNKNOWN_CLIENT)


def too_many(route: Route) -> ApiRefusal:
    """Refusal of a call over its limit: the quotes' answer is in the trading style, as recorded."""
    if route.style is Style.TRADING or route.kind is RateLimitClass.QUOTE:
        return refused("DH-904", TOO_MANY)
    return data_refused(805, "Too many requests. Further requests may result in blocking.", 429)


def _page(title: str, status: int) -> ApiResponse:
    return ApiResponse(_PAGE.format(title), status, "text/html")


_FAULT_RESPONSES: dict[FaultKind, Callable[[Route], ApiResponse]] = {
    FaultKind.TOO_MANY: lambda route: too_many(route).answer,
    FaultKind.TOO_MANY_HTML: lambda _: _page("429 Too Many Requests", 429),
    FaultKind.SERVER_ERROR: lambda _: refused("DH-908", "Internal Server Error").answer,
    FaultKind.BAD_GATEWAY: lambda _: _page("502 Bad Gateway", 502),
    FaultKind.LIST_BODY: lambda _: ApiResponse(["unexpected"], 500),
    FaultKind.DATA_FAILURE: lambda _: data_refused(800, "Internal Server Error").answer,
    FaultKind.FAILED_SUCCESS: lambda _: ApiResponse(
        {"status": "failed", "data": {"800": "Internal"}}
    ),
    FaultKind.UNAUTHORISED: lambda route: unauthorised(route.style).answer,
    FaultKind.MARGIN: lambda _: (
        refused("DH-906", "RMS: Margin Shortfall, insufficient funds").answer
    ),
    FaultKind.WRONG_IP: lambda _: refused("DH-905", "Invalid IP").answer,
}
