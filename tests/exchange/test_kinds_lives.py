"""Options, futures and shares of one account over days, against a small model of its own.

The model keeps cash, units, what futures were settled to, and shares owed. Its rules are those of
the exchange in their shortest form; charges are taken from the trades.
"""

from __future__ import annotations

import random
import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from strikeloom.domain.instruments import FutureContract, InstrumentKind, Right, Share
from strikeloom.domain.legs import Side
from strikeloom.domain.orders import OrderState
from strikeloom.domain.products import Product
from strikeloom.errors import Rejected
from strikeloom.exchange.account.account import Account
from strikeloom.exchange.engine.engine import Engine
from strikeloom.exchange.orders.request import Placement
from strikeloom.risk.book import BookMargin
from support.fakes import CASH, EXPIRY, ManualClock, ShownFeed, ist, option

INDEX, STOCK = InstrumentKind.INDEX, InstrumentKind.STOCK
SHARE = Share("RELIANCE", 5)
FUTURES = [
    FutureContract("NIFTY", EXPIRY, INDEX, 65),
    FutureContract("RELIANCE", EXPIRY, STOCK, 50),
]
OPTIONS = [
    option(25_000),
    option(1_400, symbol="RELIANCE", kind=STOCK, lot=50),
    option(1_500, Right.PUT, symbol="RELIANCE", kind=STOCK, lot=50),
]
MARKET = [SHARE, *FUTURES, *OPTIONS]
SESSIONS = [date(2026, 2, day) for day in (18, 19, 20, 23, 24, 25, 26, 27)]
AUCTION = date(2026, 2, 25)
PRICES = {SHARE.key: 1_400_00, FUTURES[0].key: 25_000_00, FUTURES[1].key: 1_410_00}


