"""From a tick on the wire to its value in the cache, on loopback, at 2,000 ticks a second.

The server puts the moment of sending, by the machine's monotonic clock, into the packet.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

import numpy as np
from feed_reader import reader, subscribe
from tick_server import ticking

from strikeloom.adapters.dhan.live_quotes import LiveQuotes
from strikeloom.domain.quotes import Quote

INSTRUMENTS, PER_SECOND, SECONDS, BAR_MS = 500, 2000, 20.0, 2.0
_WARM = 1000  # snapshots of the subscription, and the first ticks


class Timed(LiveQuotes):
    """Notes how long each value was on its way once it is in the cache."""

    def __init__(self) -> None:
        super().__init__()
        self.delays: list[float] = []

    def put(self, quotes: Iterable[Quote]) -> None:
        given = list(quotes)
        super().put(given)
        now = time.monotonic_ns() // 1000
        self.delays += [((now - quote.open_interest) & 0xFFFFFFFF) / 1e3 for quote in given]


def main() -> None:
    cache = Timed()
    with ticking(PER_SECOND, 0.0, SECONDS) as (url, server):
        feed, contracts = reader(url, INSTRUMENTS, cache)
        subscribe(feed, contracts)
        assert server.stdout is not None
        server.stdout.readline()
        feed.close()
    delays = np.array(cache.delays[_WARM:])
    mid, high, top = np.percentile(delays, [50, 99, 99.9])
    print(
        f"latency    p50 {mid:.2f} ms, p99 {high:.2f} ms, p99.9 {top:.2f} ms of {len(delays):,} "
        f"ticks; {BAR_MS / high:.1f} times under the bar of {BAR_MS:.0f} ms"
    )


if __name__ == "__main__":
    main()
