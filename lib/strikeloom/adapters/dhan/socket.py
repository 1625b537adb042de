"""A WebSocket kept open by a thread of its own, which also works in a notebook with its own loop.

It connects, greets, reads, and reconnects with growing, jittered pauses when the connection ends
or falls silent. A failure that must not be retried (rejected credentials) stops it, and its
status gives the reason. No address, and so no token, is in its messages or logs.
"""

from __future__ import annotations

import asyncio
import logging
import random
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Protocol
from urllib.parse import urlsplit

from strikeloom.adapters.dhan.credentials import is_loopback
from strikeloom.errors import BrokerError, NotAuthorised, RateLimited

_NOT_AUTHORISED_STATUS, _TOO_FAST_STATUS = (401, 403), 429
_STEP = 0.25

# websockets logs the request line, token included, at level DEBUG: it gets a logger that is off
_QUIET = logging.getLogger("strikeloom.dhan.silent")
_QUIET.setLevel(logging.CRITICAL + 1)
_QUIET.propagate = False


class SocketConnection(Protocol):
    """The part of an open connection that a greeting sends through."""

    async def send(self, message: str) -> None:
        """Send a text frame."""
        ...


@dataclass(frozen=True, slots=True)
class Pauses:
    """Pauses and time limits, in seconds of real time.

    Attributes
    ----------
    first, longest : float
        Pause before the first reconnect, and the longest one.
    cool_off : float
        Least pause after the broker rejected a connection as too many.
    steady : float
        After a connection that lasted this long, pauses start at ``first`` again.
    stall : float
        Silence after which a connection is given up; doubled while reconnecting brings nothing.
    open : float
        Longest time that connecting may take.
    """

    first: float = 0.25
    longest: float = 30.0
    cool_off: float = 60.0
    steady: float = 5.0
    stall: float = 30.0
    open: float = 10.0

    def next(self, failures: int) -> float:
        """Pause after a number of failures in a row, jittered over its upper half."""
        full = min(self.first * 2.0**failures, self.longest)
        return full * random.uniform(0.5, 1.0)  # noqa: S311 (not a secret)


@dataclass(frozen=True, slots=True)
class Status:
    """State of a socket.

    Attributes
    ----------
    connections, stalls : int
        Number so far.
    failure : str
        What ended the last connection or attempt; kept until the next one is open.
    stopped : bool
        It does not reconnect any more.
    """

    connected: bool = False
    connections: int = 0
    stalls: int = 0
    failure: str = ""
    stopped: bool = False