@dataclass
class Model:
    """Cash before charges; units and value carried by key and product; shares owed."""

    cash: int = CASH
    units: Counter = field(default_factory=Counter)
    values: Counter = field(default_factory=Counter)
    morning: dict = field(default_factory=dict)
    carried: Counter = field(default_factory=Counter)
    variation: int = 0
    owed: int = 0
    bought: int = 0
    t1: int = 0

    def trade(self, instrument, product, signed, price):
        self.units[instrument.key, product] += signed
        if isinstance(instrument, FutureContract):
            self.values[instrument.key, product] += signed * price
        else:
            self.cash -= signed * price
        if instrument == SHARE and product is Product.CNC:
            self.bought += signed

    def settle(self, name, units, before, price):
        amount = units * price - before
        self.cash += amount
        self.variation += amount
        self.values[name] += amount

    def evening(self, prices):
        """Settle futures whose price is known, and those that were closed."""
        for name in list(self.values):
            price = prices.get(name[0])
            if price is not None or not self.units[name]:
                self.settle(name, self.units[name], self.values[name], price or 0)

    def late(self, key, price):
        """A price of the session before becomes known: what was carried is settled to it."""
        for name, before in self.morning.items():
            if name[0] == key and self.carried[name]:
                self.settle(name, self.carried[name], before, price)
                self.morning[name] = self.carried[name] * price

    def expire(self, finals):
        """Everything ends; what is in the money of the stock changes hands in shares."""
        moved = 0
        for contract in OPTIONS:
            final = finals[contract.symbol]
            call = contract.right is Right.CALL
            value = max(0, (final - contract.strike) * (1 if call else -1))
            for product in Product:
                net = self.units.pop((contract.key, product), 0)
                self.cash += net * value
                if contract.kind is STOCK and value:
                    moved += net if call else -net
        for future in FUTURES:
            for product in Product:
                name = future.key, product
                net = self.units.pop(name, 0)
                self.settle(name, net, self.values[name], finals[future.symbol])
                del self.values[name]
                moved += net if future.kind is STOCK else 0
        held = self.units[SHARE.key, Product.CNC]
        self.owed = max(0, -moved - max(0, held))
        self.trade(SHARE, Product.CNC, moved, finals["RELIANCE"])

    def auction(self, final, close):
        self.trade(SHARE, Product.CNC, self.owed, max(final, -(-close * 12 // 10)))
        self.owed = 0

    def begin(self):
        """Next morning."""
        shares = self.units[SHARE.key, Product.CNC]
        self.t1 = max(0, min(shares, self.bought))
        self.bought = 0
        self.morning = {n: v for n, v in self.values.items() if self.units[n]}
        self.carried = Counter({n: u for n, u in self.units.items() if u})


class Kinds(RuleBasedStateMachine):
    """Two processes of one account; trades, settlements, expiry, delivery, auction, crashes."""

    @initialize(seed=st.integers(0, 2**16))
    def begin(self, seed):
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(
            "strikeloom.exchange.account.margin_check.book_margins",
            lambda books, *_: [BookMargin() for _ in books],
        )
        self.folder = Path(tempfile.mkdtemp())
        self.day = 0
        self.clock = ManualClock(datetime.combine(SESSIONS[0], ist("2026-02-18 10:00").timetz()))
        self.feed = ShownFeed(self.clock)
        self.feed.spots |= {"NIFTY": 25_000_00, "RELIANCE": 1_400_00}
        self.random = random.Random(seed)
        self.model = Model()
        self.unknown = {}
        self.final = 0
        self.engines = [self.open(), self.open()]
        for instrument in MARKET:
            self.trade(instrument, self.random.choice(list(Side)), self.random.randint(1, 4), False)

    def open(self):
        return Engine(Account(self.folder / "a.db", CASH), self.feed, self.clock)

    @property
    def engine(self):
        return self.random.choice(self.engines)

    @property
    def today(self):
        return SESSIONS[self.day]

    def price_of(self, instrument):
        middle = PRICES.get(instrument.key, 40_00)
        return middle + 5 * self.random.randint(-400, 400)

    @rule(
        instrument=st.sampled_from(MARKET), side=st.sampled_from(Side), lots=st.integers(1, 4),
        intraday=st.booleans(),
    )  # fmt: skip
    def trade(self, instrument, side, lots, intraday):
        product = Product.CNC if instrument == SHARE else Product.MARGIN
        product = Product.INTRADAY if intraday else product
        units = lots * instrument.lot_size * (30 if instrument == SHARE else 1)
        price = self.price_of(instrument)
        self.clock.wait(1)
        self.feed.show(instrument, price, price, size=10**6)
        order = self.engine.place(Placement(instrument, side, units, limit=price, product=product))
        held = self.model.units[instrument.key, product]
        if instrument == SHARE and not intraday and side is Side.SELL and units > held:
            assert "Check holdings" in order.reason
        elif not isinstance(instrument, Share) and self.today > EXPIRY:
            assert "expired" in order.reason
        elif order.state is OrderState.TRADED:
            self.model.trade(instrument, product, int(side) * units, price)
        else:  # the last day of a stock's contracts, or no cash
            assert "on its last day" in order.reason or "needs" in order.reason

    @rule(future=st.sampled_from(FUTURES), lots=st.integers(1, 3))
    def convert(self, future, lots):
        """Moves units at their average cost: the sum stays, so the model moves what makes it so."""
        before = {p.product: p for p in self.engine.positions() if p.instrument == future}
        try:
            self.engine.convert(future, Product.INTRADAY, Product.MARGIN, lots * future.lot_size)
        except Rejected:
            return
        after = {p.product: p for p in self.engine.positions() if p.instrument == future}
        held = before[Product.INTRADAY]
        signed = lots * future.lot_size * (1 if held.net > 0 else -1)
        cost = held.value - after[Product.INTRADAY].value
        assert abs(cost - held.cost * signed / held.net) <= 1
        for product, sign in ((Product.INTRADAY, -1), (Product.MARGIN, 1)):
            self.model.units[future.key, product] += sign * signed
            self.model.values[future.key, product] += sign * cost

    @precondition(lambda self: self.day < len(SESSIONS) - 1)
    @rule(days=st.integers(1, 2), crash=st.integers(0, 12), evening=st.booleans())
    def pass_days(self, days, crash, evening):
        """Close one or two sessions, perhaps unwatched, perhaps with a process that dies."""
        for n in range(min(days, len(SESSIONS) - 1 - self.day)):
            self.close_session()
            self.day += 1
            if evening and not n:
                self.clock.at = ist(f"{SESSIONS[self.day - 1]} 15:45")
                self.engine.advance()
        self.clock.at = ist(f"{self.today} 10:00")
        if crash:
            self.crash(crash)
        self.engine.advance()
        if self.unknown and self.random.random() < 0.5:
            self.trade(self.random.choice(FUTURES), Side.BUY, 1, False)
            self.late_price()
        if self.today < EXPIRY and self.random.random() < 0.3:
            self.cover_a_part()

    def cover_a_part(self):
        """Sell more of the share in futures than is held of it."""
        self.trade(SHARE, Side.BUY, 1, False)
        self.trade(FUTURES[1], Side.SELL, 4, False)

    def close_session(self):
        """Publish the day's prices and let the model settle it."""
        prices = {}
        self.unknown = {}
        for future in FUTURES:
            price = self.price_of(future)
            known = self.random.random() < 0.6
            if known and self.today < EXPIRY:
                self.feed.settlements[future.key, self.today] = prices[future.key] = price
            elif self.today < EXPIRY:
                self.unknown[future.key] = price
        self.model.evening(prices)
        if self.today == EXPIRY:
            finals = {"NIFTY": 25_000_00 + self.random.randint(-500_00, 500_00),
                      "RELIANCE": self.random.choice([1_350_00, 1_440_05, 1_550_00])}  # fmt: skip
            self.final = finals["RELIANCE"]
            self.feed.settlements |= {(name, EXPIRY): final for name, final in finals.items()}
            self.model.expire(finals)
        if self.today == AUCTION:
            close = self.random.randint(1_000_00, 1_600_00)
            self.feed.settlements["RELIANCE", AUCTION] = close
            self.model.auction(self.final, close)
        self.model.begin()

    def crash(self, write):
        """A process dies before one of its writes; what it had not finished never was."""
        dying = self.engines.pop(0)
        file, count = dying._account.file, Counter()
        plain = file.execute

        def execute(sql, values=()):
            count["writes"] += sql.startswith(("INSERT", "UPDATE", "DELETE"))
            if count["writes"] >= write:
                raise KeyboardInterrupt
            return plain(sql, values)

        file.execute = execute
        try:
            dying.advance()
        except KeyboardInterrupt:
            pass
        finally:
            dying.close()
        self.engines.append(self.open())

    @precondition(lambda self: self.unknown)
    @rule()
    def late_price(self):
        """A settlement price of the session before is known at last."""
        key, price = self.unknown.popitem()
        self.feed.settlements[key, SESSIONS[self.day - 1]] = price
        self.model.late(key, price)

    @rule()
    def restart(self):
        self.engines.pop(0).close()
        self.engines.append(self.open())

    @invariant()
    def account_and_model_agree(self):
        if not hasattr(self, "engines"):
            return
        one, other = self.engines
        one.audit()
        assert one.positions() == other.positions()
        charges = sum(trade.charges for trade in one.trades())
        assert one.balance().cash + charges == self.model.cash
        assert other.balance() == one.balance()
        held = {(p.instrument.key, p.product): p.net for p in one.positions() if p.net}
        assert held == {name: units for name, units in self.model.units.items() if units}
        assert sum(it.amount for it in one.depository.settlements()) == self.model.variation
        assert sum(it.units for it in one.depository.owed()) == self.model.owed
        total = max(0, self.model.carried[SHARE.key, Product.CNC])
        found = one.depository.holdings()
        assert sum(it.total for it in found) == total
        assert sum(it.t1 for it in found) == self.model.t1
        assert all(it.settled + it.t1 == it.total >= it.available for it in found)

    def teardown(self):
        for engine in getattr(self, "engines", []):
            engine.close()
        if hasattr(self, "patch"):
            self.patch.undo()
        if hasattr(self, "folder"):
            shutil.rmtree(self.folder)


Kinds.TestCase.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
TestKinds = Kinds.TestCase
