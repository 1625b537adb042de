"""Shares and futures beside options: one number in two segments, each with its own rows."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import struct
from datetime import date

import numpy as np
import pytest
import requests
from websockets.asyncio.client import connect

from exchange.server.test_streams import address, ask, login, received, run, split
from strikeloom.adapters.dhan.updates import parse_update
from strikeloom.domain.legs import Side
from strikeloom.domain.orders import OrderState
from strikeloom.exchange.market.candles import Candles
from strikeloom.exchange.orders.request import Placement
from support.fakes import ist, option
from support.local_exchange import FUTURE, SHARE, SHARE_ID, STOCK_FUTURE

SEGMENT = {SHARE.key: "NSE_EQ", FUTURE.key: "NSE_FNO", STOCK_FUTURE.key: "NSE_FNO"}


@pytest.fixture
def shown(local):
    """The share at 1,400, futures above their underlyings, all quoted on their tick of 0.10."""
    for instrument, price, size in ((SHARE, 1400_00, 900), (STOCK_FUTURE, 1405_00, 5000),
                                    (FUTURE, 25_050_00, 650)):  # fmt: skip
        local.market.show(instrument, price - 10, price + 10, size=size)
        local.market.trade(instrument, price, 6500, 0 if instrument is SHARE else 65_000)
    return local


def headers(local):
    return {"access-token": local.token, "client-id": local.client_id}


def quotes(local, name, body):
    reply = requests.post(f"{local.rest}/marketfeed/{name}", json=body, headers=headers(local),
                          timeout=5)  # fmt: skip
    return reply.json()["data"]


def test_rows_of_the_master_are_written_as_the_broker_writes_them(local):
    """Expected texts: rows of the broker's own lists of 10 February and April 2026."""
    text = requests.get(f"{local.instruments}?layout=compact", timeout=5).text.splitlines()
    future = next(row for row in text if "RELIANCE-Feb2026-FUT" in row)
    assert future == (
        f"NSE,D,{SHARE_ID},FUTSTK,0,RELIANCE-Feb2026-FUT,500.0,RELIANCE FEB FUT,"
        "2026-02-24 14:30:00,-0.01000,XX,10.0000,M,FUT,,"
    )
    assert any(row.startswith("NSE,D,") and ",FUTIDX,0,NIFTY-Feb2026-FUT,65.0," in row
               for row in text)  # fmt: skip
    share = next(row for row in text if ",EQUITY," in row)
    assert share == (
        f"NSE,E,{SHARE_ID},EQUITY,0,RELIANCE,1.0,RELIANCE,,,,10.0000,NA,ES,EQ,RELIANCE"
    )
    rows = list(csv.DictReader(io.StringIO(requests.get(local.instruments, timeout=5).text)))
    by_place = {(row["SEGMENT"], row["SECURITY_ID"]): row for row in rows}
    assert len(by_place) == len(rows)
    found = by_place["E", str(SHARE_ID)]
    assert [found[n] for n in ("INSTRUMENT", "INSTRUMENT_TYPE", "SERIES", "TICK_SIZE")] == [
        "EQUITY", "ES", "EQ", "10.0000",
    ]  # fmt: skip
    found = by_place["D", str(SHARE_ID)]
    assert [found[n] for n in ("INSTRUMENT", "INSTRUMENT_TYPE", "UNDERLYING_SECURITY_ID",
                               "OPTION_TYPE", "STRIKE_PRICE", "EXPIRY_FLAG")] == [
        "FUTSTK", "FUT", str(SHARE_ID), "XX", "-0.01000", "M",
    ]  # fmt: skip
    index = by_place["D", local.id_of(FUTURE)]
    assert (index["INSTRUMENT"], index["UNDERLYING_SECURITY_ID"]) == ("FUTIDX", "26000")


@pytest.mark.parametrize(("segment", "columns"), [("NSE_EQ", 1), ("IDX_I", 1), ("NSE_FNO", 108)])
def test_a_segment_s_master_has_its_rows_alone(local, segment, columns):
    reply = requests.get(f"{local.rest}/instrument/{segment}", headers=headers(local), timeout=5)
    assert len(list(csv.DictReader(io.StringIO(reply.text)))) == columns


