"""Processes that trade one account, killed at any moment: the account adds up, with every event."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections import Counter
from pathlib import Path

import pytest

from strikeloom.exchange.account.account import Account
from strikeloom.exchange.engine.engine import Engine
from support.fakes import CASH, ManualClock, TapeFeed, ist

TESTS = Path(__file__).resolve().parents[1]
SIZE = 65 * 4

TRADER = """
    import random, sys
    from dataclasses import replace
    from datetime import timedelta
    from pathlib import Path
    from support.fakes import CASH, ManualClock, TapeFeed, ist, option
    from strikeloom.domain.legs import Side
    from strikeloom.domain.orders import Validity
    from strikeloom.errors import Rejected
    from strikeloom.exchange.account.account import Account
    from strikeloom.exchange.engine.engine import Engine
    from strikeloom.domain.products import Product
    from strikeloom.exchange.orders.request import Change, Placement
    from strikeloom.exchange.conditional.validation import SuperTerms

    path, seed = Path(sys.argv[1]), int(sys.argv[2])
    start, call, draw = ist("2026-02-11 09:15"), option(25000), random.Random(seed)
    clock = ManualClock(start)
    feed = TapeFeed(clock)
    feed.spots["NIFTY"] = 25_000_00
    for n in range(600):
        bid = 9900 + 5 * (n * 7 % 20)
        at = start + timedelta(seconds=10 * n)
        feed.record(at, call, bid, bid + 20, 65 * 4)
        feed.tape[at][call.key] = replace(feed.tape[at][call.key], last=bid + 10)
    engine = Engine(Account(path, CASH), feed, clock)
    print("ready", flush=True)
    for n in range(600):
        clock.at = start + timedelta(seconds=10 * n + draw.randint(0, 9))
        side = draw.choice(list(Side))
        limit = 9900 + 5 * draw.randint(0, 24)
        units = 65 * draw.randint(1, 6)
        validity = draw.choice([Validity.DAY, Validity.DAY, Validity.IOC])
        order = engine.place(Placement(call, side, units, limit=limit, validity=validity))
        print(order.number, order.filled, order.state.value, flush=True)
        if n % 4 == 0:
            entry = Placement(call, side, 65 * 2, limit=9950, product=Product.INTRADAY)
            far = 50 * int(side)
            engine.super_orders.place(entry, SuperTerms(9950 + far, 9950 - far, 5))
            engine.forever_orders.place([(Placement(call, side, 65, limit=limit), limit)])
        try:
            if n % 3 == 0:
                order = engine.modify(order.number, Change(units=units + 65, limit=limit + 5))
            elif n % 3 == 1:
                order = engine.cancel(order.number)
        except Rejected:
            pass
        print(order.number, order.filled, order.state.value, flush=True)
"""


def _start(path, seed):
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(TRADER), str(path), str(seed)],
        stdout=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": str(TESTS), "PATH": ""},
    )


def _lines(process, count):
    found = []
    for line in process.stdout:
        if line.count(" ") == 2:
            found.append(line.split())
        if len(found) >= count:
            break
    return found


def _check(path, answered):
    clock = ManualClock(ist("2026-02-11 11:30"))
    feed = TapeFeed(clock)
    feed.spots["NIFTY"] = 25_000_00
    engine = Engine(Account(path, CASH), feed, clock)
    engine.audit()  # exits within their entries, one child of a forever order
    children = [order for order in engine.orders() if order.conditional]
    assert {order.leg for order in children} <= {"ENTRY_LEG", "TARGET_LEG", "STOP_LOSS_LEG"}
    assert len(answered) < 30 or any(order.leg == "TARGET_LEG" for order in children)
    book = {order.number: order for order in engine.orders()}
    for number, filled, state in answered:
        order = book[int(number)]
        assert order.filled >= int(filled)
        assert state not in ("TRADED", "CANCELLED", "REJECTED") or order.state.value == state
    newest = {event.order.number: event.order for event in engine.events(0, 10**6)}
    assert newest == book
    seqs = [event.seq for event in engine.events(0, 10**6)]
    assert seqs == sorted(set(seqs))
    taken = Counter()
    for row in engine._account.file.rows("SELECT side, units, quote_at FROM fills"):
        taken[row["side"], row["quote_at"]] += row["units"]
    assert taken
    assert max(taken.values()) <= SIZE
    engine.close()


@pytest.mark.parametrize("after", [3, 41, 160])
def test_what_was_answered_survives_a_kill(tmp_path, after):
    path = tmp_path / "a.db"
    trader = _start(path, after)
    answered = _lines(trader, after)
    trader.kill()
    answered += [line.split() for line in trader.stdout.read().splitlines() if line.count(" ") == 2]
    trader.wait()
    _check(path, answered)


def test_processes_at_once_and_one_of_them_killed(tmp_path):
    path = tmp_path / "a.db"
    traders = [_start(path, seed) for seed in (1, 2, 3)]
    answered = [line for trader in traders for line in _lines(trader, 30)]
    traders[0].kill()
    answered += [line for trader in traders[1:] for line in _lines(trader, 60)]
    for trader in traders:
        trader.kill()
        trader.wait()
        trader.stdout.close()
    _check(path, answered)
