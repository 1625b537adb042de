"""Keys and types of our answers are those of the answers recorded from the real broker."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import requests

from strikeloom.exchange.market.candles import Candles
from strikeloom.exchange.server.clients import Client
from support.fakes import ist
from support.local_exchange import SHARE, local_exchange

#: Fields that the broker has added since its answers were recorded (release 2.5).
ADDED_TO_CHAINS = {"average_price", "security_id"}


def recorded(shared_data, name):
    body = json.loads((shared_data / "dhan_api" / f"{name}.json").read_text())
    return body["status"], body["response_body"]


def kind(value):
    """JSON type; all numbers are one."""
    if isinstance(value, bool) or value is None:
        return type(value).__name__
    return "number" if isinstance(value, int | float) else type(value).__name__


def same_shape(ours, theirs, where="", added=frozenset()):
    assert kind(ours) == kind(theirs), where
    if isinstance(theirs, dict):
        assert ours.keys() - added == theirs.keys(), where
        for name in theirs:
            same_shape(ours[name], theirs[name], f"{where}.{name}", added)
    elif isinstance(theirs, list) and theirs and ours:
        same_shape(ours[0], theirs[0], f"{where}[0]", added)


def ask(local, verb, path, body=None, token=None):
    headers = {"access-token": token or local.token, "client-id": local.client_id}
    return requests.request(verb, local.rest + path, json=body, headers=headers, timeout=10)


def order(local, call, **more):
    return {
        "transactionType": "BUY", "exchangeSegment": "NSE_FNO", "productType": "MARGIN",
        "orderType": "LIMIT", "validity": "DAY", "securityId": local.id_of(call),
        "quantity": 65, "price": 99.0, **more,
    }  # fmt: skip


def test_orders(local, call, shared_data):
    placed = ask(local, "POST", "/orders", order(local, call))
    status, theirs = recorded(shared_data, "models__orders__create")
    assert placed.status_code == status
    same_shape(placed.json(), theirs)
    assert placed.json()["orderStatus"] == theirs["orderStatus"]
    number = placed.json()["orderId"]
    for name, path in (
        ("models__orders__all", "/orders"),
        ("models__orders__order", f"/orders/{number}"),
    ):
        status, theirs = recorded(shared_data, name)
        found = ask(local, "GET", path)
        assert found.status_code == status
        same_shape(found.json(), theirs)
        assert found.json()[0].keys() == theirs[0].keys()
        assert found.json()[0]["correlationId"] == theirs[0]["correlationId"] == "NA"
    ask(local, "DELETE", f"/orders/{number}")
    status, theirs = recorded(shared_data, "models__orders__update")
    ours = ask(local, "GET", f"/orders/{number}").json()
    same_shape(ours, theirs)
    assert (ours[0]["orderStatus"], ours[0]["remainingQuantity"]) == ("CANCELLED", 0)


def test_a_change_after_the_close(tmp_path, shared_data):
    with local_exchange(tmp_path, limits=False, at="2026-02-11 16:00") as local:
        call = local.market.listed[0].instrument
        placed = ask(
            local, "POST", "/orders", order(local, call, afterMarketOrder=True, price=5.0)
        ).json()
        (found,) = ask(local, "GET", f"/orders/{placed['orderId']}").json()
        assert (found["orderStatus"], found["afterMarketOrder"]) == ("PENDING", True)
        assert (found["exchangeOrderId"], found["exchangeTime"]) == ("0", "0001-01-01 00:00:00")


def test_quotes(local, call, shared_data):
    number = int(local.id_of(call))
    for name in ("quote", "ohlc"):
        status, theirs = recorded(shared_data, f"base_api__marketfeed_{name}")
        reply = ask(local, "POST", f"/marketfeed/{name}", {"NSE_FNO": [number]})
        assert reply.status_code == status
        ours = reply.json()
        ours["data"]["NSE_FNO"]["49081"] = ours["data"]["NSE_FNO"].pop(str(number))
        same_shape(ours, theirs)
    status, theirs = recorded(shared_data, "base_model__market_feed_test")
    ours = ask(local, "POST", "/marketfeed/ltp", {"NSE_EQ": [2885]}).json()
    ours["data"]["NSE_EQ"]["13247"] = ours["data"]["NSE_EQ"].pop("2885")
    same_shape(ours, theirs)


@pytest.mark.parametrize(
    ("name", "call_name", "body"),
    [
        ("base_api__marketfeed_ltp", "ltp", {"instruments": ["NSE:INFY"]}),
        ("client__marketfeed_ohlc", "ohlc", {"instruments": ["NSE:INFY"], "fields": ["ohlc"]}),
        ("client__marketfeed_quote", "quote", {"nSEFno": [49081]}),
        ("base_model__rate_limit_test", "ltp", {"instruments": ["NSE:INFY"]}),
        ("models__market_feed", "ltp", {"NSE_EQ": [11536, 1333], "BSE_EQ": [49081, 49082]}),
        ("models__market_feed_1", "ohlc", {"NSE_EQ": [1333]}),
        ("models__market_feed_2", "quote", {"NSE_FNO": [49081, 49082]}),
    ],
)
def test_what_is_unknown_is_left_out_of_quotes(local, shared_data, name, call_name, body):
    status, theirs = recorded(shared_data, name)
    reply = ask(local, "POST", f"/marketfeed/{call_name}", body)
    assert (reply.status_code, reply.json()) == (status, theirs)


@pytest.mark.parametrize("name", ["base_api__margin_calculator", "models__margin"])
def test_margin(local, call, shared_data, name):
    status, theirs = recorded(shared_data, name)
    body = order(local, call, triggerPrice=0.0)
    reply = ask(local, "POST", "/margincalculator", body)
    assert reply.status_code == status
    same_shape(reply.json(), theirs)
    # a bought option binds its premium, as the bought shares of the recording bind their price
    assert reply.json()["totalMargin"] == 65 * 99.0
    assert reply.json()["leverage"] == theirs["leverage"]


def test_positions_none_and_converted(local, call, shared_data):
    status, theirs = recorded(shared_data, "resources__positions")
    reply = ask(local, "GET", "/positions")
    assert (reply.status_code, reply.json()) == (status, theirs)
    ask(local, "POST", "/orders", order(local, call, price=101.0, productType="INTRADAY"))
    body = {
        "fromProductType": "INTRADAY", "exchangeSegment": "NSE_FNO", "positionType": "LONG",
        "securityId": local.id_of(call), "convertQty": 65, "toProductType": "MARGIN",
    }  # fmt: skip
    status, theirs = recorded(shared_data, "models__position_convert")
    reply = ask(local, "POST", "/positions/convert", body)
    assert (reply.status_code, reply.json()) == (status, theirs)
    held = {row["productType"]: row["netQty"] for row in ask(local, "GET", "/positions").json()}
    assert held.get("MARGIN") == 65


def _share_order(**more):
    """Five shares of HDFC Bank at 1,428 in the recording; the same of the exchange's share."""
    return {
        "exchangeSegment": "NSE_EQ", "transactionType": "BUY", "quantity": 5, "productType": "CNC",
        "securityId": "2885", "price": 1428, "triggerPrice": 1427, **more,
    }  # fmt: skip


