"""What one cycle of the watcher costs as closed positions pile up.

Bars: an idle cycle after 0, 100 and 1,000 closed positions costs the same within 10 %; with a
position open and nothing to do at most 3 readings of the broker and 6 SQL statements, and none
of the broker while it reports no change. Run: python benchmarks/watcher_cycle.py
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from strikeloom.domain.proposals import Proposal
from strikeloom.monitor.cycle import Watcher
from strikeloom.trading.lease import Lease
from strikeloom.trading.prepare import prepare_entry, prepare_exit
from strikeloom.trading.reconcile import Reconciler
from strikeloom.trading.send import OrderRateLimiter
from strikeloom.trading.work import work
from support.desk import MadeDesk
from support.fakes import ManualClock, ist

CLOSED, ROUNDS, CYCLES = (0, 100, 1_000), 41, 100
_READS = {"orders", "fills", "positions", "earlier_fills"}


class CountedBroker:
    """A broker whose readings are counted."""

    def __init__(self, broker: Any) -> None:
        self._broker = broker
        self.reads: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        if name in _READS:
            self.reads[name] += 1
        return getattr(self._broker, name)


class Account:
    """A desk with closed and open positions, and a watcher over it."""

    def __init__(self, closed: int, open_: int) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.made = MadeDesk(self.folder)
        guards = self.made.desk.settings.execution.guards.model_copy(
            update={"max_orders_per_day": 10**6, "max_open_positions": 10**6}
        )
        execution = self.made.desk.settings.execution.model_copy(update={"guards": guards})
        settings = self.made.desk.settings.model_copy(update={"execution": execution})
        self.broker = CountedBroker(self.made.broker)
        broker: Any = self.broker
        self.desk = replace(self.made.desk, settings=settings, broker=broker)
        self.real = ManualClock(ist("2026-11-01 12:00"))
        self.lease = Lease(self.desk.home, self.desk.store)
        self.lease.__enter__()
        self.reconciler = Reconciler(self.desk)
        for number in range(closed):
            self._enter(number)
            position = self.made.store.position(self._name(number))
            self._work(prepare_exit(self.desk, position, [0, 0], "close"))
        for number in range(closed, closed + open_):
            self._enter(number)
        assert len(self.made.store.positions()) == open_
        assert len(self.made.store.positions(open_only=False)) == closed + open_
        self.watcher = Watcher(self.desk, self.lease, OrderRateLimiter(1e6), self.real)
        self.statements = 0
        self.made.store.db._db.set_trace_callback(self._traced)

    def _traced(self, _: str) -> None:
        self.statements += 1

    def _name(self, number: int) -> str:
        return f"S{number:06d}"

    def _enter(self, number: int) -> None:
        if number % 20 == 0:
            self.made.step(1)  # new quotes: the old ones' depth is used up
        proposal: Proposal = replace(self.made.spread(), strategy_id=self._name(number))
        self.made.store.save_proposals("made", [proposal], [])
        self._work(prepare_entry(self.desk, proposal, 1))

    def _work(self, intents: list[Any]) -> None:
        self.made.store.record_intents(intents)
        work(self.desk, self.lease, OrderRateLimiter(1e6), self.reconciler)

    def cycle(self) -> None:
        """One cycle, five seconds of real time after the last one."""
        self.real.wait(5)
        self.watcher.cycle()

    def close(self) -> None:
        """End everything."""
        self.lease.__exit__(None, None, None)
        self.made.close()
        shutil.rmtree(self.folder)


def timed(account: Account) -> float:
    """Milliseconds of processor time a cycle."""
    start = time.process_time()
    for _ in range(CYCLES):
        account.cycle()
    return (time.process_time() - start) * 1e3 / CYCLES


def main() -> None:
    """Measure and print."""
    accounts = {closed: Account(closed, 0) for closed in CLOSED}
    for account in accounts.values():
        for _ in range(5):
            account.cycle()
    rounds: dict[int, list[float]] = {closed: [] for closed in CLOSED}
    for _ in range(ROUNDS):
        for closed, account in accounts.items():
            rounds[closed].append(timed(account))
    first = rounds[CLOSED[0]]
    print("idle cycle, no open position (processor time, interleaved)")
    for closed, found in rounds.items():
        ratio = statistics.median(b / a for a, b in zip(first, found, strict=True))
        account = accounts[closed]
        account.statements = 0
        account.broker.reads.clear()
        account.cycle()
        print(
            f"  {closed:>5} closed: {statistics.median(found):.3f} ms, {ratio:.2f} of the first; "
            f"{account.statements} SQL statements, {account.broker.reads.total()} broker reads"
        )
        account.close()
    for open_ in (1, 20):
        account = Account(50, open_)
        for _ in range(3):
            account.cycle()
        statements, reads = account.statements, account.broker.reads.total()
        took = [timed(account) for _ in range(ROUNDS)]
        done = ROUNDS * CYCLES
        print(
            f"{open_} open, 50 closed, nothing to do: {statistics.median(took):.3f} ms; "
            f"{(account.statements - statements) / done:.1f} SQL statements, "
            f"{(account.broker.reads.total() - reads) / done:.2f} broker reads a cycle"
        )
        account.made.clock.wait(61)
        account.broker.reads.clear()
        account.cycle()
        print(f"  the full reconciliation of each minute: {dict(account.broker.reads)}")
        account.close()


if __name__ == "__main__":
    main()
