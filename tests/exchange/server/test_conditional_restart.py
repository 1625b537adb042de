"""Conditional orders survive a restart; stored days reach the indicators of their alerts."""

from __future__ import annotations

from soak.exchange_load import CLIENT, clients_of, on_tick, securities

from strikeloom.desk.exchange import ExchangeOptions, open_exchange
from strikeloom.exchange.server.clients import LOCAL_CLIENT

OPTIONS = ExchangeOptions(market="synthetic", speed=0, limits=False)

#: Seconds for a reply: no reply is lost here, and a busy machine is slow.
PATIENT = 30.0


def test_a_restarted_exchange_continues_its_conditional_orders(drawn_home):
    assert CLIENT == LOCAL_CLIENT
    with open_exchange(OPTIONS, home=drawn_home) as server:
        client, clock = clients_of(server.addresses()["rest"], PATIENT), server.exchange.clock
        clock.wait(3600.0)
        server.beat()
        root = next(r for r in server.exchange.market.underlyings if r.symbol == "SYNDEX")
        it = securities(client, root.security_id)[0]
        security, price = str(it["security_id"]), on_tick(it["top_ask_price"])
        lot = server.exchange.traded("NSE_FNO", security).instrument.lot_size
        far = client.place_forever(
            security, "NSE_FNO", "BUY", "MARGIN", "LIMIT", lot, price, on_tick(price * 3), tag="f"
        )["data"]["orderId"]
        number = client.place_super_order(
            security, "NSE_FNO", "BUY", lot, "LIMIT", "MARGIN", price, on_tick(price * 3),
            on_tick(price / 3), 1.0, tag="s",
        )["data"]["orderId"]  # fmt: skip
        level = server.exchange.market.spot("SYNDEX")[0] / 100
        condition = {
            "comparisonType": "TECHNICAL_WITH_VALUE", "exchangeSegment": "IDX_I",
            "securityId": str(root.security_id), "indicatorName": "SMA_5", "timeFrame": "DAY",
            "operator": "GREATER_THAN", "comparingValue": 10 * level,
        }  # fmt: skip
        orders = [{
            "transactionType": "BUY", "exchangeSegment": "NSE_FNO", "productType": "MARGIN",
            "orderType": "LIMIT", "securityId": security, "quantity": lot, "validity": "DAY",
            "price": f"{price:.2f}", "discQuantity": "0", "triggerPrice": "0",
        }]  # fmt: skip
        alert = client.place_conditional_order(condition, orders)["data"]["alertId"]
        assert client.get_conditional_order(alert)["data"]["lastPrice"] == f"{level:.2f}"
        lists = ("get_super_order_list", "get_forever", "get_conditional_orders")
        before = [getattr(client, name)()["data"] for name in lists]
        at = clock.now()
    with open_exchange(OPTIONS, home=drawn_home) as server:
        client = clients_of(server.addresses()["rest"], PATIENT)
        server.exchange.clock.wait((at - server.exchange.clock.now()).total_seconds())
        server.beat()
        assert [getattr(client, name)()["data"] for name in lists] == before
        assert before[0][0]["orderId"] == number
        assert before[1][0]["orderId"] == far
        changed = client.modify_conditional_order(alert, {**condition, "comparingValue": 1.0})
        assert changed["data"]["alertStatus"] == "TRIGGERED"
        tagged = [o for o in client.get_order_list()["data"] if o["correlationId"] == "NA"]
        assert len(tagged) == 1
        (engine,) = server.exchange.engines.values()
        engine.audit()