def test_the_margin_of_shares_is_their_price(local, shared_data):
    for name, body in (
        ("base_api__margin_calculator", _share_order()),
        ("models__margin", _share_order(quantity=10, price=100.0)),
    ):
        status, theirs = recorded(shared_data, name)
        reply = ask(local, "POST", "/margincalculator", body)
        assert reply.status_code == status
        # the recorded account had no money, nor did it state what was missing
        money = {"availableBalance": 0.0, "insufficientBalance": 0.0}
        assert {**reply.json(), **money} == {**theirs, **money}


def test_orders_of_shares(local, shared_data):
    local.market.show(SHARE, 1399_90, 1400_10)
    order = _share_order(orderType="LIMIT", validity="DAY", price=1390.0, triggerPrice=0.0)
    ask(local, "POST", "/orders", order)
    _, theirs = recorded(shared_data, "models__orders__all")
    (ours,) = ask(local, "GET", "/orders").json()
    same_shape([ours], theirs)
    for name in ("drvExpiryDate", "drvOptionType", "drvStrikePrice", "productType"):
        assert ours[name] == theirs[0][name]


def test_holdings(local, shared_data):
    """A recorded account held one delivered share and one of the day before."""
    status, theirs = recorded(shared_data, "models__holdings")
    for day in ("2026-02-11", "2026-02-12", "2026-02-13"):
        local.clock.at = ist(f"{day} 10:00")
        local.market.show(SHARE, 1399_90, 1400_10)
        local.push()
        order = _share_order(orderType="LIMIT", validity="DAY", price=1400.1, quantity=1)
        if day != "2026-02-13":
            assert ask(local, "POST", "/orders", order).status_code == 200
    reply = ask(local, "GET", "/holdings")
    assert reply.status_code == status
    same_shape(reply.json(), theirs)
    for name in ("exchange", "totalQty", "dpQty", "t1Qty", "availableQty", "collateralQty"):
        assert reply.json()[0][name] == theirs[0][name], name
    assert reply.json()[0]["avgCostPrice"] == 1400.1