def test_one_number_is_two_securities_in_quotes(shown):
    body = {"NSE_EQ": [SHARE_ID], "NSE_FNO": [SHARE_ID, int(shown.id_of(FUTURE))]}
    last = quotes(shown, "ltp", body)
    assert last["NSE_EQ"] == {str(SHARE_ID): {"last_price": 1400.0}}
    assert last["NSE_FNO"] == {
        str(SHARE_ID): {"last_price": 1405.0}, shown.id_of(FUTURE): {"last_price": 25_050.0},
    }  # fmt: skip
    full = quotes(shown, "quote", body)
    share, future = (full[segment][str(SHARE_ID)] for segment in ("NSE_EQ", "NSE_FNO"))
    assert share["depth"]["buy"][0] == {"quantity": 900, "orders": 1, "price": 1399.9}
    assert (share["oi"], future["oi"], future["volume"]) == (0, 65_000, 6500)
    assert quotes(shown, "ohlc", body)["NSE_EQ"][str(SHARE_ID)]["ohlc"]["high"] == 1400.0


def test_a_share_without_a_quote_has_the_level_of_its_stock(local):
    assert quotes(local, "ltp", {"NSE_EQ": [SHARE_ID]}) == {
        "NSE_EQ": {str(SHARE_ID): {"last_price": 1400.0}}
    }


def test_the_feed_sends_each_by_its_segment(shown):
    async def talk():
        async with connect(address(shown)) as socket:
            await received(socket)
            await socket.send(ask(21, SHARE_ID, segment="NSE_EQ"))
            await socket.send(ask(21, SHARE_ID))
            await socket.send(ask(17, shown.id_of(FUTURE)))
            first = [p for m in (await received(socket))[0] for p in split(m)]
            shown.market.trade(SHARE, 1401_00, 7000)
            shown.market.trade(FUTURE, 25_060_00, 7000, 70_000)
            shown.push()
            return first, [p for m in (await received(socket))[0] for p in split(m)]

    first, later = run(talk())

    def read(packet):
        code, _, segment, number, last = struct.unpack_from("<BHBIf", packet)
        return code, segment, number, round(last, 2) if code != 5 else None

    index = int(shown.id_of(FUTURE))
    assert sorted(map(read, first)) == [
        (4, 2, index, 25_050.0), (5, 2, index, None), (8, 1, SHARE_ID, 1400.0),
        (8, 2, SHARE_ID, 1405.0),
    ]  # fmt: skip
    assert sorted(map(read, later)) == [
        (4, 2, index, 25_060.0), (5, 2, index, None), (8, 1, SHARE_ID, 1401.0),
    ]  # fmt: skip


def test_the_level_of_a_stock_still_ticks_without_a_quote_of_its_share(local):
    async def talk():
        async with connect(address(local)) as socket:
            await received(socket)
            await socket.send(ask(17, SHARE_ID, segment="NSE_EQ"))
            await received(socket)
            local.market.spots["RELIANCE"] = 1410_00
            local.push()
            return [p for m in (await received(socket))[0] for p in split(m)]

    found = [struct.unpack_from("<BHBIf", packet) for packet in run(talk())]
    assert [(it[0], it[2], it[3], it[4]) for it in found] == [(4, 1, SHARE_ID, 1410.0)]


def test_depth_of_shares_and_futures_is_of_the_segment(shown):
    async def talk():
        async with connect(f"{shown.depth}?token={shown.token}&clientId={shown.client_id}") as it:
            await it.send(ask(23, SHARE_ID, segment="NSE_EQ"))
            await it.send(ask(23, SHARE_ID))
            return (await received(it))[0]

    found = set()
    for message in run(talk()):
        for at in range(0, len(message), 332):
            _, code, segment, number, _ = struct.unpack_from("<hBBiI", message, at)
            found.add((code, segment, number, *struct.unpack_from("<dII", message, at + 12)))
    assert found == {
        (41, 1, SHARE_ID, 1399.9, 900, 1), (51, 1, SHARE_ID, 1400.1, 900, 1),
        (41, 2, SHARE_ID, 1404.9, 5000, 1), (51, 2, SHARE_ID, 1405.1, 5000, 1),
    }  # fmt: skip


