"""From a tick's arrival in the feed's thread to the decisions of the cycle that has seen it.

A server in a process of its own ticks the 40 contracts of 20 open two-leg positions; the feed's
thread wakes the watcher's clock; the watcher marks and decides. Bar: p99 5 ms or less.
Run: python benchmarks/tick_to_decision.py
"""

from __future__ import annotations

import gc
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import numpy as np
from ticking.reader import reader
from ticking.server import ticking

from strikeloom.adapters.dhan.clock import WakefulClock
from strikeloom.adapters.dhan.feed import DhanFeed
from strikeloom.adapters.dhan.live_quotes import LiveQuotes
from strikeloom.adapters.system_clock import SystemClock
from strikeloom.domain.instruments import OptionContract
from strikeloom.domain.legs import Leg, Side
from strikeloom.domain.quotes import Quote
from strikeloom.errors import NoQuote
from strikeloom.monitor.cycle import Watcher
from strikeloom.trading.lease import Lease
from strikeloom.trading.send import OrderRateLimiter
from support.desk import MadeDesk

POSITIONS, SECONDS, BAR_MS = 20, 10.0, 5.0
RATES = (40, 400)  # ticks a second over all contracts


class TimedQuotes(LiveQuotes):
    """Notes when each tick arrived."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._arrived: list[float] = []

    def put(self, quotes: Iterable[Quote]) -> None:
        """Keep the quotes and their moment."""
        given = list(quotes)
        super().put(given)
        with self._lock:
            self._arrived += [time.perf_counter()] * len(given)

    def taken(self) -> list[float]:
        """Moments of the ticks that arrived since this was asked last."""
        with self._lock:
            arrived, self._arrived = self._arrived, []
        return arrived


class WatchedFeed:
    """The streaming feed, for positions that end on their expiry and have no known level."""

    def __init__(self, feed: DhanFeed) -> None:
        self._feed = feed

    def quotes(self, contracts: Iterable[OptionContract]) -> dict[str, Quote]:
        """Quotes of the feed's cache."""
        return self._feed.quotes(contracts)

    def spot(self, symbol: str) -> tuple[int, Any]:
        """Report no level."""
        raise NoQuote(f"no level of {symbol}", symbol=symbol)

    def last_day(self, _symbol: str, expiry: date, _since: date) -> date:
        """Last day of a series: its expiry."""
        return expiry

    def daily_settlement(self, _future, _day) -> None:
        return None

    def settlement(self, _symbol: str, _day: date) -> None:
        """No settlement value."""


def entered(made: MadeDesk, contracts: list[OptionContract]) -> None:
    """Open a spread on each pair of contracts; both legs tick alike, so no rule fires."""
    for sold, bought in zip(contracts[:POSITIONS], contracts[POSITIONS:], strict=True):
        made.show(sold, 105_00, 105_05)
        made.show(bought, 105_00, 105_05)
        legs = [Leg(sold, Side.SELL, 1, 105_00), Leg(bought, Side.BUY, 1, 105_05)]
        made.enter(made.propose(legs, "bear_call_spread"), 1)


def measure(rate: int) -> tuple[np.ndarray, int]:
    """Milliseconds from each tick to its decisions, and the number of cycles."""
    folder = Path(tempfile.mkdtemp())
    made = MadeDesk(folder)
    delays: list[float] = []
    cycles = 0
    with ticking(rate, 0.0, SECONDS) as (url, _):
        cache = TimedQuotes()
        clock = WakefulClock(SystemClock())
        clock.wakes_on_ticks = True
        feed, contracts = reader(url, 2 * POSITIONS, cache, on_tick=clock.on_tick)
        entered(made, contracts)
        assert len(made.store.positions()) == POSITIONS
        stand_in: Any = WatchedFeed(feed)
        desk = replace(made.desk, clock=clock, feed=stand_in)
        with Lease(desk.home, desk.store) as lease:
            watcher = Watcher(desk, lease, OrderRateLimiter(5.0), SystemClock())
            watcher.cycle()  # subscribes
            gc.collect()
            gc.freeze()  # as `strikeloom watch` does
            until = time.monotonic() + SECONDS
            while time.monotonic() < until:
                clock.wait(5.0)
                arrived = cache.taken()
                report = watcher.cycle()
                now = time.perf_counter()
                delays += [(now - at) * 1e3 for at in arrived]
                cycles += 1
            assert report.failure == "", report.failure
            assert not report.unpriced, report.note
            assert len(report.decisions) == POSITIONS
        feed.close()
    made.close()
    shutil.rmtree(folder)
    return np.array(delays[4 * POSITIONS :]), cycles


def main() -> None:
    """Measure and print."""
    for rate in RATES:
        delays, cycles = measure(rate)
        mid, high = np.percentile(delays, [50, 99])
        verdict = "met" if high <= BAR_MS else "MISSED"
        print(
            f"{rate} ticks a second, {POSITIONS} positions: {len(delays)} ticks in {cycles} "
            f"cycles; p50 {mid:.2f} ms, p99 {high:.2f} ms, largest {delays.max():.2f} ms; bar p99 "
            f"{BAR_MS:g} ms {verdict}"
        )


if __name__ == "__main__":
    main()