def test_expiries(local, shared_data):
    status, theirs = recorded(shared_data, "base_api__optionchain_expirylist")
    body = {"UnderlyingScrip": 13, "UnderlyingSeg": "IDX_I"}
    reply = ask(local, "POST", "/optionchain/expirylist", body)
    assert reply.status_code == status
    same_shape(reply.json(), theirs)
    assert reply.json()["data"] == ["2026-02-17", "2026-02-24"]


@pytest.mark.parametrize("name", ["models__option_chain", "resources__option_chain"])
def test_option_chain(local, call, shared_data, name):
    path = shared_data / "option_chain" / "dhan_optionchain_json" / f"{name}.json"
    theirs = json.loads(path.read_text())["response_body"]
    body = {"UnderlyingScrip": 13, "UnderlyingSeg": "IDX_I", "Expiry": "2026-02-17"}
    ours = ask(local, "POST", "/optionchain", body).json()
    assert ours.keys() == theirs.keys()
    assert ours["data"].keys() == theirs["data"].keys()
    pattern = next(iter(theirs["data"]["oc"].values()))
    for strike, sides in ours["data"]["oc"].items():
        assert strike == f"{float(strike):.6f}"
        same_shape(sides, pattern, strike, ADDED_TO_CHAINS)


@pytest.mark.parametrize(
    "name",
    [
        "base_model__historical_data_test", "base_model__real_model_test",
        "models__historical_data_1", "resources__historical_data_intraday",
    ],
)  # fmt: skip
def test_intraday_candles(local, call, shared_data, name):
    status, theirs = recorded(shared_data, name)
    _candles(local, call)
    reply = ask(
        local, "POST", "/charts/intraday",
        {
            "securityId": local.id_of(call), "exchangeSegment": "NSE_FNO", "instrument": "OPTIDX",
            "interval": "1", "fromDate": "2026-02-11", "toDate": "2026-02-11",
        },
    )  # fmt: skip
    assert reply.status_code == status
    same_shape(reply.json(), theirs)
    assert len({len(column) for column in reply.json().values()}) == 1


