"""Leaving everything when the day's profit or loss reaches a limit."""

from __future__ import annotations

from strikeloom.exchange.conditional.records import ProfitRule
from strikeloom.exchange.orders.request import Product
from strikeloom.exchange.server.api_call import ApiCall, bad_field
from strikeloom.exchange.server.endpoints.orders import heard
from strikeloom.exchange.server.responses import ApiResponse
from strikeloom.exchange.server.wire_codes import rupee

#: What is carried over nights is a delivery in the words of this call.
_PRODUCTS = {"INTRADAY": Product.INTRADAY, "DELIVERY": Product.MARGIN}


def begin(call: ApiCall) -> ApiResponse:
    """Set the limits of today; what is reached already strikes at once."""
    words = call.body.get("productType")
    if not isinstance(words, list) or not words or not set(map(str, words)) <= set(_PRODUCTS):
        raise bad_field("productType", words)
    rule = ProfitRule(
        call.money("profitValue", default=0),
        call.money("lossValue", default=0),
        tuple(product for word, product in _PRODUCTS.items() if word in words),
        call.truth("enableKillSwitch"),
    )
    found = heard(lambda: call.engine.profit_rules.set(rule))
    return ApiResponse(
        {
            "pnlExitStatus": found.state.value,
            "message": "P&L based exit configured successfully",
        }
    )


def look(call: ApiCall) -> ApiResponse:
    """Limits in force."""
    found = call.engine.profit_rules.active()
    if found is None or not isinstance(found.watch, ProfitRule):
        return ApiResponse({"pnlExitStatus": "DISABLED"})
    rule = found.watch
    return ApiResponse(
        {
            "pnlExitStatus": found.state.value,
            "profit": f"{rupee(rule.profit):.2f}",
            "loss": f"{rupee(rule.loss):.2f}",
            "productType": [w for w, product in _PRODUCTS.items() if product in rule.products],
            "enable_kill_switch": rule.kill,
        }
    )


def stop(call: ApiCall) -> ApiResponse:
    """End the limits in force."""
    call.engine.profit_rules.stop()
    return ApiResponse(
        {"pnlExitStatus": "DISABLED", "message": "P&L based exit stopped successfully"}
    )
