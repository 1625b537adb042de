"""Limits that processes of one home share: together they never make more calls than one may."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from strikeloom.adapters.dhan.call_counters import SharedCallCounter
from strikeloom.adapters.dhan.rate_limiter import LIMITS, CallClass, RateLimiter
from strikeloom.errors import RateLimited

DAY = 86_400.0


class Home:
    """One file and one stepped clock for any number of processes."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "limits.db"
        self.at = 1_790_000_000.0
        self.warned: list[str] = []

    def now(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += seconds

    def process(self, account: str = "one", *, patience: float = 1e9) -> RateLimiter:
        counter = SharedCallCounter(
            self.path, account, self.now, self.warned.append, busy_seconds=0.01
        )  # fmt: skip
        return RateLimiter(sleep=self.sleep, patience=patience, counter=counter)


@pytest.fixture
def shared(tmp_path: Path) -> Home:
    return Home(tmp_path)


def _most_in(moments: list[float], window: float) -> int:
    return max(sum(at - window < other <= at for other in moments) for at in moments)


@pytest.mark.parametrize("kind", list(CallClass))
def test_processes_together_keep_every_window(shared: Home, kind: CallClass) -> None:
    processes, rng, moments = [shared.process() for _ in range(3)], random.Random(3), []
    for _ in range(300 if kind is CallClass.ORDER else 60):
        rng.choice(processes).take(kind, about="NIFTY")
        moments.append(shared.at)
        shared.at += rng.choice((0.0, 0.01, 0.2))
    for window, most in LIMITS[kind].items():
        assert _most_in(moments, window) <= most
    assert shared.warned == []


def test_a_restart_forgets_nothing_and_the_window_ends(shared: Home) -> None:
    first = shared.process()
    for _ in range(250):
        first.take(CallClass.ORDER)
    with pytest.raises(RateLimited, match="orders calls is used up"):
        shared.process(patience=1.0).take(CallClass.ORDER)
    shared.process("another account", patience=1.0).take(CallClass.ORDER)
    shared.at += 60.2
    shared.process(patience=1.0).take(CallClass.ORDER)


def test_a_refusal_by_the_broker_holds_every_process_back(shared: Home) -> None:
    one, other = shared.process(), shared.process()
    one.refused(CallClass.QUOTE)
    one.refused(CallClass.QUOTE)
    before = shared.at
    other.take(CallClass.QUOTE)
    assert shared.at - before >= 2.0
    other.accepted(CallClass.QUOTE)
    one.refused(CallClass.QUOTE)  # a first one again
    before = shared.at
    other.take(CallClass.QUOTE)
    assert 1.0 <= shared.at - before < 2.0


def test_a_clock_that_was_set_back_holds_nothing_for_longer_than_the_window(shared: Home) -> None:
    for _ in range(10):
        shared.process().take(CallClass.ORDER)
    shared.at -= 3 * DAY
    before = shared.at
    for _ in range(20):
        shared.process().take(CallClass.ORDER)
    assert 1.0 < shared.at - before < 3.0


@pytest.mark.parametrize(
    "content", [b"this is no database" * 100, b"SQLite format 3\0" + b"\1" * 4096]
)
def test_a_broken_file_halves_the_pace_and_is_reported(shared: Home, content: bytes) -> None:
    shared.path.write_bytes(content)
    limits, moments = shared.process(), []
    for _ in range(25):
        limits.take(CallClass.ORDER)
        moments.append(shared.at)
    assert _most_in(moments, 2.0) == 10
    assert len(shared.warned) == 1
    assert "half the pace" in shared.warned[0]
    assert str(shared.path) in shared.warned[0]


def test_a_file_that_another_process_keeps_locked_stops_no_order(shared: Home) -> None:
    limits = shared.process()
    limits.take(CallClass.ORDER)
    other = sqlite3.connect(shared.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    limits.take(CallClass.ORDER)
    assert len(shared.warned) == 1
    assert "locked" in shared.warned[0]
    other.execute("ROLLBACK")
    other.close()


def test_what_was_counted_together_still_counts_when_the_file_breaks(shared: Home) -> None:
    limits, moments = shared.process(), []
    for number in range(20):
        if number == 10:
            counter = limits._counter
            assert isinstance(counter, SharedCallCounter)
            counter.close()
            shared.path.write_bytes(b"broken" * 1000)
        limits.take(CallClass.ORDER)
        moments.append(shared.at)
    assert _most_in(moments, 2.0) == 10


def test_a_file_that_cannot_be_opened_stops_no_order(shared: Home) -> None:
    shared.path.mkdir()  # what a file of another user looks like to SQLite
    limits, moments = shared.process(), []
    for _ in range(25):
        limits.take(CallClass.ORDER)
        moments.append(shared.at)
    assert _most_in(moments, 2.0) == 10
    assert len(shared.warned) == 1


def test_a_refusal_holds_back_also_when_the_file_can_only_be_read(shared: Home) -> None:
    limits = shared.process()
    limits.take(CallClass.ORDER)
    other = sqlite3.connect(shared.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    limits.refused(CallClass.ORDER, 30.0)
    other.execute("ROLLBACK")
    other.close()
    before = shared.at
    limits.take(CallClass.ORDER)
    assert shared.at - before >= 30.0


@pytest.mark.parametrize("alone", [False, True])
def test_a_cooldown_ends_also_when_the_clock_was_set_back(shared: Home, alone: bool) -> None:
    if alone:
        shared.path.write_bytes(b"this is no database" * 100)
    limits = shared.process(patience=10.0)
    for _ in range(10):
        limits.take(CallClass.ORDER)
    limits.refused(CallClass.ORDER)
    shared.at -= 3 * DAY
    before = shared.at
    limits.take(CallClass.ORDER)
    assert 1.0 <= shared.at - before < 4.0


def test_calls_counted_alone_count_when_the_file_is_back(shared: Home) -> None:
    limits = shared.process()
    limits.take(CallClass.ORDER)
    moments = [shared.at]
    for _ in range(40):
        other = sqlite3.connect(shared.path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        limits.take(CallClass.ORDER)
        moments.append(shared.at)
        other.execute("ROLLBACK")
        other.close()
        shared.at += 0.05
        limits.take(CallClass.ORDER)
        moments.append(shared.at)
    assert _most_in(moments, 1.0) <= 10


def test_a_locked_file_is_left_alone_for_a_while_and_then_used_again(shared: Home) -> None:
    limits = shared.process()
    limits.take(CallClass.ORDER)
    other = sqlite3.connect(shared.path, isolation_level=None)

    def counted() -> int:
        return int(other.execute("SELECT count(*) FROM turns").fetchone()[0])

    other.execute("BEGIN IMMEDIATE")
    limits.take(CallClass.ORDER)
    other.execute("ROLLBACK")
    limits.take(CallClass.ORDER)
    assert counted() == 1
    shared.at += 6.0
    limits.take(CallClass.ORDER)
    assert counted() == 2
    other.close()


PROGRAM = """
import sys
from pathlib import Path
from strikeloom.adapters.dhan.rate_limiter import CallClass, RateLimiter
from strikeloom.adapters.dhan.call_counters import SharedCallCounter
from strikeloom.errors import RateLimited

path = Path(sys.argv[1])
counter = SharedCallCounter(path, "one", lambda: 1_790_000_000.0, sys.exit, busy_seconds=30)
limits = RateLimiter(patience=0.0, limits={CallClass.ORDER: {60.0: 40}}, counter=counter)
got = 0
for _ in range(30):
    try:
        limits.take(CallClass.ORDER)
        got += 1
    except RateLimited:
        pass
print(got)
"""


def test_real_processes_share_one_count(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PROGRAM, str(tmp_path / "limits.db")]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    got = [int(process.communicate(timeout=120)[0]) for process in running]
    assert sum(got) == 40
