"""A client that is neither the broker's nor ours, trading every kind against the local exchange.

``brokerkit-dhan`` reads the security master by rules of its own and turns each answer into typed
records; it needs an older ``dhanhq`` than this project, so it is installed into an environment of
its own. Each step prints what it saw; the last line counts them.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

CLIENT = "brokerkit-dhan==1.0.3"


def main() -> int:
    """Serve a synthetic day, and run this file's other half in the other environment."""
    from strikeloom.desk.exchange import ExchangeOptions, open_exchange

    with tempfile.TemporaryDirectory() as folder:
        python = Path(folder) / "venv" / "bin" / "python"
        venv.create(python.parent.parent, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "-q", CLIENT], check=True)
        options = ExchangeOptions(market="synthetic", speed=0.0, limits=False)
        with open_exchange(options, home=Path(folder) / "home") as server:
            server.exchange.clock.wait(3600.0)
            server.beat()
            found = server.addresses()
            return subprocess.run(
                [python, __file__, found["rest"], found["feed"], found["instruments"]],
                check=False,
                env={**os.environ, "NO_PROXY": "127.0.0.1"},
            ).returncode


async def trade(rest: str, feed: str, master: str) -> int:
    """Buy, look and sell one of each kind, as a user of the library would."""
    from brokerkit.enums import InstrumentType, OrderStatus, Product
    from brokerkit.models.order import OrderRequest, OrderType, TransactionType
    from brokerkit_dhan import instruments as lists
    from brokerkit_dhan.historical import DhanHistoricalData
    from brokerkit_dhan.market import DhanMarketData
    from brokerkit_dhan.order import DhanOrderProvider
    from brokerkit_dhan.portfolio import DhanPortfolio
    from brokerkit_dhan.streaming import DhanStreaming
    from dhanhq import DhanContext, MarketFeed, dhanhq

    lists._DETAILED_CSV_URL, lists._COMPACT_CSV_URL = master, f"{master}?layout=compact"
    MarketFeed.market_feed_wss = feed
    context = DhanContext("1000000001", "local")
    context.get_dhan_http().base_url = rest
    dhan = dhanhq(context)
    orders, portfolio, market = DhanOrderProvider(dhan), DhanPortfolio(dhan), DhanMarketData(dhan)
    listed = await lists.DhanInstruments().fetch_instruments()
    share = next(it for it in listed if it.symbol == "AVANTIKA")
    future = next(it for it in listed if it.instrument_type is InstrumentType.FUT
                  and it.underlying == "AVANTIKA")  # fmt: skip
    index = next(it for it in listed if it.symbol == "SYNDEX")
    level = (await market.get_ltp([index]))["SYNDEX"]
    calls = [it for it in listed if it.instrument_type is InstrumentType.CE
             and it.underlying == "SYNDEX"]  # fmt: skip
    option = min(calls, key=lambda it: (it.expiry, abs(it.strike - level)))
    kinds = {"share": (share, Product.CNC), "future": (future, Product.NRML),
             "option": (option, Product.NRML)}  # fmt: skip
    ticks: dict[str, object] = {}
    stream = DhanStreaming(context)
    await stream.subscribe_ltp([it for it, _ in kinds.values()],
                               lambda tick: ticks.setdefault(tick.symbol, tick))  # fmt: skip
    assert await portfolio.holdings() == []
    steps = 0
    for name, (it, product) in kinds.items():
        quote = await market.get_quote(it)
        lots = 100 if name == "share" else it.lot_size
        assert quote.bid_price < quote.ask_price, name
        assert quote.ask_price % it.tick_size == 0, name
        for side, price in ((TransactionType.BUY, quote.ask_price),
                            (TransactionType.SELL, quote.bid_price)):  # fmt: skip
            request = OrderRequest(instrument=it, transaction_type=side, quantity=lots,
                                   order_type=OrderType.LIMIT, product=product,
                                   price=price)  # fmt: skip
            placed = await orders.place_order(request)
            seen = await orders.get_order(placed.order_id, it.segment)
            assert seen.status is OrderStatus.EXECUTED, (name, seen)
            assert (seen.segment, seen.product) == (it.segment, product), seen
            (held,) = [one for one in await portfolio.positions()
                       if one.trading_symbol == it.symbol]  # fmt: skip
            assert held.quantity == (lots if side is TransactionType.BUY else 0), held
            steps += 1
        resting = await orders.place_order(OrderRequest(
            instrument=it, transaction_type=TransactionType.BUY, quantity=lots, product=product,
            order_type=OrderType.LIMIT, price=quote.bid_price - 10 * it.tick_size,
        ))  # fmt: skip
        changed = await orders.modify(resting.order_id, it.segment,
                                      price=quote.bid_price - 9 * it.tick_size)  # fmt: skip
        ended = await orders.cancel(resting.order_id, it.segment)
        assert (changed.status, ended.status) == (OrderStatus.OPEN, OrderStatus.CANCELLED), name
        day = seen.created_at
        candles = await DhanHistoricalData(dhan).get_candles(it, day, day, 5)
        assert candles, name
        print(f"{name:7} {it.symbol:28} {quote.bid_price} / {quote.ask_price}, "
              f"{len(candles)} candles")  # fmt: skip
        steps += 2
    for _ in range(50):
        if len(ticks) == len(kinds):
            break
        await asyncio.sleep(0.1)
    await stream.close()
    assert set(ticks) == {it.symbol for it, _ in kinds.values()}, ticks
    print(f"{steps} steps, {len(ticks)} of {len(kinds)} streamed: all as expected")
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(trade(*sys.argv[1:])) if len(sys.argv) == 4 else main())
