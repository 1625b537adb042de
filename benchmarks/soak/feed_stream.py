"""5,000 instruments, 2,000 ticks a second for ten minutes, the socket reset every 30 seconds.

No tick is lost but those counted as overtaken by a newer one, and those that were never sent
while the connection was down; each reset is healed in under two seconds. ``run_feed`` is what
the suite runs at a fraction.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ticking.reader import reader, subscribe
from ticking.server import ticking

from strikeloom.adapters.dhan.live_quotes import LiveQuotes
from strikeloom.domain.quotes import Quote

INSTRUMENTS, PER_SECOND, SECONDS, RESET_SECONDS = 5000, 2000, 600.0, 30.0
HEAL_BAR = 2.0


class Counting(LiveQuotes):
    """Counts what it is given, and the longest silence between two batches."""

    def __init__(self) -> None:
        super().__init__()
        self.used = self.skipped = 0
        self.longest = 0.0
        self._last = 0.0
        self._seen: dict[str, int] = {}

    def put(self, quotes: Iterable[Quote]) -> None:
        given = list(quotes)
        super().put(given)
        now = time.monotonic()
        if self._last:
            self.longest = max(self.longest, now - self._last)
        self._last = now
        self.used += len(given)
        for quote in given:
            before = self._seen.get(quote.key)
            if before is not None:
                self.skipped += max(0, quote.volume - before - 1)
            self._seen[quote.key] = quote.volume


@dataclass(frozen=True)
class Outcome:
    """What the server reported and what the reader saw."""

    sent: int
    unsent: int
    resets: int
    ticks: int
    seconds: float
    received: int
    put_in: int
    used: int
    dropped: int
    skipped: int
    wrong: int
    connections: int
    heals: tuple[float, ...]
    longest: float

    def check(self) -> None:
        """Every tick is accounted for."""
        assert self.received == self.sent, (self.received, self.sent)
        assert self.put_in == self.received
        assert self.used + self.dropped == self.put_in
        assert self.skipped <= self.dropped + self.unsent, self
        assert self.wrong == 0
        assert self.connections == self.resets + 1
        assert len(self.heals) == self.resets


def run_feed(instruments: int, per_second: int, seconds: float, reset_seconds: float) -> Outcome:
    """Stream, reset, compare."""
    cache = Counting()
    with ticking(per_second, reset_seconds, seconds) as (url, server):
        feed, contracts = reader(url, instruments, cache)
        subscribe(feed, contracts)
        assert server.stdout is not None
        report = json.loads(server.stdout.readline())
        stream = feed._stream
        assert stream is not None
        for _ in range(200):
            if cache.used + feed.queue.dropped.total() >= report["sent"]:
                break
            time.sleep(0.05)
        connections = stream.status.connections
        feed.close()
    held = cache.get(instrument.key for instrument in contracts)
    wrong = sum(
        held[instrument.key].volume != report["numbers"][str(1 + place)]
        for place, instrument in enumerate(contracts)
    )
    return Outcome(
        sent=report["sent"],
        unsent=report["unsent"],
        resets=report["resets"],
        ticks=report["ticks"],
        seconds=report["seconds"],
        received=stream.counts["packets"],
        put_in=feed.queue.put_in,
        used=cache.used,
        dropped=feed.queue.dropped.total(),
        skipped=cache.skipped,
        wrong=wrong,
        connections=connections,
        heals=tuple(report["heals"]),
        longest=cache.longest,
    )


def main() -> None:
    found = run_feed(INSTRUMENTS, PER_SECOND, SECONDS, RESET_SECONDS)
    print(
        f"feed       {INSTRUMENTS} instruments, {found.ticks:,} ticks in {found.seconds:.0f} s "
        f"({found.ticks / found.seconds:,.0f} a second), {found.resets} resets\n"
        f"           sent {found.sent:,}, received {found.received:,}, used {found.used:,}, "
        f"overtaken {found.dropped:,} (counted), never sent while down {found.unsent:,}\n"
        f"           last values that differ {found.wrong}; longest silence {found.longest:.2f} s\n"
        f"           resets healed (all subscribed again, latest values sent) in "
        f"{sum(found.heals) / len(found.heals):.2f} s, at most {max(found.heals):.2f} s, "
        f"{HEAL_BAR / max(found.heals):.1f} times under the bar of {HEAL_BAR:.0f} s"
    )
    found.check()
    assert max(found.heals) < HEAL_BAR


if __name__ == "__main__":
    main()
