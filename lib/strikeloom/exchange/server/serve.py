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
from strikeloom.exchange.order import BookOrder
from strikeloom.exchange.server.client_socket import Stream
from strikeloom.exchange.server.depth_feed import DepthHub, DepthSocket
from strikeloom.exchange.server.exchange_state import ExchangeState
from strikeloom.exchange.server.fault_injection import FaultKind
from strikeloom.exchange.server.feed_connection import FeedSocket
from strikeloom.exchange.server.feed_hub import FeedHub
from strikeloom.exchange.server.handlers import Control, Files, Login
from strikeloom.exchange.server.order_updates import UpdateHub, UpdateSocket
from strikeloom.exchange.server.rest_api import Rest

_LOG = logging.getLogger(__name__)

HOST = "127.0.0.1"
_MOST_BODY = 1_000_000
_START_SECONDS, _STOP_SECONDS = 30.0, 10.0


class ExchangeServer:
    """Serves an exchange until it is closed.

    Parameters
    ----------
    port : int
        0 takes a free one.
    beat_seconds : float
        Real seconds between two looks at the market; 0: only ``beat`` moves it on.

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
        self._thread = threading.Thread(target=self._run, name="exchange", daemon=True)
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

    def do(self, work: Callable[[], Any]) -> Any:
        """Run a function on the server's own thread and wait for its result."""
        if threading.current_thread() is self._thread:
            return work()
        done: Future[Any] = Future()

        def run() -> None:
            try:
                done.set_result(work())
            except BaseException as error:  # noqa: BLE001 (handed to the waiting thread)
                done.set_exception(error)

        self._loop.call_soon_threadsafe(run)
        return done.result(_START_SECONDS)

    def beat(self) -> int:
        """Match up to the clock, tell what happened. Returns how many securities moved."""
        return int(self.do(self._beat))

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

    def _tend(self) -> None:
        if self.exchange.faults.draw((FaultKind.TOKEN_DIES,), "login"):
            for client in self.exchange.tokens.clients:
                self.exchange.tokens.end(client.client_id)
        sockets: list[Stream] = [*self.feed.sockets, *self.depth.sockets]
        sockets += [one for many in self.updates.sockets.values() for one in many]
        for socket in sockets:
            socket.tend()

    def tend(self) -> None:
        """Ping sockets, drop silent ones, end those whose token has died."""
        self.do(self._tend)

    def addresses(self) -> dict[str, str]:
        """Where everything is served."""
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
        """Orders of the day of all clients, with whose they are."""
        day = self.exchange.clock.now().date()
        return [
            (name, order)
            for name, engine in self.exchange.engines.items()
            for order in engine.orders(day)
        ]

    def connected(self) -> dict[str, object]:
        """Sockets by kind."""
        return {
            "feeds": len(self.feed.sockets),
            "depths": len(self.depth.sockets),
            "order_updates": sum(map(len, self.updates.sockets.values())),
        }

    def state(self) -> dict[str, Any]:
        """Counts, for the operator."""
        return {
            "now": self.exchange.clock.now().isoformat(),
            **self.connected(),
            "updates_told": self.updates.told,
            "conflated": self.feed.conflated,
            "injected": dict(self.exchange.faults.injected),
        }

    def _step(self, seconds: float) -> None:
        self.exchange.clock.wait(seconds)
        self._beat()

    def _application(self) -> Application:
        behind = {"exchange": self.exchange}
        control = {**behind, "step": self._step, "state": self.state}
        return Application(
            [
                (r"/v2/.*", Rest, {**behind, "heard": self.updates.publish}),
                (r"/feed/?", FeedSocket, {**behind, "hub": self.feed}),
                (r"/orders-ws/?", UpdateSocket, {**behind, "hub": self.updates}),
                (r"/twentydepth/?", DepthSocket, {**behind, "hub": self.depth}),
                (r"/(?:app|login)/([\w-]+)", Login, behind),
                (r"/(instruments\.csv|api-scrip-master(?:-detailed)?\.csv)", Files, behind),
                (r"/control/(\w+)", Control, control),
            ],
            log_function=_log_call,
            websocket_max_message_size=_MOST_BODY,
        )

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        server = HTTPServer(self._application(), max_body_size=_MOST_BODY)
        server.add_sockets(self._sockets)
        tasks = [asyncio.ensure_future(self._every(1.0, self._tend))]
        if self._beat_seconds:
            tasks.append(asyncio.ensure_future(self._every(self._beat_seconds, self._beat)))
        self._ready.set()
        await self._closing.wait()
        server.stop()
        for task in tasks:
            task.cancel()
        for socket in [*self.feed.sockets, *self.depth.sockets]:
            socket.close()
        await asyncio.wait_for(server.close_all_connections(), _STOP_SECONDS)

    async def _every(self, seconds: float, work: Callable[[], Any]) -> None:
        while True:
            await asyncio.sleep(seconds)
            try:
                work()
            except Exception:  # noqa: BLE001 (the exchange goes on; what failed is in the log)
                _LOG.exception("the exchange's beat failed")


def _log_call(handler: RequestHandler) -> None:
    """Log method, path and status; never what follows the path, where tokens and PINs are."""
    request = handler.request
    _LOG.debug("%s %s %d", request.method, request.path, handler.get_status())