def _refused(client, segment, number, product):
    reply = client.place_order(str(number), segment, "BUY", 500, "LIMIT", product, 1300.0)
    return reply["status"], (reply["remarks"] or {}).get("error_code")


@pytest.mark.parametrize(
    ("segment", "number", "product"),
    [
        ("NSE_EQ", SHARE_ID, "MARGIN"),  # carried contracts only
        ("NSE_EQ", SHARE_ID, "MTF"),  # not offered here
        ("NSE_FNO", SHARE_ID, "CNC"),  # delivery is for shares
        ("NSE_FNO", SHARE_ID, "CO"),
        ("NSE_EQ", 35001, "CNC"),  # an option's number
        ("IDX_I", 13, "INTRADAY"),
        ("BSE_EQ", SHARE_ID, "CNC"),
    ],
)
def test_a_wrong_product_or_segment_is_refused(client, shown, segment, number, product):
    assert _refused(client, segment, number, product) == ("failure", "DH-905")
    assert shown.engine.orders() == []


#: Segment, carried product, kind on the wire, units of an order, bid and ask of what is shown.
WIRE = {
    "share": (SHARE, "NSE_EQ", "CNC", "EQUITY", 100, 1399.9, 1400.1),
    "stock future": (STOCK_FUTURE, "NSE_FNO", "MARGIN", "FUTSTK", 500, 1404.9, 1405.1),
    "index future": (FUTURE, "NSE_FNO", "MARGIN", "FUTIDX", 65, 25_049.9, 25_050.1),
}


@pytest.fixture(params=list(WIRE))
def wire(request):
    return WIRE[request.param]


@pytest.fixture
def ok(client):
    def call(name, *args, **more):
        reply = getattr(client, name)(*args, **more)
        assert reply["status"] == "success", (name, reply)
        return reply["data"]

    return call


def test_what_is_listed_no_more_stays_in_statements_and_holdings(ok, shown):
    """Contracts expire and shares leave the list; trades in them were made all the same."""
    for instrument in (option(25_000), FUTURE, SHARE):
        shown.market.show(instrument, 99_90, 100_00)
        shown.engine.place(Placement(instrument, Side.BUY, 65, limit=100_00))
    shown.market.unlist()
    shown.exchange.__dict__.pop("securities", None)
    past = ok("get_trade_history", "2026-02-11", "2026-02-11")
    assert [row["tradingSymbol"] for row in past] == [
        "NIFTY-Feb2026-25000-CE", "NIFTY-Feb2026-FUT", "RELIANCE",
    ]  # fmt: skip
    assert [row["exchangeSegment"] for row in past] == ["NSE_FNO", "NSE_FNO", "NSE_EQ"]
    held = {row["tradingSymbol"]: row for row in ok("get_positions")}
    assert {row["netQty"] for row in held.values()} == {65}
    assert {row["unrealizedProfit"] for row in held.values()} == {None}  # no price is shown
    shown.clock.at = ist("2026-02-12 10:00")
    (share,) = ok("get_holdings")
    assert (share["tradingSymbol"], share["totalQty"]) == ("RELIANCE", 65)


