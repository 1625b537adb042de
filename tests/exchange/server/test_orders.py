"""Orders by the official client: placed, changed, cancelled, looked up."""

from __future__ import annotations

import pytest


def place(client, security_id, side="BUY", units=65, price=99.0, **more):
    return client.place_order(
        security_id, "NSE_FNO", side, units, more.pop("kind", "LIMIT"), "MARGIN", price, **more
    )


def test_an_order_that_meets_the_market_trades(client, local, call):
    reply = place(client, local.id_of(call), price=101.0, tag="meets-1")
    assert reply["status"] == "success"
    assert reply["data"]["orderStatus"] == "TRANSIT"
    order = client.get_order_by_correlationID("meets-1")["data"]
    assert order["orderId"] == reply["data"]["orderId"]
    assert (order["orderStatus"], order["filledQty"], order["remainingQuantity"]) == (
        "TRADED", 65, 0,
    )  # fmt: skip
    assert order["averageTradedPrice"] == 101.0
    (trade,) = client.get_trade_book(order["orderId"])["data"]
    assert (trade["tradedQuantity"], trade["tradedPrice"]) == (65, 101.0)
    assert client.get_trade_book()["data"] == [trade]
    (held,) = client.get_positions()["data"]
    assert (held["netQty"], held["buyAvg"], held["positionType"]) == (65, 101.0, "LONG")


def test_a_waiting_order_is_changed_and_cancelled(client, local, call):
    order_id = place(client, local.id_of(call), price=99.0)["data"]["orderId"]
    assert client.modify_order(order_id, "LIMIT", "NA", 130, 99.5, 0, 0, "DAY")["data"] == {
        "orderId": order_id, "orderStatus": "TRANSIT",
    }  # fmt: skip
    (order,) = client.get_order_by_id(order_id)["data"]
    assert (order["quantity"], order["price"], order["orderStatus"]) == (130, 99.5, "PENDING")
    assert client.cancel_order(order_id)["data"]["orderStatus"] == "CANCELLED"
    again = client.cancel_order(order_id)
    assert again["remarks"]["error_code"] == "DH-906"


def test_twenty_five_changes_and_no_more(client, local, call):
    order_id = place(client, local.id_of(call), price=90.0)["data"]["orderId"]
    for step in range(25):
        price = 90.05 + 0.05 * step
        reply = client.modify_order(order_id, "LIMIT", "NA", 65, round(price, 2), 0, 0, "DAY")
        assert reply["status"] == "success", step
    last = client.modify_order(order_id, "LIMIT", "NA", 65, 95.0, 0, 0, "DAY")
    assert last["remarks"]["error_code"] == "DH-906"
    (order,) = client.get_order_by_id(order_id)["data"]
    assert order["price"] == pytest.approx(91.25)


def test_slices_stay_within_the_freeze_quantity(client, local, call):
    # NIFTY freezes at 1,800 units in February 2026: 27 lots of 65 is the most of one order
    local.market.show(call, 100_00, 101_00, size=65_000)
    reply = client.place_slice_order(
        local.id_of(call), "NSE_FNO", "BUY", 4_000 // 65 * 65, "LIMIT", "MARGIN", 101.0
    )
    ids = [row["orderId"] for row in reply["data"]]
    book = {row["orderId"]: row["quantity"] for row in client.get_order_list()["data"]}
    assert sum(book[one] for one in ids) == 4_000 // 65 * 65
    assert max(book.values()) < 1_800
    whole = place(client, local.id_of(call), units=1_820, price=101.0)
    (order,) = client.get_order_by_id(whole["data"]["orderId"])["data"]
    assert order["orderStatus"] == "REJECTED"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"transactionType": "HOLD"}, "transactionType"),
        ({"exchangeSegment": "NSE_XXX"}, "exchangeSegment"),
        ({"securityId": "1"}, "SecurityId"),
        ({"securityId": None}, "securityId"),
        ({"quantity": -65}, "quantity"),
        ({"quantity": 65.5}, "quantity"),
        ({"price": float("nan")}, "price"),
        ({"price": 99.001}, "price"),
        ({"price": "cheap"}, "price"),
        ({"orderType": "ICEBERG"}, "orderType"),
        ({"productType": "CNC"}, "productType"),
        ({"validity": "GTC"}, "validity"),
        ({"correlationId": "x" * 31}, "correlationId"),
        ({"correlationId": "a;b"}, "correlationId"),
    ],
)
def test_a_wrong_field_is_refused_by_name_and_makes_no_order(client, local, call, change, named):
    good = {
        "transactionType": "BUY", "exchangeSegment": "NSE_FNO", "productType": "MARGIN",
        "orderType": "LIMIT", "validity": "DAY", "securityId": local.id_of(call),
        "quantity": 65, "price": 99.0,
    }  # fmt: skip
    reply = client.dhan_http.post("/orders", {**good, **change})
    assert reply["remarks"]["error_code"] == "DH-905"
    assert named in reply["remarks"]["error_message"]
    assert client.get_order_list()["data"] == []


def test_an_empty_body_is_refused(client):
    reply = client.dhan_http.post("/orders", {})
    assert reply["remarks"]["error_code"] == "DH-905"


def test_a_stop_on_the_wrong_side_of_its_trigger_is_refused(client, local, call):
    reply = place(
        client, local.id_of(call), "SELL", price=99.0, trigger_price=98.0, kind="STOP_LOSS"
    )
    assert reply["data"]["orderStatus"] == "REJECTED"
    (order,) = client.get_order_by_id(reply["data"]["orderId"])["data"]
    assert (order["orderStatus"], order["omsErrorCode"]) == ("REJECTED", "DH-906")
    good = place(
        client, local.id_of(call), "SELL", price=97.0, trigger_price=98.0, kind="STOP_LOSS"
    )
    assert good["status"] == "success"


def test_an_unknown_order_is_refused(client):
    assert client.get_order_by_id("112111182198")["remarks"]["error_code"] == "DH-905"
    assert client.get_order_by_correlationID("unused")["remarks"]["error_code"] == "DH-905"
    assert client.cancel_order("100000000099")["remarks"]["error_code"] == "DH-905"
    assert client.get_holdings()["remarks"]["error_code"] == "DH-1111"
