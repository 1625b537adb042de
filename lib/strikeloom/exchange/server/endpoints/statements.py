"""Trades of the day and of the past, and the ledger of money."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

from strikeloom.domain.instruments import Share
from strikeloom.domain.orders import FillKind
from strikeloom.errors import BrokerError
from strikeloom.exchange.orders.trade import Trade
from strikeloom.exchange.server.api_call import ApiCall, bad_field
from strikeloom.exchange.server.responses import ApiResponse, refused
from strikeloom.exchange.server.wire_codes import (
    derivative,
    exchange_order_id,
    instrument_type,
    order_id,
    order_number,
    rupee,
    stamp,
    trade_id,
)
from strikeloom.nse.charges import trade_charges
from strikeloom.nse.products import charged_as

_PAGE = 20  # rows of a page of the history


def trades(call: ApiCall) -> ApiResponse:
    """Trades of the day, of all orders or of one."""
    number = order_number(call.args[0]) if call.args and call.args[0] else None
    found = call.engine.trades(call.now.date())
    rows = [
        _row(call, trade)
        for trade in found
        if trade.kind == FillKind.TRADE
        and number in (None, trade.order_number)
        and call.exchange.shows(call.client.client_id, trade.order_number)
    ]
    return ApiResponse(rows)


def history(call: ApiCall) -> ApiResponse:
    """Trades from one day to another, a page at a time, with the charges of each."""
    first, last, page = _day(call.args[0]), _day(call.args[1]), int(call.args[2])
    every = [t for t in call.engine.trades() if t.kind == FillKind.TRADE]
    before: dict[int, int] = {}  # value of an order's earlier trades, by trade
    value: Counter[int] = Counter()
    for trade in every:
        before[trade.number] = value[trade.order_number]
        value[trade.order_number] += trade.units * trade.price
    found = [t for t in every if first <= t.at.date() <= last]
    rows = found[page * _PAGE : (page + 1) * _PAGE]
    return ApiResponse([_past(call, trade, before[trade.number]) for trade in rows])


def ledger(call: ApiCall) -> ApiResponse:
    """Cash day by day: what was traded and settled, charges, and the running balance.

    Of futures what their daily settlement moved. Shares have lines of their own.
    """
    first, last = _day(call.query.get("from-date", "")), _day(call.query.get("to-date", ""))
    if last < first:
        raise bad_field("to-date", last)
    moved = _moved(call)
    opening = call.engine.balance().cash - sum(sum(parts) for parts in moved.values())
    opening += sum(sum(parts) for (day, _), parts in moved.items() if day < first)
    running, rows = opening, [_line(call, first, "OPENING BALANCE", "OPENING BALANCE", 0, opening)]
    for (day, segment), parts in sorted(moved.items()):
        if first <= day <= last:
            for narration, amount in zip(("NET OBLIGATION", "CHARGES"), parts, strict=True):
                running += amount
                rows.append(_line(call, day, narration, segment, amount, running))
    return ApiResponse(rows)


def _moved(call: ApiCall) -> dict[tuple[date, str], tuple[int, int]]:
    """Paise of trades and settlements, and of charges, by day and segment."""
    moved: dict[tuple[date, str], tuple[int, int]] = {}

    def add(day: date, segment: str, obligation: int, charges: int) -> None:
        before = moved.get((day, segment), (0, 0))
        moved[day, segment] = before[0] + obligation, before[1] - charges

    for trade in call.engine.trades():
        segment = "EQ" if isinstance(trade.instrument, Share) else "FNO"
        add(trade.at.date(), segment, trade.cash + trade.charges, trade.charges)
    for variation in call.engine.depository.settlements():
        add(variation.day, "FNO", variation.amount, 0)
    return moved


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise bad_field("date", text) from None


def _line(
    call: ApiCall, day: date, narration: str, what: str, amount: int, running: int
) -> dict[str, str]:
    return {
        "dhanClientId": call.client.client_id,
        "narration": narration,
        "voucherdate": f"{day:%b %d, %Y}",
        "exchange": "NSE-EQ" if what == "EQ" else "NSE-FNO",
        "voucherdesc": what,
        "vouchernumber": f"V{(day - date(2020, 1, 1)) // timedelta(days=1)}",
        "debit": f"{-amount / 100:.2f}" if amount < 0 else "0.00",
        "credit": f"{amount / 100:.2f}" if amount > 0 else "0.00",
        "runbal": f"{running / 100:.2f}",
    }


def _row(call: ApiCall, trade: Trade) -> dict[str, object]:
    listed, names = call.exchange.named(trade.instrument)
    try:
        kind = call.engine.order(trade.order_number).order_type.value
    except BrokerError as error:
        raise refused("DH-908", str(error)) from error
    return {
        "dhanClientId": call.client.client_id,
        "orderId": order_id(trade.order_number),
        "exchangeOrderId": exchange_order_id(trade.order_number),
        "exchangeTradeId": trade_id(trade.number),
        "transactionType": trade.side.name,
        "productType": trade.product.value,
        "orderType": kind,
        **names,
        "customSymbol": listed.display,
        "tradedQuantity": trade.units,
        "tradedPrice": rupee(trade.price),
        "createTime": stamp(trade.at),
        "updateTime": stamp(trade.at),
        "exchangeTime": stamp(trade.at),
        **derivative(trade.instrument),
    }


def _past(call: ApiCall, trade: Trade, earlier: int) -> dict[str, object]:
    """Row of the history; ``earlier`` is the value of the earlier trades of its order."""
    day = call.engine.charges_day(trade.at.date())
    parts = trade_charges(
        trade.side,
        trade.units,
        trade.price,
        day,
        first_fill=not earlier,
        segment=charged_as(trade.instrument, trade.product, day),
        earlier=earlier,
    )
    return {
        **_row(call, trade),
        "createTime": "NA",
        "updateTime": "NA",
        "isin": "NA",
        "instrument": instrument_type(trade.instrument),
        "sebiTax": rupee(parts.sebi),
        "stt": rupee(parts.stt),
        "brokerageCharges": rupee(parts.brokerage),
        "serviceTax": rupee(parts.gst),
        "exchangeTransactionCharges": rupee(parts.exchange),
        "stampDuty": rupee(parts.stamp),
    }
