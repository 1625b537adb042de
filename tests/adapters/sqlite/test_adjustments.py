"""Adjustments in the store: between which fills they apply, once, and what they leave as it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from strikeloom.adapters.sqlite.store import SqliteStore, open_store
from strikeloom.domain.adjustments import ContractAdjustment, LegAdjustment
from strikeloom.domain.legs import Side
from strikeloom.domain.orders import Fill, IntentState, OrderIntent, Purpose
from support.fakes import ist, option

NOW = ist("2026-02-11 10:00")
DAY = date(2026, 2, 12)
OLD, NEW = option(1_000, symbol="LOOMCO", lot=100), option(200, symbol="LOOMCO", lot=500)
SPLIT = LegAdjustment("S1", 0, ContractAdjustment(OLD.key, NEW, 500, 100, DAY, "a split of 5"))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = open_store(tmp_path / "store.db", "made", "replay:made")
    yield opened
    opened.close()


def trade(
    store: SqliteStore, number: int, side: Side, units: int, price: int, days: int, leg: int = 0
) -> None:
    """A fill some days after the eve, in the contract of that day."""
    instrument = (NEW if days else OLD) if leg == 0 else option(2_000, symbol="LOOMCO", lot=100)
    at = NOW + timedelta(days=days, seconds=number)
    purpose = Purpose.EXIT if days else Purpose.ENTRY
    order = OrderIntent(
        "replay:made", "made", f"I{number}-{leg}-0-1", f"I{number}", "S1", purpose, leg, 0, 1,
        instrument, side, units, price, 0, "test", at, IntentState.FILLED,
    )  # fmt: skip
    store.record_intents([order])
    booked = Fill(f"F{number}", "", order.correlation_id, instrument.key, side, units, price, 7, at)
    store.record_fills([booked])


def test_units_are_multiplied_and_what_was_paid_stays(store: SqliteStore) -> None:
    trade(store, 1, Side.BUY, 300, 10_00, 0)
    trade(store, 2, Side.SELL, 100, 20_00, 0, leg=1)
    before = store.position("S1")
    assert store.record_adjustments([SPLIT], NOW) == 1
    after = store.position("S1")
    leg, other = after.legs
    assert leg == replace(
        before.legs[0], instrument=NEW, net_units=1500, first_units=1500, since=DAY
    )
    assert (leg.instrument.lot_size, leg.net_lots, leg.first_lots) == (500, 3, 3)
    assert (leg.open_value, leg.entry_value, leg.charges) == (300 * 10_00, 300 * 10_00, 7)
    assert other == before.legs[1]
    assert (before.revision, after.revision) == (2, 3)
    assert store.adjustments() == store.adjustments(position_id="S1") == [SPLIT]
    assert store.adjustments(position_id="S2") == []
    trade(store, 3, Side.SELL, 500, 3_00, 1)
    (leg, _) = store.position("S1").legs
    assert (leg.net_units, leg.realised) == (1000, 500 * 3_00 - 500 * 2_00)
    assert store.audit_positions() == []


def test_it_is_recorded_once(store: SqliteStore) -> None:
    trade(store, 1, Side.BUY, 100, 10_00, 0)
    assert store.record_adjustments([SPLIT], NOW) == 1
    counted = store.change_count()
    assert store.record_adjustments([SPLIT], NOW + timedelta(days=3)) == 0
    assert store.change_count() == counted
    assert store.position("S1").legs[0].net_units == 500


def test_a_fill_of_the_eve_that_is_reported_later_is_multiplied_too(store: SqliteStore) -> None:
    trade(store, 1, Side.BUY, 100, 10_00, 0)
    store.record_adjustments([SPLIT], NOW)
    trade(store, 2, Side.BUY, 100, 12_00, 0)
    (leg,) = store.position("S1").legs
    assert (leg.net_units, leg.open_value, leg.instrument.key) == (1000, 220_000, NEW.key)
    assert store.audit_positions() == []


def test_an_adjustment_of_another_contract_changes_nothing(store: SqliteStore) -> None:
    trade(store, 1, Side.BUY, 500, 2_00, 1)  # opened on the day itself: the new contract already
    store.record_adjustments([SPLIT], NOW)
    position = store.position("S1")
    assert (position.legs[0].net_units, position.revision) == (500, 1)


def test_rows_are_rebuilt_from_fills_and_adjustments(store: SqliteStore) -> None:
    trade(store, 1, Side.SELL, 200, 10_00, 0)
    store.record_adjustments([SPLIT], NOW)
    kept = store.position("S1")
    with store.db.transaction() as db:
        db.execute("UPDATE position_legs SET net_units = -200, since = NULL")
    assert store.audit_positions() == ["S1"]
    store.rebuild_positions(["S1"])
    assert store.position("S1") == kept


def test_an_adjusted_position_has_the_symbol_of_its_contract(store: SqliteStore) -> None:
    trade(store, 1, Side.BUY, 100, 10_00, 0)
    renamed = option(1_000, symbol="WEAVECO", lot=100)
    change = ContractAdjustment(OLD.key, renamed, 1, 1, DAY, "another symbol")
    store.record_adjustments([LegAdjustment("S1", 0, change)], NOW)
    assert store.position("S1").symbol == "WEAVECO"


@pytest.mark.parametrize(("held", "after"), [(71, 74), (-71, -74), (710, 745), (0, 0)])
def test_fractions_of_a_unit_are_left_out(held: int, after: int) -> None:
    assert ContractAdjustment(OLD.key, NEW, 21, 20, DAY, "a bonus").units(held) == after
