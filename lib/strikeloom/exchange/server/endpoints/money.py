"""Funds, and the margin of an order or a basket."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from strikeloom.domain.instruments import Share
from strikeloom.errors import DataError
from strikeloom.exchange.account.margin_quote import MarginQuote
from strikeloom.exchange.orders.request import OrderType, Placement
from strikeloom.exchange.server.api_call import ApiCall, bad_field
from strikeloom.exchange.server.endpoints.orders import placement
from strikeloom.exchange.server.responses import ApiResponse, refused
from strikeloom.exchange.server.wire_codes import rupee

_MAX_LEGS = 20


def funds(call: ApiCall) -> ApiResponse:
    """Money of the account; the spelling of the fields is the broker's."""
    found = call.engine.balance()
    bound = found.margin + found.blocked
    return ApiResponse(
        {
            "dhanClientId": call.client.client_id,
            "availabelBalance": rupee(found.available),
            "sodLimit": rupee(found.day_start),
            "collateralAmount": 0.0,
            "receiveableAmount": 0.0,
            "utilizedAmount": rupee(bound),
            "blockedPayoutAmount": 0.0,
            "withdrawableBalance": rupee(max(0, found.available)),
        }
    )


def single(call: ApiCall) -> ApiResponse:
    """Margin of a single order."""
    what = _leg(call, call.body)
    found = _margin(call, [what], holdings=False)
    notional = what.units * what.limit
    return ApiResponse(
        {
            "totalMargin": rupee(found.total),
            "spanMargin": rupee(found.span),
            "exposureMargin": rupee(found.exposure),
            "availableBalance": rupee(found.available),
            "variableMargin": rupee(found.delivery),
            "insufficientBalance": rupee(found.shortfall),
            "brokerage": rupee(found.brokerage),
            "leverage": f"{notional / found.total:.2f}X"
            if found.total not in (0, notional)
            else "1X",
        }
    )


def multi(call: ApiCall) -> ApiResponse:
    """Margin of a basket: its legs hedge one another. Figures are texts, as documented."""
    rows = call.body.get("scripList", call.body.get("scripts"))
    if not isinstance(rows, list) or not 0 < len(rows) <= _MAX_LEGS:
        raise bad_field("scripList", rows)
    legs = [_leg(call, row) for row in rows]
    held = call.body.get("includePosition") is True  # includes open orders, too
    open_orders = True in (call.body.get("includeOrder"), call.body.get("includeOrders"))
    if open_orders and not held:
        legs += _open_orders(call)
    found = _margin(call, legs, holdings=held)
    shares = [leg for leg in legs if isinstance(leg.instrument, Share)]
    equity = min(found.total, _margin(call, shares, holdings=False).total if shares else 0)
    return ApiResponse(
        {
            "total_margin": _text(found.total),
            "span_margin": _text(found.span),
            "exposure_margin": _text(found.exposure),
            "equity_margin": _text(equity),
            "fo_margin": _text(found.total - equity),
            "commodity_margin": _text(0),
            "currency": _text(0),
            "hedge_benefit": _text(found.hedge_benefit),
        }
    )


def _leg(call: ApiCall, row: Any) -> Placement:
    if not isinstance(row, Mapping):
        raise bad_field("scripList", row)
    body = {**row, "orderType": "LIMIT", "validity": "DAY"}
    found = placement(call, body)
    if not found.units:
        raise bad_field("quantity", 0)
    if not found.limit:  # a market order: its margin uses the last price
        mark = call.exchange.marks([found.instrument.key]).get(found.instrument.key)
        if mark is None:
            raise refused("DH-905", f"no price of {found.instrument.label} to take a margin of")
        found = replace(found, limit=mark)
    return replace(found, order_type=OrderType.LIMIT, trigger=0)


def _open_orders(call: ApiCall) -> list[Placement]:
    """Remaining units of the open orders, each as an order of its own."""
    return [
        Placement(
            order.instrument,
            order.side,
            order.remaining,
            limit=order.limit,
            product=order.product,
        )
        for order in call.engine.orders(call.now.date())
        if order.remaining
    ]


def _margin(call: ApiCall, legs: list[Placement], *, holdings: bool) -> MarginQuote:
    try:
        return call.engine.margin(legs, with_holdings=holdings)
    except DataError as error:
        raise refused("DH-905", str(error)) from error


def _text(amount: int) -> str:
    return f"{amount / 100:.2f}"
