"""Orders through the matching engine: what one costs, and that it does not grow with the book.

Each order is placed, matched, changed or cancelled, and on disk before it is answered. Ratios
are to the 10 orders a second that the exchange lets a retail client send, and of a full book to
an empty one.
"""

from __future__ import annotations

import random
import tempfile
import time
from datetime import date, datetime, timedelta
from pathlib import Path

import pandas as pd

from strikeloom.domain.instruments import InstrumentKind, OptionContract, Right
from strikeloom.domain.legs import Side
from strikeloom.exchange.account.account import Account
from strikeloom.exchange.engine.engine import Engine
from strikeloom.exchange.market.clock import SteppedClock
from strikeloom.exchange.market.sources import tape_of_rows
from strikeloom.exchange.orders.request import Change, Placement
from strikeloom.nse.sessions import IST

DAY = date(2026, 2, 11)
OPEN = datetime(2026, 2, 11, 9, 15, tzinfo=IST)
BAR = 10
CASH = 10**13
CONTRACTS = [
    OptionContract("NIFTY", date(2026, 2, 24), strike * 100, right, InstrumentKind.INDEX, 65, 5)
    for strike in range(22500, 27500, 50)
    for right in Right
]


def market(minutes=370):
    """One snapshot every five minutes, a tick a second between them."""
    draw = random.Random(7)
    rows = []
    for minute in range(0, minutes + 1, 5):
        for n, c in enumerate(CONTRACTS):
            bid = round(90 + 0.05 * draw.randint(-100, 100) + n % 7, 2)
            rows.append(
                (OPEN + timedelta(minutes=minute), c.symbol, pd.Timestamp(c.expiry),
                 c.strike / 100, c.right.value, bid, round(bid + 0.5, 2), bid, 650, 650,
                 650 * (minute + 1), 65000, 25000.0)
            )  # fmt: skip
    names = ("at", "symbol", "expiry", "strike", "right", "bid", "ask", "last", "bid_size",
             "ask_size", "volume", "open_interest", "spot")  # fmt: skip
    frame = pd.DataFrame(rows, columns=list(names))
    return tape_of_rows(frame, CONTRACTS, SteppedClock(OPEN), tick_seconds=1)


def fill_book(engine, count):
    draw = random.Random(1)
    for n in range(count):
        instrument = CONTRACTS[draw.randrange(len(CONTRACTS))]
        limit = 7000 - 5 * draw.randrange(200)
        engine.place(Placement(instrument, Side.BUY, 65, limit=limit, correlation_id=f"r{n}"))


def load(engine, tape, orders, step):
    """Place, change and cancel while the market moves; seconds of each call."""
    draw, spent = random.Random(2), []
    for n in range(orders):
        tape.clock.step(step)
        instrument = CONTRACTS[draw.randrange(len(CONTRACTS))]
        quote = tape.quotes([instrument])[instrument.key]
        side = draw.choice(list(Side))
        limit = quote.ask if side is Side.BUY else quote.bid
        start = time.perf_counter()
        if n % 3 == 0:
            order = engine.place(Placement(instrument, side, 65, limit=limit))
        elif n % 3 == 1:
            far = limit - 200 * int(side)
            order = engine.place(Placement(instrument, side, 130, limit=far))
        elif not order.state.terminal:
            engine.modify(order.number, Change(limit=order.limit + 5))
            engine.cancel(order.number)
        spent.append(time.perf_counter() - start)
    return spent


def line(name, seconds, more=""):
    ordered = sorted(seconds)
    mean = sum(seconds) / len(seconds)
    print(
        f"{name:<22} {1 / mean:8.0f} /s  {1 / mean / BAR:7.1f} times the {BAR} a second; "
        f"p99 {1e3 * ordered[int(len(ordered) * 0.99)]:.2f} ms{more}"
    )
    return mean


def main():
    means = {}
    for resting in (0, 1000, 5000):
        with tempfile.TemporaryDirectory() as made:
            tape = market()
            engine = Engine(Account(Path(made) / "a.db", CASH), tape, tape.clock, tape)
            fill_book(engine, resting)
            spent = load(engine, tape, 1500, 0.1)
            means[resting] = line(f"{resting} resting", spent)
            start = time.perf_counter()
            engine.audit()
            print(f"{'audit of all of it':<22} {time.perf_counter() - start:8.2f} s")
            start = time.perf_counter()
            Engine(Account(Path(made) / "a.db", CASH), tape, tape.clock, tape).advance()
            print(f"{'opened again':<22} {time.perf_counter() - start:8.3f} s")
            tape.clock.step(3600)
            start = time.perf_counter()
            engine.advance()
            print(f"{'an hour of seconds':<22} {time.perf_counter() - start:8.2f} s")
            engine.close()
    print(f"{'5000 against none':<22} {means[5000] / means[0]:8.2f} times the cost of an order")


if __name__ == "__main__":
    main()
