"""Positions of options, futures and shares: rows agree with whatever happened to them."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from strikeloom.adapters.sqlite.store import open_store
from strikeloom.domain.adjustments import ContractAdjustment, LegAdjustment
from strikeloom.domain.instruments import (
    FutureContract,
    Instrument,
    InstrumentKind,
    OptionContract,
    Right,
    Share,
)
from strikeloom.domain.legs import Leg, Side
from strikeloom.domain.orders import Fill, IntentState, Order, OrderIntent, OrderState, Purpose
from strikeloom.trading.intents import correlation
from support.desk import MadeDesk
from support.fakes import ist

NOW = ist("2026-02-11 10:00")
FEB, MAR = date(2026, 2, 24), date(2026, 3, 30)
SHARE = Share("RELIANCE", tick=10)
ALL: list[Instrument] = [
    SHARE,
    FutureContract("RELIANCE", FEB, InstrumentKind.STOCK, 500, 10),
    OptionContract("RELIANCE", FEB, 1_420_00, Right.CALL, InstrumentKind.STOCK, 500, 5),
    FutureContract("NIFTY", MAR, InstrumentKind.INDEX, 65, 10),
    OptionContract("M&M", FEB, 3_400_50, Right.PUT, InstrumentKind.STOCK, 200, 5),
    Share("BAJAJ-AUTO"),
]
FIELDS = ("key", "kind", "lot_size", "tick")


def facts(instrument: Instrument) -> tuple[object, ...]:
    return type(instrument), *(getattr(instrument, name) for name in FIELDS)


def intent(number: int, leg: int, of: Instrument, units: int, purpose: Purpose) -> OrderIntent:
    name = f"I{number}"
    return OrderIntent(
        "replay:made", "made", correlation(name, leg, 0, 1), name, "S1", purpose, leg, 0, 1,
        of, Side.BUY if units > 0 else Side.SELL, abs(units), 100, 0, "test", NOW,
        IntentState.WORKING,
    )  # fmt: skip


@pytest.mark.parametrize("of", ALL, ids=lambda it: it.key)
def test_every_table_keeps_each_kind(tmp_path: Path, of: Instrument) -> None:
    """Legs of strategies, intents, orders, fills, positions and adjustments."""
    made = MadeDesk(tmp_path)
    store, leg = made.store, Leg(of, Side.BUY, 2, 100_00)
    proposal = made.propose([leg], "kept")
    (kept,) = store.proposal(proposal.strategy_id).legs
    assert (kept, facts(kept.instrument)) == (leg, facts(of))
    order = replace(intent(1, 0, of, 2 * of.lot_size, Purpose.ENTRY), position_id="S1")
    store.record_intents([order])
    assert [facts(it.instrument) for it in store.intents()] == [facts(of)]
    placed = Order(
        "O1", order.correlation_id, of.key, order.side, order.units, order.units, 100,
        OrderState.TRADED, "", NOW,
    )  # fmt: skip
    store.record_order(placed)
    assert store.orders() == [placed]
    fill = Fill(
        "F1", "O1", order.correlation_id, of.key, order.side, order.units, 100, 7, NOW
    )  # fmt: skip
    store.record_fills([fill])
    assert store.fills() == [fill]
    (position,) = store.positions()
    assert facts(position.legs[0].instrument) == facts(of)
    assert position.symbol == of.symbol
    new = replace(of, lot_size=of.lot_size * 2)
    change = LegAdjustment(
        "S1", 0, ContractAdjustment(of.key, new, 2, 1, date(2026, 2, 12), "a split")
    )
    assert store.record_adjustments([change], NOW) == 1
    assert store.adjustments() == [change]
    (held,) = store.position("S1").legs
    assert (held.net_units, facts(held.instrument)) == (4 * of.lot_size, facts(new))
    assert store.audit_positions() == []
    assert [facts(it.instrument) for it in store.open_record().intents] == [facts(of)]
    made.close()


class Positions(RuleBasedStateMachine):
    """Trades, deliveries and splits against a model of units and money."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "store.db"
        self.store = open_store(self.path, "made", "replay:made")
        self.at, self.number = NOW, 0
        self.legs: dict[int, Instrument] = {}
        self.units: dict[int, int] = defaultdict(int)
        self.first: dict[int, int] = defaultdict(int)
        self.paid: dict[int, int] = defaultdict(int)
        self.charges: dict[int, int] = defaultdict(int)
        self.changes = 0

    def _fill(
        self, leg: int, of: Instrument, units: int, price: int, purpose: Purpose, kind: str
    ) -> None:
        self.number += 1
        self.at += timedelta(minutes=1)
        order = intent(self.number, leg, of, units, purpose)
        self.store.record_intents([order])
        fill = Fill(
            f"F{self.number:04d}", "", order.correlation_id, of.key, order.side, order.units,
            price, self.number, self.at, kind,
        )  # fmt: skip
        assert self.store.record_fills([fill]) == 1
        assert self.store.record_fills([fill]) == 0
        if purpose is Purpose.ENTRY or leg not in self.legs:
            self.first[leg] += units if purpose is not Purpose.EXIT else 0
        self.legs.setdefault(leg, of)
        self.units[leg] += units
        self.paid[leg] += units * price
        self.charges[leg] += self.number
        self.changes += 1

    @rule(leg=st.integers(0, 3), lots=st.integers(-3, 3), price=st.integers(5, 2_000_00))
    def enter(self, leg: int, lots: int, price: int) -> None:
        of = self.legs.get(leg, ALL[leg])
        if lots:
            self._fill(leg, of, lots * of.lot_size, price, Purpose.ENTRY, "trade")

    @precondition(lambda self: any(self.units.values()))
    @rule(data=st.data(), price=st.integers(5, 2_000_00))
    def leave(self, data: st.DataObject, price: int) -> None:
        leg = data.draw(st.sampled_from([n for n, held in self.units.items() if held]))
        part = data.draw(st.integers(1, abs(self.units[leg])))
        signed = -part if self.units[leg] > 0 else part
        self._fill(leg, self.legs[leg], signed, price, Purpose.EXIT, "trade")

    @rule(units=st.integers(-900, 900).filter(bool), price=st.integers(5, 2_000_00))
    def deliver(self, units: int, price: int) -> None:
        leg = max([3, *self.legs]) + 1
        self._fill(leg, SHARE, units, price, Purpose.SETTLEMENT, "delivery")

    @precondition(lambda self: any(isinstance(it, Share) for it in self.legs.values()))
    @rule(data=st.data(), ratio=st.integers(2, 10))
    def split(self, data: st.DataObject, ratio: int) -> None:
        shares = [n for n, it in self.legs.items() if isinstance(it, Share)]
        leg = data.draw(st.sampled_from(shares))
        self.at = (self.at + timedelta(days=1)).replace(hour=10, minute=0)
        change = ContractAdjustment(SHARE.key, SHARE, ratio, 1, self.at.date(), "a split")
        assert self.store.record_adjustments([LegAdjustment("S1", leg, change)], self.at) == 1
        self.units[leg] *= ratio
        self.first[leg] *= ratio
        self.changes += 1

    @rule()
    def restart(self) -> None:
        self.store.close()
        self.store = open_store(self.path, "made", "replay:made")

    @invariant()
    def rows_are_the_model(self) -> None:
        assert self.store.audit_positions() == []
        if not self.changes:
            return
        position = self.store.position("S1")
        assert position.revision == self.changes
        assert position.is_open == any(self.units.values())
        assert [leg.leg for leg in position.legs] == sorted(self.legs)
        for leg in position.legs:
            assert facts(leg.instrument) == facts(self.legs[leg.leg])
            assert leg.net_units == self.units[leg.leg]
            assert leg.first_units == self.first[leg.leg]
            # what was paid is in what is held or realised, to the paisa
            assert leg.open_value - leg.realised == self.paid[leg.leg]
            assert leg.charges == self.charges[leg.leg]
            assert leg.net_units or not leg.open_value

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()


Positions.TestCase.settings = settings(
    deadline=None, max_examples=20, stateful_step_count=20, print_blob=True
)
test_positions_of_all_kinds = Positions.TestCase
