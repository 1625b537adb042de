"""Decoding the market feed: packets a second on one core, against the bar and the official way."""

from __future__ import annotations

import struct
import time

from dhanhq.marketfeed import MarketFeed

from strikeloom.adapters.dhan.packets import decode

BAR = 300_000
PACKET = struct.pack(
    "<BHBIfHIfIIIIIIffff100s", 8, 162, 2, 49081, 100.05, 65, 1_739_268_000, 99.5, 130_000, 650,
    1300, 1_234_500, 1_300_000, 1_200_000, 98.0, 97.5, 101.0, 96.0, b"\1" * 100,
)  # fmt: skip


def rate(work, packets: int) -> float:
    """Best of five."""
    best = 0.0
    for _ in range(5):
        began = time.perf_counter()
        work()
        best = max(best, packets / (time.perf_counter() - began))
    return best


def main() -> None:
    official = MarketFeed.__new__(MarketFeed)
    single, stacked, count = PACKET, PACKET * 10, 100_000

    def ours(message: bytes, times: int):
        for _ in range(times):
            decode(message)

    def theirs():
        for _ in range(10_000):
            official.process_full(PACKET)

    slow = rate(theirs, 10_000)
    for name, work in (
        ("single", lambda: ours(single, count)),
        ("stacked", lambda: ours(stacked, count // 10)),
    ):
        found = rate(work, count)
        print(
            f"{name:<10} {found:10,.0f} packets/s, {found / BAR:5.1f} times the bar of {BAR:,}, "
            f"{found / slow:5.1f} times the official client's reader"
        )


if __name__ == "__main__":
    main()
