"""From a tick on the wire to its value in the cache, on loopback, at 2,000 ticks a second.

The server puts the moment of sending, by the machine's monotonic clock, into the packet. What
the machine itself takes is measured beside it: a bare reader that only looks at the stamp, of
the same ticks from the same kind of server, one after the other.
"""

from __future__ import annotations

import asyncio
import json
import struct
import threading
import time
from collections.abc import Iterable

import numpy as np
from ticking.reader import reader, subscribe
from ticking.server import ticking
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from strikeloom.adapters.dhan.live_quotes import LiveQuotes
from strikeloom.domain.quotes import Quote

INSTRUMENTS, PER_SECOND, SECONDS, BAR_MS = 500, 2000, 20.0, 2.0
_WARM = 1000  # snapshots of the subscription, and the first ticks
_SIZE, _STAMP = 162, struct.Struct("<I")
_STAMP_AT = 34


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


def bare(url: str, delays: list[float]) -> None:
    """Only look at the stamps."""

    async def read() -> None:
        async with connect(url, compression=None, proxy=None) as socket:
            rows = [{"SecurityId": str(1 + n)} for n in range(INSTRUMENTS)]
            await socket.send(json.dumps({"InstrumentList": rows}))
            try:
                async for message in socket:
                    now = time.monotonic_ns() // 1000
                    for at in range(_STAMP_AT, len(message), _SIZE):
                        (sent,) = _STAMP.unpack_from(message, at)
                        delays.append(((now - sent) & 0xFFFFFFFF) / 1e3)
            except ConnectionClosed:
                pass

    asyncio.run(read())


def ours() -> np.ndarray:
    cache = Timed()
    with ticking(PER_SECOND, 0.0, SECONDS) as (url, server):
        feed, contracts = reader(url, INSTRUMENTS, cache)
        subscribe(feed, contracts)
        assert server.stdout is not None
        server.stdout.readline()
        feed.close()
    return np.array(cache.delays[_WARM:])


def floor() -> np.ndarray:
    delays: list[float] = []
    with ticking(PER_SECOND, 0.0, SECONDS) as (url, server):
        thread = threading.Thread(target=bare, args=(url, delays), daemon=True)
        thread.start()
        assert server.stdout is not None
        server.stdout.readline()
    return np.array(delays[_WARM:])


def main() -> None:
    for name, delays in (("floor", floor()), ("ours", ours())):
        mid, high = np.percentile(delays, [50, 99])
        seconds = [np.percentile(part, 99) for part in np.array_split(delays, int(SECONDS))]
        print(
            f"{name:<10} p50 {mid:.2f} ms, p99 {high:.2f} ms of {len(delays):,} ticks; by the "
            f"second: calmest p99 {min(seconds):.2f} ms, middle {np.median(seconds):.2f} ms"
        )
    print(f"           bar for ours: p99 {BAR_MS:.0f} ms, on a machine with an idle core each")


if __name__ == "__main__":
    main()
