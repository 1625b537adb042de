"""Doors beside the REST calls: login, files, and the operator's control path."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable
from typing import Any

from strikeloom.errors import SettingsError, StoreError
from strikeloom.exchange.server.endpoints import login
from strikeloom.exchange.server.exchange_state import ExchangeState
from strikeloom.exchange.server.fault_injection import FaultKind, parse_fault
from strikeloom.exchange.server.responses import ApiRefusal, ApiResponse
from strikeloom.exchange.server.rest_api import Local
from strikeloom.exchange.server.security_master import compact_master, detailed_master

_DAYS = 30 * 86_400.0  # the farthest step of a clock


class Login(Local):
    """``/app/...`` and the page on which a person confirms."""

    def initialize(self, exchange: ExchangeState) -> None:
        """Take what is behind."""
        self.exchange = exchange

    def get(self, step: str) -> None:
        """Response."""
        self._answer(step)

    def post(self, step: str) -> None:
        """Response."""
        self._answer(step)

    def _asked(self, *names: str) -> str:
        return next((text for name in names if (text := self.get_query_argument(name, ""))), "")

    def _answer(self, step: str) -> None:
        steps: dict[str, Callable[[], ApiResponse]] = {
            "generate-consent": lambda: login.generate_consent(
                self.exchange, self._asked("client_id", "dhanClientId")
            ),
            "consentApp-login": lambda: ApiResponse(
                {"tokenId": login.confirm_consent(self.exchange, self._asked("consentAppId"))}
            ),
            "consumeApp-consent": lambda: login.consume_consent(
                self.exchange, self._asked("tokenId")
            ),
            "generateAccessToken": lambda: login.generate_token(
                self.exchange, self._asked("dhanClientId"), self._asked("pin"), self._asked("totp")
            ),
        }
        work = steps.get(step)
        try:
            self.send(work() if work else ApiResponse({"error": "Not Found"}, 404))
        except ApiRefusal as refusal:
            self.send(refusal.answer)


class Files(Local):
    """The security master: ``?layout=compact`` for the other layout. Asks for no token."""

    def initialize(self, exchange: ExchangeState) -> None:
        """Take what is behind."""
        self.exchange = exchange

    def get(self, name: str) -> None:
        """Response."""
        market, day = self.exchange.market, self.exchange.clock.now().date()
        compact = (
            name == "api-scrip-master.csv" or self.get_query_argument("layout", "") == "compact"
        )
        text = compact_master(market) if compact else detailed_master(market, day)
        self.send(ApiResponse(text, content="text/csv"))


class Control(Local):
    """The operator's own path: clock, faults, tokens, counts. Not part of the broker's protocol.

    ``GET clock`` is open to all; everything else asks for the header ``control-token``.
    """

    def initialize(
        self, exchange: ExchangeState, step: Callable[[float], None], state: Any
    ) -> None:
        """Take what is behind; ``step`` moves a clock that is stepped by hand."""
        self.exchange, self.step, self.state = exchange, step, state

    def _allowed(self) -> bool:
        given = self.request.headers.get("control-token", "")
        if hmac.compare_digest(given.encode(), self.exchange.control_token.encode()):
            return True
        self.send(ApiResponse({"error": "the header control-token is missing or wrong"}, 403))
        return False

    def _body(self) -> dict[str, Any]:
        try:
            body = json.loads(self.request.body or b"{}")
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise SettingsError("the body must be a JSON object")
        return body

    def get(self, what: str) -> None:
        """Look."""
        if what == "clock":
            now = self.exchange.clock.now().isoformat(timespec="microseconds")
            self.send(ApiResponse({"now": now, "speed": self.exchange.speed}))
        elif self._allowed():
            faults = self.exchange.faults
            bodies: dict[str, Callable[[], dict[str, Any]]] = {
                "faults": lambda: {
                    "switches": faults.listed(),
                    "injected": dict(faults.injected),
                },
                "state": self.state,
                "audit": self._audit,
            }
            body = bodies.get(what)
            self.send(ApiResponse(body()) if body else ApiResponse({"error": "Not Found"}, 404))

    def _audit(self) -> dict[str, Any]:
        """Work every account out anew from its trades."""
        try:
            for engine in self.exchange.engines.values():
                engine.audit()
        except StoreError as error:
            return {"adds_up": False, "error": str(error)}
        return {"adds_up": True}

    def put(self, what: str) -> None:
        """Change."""
        self.post(what)

    def post(self, what: str) -> None:
        """Change."""
        if not self._allowed():
            return
        try:
            self.send(self._changed(what, self._body()))
        except SettingsError as error:
            self.send(ApiResponse({"error": str(error)}, 400))

    def delete(self, what: str) -> None:
        """Switch faults off: those of ``?kind=``, or all."""
        if not self._allowed():
            return
        kind = self.get_query_argument("kind", "")
        if what != "faults" or (kind and kind not in list(FaultKind)):
            self.send(ApiResponse({"error": f"no such switch: {what} {kind}"}, 404))
            return
        self.exchange.faults.switch_off(FaultKind(kind) if kind else None)
        self.send(ApiResponse({"switches": self.exchange.faults.listed()}))

    def _changed(self, what: str, body: dict[str, Any]) -> ApiResponse:
        if what == "faults":
            self.exchange.faults.switch_on(parse_fault(body, "the body"))
            return ApiResponse({"switches": self.exchange.faults.listed()})
        if what == "clock":
            seconds = body.get("step")
            if (
                self.exchange.speed
                or not isinstance(seconds, int | float)
                or not 0 <= seconds < _DAYS
            ):
                raise SettingsError("step: seconds of a clock that is stepped by hand")
            self.step(float(seconds))
            return ApiResponse({"now": self.exchange.clock.now().isoformat(), "speed": 0})
        if what == "token":
            client, tokens = str(body.get("client_id", "")), self.exchange.tokens
            if tokens.client(client) is None:
                raise SettingsError(f"no client {client!r}")
            (tokens.end if body.get("end") else tokens.restore)(client)
            return ApiResponse({"client_id": client, "ended": bool(body.get("end"))})
        return ApiResponse({"error": "Not Found"}, 404)
