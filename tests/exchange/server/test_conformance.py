"""The official client, unmodified, through every method it has for what the exchange does."""

from __future__ import annotations

import inspect
import threading
import time

import numpy as np
import pytest
from dhanhq import DhanContext, DhanLogin, FullDepth, MarketFeed, OrderUpdate, dhanhq
from dhanhq._security import Security

from exchange.server.conftest import official
from strikeloom.domain.money import paise
from strikeloom.exchange.market.candles import Candles

#: Answered by a documented error here: no shares, no minutes of contracts that have expired.
REFUSED = {"edis_inquiry", "expired_options_data"}
#: Not called: they open a browser, write files, trade abroad or fetch other hosts' files.
ELSEWHERE = {"generate_tpin", "open_browser_for_tpin", "fetch_global_security_list"}


def eventually(found, seconds=5.0):
    """Wait for a stream to deliver: an upper bound, not a measurement."""
    for _ in range(int(seconds / 0.01)):
        if found():
            return True
        time.sleep(0.01)
    return bool(found())


def test_every_method_answers_as_documented(client, local, call, tmp_path, monkeypatch):
    security, called = local.id_of(call), set()
    at = [local.clock.now().replace(minute=i) for i in range(3)]
    price = np.array([100_00, 101_00, 102_00])
    for minutes in (1, 60):
        local.market.candles[call.key, minutes] = Candles(at, *(price,) * 6)

    def ok(name, *args, **more):
        called.add(name)
        reply = getattr(client, name)(*args, **more)
        assert reply["status"] == "success", (name, reply)
        return reply["data"]

    buy = (security, "NSE_FNO", "BUY", 65, "LIMIT", "INTRADAY")
    resting = ok("place_order", *buy, 90.0, tag="rests")["orderId"]
    ok("place_order", *buy, 101.0, tag="fills")
    assert len(ok("place_slice_order", *buy, 90.0)) == 1
    ok("modify_order", resting, "LIMIT", "NA", 65, 91.0, 0, 0, "DAY")
    assert ok("get_order_by_id", resting)[0]["price"] == 91.0
    assert ok("get_order_by_correlationID", "rests")["orderId"] == resting
    ok("cancel_order", resting)
    assert len(ok("get_order_list")) == 3
    assert len(ok("get_trade_book")) == len(ok("get_trade_history", "2026-02-11", "2026-02-11"))
    ok("convert_position", "INTRADAY", "NSE_FNO", "LONG", security, 65, "MARGIN")
    held = [row for row in ok("get_positions") if row["productType"] == "MARGIN"]
    assert [row["netQty"] for row in held] == [65]
    funds = ok("get_fund_limits")
    assert funds["sodLimit"] == 50_00_000.0
    ledger = ok("ledger_report", "2026-02-01", "2026-02-28")
    assert paise(ledger[-1]["runbal"]) == local.engine.balance().cash
    sold = ok("margin_calculator", security, "NSE_FNO", "SELL", 65, "MARGIN", 100.0)
    leg = {"exchangeSegment": "NSE_FNO", "transactionType": "SELL", "quantity": 65,
           "productType": "MARGIN", "securityId": security,
           "price": 100.0, "triggerPrice": 0}  # fmt: skip
    basket = ok("margin_calculator_multi", [leg])
    assert float(basket["total_margin"]) == pytest.approx(sold["totalMargin"])
    assert ok("ticker_data", {"NSE_FNO": [int(security)]})["data"]["NSE_FNO"][security] == {
        "last_price": 100.5
    }
    ok("ohlc_data", {"IDX_I": [13]})
    ok("quote_data", {"NSE_FNO": [int(security)]})
    expiry = ok("expiry_list", 13, "IDX_I")["data"][0]
    chain = ok("option_chain", 13, "IDX_I", expiry)["data"]["oc"]
    assert chain["25000.000000"]["ce"]["security_id"] == int(security)
    option = (security, "NSE_FNO", "OPTIDX")
    assert len(ok("intraday_minute_data", *option, "2026-02-11", "2026-02-11")["close"]) == 3
    assert ok("historical_daily_data", *option, "2026-02-11", "2026-02-12")["close"] == [102.0]
    assert ok("status_kill_switch")["killSwitchStatus"] == "DEACTIVATE"
    ok("exit_all_positions")
    assert {row["positionType"] for row in ok("get_positions")} == {"CLOSED"}
    ok("kill_switch", "activate")
    assert ok("status_kill_switch")["killSwitchStatus"] == "ACTIVATE"
    ok("kill_switch", "deactivate")
    _conditional_orders(local, ok, call)
    assert client.get_holdings()["remarks"]["error_code"] == "DH-1111"
    called.add("get_holdings")
    # these two send no order and ask for no account: one reads a file, one a moment
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Security, "COMPACT_CSV_URL", f"{local.instruments}?layout=compact")
    master = client.fetch_security_list("compact")
    assert int(security) in set(master["SEM_SMST_SECURITY_ID"])
    assert client.convert_to_date_time(0).isoformat() == "1970-01-01T05:30:00+05:30"
    called |= {"fetch_security_list", "convert_to_date_time"}
    public = {
        name
        for name, _ in inspect.getmembers(dhanhq, inspect.isfunction)
        if not name.startswith("_")
    }
    abroad = {name for name in public if "global" in name}
    assert public - called - REFUSED - ELSEWHERE - abroad == set()
    local.engine.audit()


