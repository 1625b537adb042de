"""Paths that ask for no token: the steps of a login, and the security master as a file."""

from __future__ import annotations

from collections.abc import Callable

from strikeloom.exchange.server.endpoints import login
from strikeloom.exchange.server.exchange_state import ExchangeState
from strikeloom.exchange.server.http_handler import LocalHandler
from strikeloom.exchange.server.responses import ApiRefusal, ApiResponse
from strikeloom.exchange.server.security_master import compact_master, detailed_master


class LoginService:
    """``HttpService`` of ``/app/...`` and of the page on which a person confirms."""

    methods: tuple[str, ...] = ("GET", "POST")

    def __init__(self, exchange: ExchangeState) -> None:
        self._exchange = exchange

    async def respond(self, http: LocalHandler, *parts: str) -> None:
        """Answer a step of a login."""

        def query(*names: str) -> str:
            values = (http.get_query_argument(name, "") for name in names)
            return next((value for value in values if value), "")

        exchange = self._exchange
        steps: dict[str, Callable[[], ApiResponse]] = {
            "generate-consent": lambda: login.generate_consent(
                exchange, query("client_id", "dhanClientId")
            ),
            "consentApp-login": lambda: ApiResponse(
                {"tokenId": login.confirm_consent(exchange, query("consentAppId"))}
            ),
            "consumeApp-consent": lambda: login.consume_consent(exchange, query("tokenId")),
            "generateAccessToken": lambda: login.generate_token(
                exchange, query("dhanClientId"), query("pin"), query("totp")
            ),
        }
        step = steps.get(parts[0])
        try:
            http.send(step() if step else ApiResponse({"error": "Not Found"}, 404))
        except ApiRefusal as refusal:
            http.send(refusal.response)

    def failure(self, _status: int) -> None:
        """Leave failures to the web framework."""


class InstrumentFileService:
    """``HttpService`` of the security master: ``?layout=compact`` chooses the other layout."""

    methods: tuple[str, ...] = ("GET",)

    def __init__(self, exchange: ExchangeState) -> None:
        self._exchange = exchange

    async def respond(self, http: LocalHandler, *parts: str) -> None:
        """Answer with the file."""
        market, day = self._exchange.market, self._exchange.clock.now().date()
        compact = (
            parts[0] == "api-scrip-master.csv" or http.get_query_argument("layout", "") == "compact"
        )
        text = compact_master(market) if compact else detailed_master(market, day)
        http.send(ApiResponse(text, content="text/csv"))

    def failure(self, _status: int) -> None:
        """Leave failures to the web framework."""
