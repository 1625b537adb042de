"""A WebSocket kept open by a thread of its own, also below a notebook whose own loop runs.

It connects, says hello, reads, and when the connection ends or falls silent tries again with
jittered, growing pauses. What must not be tried again (the broker shut the door) stops it, and
its status says why. No address, and so no token, is in anything it says or logs.
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

_SHUT_STATUS, _TOO_FAST_STATUS = (401, 403), 429
_STEP = 0.25

# websockets logs the request line, token included, at level DEBUG: it gets a logger that is off
_QUIET = logging.getLogger("strikeloom.dhan.silent")
_QUIET.setLevel(logging.CRITICAL + 1)
_QUIET.propagate = False


class Connection(Protocol):
    """What a session sends through."""

    async def send(self, message: str) -> None:
        """Send a text frame."""
        ...


@dataclass(frozen=True, slots=True)
class Pauses:
    """How long to wait for what, in seconds of real time.

    Attributes
    ----------
    first, longest : float
        Pause before the first new try, and the longest one.
    cool_off : float
        At least so long after the broker said it was too much.
    steady : float
        A connection that lasted so long was a good one: pauses begin anew.
    stall : float
        Silence after which a connection is given up; doubled each time it was for nothing.
    open : float
        Longest that connecting takes.
    """

    first: float = 0.25
    longest: float = 30.0
    cool_off: float = 60.0
    steady: float = 5.0
    stall: float = 30.0
    open: float = 10.0

    def next(self, failures: int) -> float:
        """Pause after so many failures in a row, jittered over its upper half."""
        full = min(self.first * 2.0**failures, self.longest)
        return full * random.uniform(0.5, 1.0)  # noqa: S311 (not a secret)


@dataclass(frozen=True, slots=True)
class Status:
    """How a socket is doing.

    Attributes
    ----------
    connections, stalls : int
        So far.
    trouble : str
        What ended the last connection or try; kept until the next one is open.
    stopped : bool
        It tries no more.
    """

    connected: bool = False
    connections: int = 0
    stalls: int = 0
    trouble: str = ""
    stopped: bool = False


class Socket:
    """One supervised connection.

    Parameters
    ----------
    address : callable
        Asked for the address at each connect: a token that was renewed is in the new one.
    greet : callable
        Coroutine function; says hello on a new connection. Called again after ``nudge``.
    hear : callable
        Takes each message, in the socket's thread. A ``NotAuthorised`` from it stops the
        socket; ``RateLimited`` ends the connection with a long pause before the next, any
        other ``BrokerError`` ends it with a short one.
    silence_matters : callable
        Whether silence is a sign of trouble now (it is not when markets are closed).
    """

    def __init__(
        self,
        name: str,
        address: Callable[[], str],
        *,
        greet: Callable[[Connection, bool], Awaitable[None]],
        hear: Callable[[str | bytes], None],
        silence_matters: Callable[[], bool] = lambda: True,
        pauses: Pauses = Pauses(),
    ) -> None:
        self.name = name
        self._address = address
        self._greet = greet
        self._hear = hear
        self._silence_matters = silence_matters
        self._pauses = pauses
        self._status = Status()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._nudged: asyncio.Event | None = None
        self._task: asyncio.Task[None] | None = None
        self._ending = threading.Event()
        self._heard_at = 0.0
        self._patience = pauses.stall

    @property
    def status(self) -> Status:
        """How it is doing now."""
        return self._status

    def start(self) -> None:
        """Begin, or begin again after a stop; does nothing while it runs."""
        if self._thread is not None and self._thread.is_alive():
            return
        self._ending.clear()
        self._status = replace(self._status, stopped=False, trouble="")
        self._thread = threading.Thread(target=self._run, name=f"dhan-{self.name}", daemon=True)
        self._thread.start()

    def nudge(self) -> None:
        """Have ``greet`` called again on the open connection (what is wanted has changed)."""
        loop, nudged = self._loop, self._nudged
        if loop is not None and nudged is not None:
            with suppress(RuntimeError):  # the loop ended meanwhile: the next greeting knows
                loop.call_soon_threadsafe(nudged.set)

    def stop(self, seconds: float = 5.0) -> None:
        """End, also while it connects; waits for the thread so long."""
        self._ending.set()
        loop, task = self._loop, self._task
        if loop is not None and task is not None:
            with suppress(RuntimeError):  # it ended by itself meanwhile
                loop.call_soon_threadsafe(task.cancel)
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(seconds)

    def _run(self) -> None:
        try:
            asyncio.run(self._live())
        except asyncio.CancelledError:
            pass  # asked to end
        except Exception as error:  # noqa: BLE001 (whatever it is, the status must tell it)
            self._tell(connected=False, trouble=f"failed: {type(error).__name__}")
        finally:
            self._loop = self._nudged = self._task = None
            self._tell(connected=False, stopped=True)

    async def _live(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._nudged = asyncio.Event()
        self._task = asyncio.current_task()
        failures = 0
        while not self._ending.is_set():
            began = time.monotonic()
            pause, trouble = 0.0, ""
            try:
                await self._session()
            except NotAuthorised as error:
                self._tell(connected=False, trouble=str(error))
                return
            except RateLimited as error:
                pause, trouble = self._pauses.cool_off, str(error)
            except BrokerError as error:
                trouble = str(error)
            except Exception as error:  # noqa: BLE001 (a socket may fail in many ways)
                pause, trouble = self._judged(error)
                if pause < 0:
                    self._tell(connected=False, trouble=trouble)
                    return
            if self._ending.is_set():
                return
            self._tell(connected=False, trouble=trouble or "the connection ended")
            lasted = time.monotonic() - began > self._pauses.steady
            failures = 0 if lasted else failures + 1
            await self._rest(max(pause, self._pauses.next(failures)))

    def _judged(self, error: Exception) -> tuple[float, str]:
        """Least pause after an error, negative for an end; and the error in words."""
        status = getattr(getattr(error, "response", None), "status_code", None)
        if status in _SHUT_STATUS:
            return -1.0, f"Dhan lets the {self.name} socket not in (HTTP {status})"
        if status == _TOO_FAST_STATUS:
            return self._pauses.cool_off, "Dhan asks to connect less often (HTTP 429)"
        said = f"HTTP {status}" if status else type(error).__name__
        return 0.0, f"the {self.name} socket broke: {said}"

    async def _session(self) -> None:
        from websockets.asyncio.client import connect

        self._silence_matters()  # reads its tables now: later it would hold up what ticks
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
            self._heard_at = time.monotonic()
            await self._greet(connection, True)
            self._tell(connected=True, connections=self._status.connections + 1, trouble="")
            await self._attend(connection)
        finally:
            await connection.close()

    async def _attend(self, connection: Any) -> None:
        tasks = [
            asyncio.create_task(part)
            for part in (self._read(connection), self._answer(connection), self._guard())
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
            self._heard_at = time.monotonic()
            self._patience = self._pauses.stall
            self._hear(message)

    async def _answer(self, connection: Any) -> None:
        nudged = self._nudged
        assert nudged is not None  # noqa: S101 (set before any session)
        while not self._ending.is_set():
            await nudged.wait()
            nudged.clear()
            if not self._ending.is_set():
                await self._greet(connection, False)

    async def _guard(self) -> None:
        """Give a connection up that is silent when it should not be."""
        while True:
            await asyncio.sleep(min(1.0, self._pauses.stall / 4))
            if not self._silence_matters():
                self._heard_at = time.monotonic()
            elif time.monotonic() - self._heard_at > self._patience:
                self._tell(stalls=self._status.stalls + 1)
                silent, self._patience = self._patience, min(self._patience * 2, 300.0)
                raise BrokerError(f"the {self.name} socket was silent for {silent:.0f} s")

    async def _rest(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self._ending.is_set() and (left := until - time.monotonic()) > 0:
            await asyncio.sleep(min(_STEP, left))

    def _tell(self, **changes: Any) -> None:
        self._status = replace(self._status, **changes)