def _conditional_orders(local, ok, call):
    """Super orders, forever orders, alerts and the exit at a profit, once through."""
    security, day = local.id_of(call), {"INTRADAY", "DELIVERY"}
    entry = (security, "NSE_FNO", "BUY", 65, "LIMIT", "INTRADAY", 90.0)
    number = ok("place_super_order", *entry, 120.0, 80.0, 5.0, tag="super")["orderId"]
    ok("modify_super_order", number, "LIMIT", "ENTRY_LEG", 130, 91.0, 121.0, 81.0, 5.0)
    ok("modify_super_order", number, "LIMIT", "TARGET_LEG", targetPrice=122.0)
    ok("modify_super_order", number, "LIMIT", "STOP_LOSS_LEG", stopLossPrice=82.0)
    (row,) = ok("get_super_order_list")
    assert (row["orderId"], row["correlationId"], row["orderStatus"]) == (
        number, "super", "PENDING",
    )  # fmt: skip
    assert (row["quantity"], row["price"], row["legName"]) == (130, 91.0, "ENTRY_LEG")
    assert row["legDetails"] == [
        {
            "orderId": number, "legName": name, "transactionType": "SELL", "totalQuatity": 0,
            "remainingQuantity": 0, "triggeredQuantity": 0, "price": price,
            "orderStatus": "PENDING", "trailingJump": 0.0,
        }
        for name, price in (("TARGET_LEG", 122.0), ("STOP_LOSS_LEG", 82.0))
    ], "a stop changed without a jump follows no more"  # fmt: skip
    ok("cancel_super_order", number, "ENTRY_LEG")
    assert ok("get_super_order_list")[0]["orderStatus"] == "CANCELLED"
    waits = (security, "NSE_FNO", "BUY", "MARGIN", "LIMIT", 65, 96.0, 95.0)
    forever = ok("place_forever", *waits, "OCO", price1=111.0, trigger_Price1=110.0,
                 quantity1=130, tag="ever")["orderId"]  # fmt: skip
    ok("modify_forever", forever, "OCO", "LIMIT", "STOP_LOSS_LEG", 65, 113.0, 112.0, 0, "DAY")
    rows = ok("get_forever")
    assert {row["orderId"] for row in rows} == {forever}
    assert [(r["legName"], r["triggerPrice"], r["price"], r["orderStatus"]) for r in rows] == [
        ("TARGET_LEG", 95.0, 96.0, "CONFIRM"), ("STOP_LOSS_LEG", 112.0, 113.0, "CONFIRM"),
    ]  # fmt: skip
    ok("cancel_forever", forever)
    condition = {
        "comparisonType": "PRICE_WITH_VALUE", "exchangeSegment": "IDX_I", "securityId": "13",
        "operator": "GREATER_THAN", "comparingValue": 26000, "expDate": "2026-03-01",
        "frequency": "ONCE", "userNote": "up",
    }  # fmt: skip
    orders = [{
        "transactionType": "BUY", "exchangeSegment": "NSE_FNO", "productType": "MARGIN",
        "orderType": "LIMIT", "securityId": security, "quantity": 65, "validity": "DAY",
        "price": "90.00", "discQuantity": "0", "triggerPrice": "0",
    }]  # fmt: skip
    alert = ok("place_conditional_order", condition, orders)
    assert alert["alertStatus"] == "ACTIVE"
    ok("modify_conditional_order", alert["alertId"], {**condition, "comparingValue": 27000})
    (found,) = ok("get_conditional_orders")
    assert found == ok("get_conditional_order", alert["alertId"])
    assert (found["condition"]["comparingValue"], found["orders"][0]["price"]) == (27000, "90.00")
    assert ok("cancel_conditional_order", alert["alertId"])["alertStatus"] == "CANCELLED"
    assert ok("set_pnl_exit", 1500.0, 500.0, sorted(day))["pnlExitStatus"] == "ACTIVE"
    assert ok("get_pnl_exit") == {
        "pnlExitStatus": "ACTIVE", "profit": "1500.00", "loss": "500.00",
        "productType": ["INTRADAY", "DELIVERY"], "enable_kill_switch": False,
    }  # fmt: skip
    assert ok("stop_pnl_exit")["pnlExitStatus"] == "DISABLED"


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("edis_inquiry", ("ALL",)),
    ],
)
def test_what_is_not_offered_is_refused(client, name, args):
    remarks = getattr(client, name)(*args)["remarks"]
    assert remarks["error_code"] == "DH-902"
    assert "not offered" in remarks["error_message"]


