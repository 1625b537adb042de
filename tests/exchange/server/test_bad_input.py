"""Odd bodies by hand: bad input is named, and is never a failure of the exchange."""

from __future__ import annotations

import pytest
import requests


def headers(local):
    return {"access-token": local.token, "client-id": local.client_id}


def ask(local, verb, path, body=None):
    return requests.request(verb, local.rest + path, json=body, headers=headers(local), timeout=10)


def body(local, call):
    return {
        "transactionType": "BUY", "exchangeSegment": "NSE_FNO", "productType": "MARGIN",
        "orderType": "LIMIT", "validity": "DAY", "securityId": local.id_of(call),
        "quantity": 65, "price": 99.0, "triggerPrice": 0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("quantity", 2**63), ("quantity", 65 * 2**31), ("quantity", 6.5e30),
        ("quantity", "9" * 5000), ("quantity", "٦٥"), ("price", 1e300), ("price", 1e15),
        ("price", "9" * 5000), ("price", "1_0"), ("price", "infinity"), ("triggerPrice", 1e18),
        ("securityId", "9" * 5000), ("afterMarketOrder", "true"), ("afterMarketOrder", 1),
    ],
)  # fmt: skip
def test_a_field_beyond_the_protocol_is_bad_input_by_name(local, call, field, value):
    """Not a failure of the exchange, after which the order's status would be unknown."""
    reply = ask(local, "POST", "/orders", {**body(local, call), field: value})
    assert (reply.status_code, reply.json()["errorCode"]) == (400, "DH-905")
    assert (field if field != "securityId" else "SecurityId") in reply.json()["errorMessage"]
    assert local.engine.orders() == []


def test_a_body_nested_beyond_reason_is_bad_input(local):
    for text in ("[" * 200_000, '{"a":' * 50_000 + "1" + "}" * 50_000):
        reply = requests.post(local.rest + "/orders", data=text, headers=headers(local), timeout=9)
        assert (reply.status_code, reply.json()["errorCode"]) == (400, "DH-905")


def test_a_change_to_nothing_is_refused_and_so_is_a_margin_of_nothing(local, call):
    ask(local, "POST", "/orders", body(local, call))
    reply = ask(local, "PUT", "/orders/100000000001", {**body(local, call), "quantity": 0})
    assert (reply.status_code, reply.json()["errorCode"]) == (400, "DH-906")
    assert "must be above" in reply.json()["errorMessage"]
    asked = ask(local, "POST", "/margincalculator", {**body(local, call), "quantity": 0})
    assert (asked.status_code, asked.json()["errorCode"]) == (400, "DH-905")


def test_slices_without_end_are_refused(local, call):
    asked = {**body(local, call), "quantity": 65 * 27 * 251}
    reply = ask(local, "POST", "/orders/slicing", asked)
    assert (reply.status_code, reply.json()["errorCode"]) == (400, "DH-905")
    assert local.engine.orders() == []


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31", "1999-12-31 10:00:00"])
def test_candles_of_impossible_days(local, call, day):
    asked = {
        "securityId": local.id_of(call), "exchangeSegment": "NSE_FNO", "instrument": "OPTIDX",
        "interval": 5, "expiryCode": 0, "fromDate": day, "toDate": day,
    }  # fmt: skip
    for path in ("/charts/historical", "/charts/intraday"):
        reply = ask(local, "POST", path, asked)
        assert (reply.status_code, reply.json()["errorCode"]) == (400, "DH-905")


def test_a_page_beyond_reason_is_no_path(local):
    reply = ask(local, "GET", "/trades/2026-01-01/2026-02-02/" + "9" * 5000)
    assert (reply.status_code, reply.json()["error"]) == (404, "Not Found")
