"""Whatever is done to an account, its orders, trades, positions and money add up."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from strikeloom.adapters.sim import SimBroker
from strikeloom.domain.instruments import Right
from strikeloom.domain.legs import Side
from strikeloom.domain.orders import OrderState, Validity
from strikeloom.errors import Rejected
from support.fakes import CASH, EXPIRY, ManualClock, ShownFeed, ist, option, order

CONTRACTS = [option(25000), option(25500), option(24500, Right.PUT)]
contracts = st.sampled_from(CONTRACTS)
prices = st.integers(1, 300).map(lambda n: 5 * n)


class Books(RuleBasedStateMachine):
    """Random orders against random quotes, with restarts, until after the expiry."""

    @initialize()
    def open(self):
        self.folder = Path(tempfile.mkdtemp())
        self.clock = ManualClock(ist("2026-02-11 10:00"))
        self.feed = ShownFeed(self.clock)
        self.feed.spots["NIFTY"] = 25_000_00
        self.broker = SimBroker(self.folder / "account.db", self.feed, self.clock, CASH)
        self.shown = Counter()
        self.sent = 0

    @rule(
        instrument=contracts,
        low=prices,
        width=st.integers(0, 20),
        size=st.integers(0, 400),
        sides=st.sampled_from(["both", "bid", "ask", "crossed"]),
    )
    def quote(self, instrument, low, width, size, sides):
        self.clock.wait(30)
        bid, ask = low, low + 5 * width
        if sides == "crossed":
            bid, ask = low + 5, low
        quote = self.feed.show(
            instrument, bid if sides != "ask" else None, ask if sides != "bid" else None, size=size
        )
        for side in Side:
            self.shown[instrument.key, side, quote.at] = size

    @rule(
        instrument=contracts,
        side=st.sampled_from(["BUY", "SELL"]),
        lots=st.integers(1, 8),
        limit=prices,
        validity=st.sampled_from(Validity),
    )
    def place(self, instrument, side, lots, limit, validity):
        self.sent += 1
        try:
            placed = self.broker.submit(
                order(f"n{self.sent}", instrument, side, lots, limit, validity)
            )
        except Rejected:
            return
        assert placed.state is not OrderState.REJECTED

    @rule(pick=st.integers(0, 10**6))
    def cancel(self, pick):
        known = self.broker.orders()
        if known:
            chosen = known[pick % len(known)]
            after = self.broker.cancel(chosen.order_id)
            assert after.state.terminal
            if chosen.state.terminal:
                assert after == chosen

    @rule()
    def restart(self):
        before = self.broker.orders(), self.broker.fills(), self.broker.funds()
        self.broker.close()
        self.broker = SimBroker(self.folder / "account.db", self.feed, self.clock, 1)
        assert (self.broker.orders(), self.broker.fills(), self.broker.funds()) == before

    @rule()
    def next_morning(self):
        if self.clock.at.date() < EXPIRY:
            later = self.clock.at.date().day > 11
            self.clock.at = ist("2026-02-24 09:15" if later else "2026-02-12 09:15")

    @rule(level=st.integers(24_000_00, 26_000_00))
    def expire(self, level):
        if self.clock.at.date() == EXPIRY:
            self.feed.settlements["NIFTY", EXPIRY] = level
            self.clock.at = ist("2026-02-24 15:45")
            assert self.broker.positions() == []
            assert self.broker.funds().margin_used == 0

    @invariant()
    def adds_up(self):
        if not hasattr(self, "broker"):
            return
        orders, fills = self.broker.orders(), self.broker.fills()
        assert len(orders) == self.sent
        by_order, net, cash = Counter(), Counter(), CASH
        taken = Counter()
        limits = {o.order_id: o for o in orders}
        for fill in fills:
            signed = int(fill.side) * fill.units
            net[fill.instrument_key] += signed
            cash -= signed * fill.price + fill.charges
            if fill.kind == "settlement":
                continue
            placed = limits[fill.order_id]
            by_order[fill.order_id] += fill.units
            assert (fill.price - placed.limit) * int(placed.side) <= 0
            assert fill.charges > 0
            assert fill.units % 65 == 0
            taken[fill.instrument_key, fill.side, fill.at] += fill.units
        for placed in orders:
            assert placed.filled_units == by_order[placed.order_id] <= placed.units
            assert (placed.state is OrderState.TRADED) == (placed.filled_units == placed.units)
            assert placed.state is not OrderState.REJECTED or not placed.filled_units
        held = {p.instrument_key: p.net_units for p in self.broker.positions()}
        assert held == {key: units for key, units in net.items() if units}
        funds = self.broker.funds()
        assert funds.cash == cash
        assert funds.available == funds.cash - funds.margin_used
        self.broker.engine.audit()

    @invariant()
    def no_quote_gives_more_than_it_showed(self):
        if not hasattr(self, "broker"):
            return
        account = self.broker.engine._account
        for (key, side, at), size in self.shown.items():
            assert account.ledger.taken(key, side, at) <= size

    def teardown(self):
        if hasattr(self, "broker"):
            self.broker.close()
            shutil.rmtree(self.folder)


Books.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestBooks = Books.TestCase
