"""The official client, with the status code, headers and raw body that it discards.

Every call goes through the unmodified ``dhanhq`` classes. A response hook on their ``requests``
session records each response before they read it, and a transport records why there was none.
There are two sessions, each with a lock, so that a slow quote never delays an order.
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
from strikeloom.adapters.dhan.rate_limiter import CallClass, RateLimiter
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
class DhanResponse:
    """Response to one call, as received.

    Attributes
    ----------
    call : str
        Method of the official client.
    status : int or None
        HTTP status; ``None`` when no whole response came.
    headers : mapping
        Names in lower case.
    body : object
        Decoded JSON; ``None`` when there was none, or when it was not JSON.
    text : str
        Beginning of a body that was not JSON.
    failure : str
        Why there was no response, without any address.
    sent : bool
        The request may have reached the broker.
    """

    call: str
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    text: str = ""
    failure: str = ""
    sent: bool = True


class DhanClient:
    """Calls methods of the official client by name.

    Parameters
    ----------
    limits : RateLimiter, optional
        One for all clients of the account in this process.
    may_order : callable, optional
        Called before each call that changes an order; raises ``Rejected`` when it must not go.
    answer_seconds : float
        Longest time a whole response may take once connected.
    """

    def __init__(
        self,
        credentials: Credentials,
        addresses: Addresses,
        limits: RateLimiter | None = None,
        *,
        may_order: Callable[[], None] | None = None,
        answer_seconds: float = _ANSWER_SECONDS,
    ) -> None:
        self.credentials = credentials
        self.limits = limits or RateLimiter()
        self._may_change = may_order
        self._is_local = is_loopback(addresses.rest)
        self._sessions = {
            market_data: _Session(credentials, addresses.rest, answer_seconds)
            for market_data in (False, True)
        }

    def call(
        self, kind: CallClass, method: str, *args: Any, about: Hashable = "", **named: Any
    ) -> DhanResponse:
        """Call a method of the official client once the rate limits allow it.

        Raises
        ------
        Rejected
            For a call that places, changes or cancels an order when the account is not armed;
            without ``may_order`` such calls are sent to this machine only.
        RateLimited
            When our own limits do not allow it in time; nothing was sent.
        """
        self._check_armed(kind, method)
        self.limits.take(kind, about=about)
        session = self._sessions[kind in _MARKET_DATA]
        with session.lock:
            self._check_armed(kind, method)  # the arming may have ended while this call waited
            return session.call(method, args, named)

    def _check_armed(self, kind: CallClass, method: str) -> None:
        if kind is not CallClass.ORDER:
            return
        if self._may_change is not None:
            self._may_change()
        elif not self._is_local:
            raise Rejected(
                f"{method} was not sent: orders go only to a local exchange, live is not armed",
                call=method,
            )

    def close(self) -> None:
        """Release connections; no call is sent any more."""
        self.limits.close()
        for session in self._sessions.values():
            session.close()


class _Session:
    """One session of the official client, used by one caller at a time."""

    def __init__(self, credentials: Credentials, rest: str, answer_seconds: float) -> None:
        from dhanhq import DhanContext, dhanhq

        self._credentials = credentials
        self._seconds = answer_seconds
        self.lock = threading.Lock()
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
        self._response = DhanResponse("")
        self._method = ""
        self._stand_in: Response | None = None
        self._closed = False

    def call(self, method: str, args: tuple[Any, ...], named: dict[str, Any]) -> DhanResponse:
        """Make a call; the caller holds ``lock``."""
        if self._closed:
            return DhanResponse(method, failure="the desk was closed", sent=False)
        token = self._credentials.token().reveal()
        self._http.access_token = token
        self._http.header["access-token"] = token
        self._method = method
        self._response = DhanResponse(method, failure="the client made no request", sent=False)
        getattr(self._official, method)(*args, **named)
        return self._response

    def failed(self, error: Exception, *, sent: bool) -> Response:
        """Record why there is no response, and return an empty one for the official client."""
        self._response = DhanResponse(self._method, failure=_reason(error), sent=sent)
        self._stand_in = _plain(b"{}", _NO_ANSWER)
        return self._stand_in

    def close(self) -> None:
        self._closed = True
        self._http.session.close()

    def _record(self, response: Response, **_: Any) -> Response:
        """Keep the response, and pass on one that is small, complete and never a redirect."""
        if response is self._stand_in:
            return response
        try:
            raw = _read(response, time.monotonic() + self._seconds)
        except Exception as error:  # noqa: BLE001 (whatever cuts a body off, the call was sent)
            return self.failed(error, sent=True)
        finally:
            response.close()
        body, text = _decoded(raw)
        self._response = DhanResponse(
            self._method,
            response.status_code,
            {name.lower(): value for name, value in response.headers.items()},
            body,
            text and self._credentials.clean(text),
        )
        return _plain(raw if isinstance(body, dict) else b"{}", response.status_code)


def _transport(session: _Session) -> Any:
    """Return a transport that records in the session why a call failed, instead of raising."""
    import requests

    class Transport(requests.adapters.HTTPAdapter):
        def send(self, request: Any, **options: Any) -> Response:  # type: ignore[override]
            try:
                return super().send(request, **options)
            except requests.exceptions.RequestException as error:
                return session.failed(error, sent=not _was_never_sent(error))
            except Exception as error:  # noqa: BLE001 (a broken response may raise anything)
                return session.failed(error, sent=True)

    return Transport(max_retries=0)


def _was_never_sent(error: Exception) -> bool:
    """Whether the connection was never made: the only case in which nothing can have happened."""
    import requests

    if isinstance(error, requests.exceptions.ConnectTimeout | requests.exceptions.InvalidURL):
        return True
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    if any(kind.__name__ == "NewConnectionError" for kind in type(reason).__mro__):
        return True
    within = reason.args[0] if isinstance(reason, Exception) and reason.args else None
    return isinstance(within, ssl.SSLCertVerificationError)


def _read(response: Response, until: float) -> bytes:
    """Read the whole body, within the time and size that are allowed.

    Raises
    ------
    TimeoutError, ValueError
        When it takes too long, or is too large.
    """
    parts, size = [], 0
    for part in response.iter_content(65536):
        parts.append(part)
        size += len(part)
        if size > _LARGEST:
            raise ValueError("the response is too large")
        if time.monotonic() > until:
            raise TimeoutError("the response took too long")
    return b"".join(parts)


def _decoded(raw: bytes) -> tuple[Any, str]:
    try:
        body = json.loads(raw)
        for row in body if isinstance(body, list) else [body]:
            if isinstance(row, dict):
                row.pop(
                    "dhanClientId", None
                )  # not needed, and a listing of variables would show it
        return body, ""
    except ValueError:
        return None, raw[:_KEPT_TEXT].decode("utf-8", "replace")


def _plain(raw: bytes, status: int) -> Response:
    import requests

    made = requests.Response()
    made.status_code = status
    made.raw = BytesIO(raw)
    return made


def _reason(error: Exception) -> str:
    """Kind of a failure; its own text may contain an address."""
    name = type(error).__name__
    return {
        "ConnectTimeout": "no connection in time",
        "ReadTimeout": "no response in time",
        "TimeoutError": "no complete response in time",
        "ConnectionError": "the connection failed or broke",
        "ChunkedEncodingError": "the response was cut off",
        "SSLError": "no trusted connection",
    }.get(name, name)
