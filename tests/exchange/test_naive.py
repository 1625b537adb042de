"""The engine beside a naive exchange that knows lists and loops only: the same trades."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from strikeloom.domain.depth import Depth, Level
from strikeloom.domain.legs import Side
from strikeloom.domain.orders import Validity
from strikeloom.errors import Rejected
from strikeloom.exchange.account.account import Account
from strikeloom.exchange.engine.engine import Engine
from strikeloom.exchange.orders.request import Change, OrderType, Placement
from support.fakes import ManualClock, ShownFeed, ist, option

CALL, LOT = option(25000), 65


class DeepFeed(ShownFeed):
    """Five levels made of the quote, each a tick further."""

    def moments(self, after, until):
        return [until] if until > after else []

    def quotes_at(self, _at, contracts):
        return self.quotes(contracts)

    def depths(self, contracts):
        return {key: self.ladder(quote) for key, quote in self.quotes(contracts).items()}

    def depths_at(self, _at, contracts):
        return self.depths(contracts)

    def band(self, _contract):
        return None

    def ladder(self, quote):
        bids = [Level(quote.bid - 5 * n, quote.bid_size) for n in range(5)] if quote.bid else []
        asks = [Level(quote.ask + 5 * n, quote.ask_size) for n in range(5)] if quote.ask else []
        return Depth(quote.key, tuple(bids), tuple(asks), quote.at)


@dataclass
class Naive:
    """One order of the naive exchange."""

    side: int
    units: int
    limit: int
    trigger: int
    ioc: bool
    at: datetime
    place: int
    filled: int = 0
    value: int = 0
    over: bool = False
    waits: bool = False


class NaiveExchange:
    """Walks over everything at each step."""

    def __init__(self) -> None:
        self.orders: list[Naive] = []
        self.bids: list[list[int]] = []
        self.asks: list[list[int]] = []
        self.last, self.shown_at, self.places = 0, None, 0

    def show(self, bid, ask, size, last, at):
        whole = size // LOT * LOT
        self.bids = [[bid - 5 * n, whole] for n in range(5)]
        self.asks = [[ask + 5 * n, whole] for n in range(5)]
        self.last, self.shown_at = last, at
        self.match(at)

    def next_place(self):
        self.places += 1
        return self.places

    def place(self, side, units, limit, trigger, ioc, at):
        order = Naive(side, units, limit, trigger, ioc, at, self.next_place(), waits=trigger > 0)
        self.orders.append(order)
        self.match(at)
        self.finish(order)

    def modify(self, order, units, limit, at):
        if order.over or units <= order.filled:
            return False
        if limit != order.limit or units > order.units:
            order.place, order.at = self.next_place(), at
        order.units, order.limit = units, limit
        self.match(at)
        self.finish(order)
        return True

    def finish(self, order):
        if order.over or order.waits:
            return
        facing = [o for o in self.orders if o.side != order.side and not o.over and not o.waits]
        crossed = any((order.limit - o.limit) * order.side >= 0 for o in facing)
        order.over = order.ioc or crossed

    def match(self, at):
        gone = [
            o
            for o in self.orders
            if o.waits and not o.over and (self.last - o.trigger) * o.side >= 0
        ]
        for order in gone:
            order.waits, order.at, order.place = False, at, self.next_place()
        for side in (1, -1):
            live = [o for o in self.orders if o.side == side and not (o.over or o.waits)]
            for order in sorted(live, key=lambda o: (-side * o.limit, o.place)):
                self.fill(order, self.asks if side == 1 else self.bids)
        for order in gone:
            self.finish(order)

    def fill(self, order, levels):
        for level in levels:
            if (order.limit - level[0]) * order.side < 0:
                break
            units = min(order.units - order.filled, level[1])
            level[1] -= units
            price = order.limit if order.at < self.shown_at else level[0]
            order.filled, order.value = order.filled + units, order.value + units * price
        order.over = order.over or order.filled == order.units


ticks = st.integers(-8, 8).map(lambda n: 100_00 + 5 * n)
lots = st.integers(1, 6).map(lambda n: n * LOT)
shows = st.tuples(st.just("show"), ticks, st.integers(1, 6), st.integers(0, 300), ticks)
places = st.tuples(
    st.just("place"), st.sampled_from([1, -1]), lots, ticks, st.booleans(), st.booleans()
)
changes = st.tuples(st.just("modify"), st.integers(0, 50), lots, ticks)
cancels = st.tuples(st.just("cancel"), st.integers(0, 50))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(shows, places, places, changes, cancels), min_size=3, max_size=25))
def test_the_same_orders_and_quotes_make_the_same_trades(steps):
    with tempfile.TemporaryDirectory() as folder:
        clock = ManualClock(ist("2026-02-11 10:00"))
        feed, naive = DeepFeed(clock), NaiveExchange()
        feed.spots["NIFTY"] = 25_000_00
        engine = Engine(Account(Path(folder) / "a.db", 10**13), feed, clock)
        for kind, *what in [("show", 100_00, 2, 200, 100_00), *steps]:
            clock.wait(1)
            step(engine, feed, naive, clock.at, kind, what)
            theirs = [
                (o.filled, o.filled_value, o.state.terminal, o.waits_for_trigger)
                for o in engine.orders()
            ]
            ours = [(o.filled, o.value, o.over, o.waits and not o.over) for o in naive.orders]
            assert [row[:3] for row in theirs] == [row[:3] for row in ours], (kind, what)
        engine.audit()
        engine.close()


def step(engine, feed, naive, at, kind, what):
    if kind == "show":
        bid, width, size, last = what
        shown = feed.show(CALL, bid, bid + 5 * width, size=size)
        feed.shown[CALL.key] = replace(shown, last=last)
        naive.show(bid, bid + 5 * width, size, last, at)
    elif kind == "place":
        side, units, limit, stop, ioc = what
        trigger = limit - 10 * side if stop else 0
        engine.place(
            Placement(
                CALL, Side(side), units, OrderType.STOP_LOSS if stop else OrderType.LIMIT, limit,
                trigger, Validity.IOC if ioc else Validity.DAY,
            )
        )  # fmt: skip
        naive.place(side, units, limit, trigger, ioc, at)
    elif naive.orders and kind == "modify":
        pick, units, limit = what
        number = pick % len(naive.orders)
        order = naive.orders[number]
        if order.trigger:
            return  # a stop's limit must stay beyond its trigger
        done = naive.modify(order, units, limit, at)
        try:
            engine.modify(number + 1, Change(units=units, limit=limit))
        except Rejected:
            assert not done
        else:
            assert done
    elif naive.orders:
        number = what[0] % len(naive.orders)
        engine.cancel(number + 1)
        naive.orders[number].over = True
