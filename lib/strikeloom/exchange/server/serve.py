"""The exchange as a server: one loopback port, a thread of its own, a beat that moves it on."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

from strikeloom.errors import SettingsError, StrikeloomError
from strikeloom.exchange.orders.order import BookOrder
from strikeloom.exchange.server.client_socket import ClientSocket, StreamConnection
from strikeloom.exchange.server.control_service import ControlService
from strikeloom.exchange.server.depth_connection import DepthConnection, DepthHub
from strikeloom.exchange.server.exchange_state import ExchangeState
from strikeloom.exchange.server.fault_injection import FaultKind
from strikeloom.exchange.server.feed_connection import FeedConnection
from strikeloom.exchange.server.feed_hub import FeedHub
from strikeloom.exchange.server.http_handler import HttpService, LocalHandler
from strikeloom.exchange.server.login_service import InstrumentFileService, LoginService
from strikeloom.exchange.server.rest_service import RestService
from strikeloom.exchange.server.update_connection import UpdateConnection, UpdateHub

_LOG = logging.getLogger(__name__)

HOST = "127.0.0.1"
_MAX_BODY = 1_000_000
_START_SECONDS, _STOP_SECONDS = 30.0, 10.0


class ExchangeServer:
    """Serves an exchange until it is closed.

    Parameters
    ----------
    port : int
        0 takes a free one.
    beat_seconds : float
        Real seconds between two beats; 0: the exchange moves on only when ``beat`` is called.

    Raises
    ------
    SettingsError
        When the port cannot be used.
    """

    def __init__(
        self, exchange: ExchangeState, port: int = 0, *, beat_seconds: float = 0.25
    ) -> None:
        self.exchange = exchange
        self._beat_seconds = beat_seconds
        self.feed = FeedHub(exchange)
        self.depth = DepthHub(exchange)
        self.updates = UpdateHub(exchange)
        try:
            self._sockets = bind_sockets(port, HOST)
        except OSError as error:
            raise SettingsError(
                f"port {port} of {HOST} cannot be used: {error}; choose another with --port"
            ) from error
        self.port = int(self._sockets[0].getsockname()[1])
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(
            target=self._serve_until_closed, name="exchange", daemon=True
        )
        self._closing = asyncio.Event()

    def start(self) -> ExchangeServer:
        """Serve; returns once calls are answered."""
        self._thread.start()
        if not self._ready.wait(_START_SECONDS):
            raise SettingsError(f"the exchange did not start within {_START_SECONDS:g} s")
        return self

    def close(self) -> None:
        """Stop serving and release the port."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._closing.set)
            self._thread.join(_STOP_SECONDS)

    def __enter__(self) -> ExchangeServer:
        return self.start()

    def __exit__(self, *_error: object) -> None:
        self.close()

    @property
    def alive(self) -> bool:
        """Whether it is serving."""
        return self._thread.is_alive()

    def run(self, work: Callable[[], Any]) -> Any:
        """Run a function on the server's own thread and wait for its result."""
        if threading.current_thread() is self._thread:
            return work()
        done: Future[Any] = Future()

        def carry_out() -> None:
            try:
                done.set_result(work())
            except BaseException as error:  # noqa: BLE001 (handed to the waiting thread)
                done.set_exception(error)

        self._loop.call_soon_threadsafe(carry_out)
        return done.result(_START_SECONDS)

    def beat(self) -> int:
        """Match up to the clock and publish. Returns how many securities changed."""
        return int(self.run(self._beat))

    def _beat(self) -> int:
        for name, engine in self.exchange.engines.items():
            try:
                engine.advance()
            except StrikeloomError as error:
                _LOG.error("account of %s: %s", name, error)
        self.updates.publish()
        moved = self.feed.publish()
        self.depth.publish()
        return moved

    def _check_connections(self) -> None:
        if self.exchange.faults.draw((FaultKind.TOKEN_DIES,), "login"):
            for client in self.exchange.tokens.clients:
                self.exchange.tokens.end(client.client_id)
        connections: list[StreamConnection] = [
            *self.feed.connections,
            *self.depth.connections,
            *self.updates.connections,
        ]
        for connection in connections:
            connection.check()

    def check_connections(self) -> None:
        """Ping the streams' connections; end silent ones and those whose token has expired."""
        self.run(self._check_connections)

    def addresses(self) -> dict[str, str]:
        """Addresses by service."""
        web, socket = f"http://{HOST}:{self.port}", f"ws://{HOST}:{self.port}"
        return {
            "rest": f"{web}/v2",
            "auth": web,
            "feed": f"{socket}/feed",
            "orders": f"{socket}/orders-ws",
            "depth": f"{socket}/twentydepth",
            "instruments": f"{web}/instruments.csv",
            "clock": f"{web}/control/clock",
            "control": f"{web}/control",
        }

    def environment(self) -> dict[str, str]:
        """Variables that point the workbench at this exchange; no secret among them."""
        found = self.addresses()
        names = ("rest", "auth", "feed", "orders", "depth", "instruments", "clock")
        return {
            "STRIKELOOM_MARKET": self.exchange.name,
            **{f"STRIKELOOM_DHAN_{name.upper()}": found[name] for name in names},
        }

    def orders(self) -> list[tuple[str, BookOrder]]:
        """Orders of the day of all clients, each with its client's id."""
        day = self.exchange.clock.now().date()
        return [
            (name, order)
            for name, engine in self.exchange.engines.items()
            for order in engine.orders(day)
        ]

    def connected(self) -> dict[str, object]:
        """Connections by stream."""
        return {
            "feeds": len(self.feed.connections),
            "depths": len(self.depth.connections),
            "order_updates": len(self.updates.connections),
        }

    def state(self) -> dict[str, Any]:
        """Counts for the operator."""
        return {
            "now": self.exchange.clock.now().isoformat(),
            **self.connected(),
            "updates_sent": self.updates.sent,
            "conflated": self.feed.conflated,
            "injected": dict(self.exchange.faults.injected),
        }

    def _step(self, seconds: float) -> None:
        self.exchange.clock.wait(seconds)
        self._beat()

    def _application(self) -> Application:
        exchange = self.exchange

        def calls(pattern: str, service: HttpService) -> tuple[str, type, dict[str, Any]]:
            return pattern, LocalHandler, {"service": service}

        def stream(
            pattern: str, name: str, connect: Callable[[ClientSocket], StreamConnection]
        ) -> tuple[str, type, dict[str, Any]]:
            return (
                pattern,
                ClientSocket,
                {"exchange": exchange, "stream": name, "connect": connect},
            )

        files = r"/(instruments\.csv|api-scrip-master(?:-detailed)?\.csv)"
        control = ControlService(exchange, self._step, self.state)
        return Application(
            [
                calls(r"/v2/.*", RestService(exchange, self.updates.publish)),
                stream(r"/feed/?", "feed", lambda it: FeedConnection(it, self.feed)),
                stream(r"/orders-ws/?", "orders-ws", lambda it: UpdateConnection(it, self.updates)),
                stream(r"/twentydepth/?", "depth", lambda it: DepthConnection(it, self.depth)),
                calls(r"/(?:app|login)/([\w-]+)", LoginService(exchange)),
                calls(files, InstrumentFileService(exchange)),
                calls(r"/control/(\w+)", control),
            ],
            log_function=_log_call,
            websocket_max_message_size=_MAX_BODY,
        )

    def _serve_until_closed(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        server = HTTPServer(self._application(), max_body_size=_MAX_BODY)
        server.add_sockets(self._sockets)
        tasks = [asyncio.ensure_future(self._every(1.0, self._check_connections))]
        if self._beat_seconds:
            tasks.append(asyncio.ensure_future(self._every(self._beat_seconds, self._beat)))
        self._ready.set()
        await self._closing.wait()
        server.stop()
        for task in tasks:
            task.cancel()
        connections: list[StreamConnection] = [*self.feed.connections, *self.depth.connections]
        for connection in connections:
            connection.close()
        await asyncio.wait_for(server.close_all_connections(), _STOP_SECONDS)

    async def _every(self, seconds: float, work: Callable[[], Any]) -> None:
        while True:
            await asyncio.sleep(seconds)
            try:
                work()
            except Exception:  # noqa: BLE001 (logged; the exchange continues)
                _LOG.exception("a periodic task of the exchange failed")


def _log_call(handler: RequestHandler) -> None:
    """Log method, path and status; never what follows the path, where tokens and PINs are."""
    request = handler.request
    _LOG.debug("%s %s %d", request.method, request.path, handler.get_status())
