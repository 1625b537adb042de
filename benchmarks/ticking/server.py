"""A feed server that only ticks, in a process of its own, counting exactly what it sent.

Each tick of an instrument carries its number (volume) and the microsecond it was sent at, by
the machine's monotonic clock (words of open interest), so that a reader can measure loss and
delay. On a subscription it sends the latest of each instrument, as the broker does.
"""

from __future__ import annotations

import asyncio
import json
import random
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

FULL = struct.Struct("<BHBIfHIfIIIIIIffff")
LEVEL = struct.Struct("<IIHHff")
EMPTY = LEVEL.pack(65, 65, 1, 1, 0.0, 0.0) * 4
STEP_SECONDS, MOST_STACKED = 0.01, 10
FLUSH_SECONDS = 0.1


class Ticking:
    """One run: instruments, their latest tick, connections and counts."""

    def __init__(self, per_second: int, reset_seconds: float, seed: int) -> None:
        self.per_step = per_second * STEP_SECONDS
        self.reset_seconds = reset_seconds
        self.rng = random.Random(seed)
        self.numbers: dict[int, int] = {}
        self.connection: ServerConnection | None = None
        self.ids: list[int] = []
        self.turn = 0
        self.sent = self.unsent = self.resets = 0
        self.seconds = self.down_since = 0.0
        self.heals: list[float] = []

    def packet(self, number: int) -> bytes:
        now = time.monotonic_ns() // 1000
        price = 100.0 + (self.numbers[number] % 200) * 0.05
        head = FULL.pack(
            8, 162, 2, number, price, 65, 0, price, self.numbers[number], 0, 0, now & 0xFFFFFFFF,
            now >> 32, 0, price, price, price, price,
        )  # fmt: skip
        return head + LEVEL.pack(65, 65, 1, 1, price, price + 0.05) + EMPTY

    async def handle(self, connection: ServerConnection) -> None:
        self.connection = connection
        subscribed: list[int] = []
        with suppress(ConnectionClosed):  # we reset it
            async for text in connection:
                request = json.loads(text)
                new = [int(row["SecurityId"]) for row in request["InstrumentList"]]
                subscribed += new
                for number in new:
                    self.numbers.setdefault(number, 0)
                await self.send(connection, new)
                if len(subscribed) >= len(self.ids):
                    self.ids = subscribed
                    if self.down_since:
                        self.heals.append(time.monotonic() - self.down_since)
                        self.down_since = 0.0

    async def send(self, connection: ServerConnection, numbers: list[int]) -> None:
        while numbers:
            size = self.rng.randint(1, MOST_STACKED)
            some, numbers = numbers[:size], numbers[size:]
            await connection.send(b"".join(map(self.packet, some)))
            self.sent += len(some)

    async def tick(self, seconds: float) -> None:
        began = last_reset = time.monotonic()
        owed = 0.0
        while (now := time.monotonic()) - began < seconds:
            await asyncio.sleep(STEP_SECONDS)
            if not self.ids:
                began = last_reset = now
                continue
            due = (time.monotonic() - began) * self.per_step / STEP_SECONDS
            count = int(due - owed)
            owed += count
            some = [self.ids[(self.turn + i) % len(self.ids)] for i in range(count)]
            self.turn += count
            for number in some:
                self.numbers[number] += 1
            connection = self.connection
            if connection is None:
                self.unsent += count
                continue
            await self.send(connection, some)
            if self.reset_seconds and now - last_reset > self.reset_seconds:
                last_reset = now
                await asyncio.sleep(FLUSH_SECONDS)  # everything sent has arrived
                self.connection = None
                connection.transport.abort()
                self.down_since = time.monotonic()
                self.resets += 1
        self.seconds = time.monotonic() - began
        await asyncio.sleep(FLUSH_SECONDS)


async def _main(per_second: int, reset_seconds: float, seconds: float, seed: int) -> None:
    run = Ticking(per_second, reset_seconds, seed)
    async with serve(run.handle, "127.0.0.1", 0, compression=None, close_timeout=0.5) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        print(json.dumps({"port": port}), flush=True)
        await run.tick(seconds)
        summary = {"sent": run.sent, "unsent": run.unsent, "resets": run.resets, "heals": run.heals,
                "ticks": sum(run.numbers.values()), "seconds": run.seconds,
                "numbers": run.numbers}  # fmt: skip
        print(json.dumps(summary), flush=True)
        await asyncio.to_thread(sys.stdin.readline)  # until the reader has compared


@contextmanager
def ticking(
    per_second: int, reset_seconds: float, seconds: float, seed: int = 7
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Address of a server that begins to tick with its first subscription; its process."""
    words = [sys.executable, str(Path(__file__)), *map(str, (per_second, reset_seconds, seconds,
                                                            seed))]  # fmt: skip
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        try:
            assert server.stdout is not None
            port = json.loads(server.stdout.readline())["port"]
            yield f"ws://127.0.0.1:{port}/feed", server
        finally:
            server.kill()


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])))
