"""A process that trades all kinds over days, killed at any moment: each day is settled once."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from strikeloom.domain.instruments import FutureContract, InstrumentKind, Share
from strikeloom.exchange.account.account import Account
from strikeloom.exchange.engine.engine import Engine
from support.fakes import CASH, EXPIRY, ManualClock, ShownFeed, ist

TESTS = Path(__file__).resolve().parents[1]
SESSIONS = [f"2026-02-{day}" for day in (11, 12, 13, 16, 17, 18, 19, 20, 23, 24, 25)]
FUTURE = FutureContract("RELIANCE", EXPIRY, InstrumentKind.STOCK, 50)
SHARE = Share("RELIANCE")
FINAL = 1_437_35

#: Settlement price of the future after each session but the last.
SETTLED = {date.fromisoformat(day): 1_400_00 + 5 * n * n for n, day in enumerate(SESSIONS[:9])}

TRADER = """
    import sys
    from pathlib import Path
    from exchange.test_killed_days import FUTURE, SESSIONS, SHARE, opened
    from strikeloom.domain.legs import Side
    from strikeloom.exchange.orders.request import Placement
    from support.fakes import ist

    engine, clock, feed = opened(Path(sys.argv[1]))
    print("ready", flush=True)
    for n, day in enumerate(SESSIONS):
        clock.at = ist(f"{day} 10:00")
        for k in range(6):
            clock.wait(1)
            price = 1_400_00 + 5 * (n * 7 + k * 3 % 11)
            for instrument, units in ((FUTURE, 50), (SHARE, 7)):
                feed.show(instrument, price, price)
                side = Side.SELL if (n + k) % 3 == 2 else Side.BUY
                engine.place(Placement(instrument, side, units, limit=price))
            print(day, "traded", flush=True)
        clock.at = ist(f"{day} 15:45")
        engine.advance()
        print(day, "settled", flush=True)
"""


def opened(path):
    """The account at its first session, and all prices that will be published."""
    clock = ManualClock(ist(f"{SESSIONS[0]} 09:30"))
    feed = ShownFeed(clock)
    feed.spots["RELIANCE"] = 1_400_00
    feed.settlements |= {(FUTURE.key, day): price for day, price in SETTLED.items()}
    feed.settlements["RELIANCE", EXPIRY] = FINAL
    return Engine(Account(path, CASH), feed, clock), clock, feed


@pytest.mark.parametrize("lines", [1, 7, 12, 24, 40, 63, 70, 76])
def test_each_day_is_settled_once_whenever_the_process_dies(tmp_path, lines):
    path = tmp_path / "a.db"
    trader = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(TRADER), str(path)],
        stdout=subprocess.PIPE, text=True, env={"PYTHONPATH": str(TESTS), "PATH": ""},
    )  # fmt: skip
    seen = []
    for line in trader.stdout:
        seen.append(line.split())
        if len(seen) > lines:
            break
    trader.kill()
    seen += [line.split() for line in trader.stdout.read().splitlines()]
    trader.wait()
    engine, clock, _ = opened(path)
    last = seen[-1][0]
    clock.at = ist(f"{last} 15:45")
    engine.audit()
    days = Counter(it.day for it in engine.depository.settlements())
    assert set(days.values()) == {1}
    assert set(days) >= {day for day in SETTLED if day <= date.fromisoformat(last)}
    clock.at = ist("2026-02-26 10:00")
    engine.audit()
    # from the trades alone: shares at their prices, the future against its final value
    cash, shares, units = CASH, 0, 0
    for trade in engine.trades():
        signed = int(trade.side) * trade.units
        cash -= trade.charges
        if trade.kind == "trade":
            cash -= signed * trade.price
            shares, units = (
                (shares + signed, units) if trade.instrument == SHARE else (shares, units + signed)
            )
    assert units > 0
    assert engine.balance().cash == cash  # units x final value came in, and went out for shares
    assert engine.holdings() == {SHARE: shares + units}
    engine.close()
