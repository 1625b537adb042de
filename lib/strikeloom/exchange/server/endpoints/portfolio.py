"""Positions and holdings."""

from __future__ import annotations

from strikeloom.domain.products import Product
from strikeloom.errors import BrokerError, Rejected
from strikeloom.exchange.account.position import NetPosition
from strikeloom.exchange.account.share_records import ShareHolding
from strikeloom.exchange.server.api_call import ApiCall, bad_field
from strikeloom.exchange.server.responses import ApiResponse, refused
from strikeloom.exchange.server.wire_codes import PRODUCTS, derivative, rupee


def positions(call: ApiCall) -> ApiResponse:
    """Positions of the day, including those closed today; of delivered shares its trades alone."""
    held = [shown for it in call.engine.positions() if (shown := _of_the_day(call, it))]
    marks = call.exchange.marks([position.instrument.key for position in held])
    return ApiResponse(
        [_row(call, position, marks.get(position.instrument.key)) for position in held]
    )


def _of_the_day(call: ApiCall, it: NetPosition) -> NetPosition | None:
    """Position without what is a holding: shares for delivery of earlier days."""
    is_holding = it.product is Product.CNC and it.carried_units > 0
    return it.parted(call.now.date())[1] if is_holding else it


def holdings(call: ApiCall) -> ApiResponse:
    """Shares bought on earlier days; today's sales count in what is available alone."""
    held = call.engine.depository.holdings()
    if not held:
        raise refused("DH-1111", "No holdings available", 500)
    marks = call.exchange.marks([it.share.key for it in held])
    return ApiResponse([_holding(call, it, marks.get(it.share.key)) for it in held])


def _holding(call: ApiCall, it: ShareHolding, mark: int | None) -> dict[str, object]:
    _, names = call.exchange.named(it.share)
    return {
        "exchange": "ALL",
        "tradingSymbol": names["tradingSymbol"],
        "securityId": names["securityId"],
        "isin": "NA",
        "totalQty": it.total,
        "dpQty": it.settled,
        "t1Qty": it.t1,
        "availableQty": it.available,
        "collateralQty": 0,
        "avgCostPrice": rupee(it.cost / it.total),
        "lastTradedPrice": rupee(mark),
    }


def exit_all(call: ApiCall) -> ApiResponse:
    """Cancel open orders and close every position with protected orders."""
    try:
        orders = call.engine.exit_all()
    except BrokerError as error:
        raise refused(error.facts.get("code", "DH-906"), str(error)) from error
    for order in orders:
        call.exchange.order_placed(call.client.client_id, order)
    return ApiResponse(
        {"status": "SUCCESS", "message": "All orders and positions exited successfully"}
    )


def convert(call: ApiCall) -> ApiResponse:
    """Move units of a position from one product to another."""
    listed = call.exchange.traded(call.text("exchangeSegment"), call.text("securityId"))
    kind = call.text("positionType").upper()
    if kind not in ("LONG", "SHORT"):
        raise bad_field("positionType", kind)
    units = call.whole("convertQty")
    sign = 1 if kind == "LONG" else -1
    source = call.one_of("fromProductType", PRODUCTS)
    net = sum(
        position.net
        for position in call.engine.positions()
        if position.instrument == listed.instrument and position.product is source
    )
    if units == 0 or net * sign < units:
        raise refused("DH-906", f"No {kind.lower()} position of {units} in {source.value}")
    target = call.one_of("toProductType", PRODUCTS)
    try:
        call.engine.convert(listed.instrument, source, target, units)
    except Rejected as error:
        raise refused(error.facts.get("code", "DH-906"), str(error)) from error
    return ApiResponse({"status": "success"})


def _row(call: ApiCall, it: NetPosition, mark: int | None) -> dict[str, object]:
    _, names = call.exchange.named(it.instrument)
    unrealised = (
        None if mark is None else it.sell_value - it.buy_value + it.net * mark - it.realised
    )
    return {
        "dhanClientId": call.client.client_id,
        **names,
        "positionType": "LONG" if it.net > 0 else "SHORT" if it.net < 0 else "CLOSED",
        "productType": it.product.value,
        "buyAvg": rupee(it.buy_value / it.buy_units) if it.buy_units else 0.0,
        "buyQty": it.buy_units,
        "costPrice": rupee(it.cost / it.net) if it.net else 0.0,
        "sellAvg": rupee(it.sell_value / it.sell_units) if it.sell_units else 0.0,
        "sellQty": it.sell_units,
        "netQty": it.net,
        "realizedProfit": rupee(it.realised),
        # without a price the profit is unknown: null, not a made-up figure
        "unrealizedProfit": 0.0 if not it.net else None if mark is None else rupee(unrealised),
        "rbiReferenceRate": 1.0,
        "multiplier": 1,
        "carryForwardBuyQty": it.carried_buy_units,
        "carryForwardSellQty": it.carried_sell_units,
        "carryForwardBuyValue": rupee(it.carried_buy_value),
        "carryForwardSellValue": rupee(it.carried_sell_value),
        "dayBuyQty": it.day_buy_units,
        "daySellQty": it.day_sell_units,
        "dayBuyValue": rupee(it.day_buy_value),
        "daySellValue": rupee(it.day_sell_value),
        **derivative(it.instrument),
        "crossCurrency": False,
    }