def test_expired_options_have_no_data_here(client):
    reply = client.expired_options_data(
        13, "NSE_FNO", "OPTIDX", "WEEK", 1, "ATM", "CALL", ["close"], "2026-01-01", "2026-01-10"
    )
    assert reply["remarks"]["error_code"] == "DH-907"


def test_login_by_the_official_class(local, context):
    login = DhanLogin(local.client_id)
    login.AUTH_BASE_URL, login.API_BASE_URL = local.auth, local.rest
    profile = login.user_profile(local.token)
    assert profile["dhanClientId"] == local.client_id
    renewed = login.renew_token(local.token)
    assert renewed["accessToken"]
    dead = dhanhq(context).get_order_list()
    assert dead["remarks"]["error_code"] == "DH-901", "the old token died with the new one's birth"
    fresh = dhanhq(official(local, renewed["accessToken"]))
    assert fresh.get_order_list()["status"] == "success"
    http = official(local, renewed["accessToken"]).get_dhan_http()
    assert http.post("/ip/setIP", {"ip": "10.0.0.1", "ipFlag": "PRIMARY"})["data"]["status"] == (
        "SUCCESS"
    )
    found = http.get("/ip/getIP")["data"]
    assert (found["primaryIP"], found["ordersAllowed"]) == ("10.0.0.1", False)
    refused = fresh.cancel_order("100000000001")
    assert refused["remarks"]["error_message"] == "Invalid IP"
    http.put("/ip/modifyIP", {"ip": "127.0.0.1", "ipFlag": "PRIMARY"})
    assert http.get("/ip/getIP")["data"]["ordersAllowed"] is True


@pytest.fixture
def feed_address(local):
    before = MarketFeed.market_feed_wss
    MarketFeed.market_feed_wss = local.feed
    yield
    MarketFeed.market_feed_wss = before


