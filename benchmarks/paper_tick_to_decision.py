"""From a tick in the feed's thread to the watcher's decisions, in mode paper over the wire.

A local exchange in a process of its own streams the legs of 20 open two-leg positions, which
were entered through it; feed, clock, broker and store are those of a desk in mode paper. The time
of a tick runs from its arrival in the feed's thread, before it is queued, to the end of the first
cycle that read quotes after it was stored. ``tick_to_decision.py`` measures the same on a bare
server. Bar: 99 % within 5 ms, on a machine with an idle core for each process.
Run: python benchmarks/paper_tick_to_decision.py
"""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from strikeloom.adapters.dhan.feed import DhanFeed
from strikeloom.adapters.system_clock import SystemClock
from strikeloom.desk import open_desk, wake_on_ticks
from strikeloom.domain.instruments import OptionContract, instrument_key
from strikeloom.domain.legs import Leg, Side
from strikeloom.domain.market import Outlook
from strikeloom.domain.proposals import Proposal, RiskSummary, Score, Stance, Tier, strategy_id
from strikeloom.errors import StrikeloomError
from strikeloom.monitor import CycleReport, watch
from strikeloom.ports.desk import Desk
from strikeloom.trading.prepare import prepare_entry

POSITIONS, PER_SECOND, SECONDS, BAR_MS = 20, 50, 20.0, 5.0
ENTRY_SECONDS, START_SECONDS, WARM_SECONDS = 60.0, 60.0, 3.0
SYMBOL = "SYNDEX"


class TickTimer:
    """Notes when ticks arrive, and how long each waited for the decisions that used it."""

    def __init__(self, feed: DhanFeed) -> None:
        self.milliseconds: list[float] = []
        self.cycles: list[float] = []
        self._lock = threading.Lock()
        self._arrived: list[float] = []
        self._stored: list[float] = []
        self._read: list[float] = []
        self._read_at = 0.0
        self._put, self._on_tick, self._quotes = feed.queue.put, feed._on_tick, feed.quotes
        feed.queue.put = self.put  # type: ignore[method-assign]
        feed._on_tick = self.on_tick
        feed.quotes = self.quotes  # type: ignore[method-assign]

    def put(self, packets: Iterable[Any]) -> bool:
        """Queue packets, in the feed's thread."""
        given = list(packets)
        with self._lock:
            self._arrived += [time.perf_counter()] * len(given)
        return self._put(given)

    def on_tick(self) -> None:
        """Pass on that all ticks so far are stored, in the feed's thread."""
        with self._lock:
            self._stored += self._arrived
            self._arrived = []
        self._on_tick()

    def quotes(self, contracts: Iterable[OptionContract]) -> dict[str, Any]:
        """Read quotes for the watcher's cycle."""
        with self._lock:
            self._read += self._stored
            self._stored = []
        self._read_at = time.perf_counter()
        return self._quotes(contracts)

    def decided(self, _: CycleReport) -> None:
        """End of a cycle."""
        now = time.perf_counter()
        self.milliseconds += [(now - at) * 1e3 for at in self._read]
        self.cycles.append((now - self._read_at) * 1e3)
        self._read = []

    def forget(self) -> None:
        """Leave out what was measured so far."""
        self.milliseconds, self.cycles = [], []


@contextmanager
def exchange(home: Path) -> Iterator[dict[str, str]]:
    """Run a local exchange in a process of its own; yields the variables that lead to it."""
    command = [sys.executable, "-m", "strikeloom.cli", "exchange", "--market", "synthetic"]
    command += ["--no-limits", "--ticks", str(PER_SECOND)]
    with (home / "exchange.log").open("w") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
        ended = threading.Timer(START_SECONDS, process.kill)
        ended.start()
        try:
            found: dict[str, str] = {}
            assert process.stdout is not None
            for line in process.stdout:
                if line.startswith("export "):
                    found |= dict(word.split("=", 1) for word in line.split()[1:])
                if "DHAN_ACCESS_TOKEN" in line:
                    break
            ended.cancel()
            yield found
        finally:
            ended.cancel()
            process.terminate()
            process.wait(10)


