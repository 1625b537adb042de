"""What a response means: done, refused, not authorised, too fast, not reached, or unknown.

The official client reduces all of these to one word. Here the HTTP status and Dhan's code
decide. For a call that changes something, only a refusal with a reason counts as a refusal;
for everything else that may have been carried out the outcome is unknown.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, NoReturn

from strikeloom.adapters.dhan.client import DhanClient, DhanResponse
from strikeloom.adapters.dhan.credentials import Credentials
from strikeloom.adapters.dhan.rate_limiter import CallClass
from strikeloom.errors import (
    BrokerError,
    NotAuthorised,
    RateLimited,
    Rejected,
    UnknownOutcome,
    Unreachable,
)

#: Client id or token; trading or data access; account; address that orders come from.
_NOT_AUTHORISED = frozenset({"DH-901", "DH-902", "DH-911", "806", "807", "808", "809", "810"})
_TOO_FAST = frozenset({"DH-904", "805"})
#: The broker's own failures: the order may have got through.
_BROKER_FAILED = frozenset({"DH-908", "DH-909", "800"})
#: What the broker answers instead of an empty list of holdings, as recorded with status 500.
NO_HOLDINGS = "DH-1111"
#: Text of an error whose code is that of another kind (``DH-906`` for a dead token).
_EXPIRED_TEXT = "invalid token"
_CLIENT_ERROR, _SERVER_ERROR = 400, 500
_NOT_AUTHORISED_STATUS, _TOO_FAST_STATUS, _TIMED_OUT = frozenset({401, 403}), 429, 408


class DhanRefusal(Rejected):
    """Dhan refused, with its code. Carries ``code``, ``status`` and the text as facts."""


def checked_body(
    response: DhanResponse, what: str, credentials: Credentials, *, changes: bool
) -> Any:
    """Body of a response that is a success.

    Parameters
    ----------
    what : str
        What was requested, for the message: ``order I7Q-0-0-1``.
    changes : bool
        The call changes something at the broker: without a clear response its outcome is
        unknown.

    Raises
    ------
    DhanRefusal
        Refused, with Dhan's code; no effect.
    NotAuthorised, RateLimited, Unreachable
        No effect.
    UnknownOutcome
        Only with ``changes``: the request may have been carried out.
    """
    if response.status is None:
        _raise_unanswered(response, what, changes=changes)
    code, text = _code_and_text(response.body)
    text = text and credentials.clean(text)
    if response.status < 300 and not code and not _failed(response.body):
        if response.body is None:
            reason = "an empty response" if not response.text else "a response that is not JSON"
            _raise_unclear(response, what, reason, changes=changes)
        return response.body
    reason = f"{code or 'no code'}, HTTP {response.status}: {text or response.text or 'no text'}"
    facts: dict[str, Any] = {"code": code, "status": response.status, "text": text}
    if code in _TOO_FAST or response.status == _TOO_FAST_STATUS:
        raise RateLimited(f"Dhan asks to slow down; {what} had no effect ({reason})", **facts)
    if _is_not_authorised(response, code, text):
        raise NotAuthorised(
            f"Dhan rejected the credentials; {what} had no effect ({reason}). Renew "
            "DHAN_ACCESS_TOKEN, and check that this machine's address is registered for orders",
            **facts,
        )
    status = response.status
    broker_failed = code in _BROKER_FAILED or status >= _SERVER_ERROR or status == _TIMED_OUT
    broker_failed &= code != NO_HOLDINGS
    if broker_failed or 300 <= status < _CLIENT_ERROR or not (code or text):
        _raise_unclear(response, what, reason, changes=changes)
    raise DhanRefusal(f"Dhan refused {what} ({reason})", **facts)


def call_checked(
    client: DhanClient,
    kind: CallClass,
    method: str,
    *args: Any,
    what: str,
    changes: bool = False,
    about: Hashable = "",
    **named: Any,
) -> Any:
    """Call a method of the official client, and return the body of its response.

    When Dhan rejects the call as too fast, a cooldown of its class of calls begins.

    Raises
    ------
    BrokerError
        As ``checked_body``; ``RateLimited`` also from our own limits.
    """
    response = client.call(kind, method, *args, about=about, **named)
    try:
        body = checked_body(response, what, client.credentials, changes=changes)
    except RateLimited:
        wait = response.headers.get("retry-after", "")
        client.limits.refused(kind, float(wait) if wait.isdecimal() else None)
        raise
    client.limits.accepted(kind)
    return body


def _raise_unanswered(response: DhanResponse, what: str, *, changes: bool) -> NoReturn:
    if not response.sent or not changes:
        raise Unreachable(
            f"Dhan was not reached for {what}: {response.failure}", call=response.call
        )
    raise UnknownOutcome(
        f"{what} was sent and Dhan did not answer ({response.failure}); it may have been carried "
        "out",
        call=response.call,
    )


def _raise_unclear(response: DhanResponse, what: str, reason: str, *, changes: bool) -> NoReturn:
    facts: dict[str, Any] = {"call": response.call, "status": response.status}
    if changes:
        raise UnknownOutcome(
            f"{what}: Dhan's response does not show whether it was carried out ({reason})", **facts
        )
    if response.status is not None and response.status >= _SERVER_ERROR:
        raise Unreachable(f"Dhan could not answer for {what} ({reason})", **facts)
    raise BrokerError(f"Dhan's response for {what} cannot be read ({reason})", **facts)


def _is_not_authorised(response: DhanResponse, code: str, text: str) -> bool:
    if code in _NOT_AUTHORISED or _EXPIRED_TEXT in text.lower():
        return True
    return response.status in _NOT_AUTHORISED_STATUS and (bool(code) or response.body is not None)


def _failed(body: Any) -> bool:
    """Whether the body reports a failure, whatever the HTTP status."""
    status = body.get("status") if isinstance(body, dict) else None
    return isinstance(status, str) and status.lower() in {"failed", "failure", "error"}


def _code_and_text(body: Any) -> tuple[str, str]:
    """Code and text of an error body, in any of the shapes that Dhan uses."""
    if not isinstance(body, dict):
        return "", ""
    code = body.get("errorCode") or body.get("internalErrorCode") or ""
    text = body.get("errorMessage") or body.get("internalErrorMessage") or ""
    data = body.get("data")
    if not code and _failed(body) and isinstance(data, dict) and data:
        code, text = next(iter(data.items()))
    if not code and not text and isinstance(body.get("error"), str):
        text = body["error"]
    return str(code), str(text)
