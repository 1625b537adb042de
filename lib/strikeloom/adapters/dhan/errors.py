"""What an answer means: done, refused, not let in, too fast, not reached, or in doubt.

The official client folds all of these into one word. Here the HTTP status and Dhan's code
decide. For a call that changes something only a refusal that names its reason is a refusal;
whatever else may have been carried out is in doubt.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, NoReturn

from strikeloom.adapters.dhan.client import Answer, DhanClient
from strikeloom.adapters.dhan.credentials import Credentials
from strikeloom.adapters.dhan.limits import CallClass
from strikeloom.errors import (
    BrokerError,
    NotAuthorised,
    RateLimited,
    Rejected,
    UnknownOutcome,
    Unreachable,
)

#: Client id or token; trading or data access; account; address that orders come from.
_SHUT = frozenset({"DH-901", "DH-902", "DH-911", "806", "807", "808", "809", "810"})
_TOO_FAST = frozenset({"DH-904", "805"})
#: Said by the broker of itself: the order may have got through.
_ITS_OWN = frozenset({"DH-908", "DH-909", "800"})
#: Text of an error that has another code than its kind (``DH-906`` for a dead token).
_SAID_OF_DEAD = "invalid token"
_FIRST_BAD, _SERVER = 400, 500
_SHUT_STATUS, _TOO_FAST_STATUS, _TIMED_OUT = frozenset({401, 403}), 429, 408


class Refusal(Rejected):
    """Dhan refused, with its code. Carries ``code``, ``status`` and the text as facts."""


def checked(answer: Answer, what: str, credentials: Credentials, *, changes: bool) -> Any:
    """Body of an answer that is a success.

    Parameters
    ----------
    what : str
        What was asked for, for the message: ``order I7Q-0-0-1``.
    changes : bool
        The call changes something at the broker: without a clear answer it is in doubt.

    Raises
    ------
    Refusal
        Refused, with Dhan's code; no effect.
    NotAuthorised, RateLimited, Unreachable
        No effect.
    UnknownOutcome
        Only with ``changes``: the request may have been carried out.
    """
    if answer.status is None:
        _unanswered(answer, what, changes=changes)
    code, told = _told(answer.body)
    told = told and credentials.clean(told)
    if answer.status < 300 and not code and not _failed(answer.body):
        if answer.body is None:
            reason = "an empty answer" if not answer.text else "an answer that is no JSON"
            _doubt(answer, what, reason, changes=changes)
        return answer.body
    said = f"{code or 'no code'}, HTTP {answer.status}: {told or answer.text or 'no text'}"
    facts: dict[str, Any] = {"code": code, "status": answer.status, "text": told}
    if code in _TOO_FAST or answer.status == _TOO_FAST_STATUS:
        raise RateLimited(f"Dhan asks to slow down; {what} had no effect ({said})", **facts)
    if _is_shut(answer, code, told):
        raise NotAuthorised(
            f"Dhan lets us not in; {what} had no effect ({said}). Renew DHAN_ACCESS_TOKEN, and see "
            "that this machine's address is registered for orders",
            **facts,
        )
    own_fault = code in _ITS_OWN or answer.status >= _SERVER or answer.status == _TIMED_OUT
    if own_fault or 300 <= answer.status < _FIRST_BAD or not (code or told):
        _doubt(answer, what, said, changes=changes)
    raise Refusal(f"Dhan refused {what} ({said})", **facts)


def asked(
    client: DhanClient,
    kind: CallClass,
    method: str,
    *args: Any,
    what: str,
    changes: bool = False,
    about: Hashable = "",
    **named: Any,
) -> Any:
    """Body of a call of the official client; what is too fast holds the class of calls back.

    Raises
    ------
    BrokerError
        As ``checked``; ``RateLimited`` also from our own limits.
    """
    answer = client.call(kind, method, *args, about=about, **named)
    try:
        body = checked(answer, what, client.credentials, changes=changes)
    except RateLimited:
        wait = answer.headers.get("retry-after", "")
        client.limits.refused(kind, float(wait) if wait.isdecimal() else None)
        raise
    client.limits.accepted(kind)
    return body


def _unanswered(answer: Answer, what: str, *, changes: bool) -> NoReturn:
    if not answer.left or not changes:
        raise Unreachable(f"Dhan was not reached for {what}: {answer.trouble}", call=answer.call)
    raise UnknownOutcome(
        f"{what} left and Dhan did not answer ({answer.trouble}); it may have been carried out",
        call=answer.call,
    )


def _doubt(answer: Answer, what: str, reason: str, *, changes: bool) -> NoReturn:
    facts: dict[str, Any] = {"call": answer.call, "status": answer.status}
    if changes:
        raise UnknownOutcome(
            f"{what}: Dhan's answer does not say what became of it ({reason})", **facts
        )
    if answer.status is not None and answer.status >= _SERVER:
        raise Unreachable(f"Dhan could not answer for {what} ({reason})", **facts)
    raise BrokerError(f"Dhan's answer for {what} cannot be read ({reason})", **facts)


def _is_shut(answer: Answer, code: str, told: str) -> bool:
    if code in _SHUT or _SAID_OF_DEAD in told.lower():
        return True
    return answer.status in _SHUT_STATUS and (bool(code) or answer.body is not None)


def _failed(body: Any) -> bool:
    """A success by status whose body says the contrary."""
    status = body.get("status") if isinstance(body, dict) else None
    return isinstance(status, str) and status.lower() in {"failed", "failure", "error"}


def _told(body: Any) -> tuple[str, str]:
    """Code and text of an error body, in any of the shapes that Dhan has."""
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
