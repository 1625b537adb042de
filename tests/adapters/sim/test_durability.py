"""What was answered is on disk: after kill -9, and with several processes at once."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from strikeloom.adapters.sim import SimBroker
from strikeloom.domain.orders import OrderState
from strikeloom.errors import Unreachable
from support.fakes import CASH, ManualClock, ShownFeed, ist, option, order

CALL = option(25000)
TESTS = Path(__file__).resolve().parents[2]

TRADER = """
    import sys
    from pathlib import Path
    from support.fakes import CASH, ManualClock, ShownFeed, ist, option, order
    from strikeloom.adapters.sim import SimBroker

    clock = ManualClock(ist("2026-02-11 10:00"))
    feed = ShownFeed(clock)
    feed.spots["NIFTY"] = 25_000_00
    call = option(25000)
    broker = SimBroker(Path(sys.argv[1]), feed, clock, CASH)
    n = 0
    while True:
        clock.wait(1)
        feed.show(call, 9900, 10000, size=130)
        side, limit = ("BUY", 10000) if n % 2 == 0 else ("SELL", 9900)
        done = broker.submit(order(f"n{n}", call, side, 2, limit))
        print(done.order_id, done.filled_units, flush=True)
        if n % 5 == 4:
            print(broker.cancel(done.order_id).order_id, 0, flush=True)
        n += 1
"""


def _broker(path):
    clock = ManualClock(ist("2026-02-11 15:00"))
    feed = ShownFeed(clock)
    feed.spots["NIFTY"] = 25_000_00
    return SimBroker(path, feed, clock, CASH), feed, clock


@pytest.mark.parametrize("after", [1, 7, 40])
def test_every_answered_order_survives_a_kill(tmp_path, after):
    path = tmp_path / "account.db"
    trader = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(TRADER), str(path)],
        stdout=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": str(TESTS), "PATH": ""},
    )
    answered = [trader.stdout.readline().split() for _ in range(after)]
    time.sleep(0.003 * after)
    trader.kill()
    answered += [line.split() for line in trader.stdout.read().splitlines() if " " in line]
    trader.wait()
    broker, _, _ = _broker(path)
    book = {o.order_id: o for o in broker.orders()}
    assert len(answered) >= after
    for order_id, filled in answered:
        assert book[order_id].filled_units >= int(filled)
    assert len(book) <= len({name for name, _ in answered}) + 1
    cash, net = CASH, 0
    for fill in broker.fills():
        cash -= int(fill.side) * fill.units * fill.price + fill.charges
        net += int(fill.side) * fill.units
    assert broker.funds().cash == cash
    assert sum(p.net_units for p in broker.positions()) == net
    broker.close()


def test_many_processes_do_not_trade_one_quote_twice(tmp_path):
    """Each has its own connection, as processes have; all catch up at the same moment."""
    path = tmp_path / "account.db"
    broker, feed, clock = _broker(path)
    feed.show(CALL, 9000, 9900)
    for n in range(10):
        broker.submit(order(f"n{n}", CALL, "BUY", 2, 9500))
    others = [_broker(path) for _ in range(6)]
    for _, its_feed, its_clock in [*others, (broker, feed, clock)]:
        its_clock.at = ist("2026-02-11 15:05")
        its_feed.show(CALL, 9300, 9400, size=650)
    with ThreadPoolExecutor(6) as pool:
        books = list(pool.map(lambda it: it[0].fills(), others))
    assert all(sum(f.units for f in fills) == 650 for fills in books)
    assert sum(o.state is OrderState.TRADED for o in broker.orders()) == 5
    for one, *_ in others:
        one.close()


def test_many_processes_settle_once(tmp_path):
    path = tmp_path / "account.db"
    broker, feed, _ = _broker(path)
    feed.show(CALL, 9900, 10000)
    broker.submit(order("a", CALL, "BUY", 2, 10000))
    others = [_broker(path) for _ in range(6)]
    for _, its_feed, its_clock in others:
        its_clock.at = ist("2026-02-25 09:15")
        its_feed.settlements["NIFTY", CALL.expiry] = 25_100_00
    with ThreadPoolExecutor(6) as pool:
        held = list(pool.map(lambda it: it[0].positions(), others))
    assert held == [[]] * 6
    assert [f.kind for f in others[0][0].fills()] == ["trade", "settlement"]
    for one, *_ in others:
        one.close()


def test_a_failure_inside_leaves_nothing_half_done(tmp_path, monkeypatch):
    from strikeloom.exchange.account.account import Account

    broker, feed, _ = _broker(tmp_path / "account.db")
    feed.show(CALL, 9900, 10000)

    def broken(*_args, **_more):
        raise OSError("disk full")

    monkeypatch.setattr(Account, "add_fill", broken)
    with pytest.raises(OSError, match="disk full"):
        broker.submit(order("a", CALL, "BUY", 2, 10000))
    monkeypatch.undo()
    assert broker.orders() == []
    assert broker.submit(order("b", CALL, "BUY", 2, 10000)).state is OrderState.TRADED
    broker.close()


def test_a_busy_file_refuses_the_order_and_keeps_nothing(tmp_path):
    path = tmp_path / "account.db"
    broker, feed, _ = _broker(path)
    feed.show(CALL, 9900, 10000)
    broker.engine._account.file._db.execute("PRAGMA busy_timeout = 20")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unreachable, match=r"account\.db is not usable now: database is locked"):
        broker.submit(order("a", CALL, "BUY", 1, 10000))
    other.execute("ROLLBACK")
    assert broker.orders() == []
    assert broker.submit(order("b", CALL, "BUY", 1, 10000)).state is OrderState.TRADED
    other.close()


def test_a_full_disk_keeps_nothing_of_an_order(tmp_path):
    broker, feed, _ = _broker(tmp_path / "account.db")
    feed.show(CALL, 9900, 10000)
    pages = broker.engine._account.file.number("PRAGMA page_count")
    broker.engine._account.file._db.execute(f"PRAGMA max_page_count = {pages}")
    placed = []

    def fill_up():
        for n in range(500):
            placed.append(broker.submit(order(f"n{n}", CALL, "BUY", 1, 9000)))  # noqa: PERF401

    with pytest.raises(Unreachable, match="full"):
        fill_up()
    assert broker.orders() == placed
    assert len(placed) > 5


def test_a_file_that_went_away_is_an_error_and_not_an_empty_account(tmp_path):
    broker, _, _ = _broker(tmp_path / "account.db")
    broker.close()
    with pytest.raises(Unreachable, match="not usable"):
        broker.positions()