def test_market_feed_receives_and_parses(local, context, call, feed_address):
    security, got = local.id_of(call), []
    put = next(r.instrument for r in local.market.listed if r.instrument.right.value == "PE")
    local.market.show(put, 50_00, 51_00)
    local.market.trade(put, 50_50, 130, 650)
    wanted = [
        (MarketFeed.NSE_FNO, security, MarketFeed.Full),
        (MarketFeed.NSE_FNO, local.id_of(put), MarketFeed.Quote),
        (MarketFeed.IDX, "13", MarketFeed.Ticker),
    ]
    feed = MarketFeed(context, wanted, on_message=lambda _, message: got.append(message))
    feed.start()
    kinds = {"Full Data", "Quote Data", "OI Data", "Ticker Data", "Previous Close"}
    assert eventually(lambda: {m["type"] for m in got if isinstance(m, dict)} >= kinds), got
    assert "Markets Open" in got
    by_kind = {m["type"]: m for m in got if isinstance(m, dict)}
    full = by_kind["Full Data"]
    assert (full["LTP"], full["LTT"], full["volume"], full["OI"]) == (
        "100.50", "10:00:00", 6500, 65_000,
    )  # fmt: skip
    assert full["close"] == "100.00", "the close is that of the session before"
    assert full["depth"][0] == {
        "bid_quantity": 650, "ask_quantity": 650, "bid_orders": 1, "ask_orders": 1,
        "bid_price": "100.00", "ask_price": "101.00",
    }  # fmt: skip
    assert (by_kind["OI Data"]["OI"], by_kind["Quote Data"]["LTP"]) == (650, "50.50")
    assert by_kind["Previous Close"]["prev_close"] == "24900.00"
    assert by_kind["Ticker Data"]["LTP"] == "25000.00"
    got.clear()
    local.market.trade(call, 103_00, 6565, 65_000)
    local.push()
    assert eventually(lambda: any(m.get("LTP") == "103.00" for m in got if isinstance(m, dict)))
    # it waits for ever when the server is the quicker one to close: not in this thread
    threading.Thread(target=feed.close_connection, daemon=True).start()
    assert eventually(lambda: local.server.state()["feeds"] == 0)


def test_order_updates_are_received_and_parsed(local, context, client, call):
    got = []
    stream = OrderUpdate(context)
    stream.order_feed_wss, stream.on_update = local.orders_ws, got.append
    threading.Thread(target=stream.connect_to_dhan_websocket_sync, daemon=True).start()
    assert eventually(lambda: local.server.state()["order_updates"] == 1)
    placed = client.place_order(
        local.id_of(call), "NSE_FNO", "BUY", 65, "LIMIT", "MARGIN", 101.0, tag="reported"
    )
    assert eventually(lambda: any(m["Data"]["status"] == "Traded" for m in got)), got
    last = got[-1]["Data"]
    assert got[-1]["Type"] == "order_alert"
    assert (last["orderNo"], last["correlationId"], last["tradedQty"], last["avgTradedPrice"]) == (
        placed["data"]["orderId"], "reported", 65, 101.0,
    )  # fmt: skip
    assert (last["txnType"], last["optType"], last["product"], last["source"]) == (
        "B", "CE", "M", "P",
    )  # fmt: skip


def test_depth_is_received_and_parsed(local, context, call):
    got = []
    depth = FullDepth(context, [(FullDepth.NSE_FNO, local.id_of(call))])
    depth.ws_url, depth.on_ticks = local.depth, got.append
    depth.run_forever()
    depth.get_data()
    assert got[0]["security_id"] == int(local.id_of(call))
    assert "price:100.00, quantity:650" in got[0]["depth"][0]
    assert "ask : {price:101.00" in " ".join(got[0]["depth"])
    depth.close_connection()
    depth.loop.run_until_complete(
        depth.ws.close()
    )  # the class itself only sends the disconnect request
    depth.loop.close()


def test_a_client_that_is_unknown_gets_nothing(local, call):
    stranger = DhanContext("9999999999", "guess")
    stranger.get_dhan_http().base_url = local.rest
    assert dhanhq(stranger).get_order_list()["remarks"]["error_code"] == "DH-901"