def spreads(desk: Desk) -> list[tuple[OptionContract, OptionContract]]:
    """Pairs of neighbouring puts to sell and to buy, each contract once, most traded first."""
    today = desk.clock.now().date()
    rows = desk.history.contracts(desk.day, symbols=[SYMBOL])
    rows = rows[(rows["right"] == "PE") & (rows["expiry"].dt.date > today)]
    contracts: list[OptionContract] = []
    for row in rows.nlargest(6 * POSITIONS, "open_interest").itertuples():
        key = instrument_key(row.symbol, row.expiry.date(), row.strike, row.right)
        contracts.append(desk.instruments.instrument(key, today))
    quoted = desk.feed.quotes(contracts)
    known = [c for c in contracts if c.key in quoted and quoted[c.key].bid and quoted[c.key].ask]
    pairs: list[tuple[OptionContract, OptionContract]] = []
    for expiry in sorted({instrument.expiry for instrument in known}):
        puts = sorted((c for c in known if c.expiry == expiry), key=lambda c: -c.strike)
        pairs += list(zip(puts[::2], puts[1::2], strict=False))
    return pairs


def propose(desk: Desk, sold: OptionContract, bought: OptionContract, day: date) -> Proposal:
    """A bull put spread at the market of now, stored."""
    quotes = desk.feed.quotes([sold, bought])
    legs = (
        Leg(sold, Side.SELL, 1, quotes[sold.key].bid or 0),
        Leg(bought, Side.BUY, 1, quotes[bought.key].ask or 0),
    )
    name = strategy_id(desk.market, day, SYMBOL, "bull_put_spread", legs)
    risk = RiskSummary(0, 0, 0, (), 0.5, 0, 0.0, 0.0, 0, 0, 0, "none", 0)
    proposal = Proposal(
        name, desk.market, day, SYMBOL, "Index", "bull_put_spread", Tier.INCOME, Stance.LONG,
        "credit", legs, risk, Score(0.5, ()), (), "benchmark", 25_000_00, 25_000.0, 0.12, None,
        Outlook.BULLISH,
    )  # fmt: skip
    desk.store.save_proposals("benchmark", [proposal], [])
    return proposal


def enter(desk: Desk) -> int:
    """Open the positions over the wire; their number."""
    for sold, bought in spreads(desk)[:POSITIONS]:
        try:
            desk.store.record_intents(prepare_entry(desk, propose(desk, sold, bought, desk.day), 1))
        except StrikeloomError as error:
            print(f"not entered: {error}")
    until = time.monotonic() + ENTRY_SECONDS

    def all_open() -> bool:
        return len(desk.store.positions()) >= POSITIONS or time.monotonic() > until

    watch(desk, SystemClock(), stop=all_open)
    return len(desk.store.positions())


def measure(desk: Desk) -> TickTimer:
    """Watch for some seconds."""
    assert isinstance(desk.feed, DhanFeed)
    timer = TickTimer(desk.feed)
    wake_on_ticks(desk)
    gc.collect()
    gc.freeze()  # as `strikeloom watch` does
    for seconds in (WARM_SECONDS, SECONDS):
        timer.forget()
        until = time.monotonic() + seconds
        watch(
            desk,
            SystemClock(),
            stop=lambda until=until: time.monotonic() > until,
            on_cycle=timer.decided,
        )
    return timer


def show(timer: TickTimer, held: int) -> None:
    """Print the figures."""
    count = len(timer.milliseconds)
    if not count:
        raise SystemExit("no tick arrived")
    mid, high = np.percentile(timer.milliseconds, [50, 99])
    cycle_mid, cycle_high = np.percentile(timer.cycles, [50, 99])
    print(
        f"{held} positions of two legs, {count:,} ticks ({count / SECONDS:.0f} a second), "
        f"{len(timer.cycles):,} cycles in {SECONDS:.0f} s"
    )
    print(f"tick to decision   p50 {mid:.2f} ms, p99 {high:.2f} ms; bar: p99 {BAR_MS:.0f} ms")
    print(f"reading to the end of a cycle   p50 {cycle_mid:.2f} ms, p99 {cycle_high:.2f} ms")


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        os.environ["STRIKELOOM_HOME"] = str(home)
        open_desk("synthetic", mode="replay").close()  # generates the market
        with exchange(home) as variables:
            os.environ.update(variables)
            with open_desk("synthetic", mode="paper") as desk:
                held = enter(desk)
                show(measure(desk), held)


if __name__ == "__main__":
    main()
