"""The operator's control path. It is not part of the broker's protocol."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable
from typing import Any

from strikeloom.errors import SettingsError, StoreError
from strikeloom.exchange.server.exchange_state import ExchangeState
from strikeloom.exchange.server.fault_injection import FaultKind, parse_fault
from strikeloom.exchange.server.http_handler import LocalHandler
from strikeloom.exchange.server.responses import ApiResponse

_MAX_STEP_SECONDS = 30 * 86_400.0
_NOT_FOUND = ApiResponse({"error": "Not Found"}, 404)


class ControlService:
    """``HttpService`` of ``/control/...``: clock, injected faults, tokens, counts, audit.

    ``GET clock`` is open to all; everything else needs the header ``control-token``.

    Parameters
    ----------
    step : callable
        Moves a clock that is stepped by hand on by seconds.
    counts : callable
        Returns the counts of the server.
    """

    methods: tuple[str, ...] = ("GET", "POST", "PUT", "DELETE")

    def __init__(
        self,
        exchange: ExchangeState,
        step: Callable[[float], None],
        counts: Callable[[], dict[str, Any]],
    ) -> None:
        self._exchange, self._step, self._counts = exchange, step, counts

    async def respond(self, http: LocalHandler, *parts: str) -> None:
        """Answer a call; a wrong or missing token is refused with 403."""
        method, what = http.request.method, parts[0]
        if method == "GET" and what == "clock":
            now = self._exchange.clock.now().isoformat(timespec="microseconds")
            http.send(ApiResponse({"now": now, "speed": self._exchange.speed}))
            return
        given = http.request.headers.get("control-token", "")
        if not hmac.compare_digest(given.encode(), self._exchange.control_token.encode()):
            http.send(ApiResponse({"error": "the header control-token is missing or wrong"}, 403))
        elif method == "GET":
            http.send(self._read(what))
        elif method == "DELETE":
            http.send(self._switch_off(what, http.get_query_argument("kind", "")))
        else:
            try:
                http.send(self._change(what, _body(http)))
            except SettingsError as error:
                http.send(ApiResponse({"error": str(error)}, 400))

    def failure(self, _status: int) -> None:
        """Leave failures to the web framework."""

    def _read(self, what: str) -> ApiResponse:
        faults = self._exchange.faults
        match what:
            case "faults":
                return ApiResponse({"switches": faults.listed(), "injected": dict(faults.injected)})
            case "state":
                return ApiResponse(self._counts())
            case "audit":
                return ApiResponse(self._audit())
            case _:
                return _NOT_FOUND

    def _audit(self) -> dict[str, Any]:
        """Recompute every account from its trades and compare."""
        try:
            for engine in self._exchange.engines.values():
                engine.audit()
        except StoreError as error:
            return {"adds_up": False, "error": str(error)}
        return {"adds_up": True}

    def _switch_off(self, what: str, kind: str) -> ApiResponse:
        """Switch faults off: those of a kind, or all."""
        if what != "faults" or (kind and kind not in list(FaultKind)):
            return ApiResponse({"error": f"no such switch: {what} {kind}"}, 404)
        self._exchange.faults.switch_off(FaultKind(kind) if kind else None)
        return ApiResponse({"switches": self._exchange.faults.listed()})

    def _change(self, what: str, body: dict[str, Any]) -> ApiResponse:
        exchange = self._exchange
        if what == "faults":
            exchange.faults.switch_on(parse_fault(body, "the body"))
            return ApiResponse({"switches": exchange.faults.listed()})
        if what == "clock":
            seconds = body.get("step")
            valid = isinstance(seconds, int | float) and 0 <= seconds < _MAX_STEP_SECONDS
            if exchange.speed or not valid:
                raise SettingsError("step: seconds of a clock that is stepped by hand")
            self._step(float(seconds or 0))
            return ApiResponse({"now": exchange.clock.now().isoformat(), "speed": 0})
        if what == "token":
            client, tokens = str(body.get("client_id", "")), exchange.tokens
            if tokens.client(client) is None:
                raise SettingsError(f"no client {client!r}")
            (tokens.end if body.get("end") else tokens.restore)(client)
            return ApiResponse({"client_id": client, "ended": bool(body.get("end"))})
        return _NOT_FOUND


def _body(http: LocalHandler) -> dict[str, Any]:
    try:
        body = json.loads(http.request.body or b"{}")
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise SettingsError("the body must be a JSON object")
    return body
