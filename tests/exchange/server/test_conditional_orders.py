"""Conditional orders on the wire: shapes, traps of the client, updates of the children, faults."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import numpy as np
import pytest
import requests
from websockets.asyncio.client import connect

from strikeloom.exchange.market.candles import Candles
from support.local_exchange import local_exchange


def moved(local, instrument, last, size=650):
    """A second passes; last trade, and a tick to each side of it."""
    local.clock.wait(1)
    local.market.show(instrument, last - 5, last + 5, size=size)
    local.market.shown[instrument.key] = replace(local.market.shown[instrument.key], last=last)
    local.push()


def bracket(client, local, call, tag="super", **more):
    reply = client.place_super_order(
        local.id_of(call), "NSE_FNO", "BUY", more.pop("units", 65), "LIMIT", "INTRADAY",
        more.pop("price", 101.0), targetPrice=120.0, stopLossPrice=90.0, tag=tag, **more,
    )  # fmt: skip
    assert reply["status"] == "success", reply
    return reply["data"]["orderId"]


def only(client):
    (row,) = client.get_super_order_list()["data"]
    return row


def leg(row, name):
    return next(found for found in row["legDetails"] if found["legName"] == name)


def ask(local, verb, path, body=None, timeout=5.0):
    headers = {"access-token": local.token, "client-id": local.client_id}
    return requests.request(verb, local.rest + path, json=body, headers=headers, timeout=timeout)


def test_a_super_order_s_life_in_its_row(client, local, call):
    number = bracket(client, local, call, units=130, trailingJump=5.0)
    row = only(client)
    assert row.keys() == {
        "dhanClientId", "orderId", "exchangeOrderId", "correlationId", "orderStatus",
        "transactionType", "exchangeSegment", "productType", "orderType", "validity",
        "tradingSymbol", "securityId", "quantity", "disclosedQuantity", "price", "triggerPrice",
        "afterMarketOrder", "boProfitValue", "boStopLossValue", "legName", "createTime",
        "updateTime", "exchangeTime", "drvExpiryDate", "drvOptionType", "drvStrikePrice",
        "omsErrorCode", "omsErrorDescription", "algoId", "remainingQuantity",
        "averageTradedPrice", "filledQty", "ltp", "trailingJump", "legDetails",
    }  # fmt: skip
    assert (row["orderId"], row["orderStatus"], row["trailingJump"]) == (number, "TRADED", 5.0)
    assert leg(row, "TARGET_LEG") == {
        "orderId": number, "legName": "TARGET_LEG", "transactionType": "SELL",
        "totalQuatity": 130, "remainingQuantity": 130, "triggeredQuantity": 0, "price": 120.0,
        "orderStatus": "PENDING", "trailingJump": 0.0,
    }  # fmt: skip
    moved(local, call, 120_00, size=65)  # the target is at the exchange, no bid reaches it yet
    row = only(client)
    assert (row["orderStatus"], row["ltp"]) == ("TRIGGERED", 120.0)
    target = leg(row, "TARGET_LEG")
    assert (target["orderStatus"], target["triggeredQuantity"]) == ("TRIGGERED", 130)
    (child,) = client.get_order_by_id(target["orderId"])["data"]
    assert (child["legName"], child["orderStatus"], child["price"]) == (
        "TARGET_LEG", "PENDING", 120.0,
    )  # fmt: skip
    refused = client.modify_order(target["orderId"], "LIMIT", "NA", 650, 1.0, 0, 0, "DAY")
    assert refused["remarks"]["error_code"] == "DH-906"
    moved(local, call, 121_00, size=65)
    row = only(client)
    assert row["orderStatus"] == "CLOSED"
    target, stop = row["legDetails"]
    assert (target["orderStatus"], target["remainingQuantity"]) == ("TRADED", 0)
    assert (stop["orderStatus"], stop["remainingQuantity"]) == ("CANCELLED", 0)
    assert client.cancel_super_order(number, "ENTRY_LEG")["remarks"]["error_code"] == "DH-906"
    assert [p["netQty"] for p in client.get_positions()["data"]] == [0]


def test_a_market_super_order_is_taken_though_the_client_refuses_it(client, local, call):
    with pytest.raises(ValueError, match="Missing required"):
        client.place_super_order(
            local.id_of(call), "NSE_FNO", "BUY", 65, "MARKET", "INTRADAY", 0, 120.0, 90.0
        )
    reply = ask(local, "POST", "/super/orders", {
        "transactionType": "BUY", "exchangeSegment": "NSE_FNO", "productType": "INTRADAY",
        "orderType": "MARKET", "securityId": local.id_of(call), "quantity": 65, "price": 0,
        "targetPrice": 120.0, "stopLossPrice": 90.0, "trailingJump": 0,
    })  # fmt: skip
    assert reply.json()["orderStatus"] == "TRANSIT"
    assert only(client)["averageTradedPrice"] == 101.0


def test_the_traps_of_changing_a_super_order(client, local, call):
    number = bracket(client, local, call, price=95.0, trailingJump=5.0)
    # quantity and price are 0 unless given: that is no order
    forgot = client.modify_super_order(number, "LIMIT", "ENTRY_LEG", targetPrice=119.0)
    assert forgot["remarks"]["error_code"] == "DH-905"
    assert (only(client)["quantity"], only(client)["price"]) == (65, 95.0)
    client.modify_super_order(number, "LIMIT", "STOP_LOSS_LEG", stopLossPrice=91.0)
    assert (only(client)["trailingJump"], leg(only(client), "STOP_LOSS_LEG")["price"]) == (0, 91.0)
    client.cancel_super_order(number, "STOP_LOSS_LEG")
    again = client.modify_super_order(number, "LIMIT", "STOP_LOSS_LEG", stopLossPrice=92.0)
    assert again["remarks"]["error_code"] == "DH-906"
    assert "none can be added" in again["remarks"]["error_message"]


def test_updates_report_the_children_with_their_leg(client, local, call):
    async def collect():
        login = {"LoginReq": {"MsgCode": 42, "ClientId": local.client_id, "Token": local.token},
                 "UserType": "SELF"}  # fmt: skip
        async with connect(local.orders_ws) as socket:
            await socket.send(json.dumps(login))
            for _ in range(500):
                if local.server.state()["order_updates"]:
                    break
                await asyncio.sleep(0.01)
            await asyncio.to_thread(bracket, client, local, call)
            await asyncio.to_thread(moved, local, call, 89_00)
            found = []
            while not any(m["legNo"] == 2 and m["status"] == "Traded" for m in found):
                found.append(json.loads(await asyncio.wait_for(socket.recv(), 8))["Data"])
            return found

    found = asyncio.run(collect())
    exits = [m for m in found if m["legNo"] == 2]
    assert {m["txnType"] for m in exits} == {"S"}
    assert exits[-1]["tradedQty"] == 65
    assert {m["legNo"] for m in found} == {1, 2}


@pytest.mark.parametrize("kind", ["reply-lost", "reset-after", "empty", "html-after"])
def test_an_answer_that_is_lost_has_placed_once(client, local, call, kind):
    local.fault(kind, on="place", times=1, **({"seconds": 0.2} if kind == "reply-lost" else {}))
    reply = client.place_super_order(
        local.id_of(call), "NSE_FNO", "BUY", 65, "LIMIT", "INTRADAY", 101.0, 120.0, 90.0, tag="x"
    )
    assert reply["status"] == "failure"
    assert only(client)["correlationId"] == "x"
    assert client.get_order_by_correlationID("x")["data"]["orderId"] == only(client)["orderId"]


def test_a_super_order_and_a_forever_order_that_appear_late(client, local, call):
    local.fault("late-order", on="place", times=2, seconds=5)
    bracket(client, local, call, tag="late")
    waits = (local.id_of(call), "NSE_FNO", "BUY", "MARGIN", "LIMIT", 65, 96.0, 95.0)
    assert client.place_forever(*waits)["status"] == "success"
    assert client.get_super_order_list()["data"] == client.get_forever()["data"] == []
    local.pace.seconds += 6
    assert len(client.get_super_order_list()["data"]) == len(client.get_forever()["data"]) == 1


def test_a_single_forever_order_is_one_row(client, local, call):
    waits = (local.id_of(call), "NSE_FNO", "BUY", "MARGIN", "LIMIT", 65, 111.0, 110.0)
    number = client.place_forever(*waits, tag="ever")["data"]["orderId"]
    (row,) = client.get_forever()["data"]
    assert row.keys() == {
        "dhanClientId", "orderId", "correlationId", "orderStatus", "transactionType",
        "exchangeSegment", "productType", "orderType", "tradingSymbol", "securityId", "quantity",
        "price", "triggerPrice", "legName", "createTime", "updateTime", "exchangeTime",
        "exchangeOrderId", "drvExpiryDate", "drvOptionType", "drvStrikePrice",
    }  # fmt: skip
    assert (row["orderId"], row["orderStatus"], row["orderType"]) == (number, "CONFIRM", "SINGLE")
    changed = client.modify_forever(
        number, "SINGLE", "LIMIT", "ENTRY_LEG", 130, 106.0, 105.0, 0, "DAY"
    )
    assert changed["status"] == "success", changed
    moved(local, call, 105_00)
    (row,) = client.get_forever()["data"]
    assert (row["orderStatus"], row["quantity"]) == ("TRADED", 130)
    child = client.get_order_by_correlationID("ever")["data"]
    assert (child["averageTradedPrice"], child["filledQty"]) == (105.05, 130)
    assert client.cancel_forever(number)["remarks"]["error_code"] == "DH-906"


@pytest.mark.parametrize(
    ("product", "flag", "code"),
    [("CNC", "SINGLE", "DH-905"), ("INTRADAY", "SINGLE", "DH-905"), ("MARGIN", "BOTH", "DH-905")],
)
def test_forever_orders_that_are_no_such(client, local, call, product, flag, code):
    reply = client.place_forever(
        local.id_of(call), "NSE_FNO", "BUY", product, "LIMIT", 65, 96.0, 95.0, flag
    )
    assert reply["remarks"]["error_code"] == code


PRICE = {
    "comparisonType": "PRICE_WITH_VALUE", "exchangeSegment": "NSE_EQ", "securityId": "2885",
    "operator": "CROSSING_UP", "comparingValue": 1410.0, "frequency": "ONCE", "userNote": "",
}  # fmt: skip


def order_of(local, call, **more):
    return {
        "transactionType": "BUY", "exchangeSegment": "NSE_FNO", "productType": "MARGIN",
        "orderType": "LIMIT", "securityId": local.id_of(call), "quantity": 65, "validity": "DAY",
        "price": "101.00", "discQuantity": "0", "triggerPrice": "0", **more,
    }  # fmt: skip


def test_an_alert_on_a_share_places_its_orders(client, local, call):
    alert = client.place_conditional_order(PRICE, [order_of(local, call)])["data"]["alertId"]
    for level in (1_405_00, 1_411_00):
        local.market.spots["RELIANCE"] = level
        moved(local, call, 100_00)
    found = client.get_conditional_order(alert)["data"]
    assert found["alertStatus"] == "TRIGGERED"
    assert (found["lastPrice"], found["triggeredTime"]) == ("1411.00", "2026-02-11 10:00:02")
    assert found["condition"]["expDate"] == "2027-02-11", "a year unless given"
    assert found["orders"] == [order_of(local, call, triggerPrice="0.00")]
    assert [o["filledQty"] for o in client.get_order_list()["data"]] == [65]


def test_an_alert_on_an_indicator(client, local, call):
    condition = {
        **PRICE, "exchangeSegment": "IDX_I", "securityId": "13", "timeFrame": "FIVE_MIN",
        "comparisonType": "TECHNICAL_WITH_VALUE", "indicatorName": "SMA_5",
        "operator": "GREATER_THAN", "comparingValue": 25_000.0,
    }  # fmt: skip
    alert = client.place_conditional_order(condition, [order_of(local, call)])["data"]["alertId"]
    status = []
    for levels in ([25_100_00] * 4, [24_000_00] * 5, [25_100_00] * 5):
        price = np.array(levels, dtype=np.int64)
        local.market.candles["NIFTY", 5] = Candles([None] * len(levels), *(price,) * 6)
        moved(local, call, 100_00)
        status.append(client.get_conditional_order(alert)["data"]["alertStatus"])
    assert status == ["ACTIVE", "ACTIVE", "TRIGGERED"], "four candles are too few for five"


@pytest.mark.parametrize(
    ("changes", "orders", "code"),
    [
        ({"exchangeSegment": "NSE_FNO", "securityId": "35021"}, {}, "DH-905"),  # no derivatives
        ({"securityId": "999"}, {}, "DH-905"),
        ({"operator": "NEAR"}, {}, "DH-905"),
        ({"comparingValue": "much"}, {}, "DH-905"),
        ({"comparisonType": "TECHNICAL_WITH_VALUE", "timeFrame": "DAY",
          "indicatorName": "SMA_5"}, {}, "DH-907"),
        ({"comparisonType": "TECHNICAL_WITH_CLOSE", "timeFrame": "ONE_MIN",
          "indicatorName": "SMA_7"}, {}, "DH-905"),
        ({"expDate": "2026-02-10"}, {}, "DH-905"),
        ({}, {"quantity": 0}, "DH-905"),
        ({}, {"securityId": "2885", "exchangeSegment": "NSE_EQ"}, "DH-905"),
    ],
)  # fmt: skip
def test_alerts_that_are_no_such(client, local, call, changes, orders, code):
    reply = client.place_conditional_order({**PRICE, **changes}, [order_of(local, call, **orders)])
    assert reply["remarks"]["error_code"] == code, reply
    assert client.get_conditional_orders()["data"] == []


def test_what_is_unknown_is_refused(client):
    for reply in (
        client.cancel_super_order("100000000009", "ENTRY_LEG"),
        client.cancel_forever("500000000009"),
        client.get_conditional_order("500000000009"),
        client.cancel_conditional_order("x"),
    ):
        assert reply["remarks"]["error_code"] == "DH-905", reply


def test_the_exit_at_a_loss_leaves_and_stops_trading(client, local, call):
    client.place_order(local.id_of(call), "NSE_FNO", "BUY", 65, "LIMIT", "MARGIN", 101.0)
    assert client.set_pnl_exit(0, 300.0, ["DELIVERY"], True)["status"] == "success"
    moved(local, call, 97_00)
    assert client.get_pnl_exit()["data"]["pnlExitStatus"] == "ACTIVE"
    moved(local, call, 96_00)
    assert client.get_pnl_exit()["data"] == {"pnlExitStatus": "DISABLED"}
    assert [p["netQty"] for p in client.get_positions()["data"]] == [0]
    assert client.status_kill_switch()["data"]["killSwitchStatus"] == "ACTIVATE"
    assert client.set_pnl_exit(10.0, 0, ["CNC"])["remarks"]["error_code"] == "DH-905"


def test_super_orders_count_as_orders(tmp_path):
    with local_exchange(tmp_path) as local:
        instrument = local.market.listed[0].instrument
        local.market.show(instrument, 100_00, 101_00)
        body = {
            "transactionType": "BUY", "exchangeSegment": "NSE_FNO", "productType": "INTRADAY",
            "orderType": "LIMIT", "securityId": local.id_of(instrument), "quantity": 65,
            "price": 90.0, "targetPrice": 120.0, "stopLossPrice": 80.0, "trailingJump": 0,
        }  # fmt: skip
        replies = [ask(local, "POST", "/super/orders", body).status_code for _ in range(11)]
        assert replies == [200] * 10 + [429]