def test_the_official_client_trades_every_kind(ok, shown, wire):
    """Every call about orders, money and prices, once through."""
    it, segment, product, kind, units, bid, ask_price = wire
    number = str(SHARE_ID) if it != FUTURE else shown.id_of(FUTURE)
    names = {"exchangeSegment": segment, "securityId": number}
    buy = (number, segment, "BUY", units, "LIMIT", product)
    resting = ok("place_order", *buy, bid - 5, tag="rests")["orderId"]
    ok("modify_order", resting, "LIMIT", "NA", 2 * units, bid - 4, 0, 0, "DAY")
    (row,) = ok("get_order_by_id", resting)
    assert {name: row[name] for name in names} == names
    right = "NA" if it is SHARE else None
    assert (row["quantity"], row["productType"], row["drvOptionType"]) == (
        2 * units, product, right,
    )  # fmt: skip
    expiry = "0001-01-01" if it is SHARE else "2026-02-24"
    assert (row["drvExpiryDate"], row["drvStrikePrice"]) == (expiry, 0.0)
    ok("cancel_order", resting)
    filled = ok("place_order", *buy, ask_price, tag="fills")["orderId"]
    ok("place_order", number, segment, "BUY", units, "MARKET", "INTRADAY", 0.0)
    assert len(ok("place_slice_order", *buy, bid - 5)) == 1
    (trade,) = ok("get_trade_book", filled)
    assert {name: trade[name] for name in names} == names
    assert (trade["tradedQuantity"], trade["tradedPrice"]) == (units, ask_price)
    past = ok("get_trade_history", "2026-02-11", "2026-02-11")
    assert [row["instrument"] for row in past] == [kind, kind]
    parts = ("sebiTax", "stt", "brokerageCharges", "serviceTax", "exchangeTransactionCharges",
             "stampDuty")  # fmt: skip
    charged = sum(round(100 * row[part]) for row in past for part in parts)
    assert charged == sum(t.charges for t in shown.engine.trades())
    held = {row["productType"]: row for row in ok("get_positions")}
    assert {name: row["netQty"] for name, row in held.items()} == {
        product: units, "INTRADAY": units,
    }  # fmt: skip
    assert {name: held[product][name] for name in names} == names
    ok("convert_position", "INTRADAY", segment, "LONG", number, units, product)
    held = {row["productType"]: row["netQty"] for row in ok("get_positions")}
    assert held == {product: 2 * units, "INTRADAY": 0}
    ledger = ok("ledger_report", "2026-02-01", "2026-02-28")
    assert ledger[-1]["exchange"] == ("NSE-EQ" if it is SHARE else "NSE-FNO")
    assert round(100 * float(ledger[-1]["runbal"])) == shown.engine.balance().cash
    _margins(ok, it, number, segment, product, units)
    _conditional(ok, shown, it, number, segment, product, units)
    assert len(ok("get_positions")) == 2
    ok("exit_all_positions")
    assert {row["positionType"] for row in ok("get_positions")} == {"CLOSED"}
    assert {row["orderStatus"] for row in ok("get_order_list")} == {"TRADED", "CANCELLED"}
    shown.engine.audit()


def _margins(ok, it, number, segment, product, units):
    price = {SHARE: 1400.0, STOCK_FUTURE: 1405.0, FUTURE: 25_050.0}[it]
    one = ok("margin_calculator", number, segment, "BUY", units, product, price)
    leg = {"exchangeSegment": segment, "transactionType": "BUY", "quantity": units,
           "productType": product, "securityId": number, "price": price,
           "triggerPrice": 0}  # fmt: skip
    basket = ok("margin_calculator_multi", [leg])
    assert float(basket["total_margin"]) == pytest.approx(one["totalMargin"])
    if it is SHARE:  # as recorded from the broker: the price in full, and nothing else
        assert (one["totalMargin"], one["spanMargin"], one["leverage"]) == (140_000.0, 0.0, "1X")
        assert (float(basket["equity_margin"]), float(basket["fo_margin"])) == (140_000.0, 0.0)
    else:
        assert 0.05 * units * price < one["totalMargin"] < 0.4 * units * price
        assert min(one["spanMargin"], one["exposureMargin"]) > 0
        assert (float(basket["equity_margin"]), float(basket["fo_margin"])) == (
            0.0, pytest.approx(one["totalMargin"], abs=0.01),
        )  # fmt: skip


