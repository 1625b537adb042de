"""The official client, with what it drops on the way: status code, headers and raw body.

Everything that leaves goes through the unmodified ``dhanhq`` classes. A response hook on their
``requests`` session records each answer before they read it, and a transport records why
there was none. Two sessions, each with a lock: a slow quote never holds up an order.
"""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING, Any

from strikeloom.adapters.dhan.credentials import Addresses, Credentials, is_loopback
from strikeloom.adapters.dhan.limits import CallClass, RateLimits
from strikeloom.errors import Rejected

if TYPE_CHECKING:
    from requests import Response

_CONNECT_SECONDS = 5.0
_ANSWER_SECONDS = 15.0
_LARGEST = 64 * 2**20
_KEPT_TEXT = 200
_NO_ANSWER = 599
_MARKET_DATA = frozenset({CallClass.DATA, CallClass.QUOTE, CallClass.CHAIN})


@dataclass(frozen=True, slots=True)
class Answer:
    """One call as the wire saw it.

    Attributes
    ----------
    call : str
        Method of the official client.
    status : int or None
        HTTP status; ``None`` when no whole answer came.
    headers : mapping
        Names in lower case.
    body : object
        Decoded JSON; ``None`` when there was none, or when it was no JSON.
    text : str
        Beginning of a body that was no JSON.
    trouble : str
        Why there was no answer, in words without any address.
    left : bool
        The request may have reached the broker.
    """

    call: str
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    text: str = ""
    trouble: str = ""
    left: bool = True


class DhanClient:
    """Calls of the official client by name.

    Parameters
    ----------
    limits : RateLimits, optional
        One for every client of the account in this process.
    may_order : callable, optional
        Asked before each call that changes an order; raises ``Rejected`` when it may not leave.
    answer_seconds : float
        Longest a whole answer may take once connected.
    """

    def __init__(
        self,
        credentials: Credentials,
        addresses: Addresses,
        limits: RateLimits | None = None,
        *,
        may_order: Callable[[], None] | None = None,
        answer_seconds: float = _ANSWER_SECONDS,
    ) -> None:
        self.credentials = credentials
        self.limits = limits or RateLimits()
        self._may_change = may_order
        self._is_local = is_loopback(addresses.rest)
        self._lines = {
            market_data: _Line(credentials, addresses.rest, answer_seconds)
            for market_data in (False, True)
        }

    def call(
        self, kind: CallClass, method: str, *args: Any, about: Hashable = "", **named: Any
    ) -> Answer:
        """Call a method of the official client when the limits let it.

        Raises
        ------
        Rejected
            For a call that places, changes or cancels an order when the account is not armed;
            without ``may_order`` such calls leave to this machine only.
        RateLimited
            When our own limits do not; nothing was sent.
        """
        self._see(kind, method)
        self.limits.take(kind, about=about)
        line = self._lines[kind in _MARKET_DATA]
        with line.turn:
            self._see(kind, method)  # the arming may have ended while this call waited
            return line.call(method, args, named)

    def _see(self, kind: CallClass, method: str) -> None:
        if kind is not CallClass.ORDER:
            return
        if self._may_change is not None:
            self._may_change()
        elif not self._is_local:
            raise Rejected(
                f"{method} was not sent: orders leave only to a local exchange, live is not armed",
                call=method,
            )

    def close(self) -> None:
        """Release connections; no call leaves any more."""
        self.limits.close()
        for line in self._lines.values():
            line.close()


