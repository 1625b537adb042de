"""Calls under ``/v2``: token, injected faults and rate limits first, then the call itself."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from strikeloom.errors import StrikeloomError
from strikeloom.exchange.server.api_call import ApiCall
from strikeloom.exchange.server.clients import Client
from strikeloom.exchange.server.exchange_state import ExchangeState
from strikeloom.exchange.server.fault_injection import (
    AFTER_CALL,
    BEFORE_CALL,
    FaultKind,
    InjectedFault,
)
from strikeloom.exchange.server.http_handler import LocalHandler
from strikeloom.exchange.server.rate_limits import RateLimitClass
from strikeloom.exchange.server.responses import (
    BAD_INPUT,
    TOO_MANY,
    UNKNOWN_CLIENT,
    ApiRefusal,
    ApiResponse,
    data_refused,
    error_body,
    refused,
)
from strikeloom.exchange.server.routes import Route, Style, route_of

_LOG = logging.getLogger(__name__)

#: Longer than any client waits; the connection of a call without an answer ends after it.
_WITHHELD_SECONDS = 75.0
_PAGE = "<html><head><title>{0}</title></head><body><center><h1>{0}</h1></center></body></html>"


class RestService:
    """``HttpService`` of everything under ``/v2``.

    Parameters
    ----------
    publish : callable
        Called after every call, as it may have changed orders.
    """

    methods: tuple[str, ...] = ("GET", "POST", "PUT", "DELETE")

    def __init__(self, exchange: ExchangeState, publish: Callable[[], object]) -> None:
        self._exchange = exchange
        self._publish = publish

    async def respond(self, http: LocalHandler, *_parts: str) -> None:
        """Answer a call."""
        matched = route_of(str(http.request.method), http.request.path.removeprefix("/v2"))
        if matched is None:
            body = {
                "timestamp": int(self._exchange.clock.now().timestamp() * 1000),
                "status": 404,
                "error": "Not Found",
                "path": http.request.path,
            }
            http.send(ApiResponse(body, 404))
            return
        route, parts = matched
        try:
            client = self._client(http.request.headers, route)
            fault = self._exchange.faults.draw(BEFORE_CALL, route.name)
            latency = self._exchange.faults.draw((FaultKind.LATENCY,), route.name)
            if latency is not None:
                await asyncio.sleep(latency.seconds)
            if fault is not None and await _fail_before(http, fault, route):
                return
            self._check_limits(http, route, client)
            response = self._carry_out(http, route, client, parts)
        except ApiRefusal as refusal:
            response = refusal.response
        await self._deliver(http, response, route)

    def failure(self, status: int) -> ApiResponse:
        """Word a failure of this exchange as the broker does."""
        return ApiResponse(error_body("DH-908", "Internal Server Error"), status)

    def _client(self, headers: Mapping[str, str], route: Route) -> Client:
        """Client of a call. The token alone names it, except for quotes and option chains.

        As recorded from the broker in 2025. A client id that is sent must be the token's.
        """
        tokens = self._exchange.tokens
        name = headers.get("client-id") or headers.get("dhanClientId") or ""
        token = headers.get("access-token") or ""
        if not name and route.style is not Style.DATA:
            name = tokens.holder(token)
        client = tokens.client(name)
        if client is None or not tokens.accepts(name, token):
            raise unauthorised(route.style)
        return client

    def _check_limits(self, http: LocalHandler, route: Route, client: Client) -> None:
        """Count the call, and refuse it over a rate limit or from an address not registered."""
        limiter, name = self._exchange.limiter, client.client_id
        full = limiter.refusal(name, route.kind)
        if full is None and route.pattern.pattern == "/optionchain":
            body = _body(http)
            what = tuple(str(body.get(k)) for k in ("UnderlyingScrip", "UnderlyingSeg", "Expiry"))
            full = limiter.refusal(name, RateLimitClass.CHAIN, what)
        if full is not None:
            raise too_many(route)
        known = self._exchange.addresses.get(name)
        ours = ("127.0.0.1", "::1")
        if (
            route.kind is RateLimitClass.ORDER
            and known
            and not any(address in ours for address, _ in known.values())
        ):
            raise refused("DH-905", "Invalid IP")

    def _carry_out(
        self, http: LocalHandler, route: Route, client: Client, parts: tuple[str, ...]
    ) -> ApiResponse:
        query = {name: http.get_query_argument(name) for name in http.request.query_arguments}
        engine = self._exchange.engines[client.client_id]
        call = ApiCall(self._exchange, client, engine, _body(http), parts, query)
        try:
            return route.work(call)
        except ApiRefusal:
            raise
        except StrikeloomError as error:
            _LOG.error("%s %s: %s", route.method, route.pattern.pattern, error)
            raise refused("DH-908", str(error)) from error
        finally:
            self._publish()

    async def _deliver(self, http: LocalHandler, response: ApiResponse, route: Route) -> None:
        fault = self._exchange.faults.draw(AFTER_CALL, route.name)
        match fault.kind if fault else None:
            case FaultKind.REPLY_LOST:
                assert fault is not None  # noqa: S101 (for the type checker)
                await _withhold(http, fault)
            case FaultKind.RESET_AFTER:
                http.reset_connection()
            case FaultKind.EMPTY:
                http.send(ApiResponse(None, 202))
            case FaultKind.HTML_AFTER:
                http.send(ApiResponse(_PAGE.format("502 Bad Gateway"), 200, "text/html"))
            case _:
                http.send(response)


def _body(http: LocalHandler) -> dict[str, Any]:
    if not http.request.body.strip():
        return {}
    try:
        body = json.loads(http.request.body)
    except (ValueError, RecursionError):
        raise refused("DH-905", BAD_INPUT) from None
    if not isinstance(body, dict):
        raise refused("DH-905", BAD_INPUT)
    return body


async def _fail_before(http: LocalHandler, fault: InjectedFault, route: Route) -> bool:
    """Inject a fault in place of the call; ``False`` when it does not apply to this call."""
    match fault.kind:
        case FaultKind.REQUEST_LOST:
            await _withhold(http, fault)
            return True
        case FaultKind.RESET_BEFORE:
            http.reset_connection()
            return True
        case FaultKind.MARGIN | FaultKind.WRONG_IP if route.kind is not RateLimitClass.ORDER:
            return False
        case kind:
            http.send(_FAULT_RESPONSES[kind](route))
            return True


async def _withhold(http: LocalHandler, fault: InjectedFault) -> None:
    """Send nothing until the client has left, then reset the connection."""
    with suppress(TimeoutError):
        await asyncio.wait_for(http.client_left.wait(), fault.seconds or _WITHHELD_SECONDS)
    http.reset_connection()


def unauthorised(style: Style) -> ApiRefusal:
    """Refuse a token, as each group of calls words it."""
    if style is Style.DATA:
        return data_refused(809, "Access Token is invalid", 401)
    if style is Style.CHART:
        return refused("DH-906", "Invalid Token", 400)
    return refused("DH-901", UNKNOWN_CLIENT)


def too_many(route: Route) -> ApiRefusal:
    """Refuse a call over its limit; for quotes in the trading style, as recorded."""
    if route.style is Style.TRADING or route.kind is RateLimitClass.QUOTE:
        return refused("DH-904", TOO_MANY)
    return data_refused(805, "Too many requests. Further requests may result in blocking.", 429)


def _page(title: str, status: int) -> ApiResponse:
    return ApiResponse(_PAGE.format(title), status, "text/html")


_FAULT_RESPONSES: dict[FaultKind, Callable[[Route], ApiResponse]] = {
    FaultKind.TOO_MANY: lambda route: too_many(route).response,
    FaultKind.TOO_MANY_HTML: lambda _: _page("429 Too Many Requests", 429),
    FaultKind.SERVER_ERROR: lambda _: refused("DH-908", "Internal Server Error").response,
    FaultKind.BAD_GATEWAY: lambda _: _page("502 Bad Gateway", 502),
    FaultKind.LIST_BODY: lambda _: ApiResponse(["unexpected"], 500),
    FaultKind.DATA_FAILURE: lambda _: data_refused(800, "Internal Server Error").response,
    FaultKind.FAILED_SUCCESS: lambda _: ApiResponse(
        {"status": "failed", "data": {"800": "Internal"}}
    ),
    FaultKind.UNAUTHORISED: lambda route: unauthorised(route.style).response,
    FaultKind.MARGIN: lambda _: (
        refused("DH-906", "RMS: Margin Shortfall, insufficient funds").response
    ),
    FaultKind.WRONG_IP: lambda _: refused("DH-905", "Invalid IP").response,
}
