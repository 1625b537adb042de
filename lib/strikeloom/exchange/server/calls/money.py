"""Funds, and what an order or a basket would bind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from strikeloom.domain.legs import Side
from strikeloom.errors import DataError
from strikeloom.exchange.funding import margin_of
from strikeloom.exchange.placement import OrderType, Placement
from strikeloom.exchange.server.answers import Answer, refused
from strikeloom.exchange.server.call import Call, bad_field
from strikeloom.exchange.server.calls.orders import placement
from strikeloom.exchange.server.words import rupee
from strikeloom.nse.charges import trade_charges

_MOST_LEGS = 20


def funds(call: Call) -> Answer:
    """Money of the account; the spelling of the fields is the broker's."""
    found = call.engine.balance()
    bound = found.margin + found.blocked
    return Answer(
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


def single(call: Call) -> Answer:
    """Margin of one order by itself."""
    what = _leg(call, call.body)
    parts = _margin(call, [what], holdings=False)
    total = parts["total"]
    available = call.engine.balance().available
    notional = what.units * (what.limit or 0)
    cost = trade_charges(what.side, what.units, what.limit, call.now.date())
    return Answer(
        {
            "totalMargin": rupee(total),
            "spanMargin": rupee(parts["span"]),
            "exposureMargin": rupee(parts["exposure"]),
            "availableBalance": rupee(available),
            "variableMargin": 0.0,
            "insufficientBalance": rupee(max(0, total - available)),
            "brokerage": rupee(cost.brokerage),
            "leverage": f"{notional / total:.2f}X" if total and total != notional else "1X",
        }
    )


def multi(call: Call) -> Answer:
    """Margin of a basket: its legs hedge one another. Figures are texts, as documented."""
    rows = call.body.get("scripList", call.body.get("scripts"))
    if not isinstance(rows, list) or not 0 < len(rows) <= _MOST_LEGS:
        raise bad_field("scripList", rows)
    legs = [_leg(call, row) for row in rows]
    with_held = call.body.get("includePosition") is True
    together = _margin(call, legs, holdings=with_held)
    apart = sum(_margin(call, [leg], holdings=False)["total"] for leg in legs)
    return Answer(
        {
            "total_margin": _text(together["total"]),
            "span_margin": _text(together["span"]),
            "exposure_margin": _text(together["exposure"]),
            "equity_margin": _text(0),
            "fo_margin": _text(together["total"]),
            "commodity_margin": _text(0),
            "currency": _text(0),
            "hedge_benefit": _text(max(0, apart - together["total"])),
        }
    )


def _leg(call: Call, row: Any) -> Placement:
    if not isinstance(row, Mapping):
        raise bad_field("scripList", row)
    body = {**row, "orderType": "LIMIT", "validity": "DAY"}
    found = placement(call, body)
    if not found.limit:  # a market order: its margin is of the last price
        mark = call.house.marks([found.contract.key]).get(found.contract.key)
        if mark is None:
            raise refused("DH-905", f"no price of {found.contract.label} to take a margin of")
        found = replace(found, limit=mark)
    return replace(found, order_type=OrderType.LIMIT, trigger=0)


def _margin(call: Call, legs: list[Placement], *, holdings: bool) -> dict[str, int]:
    held = Counter(call.engine.holdings()) if holdings else Counter()
    for leg in legs:
        held[leg.contract] += int(leg.side) * leg.units
    try:
        bound = margin_of(held.items(), call.house.market, call.now)
    except DataError as error:
        raise refused("DH-905", str(error)) from error
    paid = sum(leg.units * leg.limit for leg in legs if leg.side is Side.BUY)
    return {"total": bound + paid, "span": bound, "exposure": 0}


def _text(amount: int) -> str:
    return f"{amount / 100:.2f}"