def _conditional(ok, shown, it, number, segment, product, units):
    price = {SHARE: 1400.0, STOCK_FUTURE: 1405.0, FUTURE: 25_050.0}[it]
    entry = (number, segment, "BUY", units, "LIMIT", "INTRADAY", price - 5)
    ok("place_super_order", *entry, price + 20, price - 20, 0.0, tag="super")
    (row,) = ok("get_super_order_list")
    assert (row["exchangeSegment"], row["securityId"]) == (segment, number)
    ok("cancel_super_order", row["orderId"], "ENTRY_LEG")
    waits = (number, segment, "BUY", product, "LIMIT", units, price - 9, price - 10)
    forever = ok("place_forever", *waits, tag="ever")["orderId"]
    ok("modify_forever", forever, "SINGLE", "LIMIT", "TARGET_LEG", units, price - 8, price - 9,
       0, "DAY")  # fmt: skip
    (row,) = ok("get_forever")
    assert (row["exchangeSegment"], row["securityId"], row["productType"]) == (
        segment, number, product,
    )  # fmt: skip
    ok("cancel_forever", forever)
    condition = {
        "comparisonType": "PRICE_WITH_VALUE", "exchangeSegment": "NSE_EQ",
        "securityId": str(SHARE_ID), "operator": "GREATER_THAN", "comparingValue": 1450.0,
        "expDate": "2026-02-20", "frequency": "ONCE", "userNote": "",
    }  # fmt: skip
    order = {"transactionType": "BUY", "exchangeSegment": segment, "productType": product,
             "orderType": "LIMIT", "securityId": number, "quantity": units, "validity": "DAY",
             "price": str(price - 5), "discQuantity": "0", "triggerPrice": "0"}  # fmt: skip
    alert = ok("place_conditional_order", condition, [order])["alertId"]
    found = ok("get_conditional_order", alert)
    assert (found["orders"][0]["exchangeSegment"], found["orders"][0]["securityId"]) == (
        segment, number,
    )  # fmt: skip
    ok("cancel_conditional_order", alert)


def test_a_forever_order_of_shares_is_for_delivery(client, shown):
    reply = client.place_forever(str(SHARE_ID), "NSE_EQ", "BUY", "INTRADAY", "LIMIT", 100, 1390.0,
                                 1389.0)  # fmt: skip
    assert reply["remarks"]["error_code"] == "DH-905"


def _next_session(local, at):
    local.clock.at = at
    local.push()


def test_shares_of_earlier_days_are_holdings_and_no_positions(ok, client, shown):
    """Bought on Wednesday: on Thursday not delivered yet, on Friday in the depository."""
    assert client.get_holdings()["remarks"]["error_code"] == "DH-1111"
    buy = (str(SHARE_ID), "NSE_EQ", "BUY", 500, "LIMIT", "CNC", 1400.1)
    ok("place_order", *buy)
    assert client.get_holdings()["remarks"]["error_code"] == "DH-1111"
    _next_session(shown, ist("2026-02-12 10:00"))
    assert ok("get_positions") == []
    (row,) = ok("get_holdings")
    assert {name: row[name] for name in ("tradingSymbol", "securityId", "exchange")} == {
        "tradingSymbol": "RELIANCE", "securityId": str(SHARE_ID), "exchange": "ALL",
    }  # fmt: skip
    quantities = ("totalQty", "dpQty", "t1Qty", "availableQty", "collateralQty")
    assert [row[name] for name in quantities] == [500, 0, 500, 500, 0]
    assert (row["avgCostPrice"], row["lastTradedPrice"]) == (1400.1, 1400.0)
    shown.market.show(SHARE, 1399_90, 1400_10, size=900)
    ok("place_order", str(SHARE_ID), "NSE_EQ", "SELL", 200, "LIMIT", "CNC", 1399.9)
    (row,) = ok("get_holdings")
    assert [row[name] for name in quantities] == [500, 0, 500, 300, 0]
    (sold,) = ok("get_positions")
    assert (sold["netQty"], sold["daySellQty"], sold["positionType"]) == (-200, 200, "SHORT")
    _next_session(shown, ist("2026-02-13 10:00"))
    (row,) = ok("get_holdings")
    assert [row[name] for name in quantities] == [300, 300, 0, 300, 0]
    refused = client.place_order(str(SHARE_ID), "NSE_EQ", "SELL", 301, "LIMIT", "CNC", 1399.9)
    assert refused["status"] == "success", "received, and then rejected by the risk desk"
    assert ok("get_order_by_id", refused["data"]["orderId"])[0]["orderStatus"] == "REJECTED"


