"""Any calls of the engine, by any process in any order: it adds up, and every event is kept."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from strikeloom.domain.instruments import FutureContract, InstrumentKind, Right, Share
from strikeloom.domain.legs import Side
from strikeloom.domain.orders import OrderState, Validity
from strikeloom.domain.products import Product
from strikeloom.errors import Rejected, StoreError
from strikeloom.exchange.account.account import Account
from strikeloom.exchange.engine.engine import Engine
from strikeloom.exchange.orders.hours import is_open
from strikeloom.exchange.orders.request import AmoTime, Change, OrderType, Placement
from strikeloom.nse.products import carried_product
from strikeloom.nse.sessions import session
from support.fakes import CASH, ManualClock, TapeFeed, ist, option

CONTRACTS = [option(25000), option(25500), option(24500, Right.PUT)]
FUTURE = FutureContract("NIFTY", CONTRACTS[0].expiry, InstrumentKind.INDEX, 65)
MARKET = [*CONTRACTS, FUTURE, Share("RELIANCE")]
ticks = st.integers(1, 80).map(lambda n: 5 * n)
lots = st.integers(1, 28).map(lambda n: 65 * n)


class Lives(RuleBasedStateMachine):
    """Two processes of one account; orders of all kinds; days that pass, up to the expiry."""

    @initialize(seed=st.integers(0, 2**16))
    def begin(self, seed):
        self.folder = Path(tempfile.mkdtemp())
        self.clock = ManualClock(ist("2026-02-20 10:00"))
        self.feed = TapeFeed(self.clock)
        self.feed.spots |= {"NIFTY": 25_000_00, "RELIANCE": 1_00}
        self.random = random.Random(seed)
        self.engines = [self.open(), self.open()]
        self.market(2, 150, 2, 300)

    def open(self):
        return Engine(Account(self.folder / "a.db", CASH), self.feed, self.clock)

    @property
    def engine(self):
        return self.random.choice(self.engines)

    @rule(steps=st.integers(1, 5), low=ticks, width=st.integers(-1, 8), size=st.integers(0, 400))
    def market(self, steps, low, width, size):
        for _ in range(steps):
            self.clock.wait(self.random.choice([1, 30, 600]))
            at = self.clock.at
            for instrument in MARKET:
                bid = max(5, low + 5 * self.random.randint(-6, 6))
                self.feed.record(at, instrument, bid, bid + 5 * width, size)
                shown = self.feed.tape[at]
                shown[instrument.key] = replace(shown[instrument.key], last=max(5, bid))
                self.feed.spots["NIFTY"] = 25_000_00 + self.random.randint(-300_00, 300_00)

    @rule(
        instrument=st.sampled_from(MARKET), side=st.sampled_from(Side), units=lots,
        kind=st.sampled_from(OrderType), limit=ticks, trigger=ticks,
        validity=st.sampled_from(Validity), amo=st.booleans(),
        intraday=st.booleans(),
    )  # fmt: skip
    def place(self, instrument, side, units, kind, limit, trigger, validity, intraday, amo):
        if kind is OrderType.STOP_LOSS:
            limit = max(5, trigger + int(side) * min(limit % 20, trigger // 5) // 5 * 5)
        later = is_open(self.clock.at) if amo and self.random.random() < 0.1 else False
        later = later or not is_open(self.clock.at)
        product = Product.INTRADAY if intraday else carried_product(instrument)
        order = self.engine.place(
            Placement(
                instrument, side, units, kind, limit, trigger, validity, product,
                after_market=later, amo_time=self.random.choice(list(AmoTime)),
            )
        )  # fmt: skip
        assert validity is Validity.DAY or later or order.state.terminal or order.waits_for_trigger

    @rule(pick=st.integers(0, 10**6), units=st.none() | lots, limit=st.none() | ticks,
          kind=st.none() | st.sampled_from(OrderType))  # fmt: skip
    def modify(self, pick, units, limit, kind):
        known = self.engine.orders()
        if not known:
            return
        before = known[pick % len(known)]
        try:
            after = self.engine.modify(
                before.number, Change(units=units, limit=limit, order_type=kind)
            )
        except Rejected:
            assert self.engine.order(before.number) == before
            return
        assert after.modifications == before.modifications + 1
        assert after.filled >= before.filled

    @rule(pick=st.integers(0, 10**6))
    def cancel(self, pick):
        known = self.engine.orders()
        if known:
            before = known[pick % len(known)]
            after = self.engine.cancel(before.number)
            assert after.state.terminal
            assert after == before or not before.state.terminal

    @rule(instrument=st.sampled_from(MARKET), units=lots)
    def convert(self, instrument, units):
        try:
            self.engine.convert(instrument, Product.INTRADAY, carried_product(instrument), units)
        except Rejected:
            return

    @rule()
    def evening(self):
        day = self.clock.at.date()
        self.feed.settlements[FUTURE.key, day] = self.random.randint(5, 500)
        self.clock.at = session(day).close.replace(minute=59)

    @rule()
    def next_day(self):
        if self.clock.at.date() < CONTRACTS[0].expiry:
            self.clock.at = ist(
                "2026-02-24 09:15" if self.clock.at.day > 20 else "2026-02-23 09:15"
            )

    @rule(level=st.integers(24_000_00, 26_000_00))
    def expire(self, level):
        if self.clock.at.date() == CONTRACTS[0].expiry:
            self.feed.settlements["NIFTY", CONTRACTS[0].expiry] = level
            self.clock.at = ist("2026-02-24 15:45")
            assert set(self.engine.holdings()) <= {Share("RELIANCE")}

    @rule()
    def restart(self):
        self.engines.pop(0).close()
        self.engines.append(self.open())

    @invariant()
    def all_processes_see_one_account_that_adds_up(self):
        if not hasattr(self, "engines"):
            return
        one, other = self.engines
        one.audit()
        assert one.orders() == other.orders()
        assert one.positions() == other.positions()
        assert one.balance() == other.balance()
        newest = {}
        for event in one.events(0, 10**6):
            newest[event.order.number] = event.order
        assert (
            list(newest.values()) == one.orders() or {o.number: o for o in one.orders()} == newest
        )

    @invariant()
    def no_moment_gives_more_than_it_showed(self):
        if not hasattr(self, "engines"):
            return
        account = self.engines[0]._account
        for at, shown in list(self.feed.tape.items())[-6:]:
            for key, quote in shown.items():
                assert account.ledger.taken(key, Side.BUY, at) <= quote.ask_size
                assert account.ledger.taken(key, Side.SELL, at) <= quote.bid_size

    def teardown(self):
        for engine in getattr(self, "engines", []):
            engine.close()
        if hasattr(self, "folder"):
            shutil.rmtree(self.folder)


Lives.TestCase.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
TestLives = Lives.TestCase


def test_an_audit_names_what_does_not_add_up(tmp_path, feed, clock):
    engine = Engine(Account(tmp_path / "a.db", CASH), feed, clock)
    feed.show(CONTRACTS[0], 9900, 10000)
    engine.place(Placement(CONTRACTS[0], Side.BUY, 65, limit=10000))
    for damage, words in (
        ("UPDATE money SET cash = cash + 1", "cash kept as"),
        ("UPDATE orders SET filled_value = filled_value + 1", "order E1 value"),
        ("UPDATE positions SET day_buy_units = day_buy_units + 65", "units held"),
        ("UPDATE money SET booked = booked - 1", "profit realised"),
    ):
        engine.audit()
        with sqlite3.connect(tmp_path / "a.db") as db:
            before = db.execute("SELECT cash, booked FROM money").fetchone()
            db.execute(damage)
        with pytest.raises(StoreError, match=words):
            engine.audit()
        with sqlite3.connect(tmp_path / "a.db") as db:
            db.execute("UPDATE money SET cash = ?, booked = ?", before)
            db.execute("UPDATE orders SET filled_value = 650000")
            db.execute("UPDATE positions SET day_buy_units = 65")


def test_a_file_of_the_first_version_is_brought_up_to_date(tmp_path, feed, clock):
    """As the version before left it: a bought and half sold call, one order that rests."""
    path, key = tmp_path / "old.db", CONTRACTS[0].key
    old = sqlite3.connect(path)
    script = files("strikeloom.exchange.data").joinpath("account_1.sql").read_text()
    old.executescript(script)
    at = "2026-02-11T09:30:00+05:30"
    order = (key, "index", 65, 5)
    for n, (side, units, filled, state) in enumerate(
        [(1, 130, 130, "TRADED"), (-1, 65, 65, "TRADED"), (1, 65, 0, "PENDING")]
    ):
        old.execute(
            "INSERT INTO orders (correlation_id, contract, kind, lot_size, tick, side, units, "
            "filled, limit_price, validity, state, placed_at, updated_at) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, 9000, 'DAY', ?, ?, ?)",
            (f"t{n}", *order, side, units, filled, state, at, at),
        )
    for number, side, units, price in ((1, 1, 130, 10000), (2, -1, 65, 11000)):
        old.execute(
            "INSERT INTO fills (order_number, correlation_id, contract, kind, lot_size, tick, "
            "side, units, price, charges, at, quote_at, what) "
            "VALUES (?, 't', ?, ?, ?, ?, ?, ?, ?, 2500, ?, ?, 'trade')",
            (number, *order, side, units, price, at, at),
        )
    old.execute("INSERT INTO money VALUES (1, ?)", (CASH,))
    old.execute("PRAGMA user_version = 1")
    old.commit()
    old.close()
    engine = Engine(Account(path, 1), feed, clock)
    assert engine.balance().cash == CASH - 130 * 10000 + 65 * 11000 - 5000
    (held,) = engine.positions()
    assert (held.net, held.cost, held.realised) == (65, 65 * 10000, 65 * 1000)
    engine.audit()
    clock.wait(60)
    feed.show(CONTRACTS[0], 8900, 9000)
    assert [o.state for o in engine.orders()] == [OrderState.TRADED] * 3
    engine.audit()


def test_a_file_of_the_second_version_keeps_its_events(tmp_path, feed, clock):
    """As the version before left it: an order that rests, and its event."""
    path, at = tmp_path / "old.db", "2026-02-11T09:30:00+05:30"
    old = sqlite3.connect(path)
    for step in (1, 2):
        old.executescript(
            files("strikeloom.exchange.data").joinpath(f"account_{step}.sql").read_text()
        )
    columns = {
        "correlation_id": "t", "contract": CONTRACTS[0].key, "kind": "index", "lot_size": 65,
        "tick": 5, "side": 1, "units": 65, "filled": 0, "filled_value": 0, "order_type": "LIMIT",
        "asked_type": "LIMIT", "limit_price": 9000, "trigger_price": 0, "triggered": 0,
        "validity": "DAY", "product": "MARGIN", "disclosed": 0, "after_market": 0,
        "release_at": "", "modifications": 0, "state": "PENDING", "code": "", "reason": "",
        "placed_at": at, "updated_at": at, "entered_at": at, "exchange_at": at, "rank": 1,
    }  # fmt: skip
    names, marks = ", ".join(columns), ", ".join("?" * len(columns))
    old.execute(
        f"INSERT INTO orders ({names}) VALUES ({marks})",  # noqa: S608
        tuple(columns.values()),
    )
    body = json.dumps([1, *columns.values()])
    old.execute("INSERT INTO events (order_number, fill_number, body) VALUES (1, 0, ?)", (body,))
    old.execute("INSERT INTO money (one, start, cash, day_start) VALUES (1, ?, ?, ?)", (CASH,) * 3)
    old.execute("PRAGMA user_version = 2")
    old.commit()
    old.close()
    engine = Engine(Account(path, 1), feed, clock)
    (order,), (event,) = engine.orders(), engine.events()
    assert event.order == order
    assert (order.limit, order.conditional, order.leg) == (9000, 0, "")
    engine.audit()


def test_threads_share_an_engine(tmp_path, feed, clock):
    engine = Engine(Account(tmp_path / "a.db", CASH), feed, clock)
    feed.show(CONTRACTS[0], 9900, 10000, size=65 * 30)

    def work(n):
        order = engine.place(Placement(CONTRACTS[0], Side.BUY, 65, limit=10000 - 5 * (n % 2)))
        engine.place(Placement(option(20000 + 100 * n), Side.BUY, 65, limit=5))
        assert engine.balance().cash <= CASH
        assert len(engine.positions()) <= 1
        return engine.cancel(order.number)

    with ThreadPoolExecutor(6) as pool:
        ended = list(pool.map(work, range(60)))
    assert sum(order.filled for order in ended) == 65 * 30
    assert len({order.number for order in ended}) == 60
    assert len(engine.orders()) == 120
    engine.audit()
