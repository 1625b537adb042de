"""A fiftieth of the ten-minute load, on a clock that steps with each order."""

from __future__ import annotations

import yaml
from soak.exchange_load import CASH, CLIENT, FAULTS, SEED, TOKEN, check, run_load
from soak.feed_exchange import run_feed

from strikeloom.desk.exchange import ExchangeOptions, open_exchange

ORDERS = 6_000 // 50


def test_books_trades_positions_and_funds_add_up_under_load(drawn_home, tmp_path):
    faults, accounts = tmp_path / "faults.yaml", tmp_path / "accounts.yaml"
    quick = [{**t, "seconds": min(t.get("seconds", 0), 0.2)} for t in FAULTS["faults"]]
    often = [{**t, "rate": 3 * t["rate"]} for t in quick]  # few orders: each fault strikes
    faults.write_text(yaml.safe_dump({"seed": SEED, "faults": often}))
    accounts.write_text(yaml.safe_dump([{"client_id": CLIENT, "token": TOKEN, "cash": CASH}]))
    options = ExchangeOptions(
        market="synthetic", speed=0, limits=False, faults=faults, accounts=accounts,
    )  # fmt: skip
    with open_exchange(options, home=drawn_home) as server:
        exchange, rest = server.exchange, server.addresses()["rest"]
        (engine,) = exchange.engines.values()

        def slot(_turn: int) -> None:
            exchange.clock.wait(3.0)
            server.beat()

        root = next(r for r in exchange.market.underlyings if r.symbol == "SYNDEX")
        lot = next(
            r.instrument.lot_size for r in exchange.market.listed if r.instrument.symbol == "SYNDEX"
        )
        sent = run_load(rest, root.security_id, lot, ORDERS, threads=1, seed=SEED, slot=slot)
        exchange.clock.wait(60.0)
        server.beat()
        exchange.faults.switch_off()
        exchange.hidden_until.clear()
        totals = check(rest, sent, exchange.clock.now().date().isoformat())
        engine.audit()
        assert sent.calls["place"] == ORDERS
        assert totals["trades"] > ORDERS / 4
        assert totals["exits"] >= 3
        assert any(order.leg.startswith("ORDER_") for order in engine.orders())
        # an unresolved order is in the book once or not at all; here both happen
        tags = {order.correlation_id for order in engine.orders()}
        placed = [tag in tags for tag in sent.unresolved]
        assert True in placed
        assert False in placed
        assert len(exchange.faults.injected) >= 8


def test_the_workbench_s_feed_on_this_exchange_through_resets(drawn_home):
    """A fiftieth of the ten minutes and of the 5,000 options."""
    found = run_feed(drawn_home, 5_000 // 50, 600 / 50, 3.0)
    found.check()
    assert found.instruments == 100
    assert found.resets == 3
    assert found.used > 1_000
