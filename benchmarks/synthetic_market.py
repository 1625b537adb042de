"""Drawing the synthetic market, trading on it, and margins: figures of this machine.

Each line gives a figure and its ratio to a bar or to the plain way of doing it.
"""

from __future__ import annotations

import resource
import tempfile
import time
from datetime import date
from pathlib import Path

import numpy as np

from strikeloom.adapters.instruments.from_history import HistoryInstruments
from strikeloom.adapters.parquet.history import ParquetHistory
from strikeloom.adapters.replay.clock import ReplayClock
from strikeloom.adapters.replay.feed import ReplayFeed
from strikeloom.adapters.sim import SimBroker
from strikeloom.adapters.sqlite.store import open_store
from strikeloom.domain.instruments import InstrumentKind
from strikeloom.domain.legs import Side
from strikeloom.domain.orders import OrderRequest
from strikeloom.exchange.market.synthetic import generate_synthetic
from strikeloom.nse.sessions import session
from strikeloom.risk.margin import margins
from strikeloom.risk.parameters import span_parameters
from strikeloom.settings.all import load_settings

DRAW_BAR_SECONDS = 20
ORDERS_BAR = 10  # a second: what the exchange lets a retail client send


def timed(work, *given):
    start = time.perf_counter()
    found = work(*given)
    return time.perf_counter() - start, found


def draw(folder):
    history = ParquetHistory(folder, "synthetic-7")
    seconds, (_, quoted) = timed(generate_synthetic, 7, history)
    size = sum(p.stat().st_size for p in folder.rglob("*.parquet")) / 1e6
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(
        f"draw       {seconds:8.1f} s    {DRAW_BAR_SECONDS / seconds:8.1f} times under the bar of "
        f"{DRAW_BAR_SECONDS} s; {size:.0f} MB on disk, {memory:.0f} MB at most in memory"
    )
    return history, quoted


def trade(folder, history, day):
    store = open_store(folder / "store.db", "synthetic-7", "bench")
    clock = ReplayClock(store, history, session(day).open)
    feed = ReplayFeed(history, clock, load_settings().desk.replay)
    listed = HistoryInstruments(history, history.underlyings())
    broker = SimBroker(folder / "account.db", feed, clock, 10**12, listed)
    instrument = listed.instrument("SYNDEX:2026-06-30:2830000:CE", day)
    quote = feed.quotes([instrument])[instrument.key]

    def orders(count=300):
        for n in range(count):
            limit = quote.ask if n % 2 else quote.bid - 50 * instrument.tick
            placed = broker.submit(
                OrderRequest(f"b{n}", instrument, Side.BUY, instrument.lot_size, limit)
            )
            broker.cancel(placed.order_id)

    seconds, _ = timed(orders)
    rate = 300 / seconds
    print(
        f"orders     {rate:8.0f} /s   {rate / ORDERS_BAR:8.1f} times the {ORDERS_BAR} a second "
        "that may be sent; each placed, matched, cancelled and on disk"
    )
    broker.close()
    store.close()


def margin(count=20_000):
    rng = np.random.default_rng(1)
    strikes = rng.integers(200, 300, (count, 4)) * 100.0
    calls, units = rng.random((count, 4)) < 0.5, rng.choice([-65.0, 65.0], (count, 4))
    rest = np.full(count, 25000.0), np.full(count, 0.15), np.full(count, 20 / 365)
    parameters = span_parameters(InstrumentKind.INDEX, "NIFTY", date(2026, 2, 11))
    seconds, _ = timed(margins, strikes, calls, units, *rest, parameters)

    def singly(some=500):
        for at in range(some):
            row = slice(at, at + 1)
            margins(strikes[row], calls[row], units[row], *(r[row] for r in rest), parameters)

    alone, _ = timed(singly)
    print(
        f"margins    {count / seconds:8.0f} /s   {alone / 500 * count / seconds:8.1f} times one "
        "by one; structures of four legs, 16 scenarios each"
    )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        history, quoted = draw(Path(made) / "history")
        trade(Path(made), history, quoted)
    margin()
