"""Conditional orders in any market and over any restart: no exit beyond its entry, none twice.

A process that reads every moment and one that wakes up hours later end with the same orders.
"""

from __future__ import annotations

import random
import shutil
import tempfile
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from strikeloom.domain.legs import Side
from strikeloom.domain.products import Product
from strikeloom.errors import BrokerError
from strikeloom.exchange.account.account import Account
from strikeloom.exchange.conditional.condition import OPERATORS, Condition
from strikeloom.exchange.conditional.records import (
    ENTRY,
    STOP,
    TARGET,
    ConditionalKind,
    ConditionalState,
    LegState,
    ProfitRule,
)
from strikeloom.exchange.conditional.validation import SuperTerms
from strikeloom.exchange.engine.engine import Engine
from strikeloom.exchange.orders.request import Change, OrderType, Placement
from support.fakes import CASH, ManualClock, TapeFeed, ist, option

CALLS = [option(25000), option(25500)]
lots = st.integers(1, 6).map(lambda n: 65 * n)
gaps = st.integers(1, 40).map(lambda n: 50 * n)
legs = st.sampled_from([ENTRY, TARGET, STOP])
START = ist("2026-02-20 10:00")


def record(feed, at, draw, mean=100_00, depth=6):
    """Quotes of both calls at a moment, last trade within the spread."""
    for instrument in CALLS:
        last = max(100, mean + 50 * draw.randint(-30, 30))
        half = 5 * draw.randint(0, 40)
        feed.record(at, instrument, max(5, last - half), last + half, 65 * draw.randint(0, depth))
        shown = feed.tape[at]
        shown[instrument.key] = replace(shown[instrument.key], last=last)


class ConditionalMachine(RuleBasedStateMachine):
    """Two processes of one account, both may be restarted; a person trades between."""

    @initialize(seed=st.integers(0, 2**16))
    def begin(self, seed):
        self.folder = Path(tempfile.mkdtemp())
        self.clock = ManualClock(START)
        self.feed = TapeFeed(self.clock)
        self.feed.spots["NIFTY"] = 25_000_00
        self.random = random.Random(seed)
        self.engines = [self.open(), self.open()]
        self.supers, self.forevers, self.alerts = [], [], []
        self.market(1)

    def open(self):
        return Engine(Account(self.folder / "a.db", CASH), self.feed, self.clock)

    @property
    def engine(self):
        return self.random.choice(self.engines)

    @rule(steps=st.integers(1, 4))
    def market(self, steps):
        for _ in range(steps):
            self.clock.wait(self.random.choice([1, 60, 900]))
            record(self.feed, self.clock.at, self.random)
            self.feed.spots["NIFTY"] = 25_000_00 + self.random.randint(-300_00, 300_00)
        self.random.choice(self.engines).advance()

    @rule(
        instrument=st.sampled_from(CALLS), side=st.sampled_from(Side), units=lots, up=gaps,
        down=gaps, which=st.sampled_from(["both", "target", "stop"]),
        jump=st.sampled_from([0, 50, 500]), market=st.booleans(),
    )  # fmt: skip
    def bracket(self, instrument, side, units, up, down, which, jump, market):
        price = 100_00
        sign = int(side)
        terms = SuperTerms(
            price + sign * up if which != "stop" else 0,
            price - sign * down if which != "target" else 0,
            jump if which != "target" else 0,
        )
        kind = OrderType.MARKET if market else OrderType.LIMIT
        entry = Placement(
            instrument, side, units, kind, 0 if market else price, product=Product.INTRADAY
        )
        self.supers.append(self.engine.super_orders.place(entry, terms).item.number)

    @rule(pick=st.integers(0, 10**6), leg=legs, price=gaps, jump=st.sampled_from([0, 100]),
          units=lots, cancel=st.booleans())  # fmt: skip
    def change_bracket(self, pick, leg, price, jump, units, cancel):
        if not self.supers:
            return
        number, engine = self.supers[pick % len(self.supers)], self.engine
        before = engine.conditional.get(ConditionalKind.SUPER, number)
        try:
            if cancel:
                engine.super_orders.cancel(number, leg)
            elif leg == TARGET:
                engine.super_orders.change_target(number, 80_00 + price)
            elif leg == STOP:
                engine.super_orders.change_stop(number, 80_00 + price, jump)
            else:
                change = Change(units=units, limit=90_00 + price, order_type=OrderType.LIMIT)
                engine.super_orders.change_entry(number, change, SuperTerms(0, 0, 0))
        except BrokerError:
            assert engine.conditional.get(ConditionalKind.SUPER, number) == before

    @rule(instrument=st.sampled_from(CALLS), units=lots, up=gaps, down=gaps, two=st.booleans())
    def forever(self, instrument, units, up, down, two):
        what = Placement(instrument, Side.BUY, units, limit=100_00)
        try:
            placed = self.engine.forever_orders.place(
                [(what, 100_00 + up), *([(what, max(50, 100_00 - down))] if two else [])]
            )
        except BrokerError:
            return
        self.forevers.append(placed.item.number)

    @rule(
        operator=st.sampled_from(OPERATORS), value=st.integers(24_700, 25_300), once=st.booleans()
    )
    def alert(self, operator, value, once):
        watch = Condition(
            "PRICE_WITH_VALUE", "IDX_I", "13", "NIFTY", operator, float(value), once=once
        )
        orders = [Placement(CALLS[0], Side.BUY, 65, limit=100_00)]
        placed = self.engine.alert_orders.place(watch, orders, START.date())
        self.alerts.append(placed.item.number)

    @rule(profit=gaps, loss=gaps)
    def leave_at(self, profit, loss):
        products = (Product.INTRADAY,)
        self.engine.profit_rules.set(ProfitRule(65 * profit, 65 * loss, products, kill=False))

    @rule(instrument=st.sampled_from(CALLS), side=st.sampled_from(Side), units=lots, limit=gaps,
          product=st.sampled_from([Product.INTRADAY, Product.MARGIN]))  # fmt: skip
    def by_hand(self, instrument, side, units, limit, product):
        order = Placement(instrument, side, units, limit=90_00 + limit, product=product)
        self.random.choice(self.engines).place(order)

    @rule(pick=st.integers(0, 10**6))
    def cancel_by_hand(self, pick):
        engine = self.random.choice(self.engines)
        known = engine.orders()
        if known:
            engine.cancel(known[pick % len(known)].number)

    @rule(instrument=st.sampled_from(CALLS), units=lots)
    def convert(self, instrument, units):
        with suppress(BrokerError):
            self.random.choice(self.engines).convert(
                instrument, Product.INTRADAY, Product.MARGIN, units
            )

    @rule()
    def leave(self):
        engine = self.random.choice(self.engines)
        engine.exit_all()
        assert not any(found.item.active for found in engine.conditional.all(ConditionalKind.SUPER))

    @rule()
    def restart(self):
        self.engines.pop(0).close()
        self.engines.append(self.open())

    @rule()
    def next_morning(self):
        if self.clock.at.date() == START.date():
            self.clock.at = ist("2026-02-23 09:20")
            self.market(1)

    @invariant()
    def all_add_up(self):
        if not hasattr(self, "supers"):
            return
        one, other = self.engines
        one.audit()
        assert one.orders() == other.orders()
        for kind in ConditionalKind:
            assert one.conditional.all(kind) == other.conditional.all(kind)

    @invariant()
    def no_exit_beyond_its_entry(self):
        for number in getattr(self, "supers", ()):
            found = self.engine.conditional.get(ConditionalKind.SUPER, number)
            (entry,) = (order for order in found.orders if order.leg == ENTRY)
            out = [order for order in found.orders if order.leg != ENTRY]
            still = sum(order.filled + order.remaining for order in out)
            assert still <= entry.filled
            assert all(order.side is entry.side.opposite for order in out)
            live = {order.leg for order in found.orders if not order.state.terminal}
            assert len(live) <= 1, "an exit is at the exchange beside another or its entry"
            if found.item.state is ConditionalState.CLOSED:
                assert sum(o.filled for o in out) == entry.filled > 0
                assert all(o.state.terminal for o in found.orders)

    @invariant()
    def one_of_two_and_once(self):
        for number in getattr(self, "forevers", ()):
            found = self.engine.conditional.get(ConditionalKind.FOREVER, number)
            gone = [leg for leg in found.item.legs if leg.state is LegState.TRIGGERED]
            assert len(gone) == len(found.orders) <= 1
        for number in getattr(self, "alerts", ()):
            found = self.engine.conditional.get(ConditionalKind.ALERT, number)
            if found.item.watch.once:
                fired = found.item.state is ConditionalState.TRIGGERED
                assert len(found.orders) == (1 if fired else 0)

    def teardown(self):
        for engine in getattr(self, "engines", []):
            engine.close()
        if hasattr(self, "folder"):
            shutil.rmtree(self.folder)


