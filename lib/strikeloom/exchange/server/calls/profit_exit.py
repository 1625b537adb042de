"""Leaving everything when the day's profit or loss reaches a limit."""

from __future__ import annotations

from strikeloom.exchange.conditional.records import ProfitRule
from strikeloom.exchange.orders.request import Product
from strikeloom.exchange.server.answers import Answer
from strikeloom.exchange.server.call import Call, bad_field
from strikeloom.exchange.server.calls.orders import heard
from strikeloom.exchange.server.words import rupee

#: What is carried over nights is a delivery in the words of this call.
_PRODUCTS = {"INTRADAY": Product.INTRADAY, "DELIVERY": Product.MARGIN}


def begin(call: Call) -> Answer:
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
    return Answer(
        {
            "pnlExitStatus": found.state.value,
            "message": "P&L based exit configured successfully",
        }
    )


def look(call: Call) -> Answer:
    """Limits in force."""
    found = call.engine.profit_rules.active()
    if found is None or not isinstance(found.watch, ProfitRule):
        return Answer({"pnlExitStatus": "DISABLED"})
    rule = found.watch
    return Answer(
        {
            "pnlExitStatus": found.state.value,
            "profit": f"{rupee(rule.profit):.2f}",
            "loss": f"{rupee(rule.loss):.2f}",
            "productType": [w for w, product in _PRODUCTS.items() if product in rule.products],
            "enable_kill_switch": rule.kill,
        }
    )


def stop(call: Call) -> Answer:
    """End the limits in force."""
    call.engine.profit_rules.stop()
    return Answer({"pnlExitStatus": "DISABLED", "message": "P&L based exit stopped successfully"})
