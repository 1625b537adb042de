"""Exit of all positions when the day's profit or loss reaches a limit."""

from __future__ import annotations

from strikeloom.domain.products import Product
from strikeloom.exchange.conditional.records import ProfitRule
from strikeloom.exchange.server.api_call import ApiCall, bad_field
from strikeloom.exchange.server.endpoints.orders import translate_refusals
from strikeloom.exchange.server.responses import ApiResponse
from strikeloom.exchange.server.wire_codes import rupee

#: This call names positions that are carried overnight DELIVERY.
_PRODUCTS = {"INTRADAY": Product.INTRADAY, "DELIVERY": Product.MARGIN}


def begin(call: ApiCall) -> ApiResponse:
    """Set today's limits; a limit that is already reached triggers at once."""
    names = call.body.get("productType")
    if not isinstance(names, list) or not names or not set(map(str, names)) <= set(_PRODUCTS):
        raise bad_field("productType", names)
    rule = ProfitRule(
        call.money("profitValue", default=0),
        call.money("lossValue", default=0),
        tuple(product for name, product in _PRODUCTS.items() if name in names),
        call.truth("enableKillSwitch"),
    )
    found = translate_refusals(lambda: call.engine.profit_rules.set(rule))
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
            "productType": [
                name for name, product in _PRODUCTS.items() if product in rule.products
            ],
            "enable_kill_switch": rule.kill,
        }
    )


def stop(call: ApiCall) -> ApiResponse:
    """Remove the limits in force."""
    call.engine.profit_rules.stop()
    return ApiResponse(
        {"pnlExitStatus": "DISABLED", "message": "P&L based exit stopped successfully"}
    )
