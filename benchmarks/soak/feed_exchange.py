"""The workbench's feed on the local exchange: 5,000 options, 2,000 trades a second, ten minutes.

The exchange runs in a process of its own and resets the socket every 30 seconds. Each trade adds
a lot to its option's volume: what the reader holds at the end must match the exchange's quotes by
REST, and volumes never go back.
"""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import requests

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ticking.reader import Silent

from strikeloom.adapters.dhan.credentials import Addresses, Credentials
from strikeloom.adapters.dhan.day_list import SecurityId
from strikeloom.adapters.dhan.feed import DhanFeed
from strikeloom.adapters.dhan.live_quotes import LiveQuotes
from strikeloom.adapters.system_clock import SystemClock
from strikeloom.domain.instruments import InstrumentKind, OptionContract, Right
from strikeloom.domain.quotes import Quote
from strikeloom.settings.secrets import Secret

INSTRUMENTS, PER_SECOND, SECONDS, RESET_SECONDS = 5000, 2000, 600.0, 30.0
HEAL_BAR = 2.0
MINE = {"access-token": "local", "client-id": "1000000001"}


class Watched(LiveQuotes):
    """Counts quotes, and notes volumes that go back and silences."""

    def __init__(self) -> None:
        super().__init__()
        self.used = self.back = 0
        self.last_at = 0.0
        self.longest = 0.0
        self._volumes: dict[str, int] = {}

    def put(self, quotes: Iterable[Quote]) -> None:
        given = list(quotes)
        super().put(given)
        now = time.monotonic()
        if self.last_at:
            self.longest = max(self.longest, now - self.last_at)
        self.last_at = now
        self.used += len(given)
        for quote in given:
            self.back += quote.volume < self._volumes.get(quote.key, 0)
            self._volumes[quote.key] = quote.volume


class Master:
    """Ids of the exchange's list."""

    def __init__(self, numbers: dict[str, int]) -> None:
        self._numbers = numbers

    def in_force(self) -> date:
        return date(2026, 6, 10)

    def security_of(self, key: str, _day: date) -> SecurityId:
        return SecurityId("NSE_FNO", self._numbers[key])


@contextmanager
def serving(home: Path) -> Iterator[dict[str, Any]]:
    command = [sys.executable, "-m", "strikeloom.cli", "exchange", "--market", "synthetic",
               "--speed", "0", "--ticks", str(PER_SECOND), "--no-limits", "--fresh",
               "--json"]  # fmt: skip
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "STRIKELOOM_HOME": str(home)}
    ) as process:
        text = ""
        try:
            while "\n}" not in text:
                line = process.stdout.readline()
                assert line, "the exchange did not start"
                text += line
            yield json.loads(text)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def instrument(row: dict[str, str]) -> OptionContract:
    kind = InstrumentKind.INDEX if row["INSTRUMENT"] == "OPTIDX" else InstrumentKind.STOCK
    return OptionContract(
        row["UNDERLYING_SYMBOL"], date.fromisoformat(row["SM_EXPIRY_DATE"]),
        round(float(row["STRIKE_PRICE"]) * 100), Right(row["OPTION_TYPE"]), kind,
        int(float(row["LOT_SIZE"])), int(float(row["TICK_SIZE"])),
    )  # fmt: skip


def quotes_of(rest: str, numbers: list[int]) -> dict[int, dict[str, Any]]:
    """Quotes by REST, a thousand at once."""
    found: dict[int, dict[str, Any]] = {}
    for start in range(0, len(numbers), 1000):
        body = {"NSE_FNO": numbers[start : start + 1000]}
        reply = requests.post(f"{rest}/marketfeed/quote", json=body, headers=MINE, timeout=60)
        found |= {int(k): v for k, v in reply.json()["data"]["NSE_FNO"].items()}
    return found


@dataclass(frozen=True)
class Outcome:
    """What the reader saw, and what the exchange reports."""

    instruments: int
    seconds: float
    resets: int
    used: int
    conflated: int
    dropped: int
    back: int
    impossible: int
    behind: int
    connections: int
    heals: tuple[float, ...]
    longest: float

    def check(self) -> None:
        """No volume went back, none is held that the exchange never had."""
        assert self.back == self.impossible == 0, self
        assert self.connections == self.resets + 1, self