def test_a_future_is_carried_at_its_settlement_price(ok, shown):
    """Bought at 25,050.10, settled at 25,100: 49.90 a unit are received that evening."""
    day = date(2026, 2, 11)
    before = shown.engine.balance().cash
    ok("place_order", shown.id_of(FUTURE), "NSE_FNO", "BUY", 130, "LIMIT", "MARGIN", 25_050.1)
    charges = sum(trade.charges for trade in shown.engine.trades())
    shown.market.settlements[FUTURE.key, day] = 25_100_00
    _next_session(shown, ist("2026-02-12 10:00"))
    (row,) = ok("get_positions")
    assert (row["carryForwardBuyQty"], row["dayBuyQty"], row["netQty"]) == (130, 0, 130)
    assert (row["carryForwardBuyValue"], row["costPrice"]) == (130 * 25_100.0, 25_100.0)
    assert (row["drvOptionType"], row["drvExpiryDate"], row["productType"]) == (
        None, "2026-02-24", "MARGIN",
    )  # fmt: skip
    assert row["unrealizedProfit"] == pytest.approx(130 * (25_050.0 - 25_100.0))
    assert shown.engine.balance().cash == before - charges + 130 * 49_90
    lines = {(line["voucherdate"], line["narration"]): line for line in
             ok("ledger_report", "2026-02-11", "2026-02-12")}  # fmt: skip
    assert lines["Feb 11, 2026", "NET OBLIGATION"]["credit"] == "6487.00"
    assert round(100 * float(lines["Feb 11, 2026", "CHARGES"]["runbal"])) == (
        shown.engine.balance().cash
    )


def test_candles_of_each_kind(ok, shown, wire):
    it, segment, _, kind, *_ = wire
    number = str(SHARE_ID) if it != FUTURE else shown.id_of(FUTURE)
    at = [shown.clock.now().replace(minute=i) for i in range(3)]
    price = np.array([100_00, 101_00, 102_00])
    for minutes in (1, 60):
        shown.market.candles[it.key, minutes] = Candles(at, *(price,) * 6)
    of = (number, segment, kind)
    assert ok("intraday_minute_data", *of, "2026-02-11", "2026-02-11")["close"] == [
        100.0, 101.0, 102.0,
    ]  # fmt: skip
    shown.market.settlements["RELIANCE", date(2026, 2, 11)] = 102_00
    assert ok("historical_daily_data", *of, "2026-02-11", "2026-02-12")["close"] == [102.0]


def test_an_update_names_segment_product_and_kind(shown, ok, wire):
    """Codes of the documentation: C is CNC, E the segment of shares, XX no option."""
    it, segment, product, kind, units, *_ = wire
    number = str(SHARE_ID) if it != FUTURE else shown.id_of(FUTURE)

    async def talk():
        async with connect(shown.orders_ws) as socket:
            await socket.send(login(shown))
            while not shown.server.state()["order_updates"]:
                await asyncio.sleep(0.01)
            price = shown.market.shown[it.key].ask / 100
            buy = (number, segment, "BUY", units, "LIMIT", product, price)
            await asyncio.to_thread(ok, "place_order", *buy)
            return [json.loads(message)["Data"] for message in (await received(socket))[0]]

    last = run(talk())[-1]
    names = ("segment", "product", "securityId", "instrument", "optType", "status", "tradedQty")
    letters = ("E", "C") if it is SHARE else ("D", "M")
    assert tuple(last[name] for name in names) == (*letters, number, kind, "XX", "Traded", units)
    update = parse_update(json.dumps({"Type": "order_alert", "Data": last}))
    assert (update.state, update.units, update.filled_units) == (OrderState.TRADED, units, units)
