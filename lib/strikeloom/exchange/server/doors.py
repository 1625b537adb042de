"""Doors beside the REST calls: login, files, and the operator's control path."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable
from typing import Any

from strikeloom.errors import SettingsError, StoreError
from strikeloom.exchange.server.answers import Answer, Refusal
from strikeloom.exchange.server.calls import login
from strikeloom.exchange.server.house import House
from strikeloom.exchange.server.master import compact_master, detailed_master
from strikeloom.exchange.server.rest import Local
from strikeloom.exchange.server.troubles import Kind, trouble

_DAYS = 30 * 86_400.0  # the farthest step of a clock


class Login(Local):
    """``/app/...`` and the page on which a person confirms."""

    def initialize(self, house: House) -> None:
        """Take what is behind."""
        self.house = house

    def get(self, step: str) -> None:
        """Answer."""
        self._answer(step)

    def post(self, step: str) -> None:
        """Answer."""
        self._answer(step)

    def _asked(self, *names: str) -> str:
        return next((text for name in names if (text := self.get_query_argument(name, ""))), "")

    def _answer(self, step: str) -> None:
        steps: dict[str, Callable[[], Answer]] = {
            "generate-consent": lambda: login.generate_consent(
                self.house, self._asked("client_id", "dhanClientId")
            ),
            "consentApp-login": lambda: Answer(
                {"tokenId": login.confirm_consent(self.house, self._asked("consentAppId"))}
            ),
            "consumeApp-consent": lambda: login.consume_consent(self.house, self._asked("tokenId")),
            "generateAccessToken": lambda: login.generate_token(
                self.house, self._asked("dhanClientId"), self._asked("pin"), self._asked("totp")
            ),
        }
        work = steps.get(step)
        try:
            self.send(work() if work else Answer({"error": "Not Found"}, 404))
        except Refusal as refusal:
            self.send(refusal.answer)


class Files(Local):
    """The security master: ``?layout=compact`` for the other layout. Asks for no token."""

    def initialize(self, house: House) -> None:
        """Take what is behind."""
        self.house = house

    def get(self, name: str) -> None:
        """Answer."""
        market, day = self.house.market, self.house.clock.now().date()
        compact = (
            name == "api-scrip-master.csv" or self.get_query_argument("layout", "") == "compact"
        )
        text = compact_master(market) if compact else detailed_master(market, day)
        self.send(Answer(text, content="text/csv"))


class Control(Local):
    """The operator's own path: clock, faults, tokens, counts. Not part of the broker's protocol.

    ``GET clock`` is open to all; everything else asks for the header ``control-token``.
    """

    def initialize(self, house: House, step: Callable[[float], None], state: Any) -> None:
        """Take what is behind; ``step`` moves a clock that is stepped by hand."""
        self.house, self.step, self.state = house, step, state

    def _allowed(self) -> bool:
        given = self.request.headers.get("control-token", "")
        if hmac.compare_digest(given.encode(), self.house.control_token.encode()):
            return True
        self.send(Answer({"error": "the header control-token is missing or wrong"}, 403))
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
            now = self.house.clock.now().isoformat(timespec="microseconds")
            self.send(Answer({"now": now, "speed": self.house.speed}))
        elif self._allowed():
            troubles = self.house.troubles
            bodies: dict[str, Callable[[], dict[str, Any]]] = {
                "faults": lambda: {
                    "switches": troubles.listed(),
                    "struck": dict(troubles.struck),
                },
                "state": self.state,
                "audit": self._audit,
            }
            body = bodies.get(what)
            self.send(Answer(body()) if body else Answer({"error": "Not Found"}, 404))

    def _audit(self) -> dict[str, Any]:
        """Work every account out anew from its trades."""
        try:
            for engine in self.house.engines.values():
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
            self.send(Answer({"error": str(error)}, 400))

    def delete(self, what: str) -> None:
        """Switch faults off: those of ``?kind=``, or all."""
        if not self._allowed():
            return
        kind = self.get_query_argument("kind", "")
        if what != "faults" or (kind and kind not in list(Kind)):
            self.send(Answer({"error": f"no such switch: {what} {kind}"}, 404))
            return
        self.house.troubles.switch_off(Kind(kind) if kind else None)
        self.send(Answer({"switches": self.house.troubles.listed()}))

    def _changed(self, what: str, body: dict[str, Any]) -> Answer:
        if what == "faults":
            self.house.troubles.switch_on(trouble(body, "the body"))
            return Answer({"switches": self.house.troubles.listed()})
        if what == "clock":
            seconds = body.get("step")
            if self.house.speed or not isinstance(seconds, int | float) or not 0 <= seconds < _DAYS:
                raise SettingsError("step: seconds of a clock that is stepped by hand")
            self.step(float(seconds))
            return Answer({"now": self.house.clock.now().isoformat(), "speed": 0})
        if what == "token":
            client, tokens = str(body.get("client_id", "")), self.house.tokens
            if tokens.client(client) is None:
                raise SettingsError(f"no client {client!r}")
            (tokens.end if body.get("end") else tokens.restore)(client)
            return Answer({"client_id": client, "ended": bool(body.get("end"))})
        return Answer({"error": "Not Found"}, 404)