def reading(found: dict[str, Any], count: int, token: dict[str, str]) -> tuple[DhanFeed, dict]:
    """The workbench's feed on options that have a price at midday."""
    rest = found["rest"]
    requests.post(f"{found['control']}/clock", json={"step": 3 * 3600}, headers=token, timeout=60)
    lines = requests.get(found["instruments"], timeout=60).text.splitlines()
    options = (row for row in csv.DictReader(lines) if row["OPTION_TYPE"] in {"CE", "PE"})
    rows = {int(row["SECURITY_ID"]): row for row in options}
    shown = quotes_of(rest, list(rows))
    numbers = [n for n, q in shown.items() if q["last_price"] > 0][:count]
    contracts = {n: instrument(rows[n]) for n in numbers}
    listed: Any = Master({c.key: n for n, c in contracts.items()})
    client: Any = Silent()
    client.credentials = Credentials(Secret("1000000001"), lambda: Secret("local"))
    where = Addresses(rest=rest, feed=found["feed"], orders=found["orders"])
    feed = DhanFeed(client, listed, SystemClock(), None, stream=where)  # type: ignore[arg-type]
    feed.cache = Watched()
    feed.quotes(contracts.values())
    return feed, contracts


def reset(feed: DhanFeed, control: str, token: dict[str, str]) -> float:
    """Have the socket reset; seconds from the new connection to its first quote."""
    before = feed._stream.status.connections
    body = {"kind": "stream-reset", "on": "feed", "times": 1}
    requests.post(f"{control}/faults", json=body, headers=token, timeout=30)
    while feed._stream.status.connections == before:
        time.sleep(0.005)
    used, at = feed.cache.used, time.monotonic()
    while feed.cache.used == used:
        time.sleep(0.005)
    return time.monotonic() - at


def run_feed(home: Path, instruments: int, seconds: float, reset_seconds: float) -> Outcome:
    """Stream, reset, compare."""
    with serving(home) as found:
        token = {"control-token": Path(found["control_token_file"]).read_text()}
        control, heals = found["control"], []
        feed, contracts = reading(found, instruments, token)
        cache, begun = feed.cache, time.monotonic()
        while time.monotonic() - begun + reset_seconds < seconds:
            time.sleep(reset_seconds)
            heals.append(reset(feed, control, token))
        time.sleep(max(0.0, seconds - (time.monotonic() - begun)))
        took = time.monotonic() - begun
        state = requests.get(f"{control}/state", headers=token, timeout=30).json()
        # held first, then asked: trades go on, so the exchange is a little ahead
        held = cache.get(c.key for c in contracts.values())
        final = quotes_of(found["rest"], list(contracts))
        gaps = [
            (final[number]["volume"] - held[it.key].volume) / it.lot_size
            for number, it in contracts.items()
        ]
        connections = feed._stream.status.connections
        feed.close()
    return Outcome(
        instruments=len(contracts), seconds=took, resets=len(heals), used=cache.used,
        conflated=state["conflated"], dropped=feed.queue.dropped.total(), back=cache.back,
        impossible=sum(gap < 0 or gap != int(gap) for gap in gaps), behind=int(max(gaps)),
        connections=connections, heals=tuple(heals), longest=cache.longest,
    )  # fmt: skip


def main(seconds: float = SECONDS) -> None:
    with tempfile.TemporaryDirectory() as folder:
        it = run_feed(Path(folder), INSTRUMENTS, seconds, RESET_SECONDS)
    print(f"feed       {it.instruments} options of the local exchange, {it.seconds:.0f} s, "
          f"{it.resets} resets")  # fmt: skip
    print(f"           {it.used:,} quotes used ({it.used / it.seconds:,.0f} a second, bar 2,000), "
          f"overtaken at the exchange {it.conflated:,}, in the reader {it.dropped:,} "
          "(both counted)")  # fmt: skip
    print(f"           volumes that went back {it.back}, impossible ones held {it.impossible}, "
          f"furthest behind at the end {it.behind} trades")  # fmt: skip
    print(f"           first quote after a reconnect in at most {max(it.heals, default=0):.2f} s, "
          f"longest silence {it.longest:.2f} s (bar {HEAL_BAR:.0f} s)")  # fmt: skip
    it.check()
    assert it.longest < HEAL_BAR


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS)