def _candles(local, call):
    import numpy as np

    at = [local.clock.now().replace(hour=9, minute=15 + i) for i in range(3)]
    price = np.array([100_00, 101_00, 102_00])
    local.market.candles[call.key, 1] = Candles(at, price, price, price, price, price // 100, price)
    local.market.candles[call.key, 60] = local.market.candles[call.key, 1]


@pytest.mark.parametrize(
    "name",
    ["base_api__charts_historical", "models__historical_data", "resources__historical_data_daily"],
)
def test_daily_candles(local, call, shared_data, name):
    status, theirs = recorded(shared_data, name)
    _candles(local, call)
    reply = ask(
        local, "POST", "/charts/historical",
        {
            "securityId": local.id_of(call), "exchangeSegment": "NSE_FNO", "instrument": "OPTIDX",
            "expiryCode": 0, "fromDate": "2026-02-11", "toDate": "2026-02-12",
        },
    )  # fmt: skip
    assert reply.status_code == status
    same_shape(reply.json(), theirs)
    # a day's candle is stamped with Indian midnight in true UTC seconds, like the recorded one
    assert reply.json()["timestamp"][0] % 86_400 == theirs["timestamp"][0] % 86_400


def test_the_day_of_an_expiry_closes_at_what_its_options_settle_at(tmp_path):
    """What an adapter settles at is what the account behind was settled at."""
    with local_exchange(tmp_path, limits=False, at="2026-02-17 10:00") as local:
        number = local.market.listed[0].instrument
        assert number.expiry == local.clock.now().date()
        local.market.show(number, 990_00, 1_010_00)
        ask(local, "POST", "/orders", order(local, number, price=1010.0))
        _candles(local, number)
        local.market.candles["NIFTY", 60] = local.market.candles[number.key, 60]
        local.market.settlements["NIFTY", number.expiry] = 25_123_45
        local.clock.wait(6 * 3600)
        local.push()
        body = {
            "securityId": "13", "exchangeSegment": "IDX_I", "instrument": "INDEX",
            "expiryCode": 0, "fromDate": "2026-02-17", "toDate": "2026-02-18",
        }  # fmt: skip
        candle = ask(local, "POST", "/charts/historical", body).json()
        assert candle["close"] == [25_123.45]
        (settled,) = [t for t in local.engine.trades() if t.kind == "settlement"]
        assert settled.price == 25_123_45 - 24_000_00
        (sold,) = ask(local, "GET", "/trades/").json()
        assert sold["tradedPrice"] == 1010.0, "a settlement is no trade"
        assert all(row["netQty"] == 0 for row in ask(local, "GET", "/positions").json())


def test_a_margin_may_count_what_is_held_and_what_waits(local, call):
    leg = order(local, call, transactionType="SELL", price=100.0)
    for name in ("orderType", "validity"):
        del leg[name]

    def total(**more):
        body = {"scripList": [leg], "includePosition": False, "includeOrder": False, **more}
        return float(ask(local, "POST", "/margincalculator/multi", body).json()["total_margin"])

    alone = total()
    ask(local, "POST", "/orders", order(local, call, price=101.0))
    assert total(includePosition=True) < 0.1 * alone, "the lot that is held covers the one sold"
    ask(local, "POST", "/orders", order(local, call, transactionType="SELL", price=120.0))
    assert total(includeOrder=True) > 1.8 * alone, "two lots sold"


def test_errors(local, shared_data):
    bad_number = {"securityId": "invalid_id", "exchangeSegment": "IDX_I", "instrument": "INDEX",
                  "interval": "5", "fromDate": "2024-01-15", "toDate": "2024-01-15"}  # fmt: skip
    cases = {
        "client__error_dh_905": ("GET", "/orders/112111182198", None, None),
        "client__error_invalid_payload": ("POST", "/orders", None, None),
        "client__error_dh_901": ("GET", "/orders", None, "wrong"),
        "base_api__charts_historical_1": ("POST", "/charts/historical", {}, "wrong"),
        "base_model__error_handling": ("POST", "/charts/intraday", bad_number, None),
    }
    for name, (verb, path, body, token) in cases.items():
        status, theirs = recorded(shared_data, name)
        reply = ask(local, verb, path, body, token)
        assert (reply.status_code, reply.json()) == (status, theirs), name


@pytest.mark.parametrize(
    "name", ["client__error_400", "client__error_500", "client__error_unknown"]
)
def test_a_path_that_is_not_there(local, shared_data, name):
    status, theirs = recorded(shared_data, name)
    path = theirs["path"].removeprefix("/v2")
    reply = ask(local, "GET", path)
    assert reply.status_code == status
    same_shape(reply.json(), theirs)
    assert {**reply.json(), "timestamp": 0} == {**theirs, "timestamp": 0}


def test_a_limit(limited, shared_data):
    status, theirs = recorded(shared_data, "client__error_dh_904")
    ask(limited, "POST", "/marketfeed/quote", {"IDX_I": [13]})
    reply = ask(limited, "POST", "/marketfeed/quote", {"IDX_I": [13]})
    assert (reply.status_code, reply.json()) == (status, theirs)


def test_no_data_plan(tmp_path, shared_data):
    status, theirs = recorded(shared_data, "client__error_806")
    poor = (Client("2000000002", "t", data_plan=False),)
    with local_exchange(tmp_path, clients=poor) as local:
        reply = ask(local, "POST", "/marketfeed/ltp", {"IDX_I": [13]})
    assert (reply.status_code, reply.json()) == (status, theirs)


def test_every_recording_is_accounted_for(shared_data):
    """No recording is skipped silently: two are worded otherwise elsewhere."""
    here = Path(__file__).read_text(encoding="utf-8").partition("def test_every_recording")[0]
    names = {path.stem for path in (shared_data / "dhan_api").glob("*.json")}
    built = {"base_api__marketfeed_quote", "base_api__marketfeed_ohlc"}
    missing = {name for name in names if f'"{name}"' not in here} - built
    assert missing == {
        "models__orders__update_1",  # the engine's own words, in the engine's tests
        "client__invalid_json_response",  # the other way an unknown order was answered
    }