ConditionalMachine.TestCase.settings = settings(
    max_examples=25, stateful_step_count=25, deadline=None
)
TestConditionalMachine = ConditionalMachine.TestCase


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**20))
def test_waking_up_late_gives_the_same_orders_as_reading_every_moment(seed):
    """The tape is the same; one engine advances after each snapshot, the other at the end only."""
    draw, clock = random.Random(seed), ManualClock(START)
    feed = TapeFeed(clock)
    feed.spots["NIFTY"] = 25_000_00
    moments = [START + timedelta(seconds=30 * n) for n in range(40)]
    for at in moments:
        record(feed, at, draw)
    brackets = [
        (draw.choice(CALLS), draw.choice(list(Side)), 65 * draw.randint(1, 4), draw.randint(1, 30),
         draw.randint(1, 30), draw.choice([0, 100]))
        for _ in range(4)
    ]  # fmt: skip
    trigger = draw.randint(1700, 2300) * 5
    with tempfile.TemporaryDirectory() as folder:
        ends = []
        for name, stops in (("often", moments), ("late", moments[-1:])):
            clock.at = START
            engine = Engine(Account(Path(folder) / name, CASH), feed, clock)
            for instrument, side, units, up, down, jump in brackets:
                entry = Placement(instrument, side, units, limit=100_00, product=Product.INTRADAY)
                sign = 50 * int(side)
                terms = SuperTerms(100_00 + sign * up, 100_00 - sign * down, jump)
                engine.super_orders.place(entry, terms)
            wait = Placement(CALLS[0], Side.BUY, 65, limit=100_00)
            engine.forever_orders.place([(wait, trigger)])
            for at in stops:
                clock.at = at
                engine.advance()
            engine.audit()
            ends.append((engine.orders(), engine.trades(), engine.positions()))
            engine.close()
    for often, late in zip(*ends, strict=True):
        assert often == late