class Socket:
    """One supervised connection.

    Parameters
    ----------
    address : callable
        Returns the address at each connect, with the token of that moment.
    greet : callable
        Coroutine function that sends the first messages of a connection. Called again after
        ``nudge``.
    on_message : callable
        Takes each message, in the socket's thread. A ``NotAuthorised`` from it stops the
        socket; ``RateLimited`` ends the connection with a long pause before the next, any
        other ``BrokerError`` ends it with a short one.
    expects_messages : callable
        Whether silence is a sign of a failure now (it is not when markets are closed).
    """

    def __init__(
        self,
        name: str,
        address: Callable[[], str],
        *,
        greet: Callable[[SocketConnection, bool], Awaitable[None]],
        on_message: Callable[[str | bytes], None],
        expects_messages: Callable[[], bool] = lambda: True,
        pauses: Pauses = Pauses(),
    ) -> None:
        self.name = name
        self._address = address
        self._greet = greet
        self._on_message = on_message
        self._expects_messages = expects_messages
        self._pauses = pauses
        self._status = Status()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._nudged: asyncio.Event | None = None
        self._task: asyncio.Task[None] | None = None
        self._ending = threading.Event()
        self._received_at = 0.0
        self._patience = pauses.stall

    @property
    def status(self) -> Status:
        """State now."""
        return self._status

    def start(self) -> None:
        """Start, or start again after a stop; does nothing while it runs."""
        if self._thread is not None and self._thread.is_alive():
            return
        self._ending.clear()
        self._status = replace(self._status, stopped=False, failure="")
        self._thread = threading.Thread(target=self._run, name=f"dhan-{self.name}", daemon=True)
        self._thread.start()

    def nudge(self) -> None:
        """Have ``greet`` called again on the open connection: the subscriptions have changed."""
        loop, nudged = self._loop, self._nudged
        if loop is not None and nudged is not None:
            with suppress(RuntimeError):  # the loop has ended: the next greeting sends it
                loop.call_soon_threadsafe(nudged.set)

    def stop(self, seconds: float = 5.0) -> None:
        """End, also while it connects; waits for the thread up to this many seconds."""
        self._ending.set()
        loop, task = self._loop, self._task
        if loop is not None and task is not None:
            with suppress(RuntimeError):  # it has ended by itself
                loop.call_soon_threadsafe(task.cancel)
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(seconds)

    def _run(self) -> None:
        try:
            asyncio.run(self._supervise())
        except asyncio.CancelledError:
            pass  # asked to end
        except Exception as error:  # noqa: BLE001 (the status must show any failure)
            self._update(connected=False, failure=f"failed: {type(error).__name__}")
        finally:
            self._loop = self._nudged = self._task = None
            self._update(connected=False, stopped=True)

    async def _supervise(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._nudged = asyncio.Event()
        self._task = asyncio.current_task()
        failures = 0
        while not self._ending.is_set():
            began = time.monotonic()
            pause, failure = 0.0, ""
            try:
                await self._session()
            except NotAuthorised as error:
                self._update(connected=False, failure=str(error))
                return
            except RateLimited as error:
                pause, failure = self._pauses.cool_off, str(error)
            except BrokerError as error:
                failure = str(error)
            except Exception as error:  # noqa: BLE001 (a socket may fail in many ways)
                pause, failure = self._reason(error)
                if pause < 0:
                    self._update(connected=False, failure=failure)
                    return
            if self._ending.is_set():
                return
            self._update(connected=False, failure=failure or "the connection ended")
            lasted = time.monotonic() - began > self._pauses.steady
            failures = 0 if lasted else failures + 1
            await self._pause(max(pause, self._pauses.next(failures)))

    def _reason(self, error: Exception) -> tuple[float, str]:
        """Least pause after an error, negative for no further attempt; and the error in words."""
        status = getattr(getattr(error, "response", None), "status_code", None)
        if status in _NOT_AUTHORISED_STATUS:
            return -1.0, f"Dhan rejected the credentials of the {self.name} socket (HTTP {status})"
        if status == _TOO_FAST_STATUS:
            return self._pauses.cool_off, "Dhan asks to connect less often (HTTP 429)"
        reason = f"HTTP {status}" if status else type(error).__name__
        return 0.0, f"the {self.name} socket broke: {reason}"

    async def _session(self) -> None:
        from websockets.asyncio.client import connect

        self._expects_messages()  # loads its tables now: later that would delay ticks
        address = self._address()
        options: dict[str, Any] = {"proxy": None} if is_loopback(address) else {}
        origin_free = urlsplit(address).scheme in ("ws", "wss")
        if not origin_free:
            raise NotAuthorised(f"the address of the {self.name} socket is not ws:// or wss://")
        connection = await connect(
            address,
            logger=_QUIET,
            compression=None,
            open_timeout=self._pauses.open,
            close_timeout=1.0,
            ping_interval=10.0,
            ping_timeout=20.0,
            max_size=2**22,
            **options,
        )
        del address
        try:
            self._received_at = time.monotonic()
            await self._greet(connection, True)
            self._update(connected=True, connections=self._status.connections + 1, failure="")
            await self._serve(connection)
        finally:
            await connection.close()

    async def _serve(self, connection: Any) -> None:
        tasks = [
            asyncio.create_task(part)
            for part in (
                self._read(connection),
                self._greet_again(connection),
                self._watch_silence(),
            )
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _read(self, connection: Any) -> None:
        async for message in connection:
            self._received_at = time.monotonic()
            self._patience = self._pauses.stall
            self._on_message(message)

    async def _greet_again(self, connection: Any) -> None:
        nudged = self._nudged
        assert nudged is not None  # noqa: S101 (set before any session)
        while not self._ending.is_set():
            await nudged.wait()
            nudged.clear()
            if not self._ending.is_set():
                await self._greet(connection, False)

    async def _watch_silence(self) -> None:
        """Give up a connection that is silent when messages are expected."""
        while True:
            await asyncio.sleep(min(1.0, self._pauses.stall / 4))
            if not self._expects_messages():
                self._received_at = time.monotonic()
            elif time.monotonic() - self._received_at > self._patience:
                self._update(stalls=self._status.stalls + 1)
                silent, self._patience = self._patience, min(self._patience * 2, 300.0)
                raise BrokerError(f"the {self.name} socket was silent for {silent:.0f} s")

    async def _pause(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self._ending.is_set() and (left := until - time.monotonic()) > 0:
            await asyncio.sleep(min(_STEP, left))

    def _update(self, **changes: Any) -> None:
        self._status = replace(self._status, **changes)