class _Line:
    """One session of the official client, used by one caller at a time."""

    def __init__(self, credentials: Credentials, rest: str, answer_seconds: float) -> None:
        from dhanhq import DhanContext, dhanhq

        self._credentials = credentials
        self._seconds = answer_seconds
        self.turn = threading.Lock()
        context = DhanContext(credentials.client_id.reveal(), credentials.token().reveal())
        http = context.get_dhan_http()
        http.base_url = rest
        http.timeout = (_CONNECT_SECONDS, answer_seconds)
        session = http.session
        session.trust_env = not is_loopback(rest)
        for scheme in ("http://", "https://"):
            session.mount(scheme, _transport(self))
        session.hooks["response"].append(self._record)
        self._http = http
        self._official = dhanhq(context)
        self._answer = Answer("")
        self._called = ""
        self._stand_in: Response | None = None
        self._closed = False

    def call(self, method: str, args: tuple[Any, ...], named: dict[str, Any]) -> Answer:
        """Make a call; the caller holds ``turn``."""
        if self._closed:
            return Answer(method, trouble="the desk was closed", left=False)
        token = self._credentials.token().reveal()
        self._http.access_token = token
        self._http.header["access-token"] = token
        self._called = method
        self._answer = Answer(method, trouble="the client made no request", left=False)
        getattr(self._official, method)(*args, **named)
        return self._answer

    def failed(self, error: Exception, *, left: bool) -> Response:
        """Record why there is no answer; what the official client gets instead is harmless."""
        self._answer = Answer(self._called, trouble=_words(error), left=left)
        self._stand_in = _plain(b"{}", _NO_ANSWER)
        return self._stand_in

    def close(self) -> None:
        self._closed = True
        self._http.session.close()

    def _record(self, response: Response, **_: Any) -> Response:
        """Keep the answer, and hand on one that is small, whole and never a redirect."""
        if response is self._stand_in:
            return response
        try:
            raw = _read(response, time.monotonic() + self._seconds)
        except Exception as error:  # noqa: BLE001 (whatever breaks a body off, the call left)
            return self.failed(error, left=True)
        finally:
            response.close()
        body, text = _decoded(raw)
        self._answer = Answer(
            self._called,
            response.status_code,
            {name.lower(): value for name, value in response.headers.items()},
            body,
            text and self._credentials.clean(text),
        )
        return _plain(raw if isinstance(body, dict) else b"{}", response.status_code)


def _transport(line: _Line) -> Any:
    """A transport that tells the line why a call failed instead of raising."""
    import requests

    class Transport(requests.adapters.HTTPAdapter):
        def send(self, request: Any, **options: Any) -> Response:  # type: ignore[override]
            try:
                return super().send(request, **options)
            except requests.exceptions.RequestException as error:
                return line.failed(error, left=not _never_left(error))
            except Exception as error:  # noqa: BLE001 (a broken answer may be anything)
                return line.failed(error, left=True)

    return Transport(max_retries=0)


def _never_left(error: Exception) -> bool:
    """Whether the connection was never made: the one case in which nothing can have happened."""
    import requests

    if isinstance(error, requests.exceptions.ConnectTimeout | requests.exceptions.InvalidURL):
        return True
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    if any(kind.__name__ == "NewConnectionError" for kind in type(reason).__mro__):
        return True
    within = reason.args[0] if isinstance(reason, Exception) and reason.args else None
    return isinstance(within, ssl.SSLCertVerificationError)


def _read(response: Response, until: float) -> bytes:
    """The whole body, within the time and below the size that are allowed.

    Raises
    ------
    TimeoutError, ValueError
        When it takes longer, or is larger.
    """
    parts, size = [], 0
    for part in response.iter_content(65536):
        parts.append(part)
        size += len(part)
        if size > _LARGEST:
            raise ValueError("the answer is too large")
        if time.monotonic() > until:
            raise TimeoutError("the answer took too long")
    return b"".join(parts)


def _decoded(raw: bytes) -> tuple[Any, str]:
    try:
        body = json.loads(raw)
        for row in body if isinstance(body, list) else [body]:
            if isinstance(row, dict):
                row.pop("dhanClientId", None)  # nobody needs it; a listing of variables shows it
        return body, ""
    except ValueError:
        return None, raw[:_KEPT_TEXT].decode("utf-8", "replace")


def _plain(raw: bytes, status: int) -> Response:
    import requests

    made = requests.Response()
    made.status_code = status
    made.raw = BytesIO(raw)
    return made


def _words(error: Exception) -> str:
    """Kind of a failure; its own text may hold an address."""
    name = type(error).__name__
    return {
        "ConnectTimeout": "no connection in time",
        "ReadTimeout": "no answer in time",
        "TimeoutError": "no whole answer in time",
        "ConnectionError": "the connection failed or broke",
        "ChunkedEncodingError": "the answer broke off",
        "SSLError": "no trusted connection",
    }.get(name, name)
