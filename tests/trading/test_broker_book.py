"""The broker's book: whose orders and fills are recorded, and that nothing is written twice."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from strikeloom.adapters.sqlite.store import SqliteStore, open_store
from strikeloom.domain.instruments import Right
from strikeloom.domain.orders import Fill, IntentState, Order, OrderIntent, OrderState
from strikeloom.ports.store import OpenRecord
from strikeloom.trading.broker_book import BrokerBook
from support.fakes import option
from support.stated_broker import StatedBroker
from support.trading_records import ACCOUNT, MARKET, NOW, PUT, intent, order_of

OURS = intent(state=IntentState.WORKING)
PENDING = order_of(OURS)
#: Of another program that trades the same account.
FOREIGN = replace(PENDING, order_id="O-9", correlation_id="other")


def fill_of(order: Order, number: int = 1, units: int = 65) -> Fill:
    return Fill(
        f"{order.order_id}-{number}", order.order_id, order.correlation_id, order.instrument_key,
        order.side, units, order.limit, 0, NOW,
    )  # fmt: skip


class Case:
    """A book over a store that has one intent, whose group is closed unless ``opened``."""

    def __init__(self, store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
        self.store, self.broker = store, StatedBroker()
        self.book = BrokerBook(self.broker, store)
        self.written: list[list[str]] = []
        self.searched: list[list[str]] = []
        store.record_intents([OURS])
        record_orders, intents = store.record_orders, store.intents

        def writes(rows: Any) -> None:
            rows = list(rows)
            self.written.append([order.order_id for order in rows])
            record_orders(rows)

        def searches(*, correlation_ids: list[str]) -> list[OrderIntent]:
            self.searched.append(correlation_ids)
            return intents(correlation_ids=correlation_ids)

        monkeypatch.setattr(store, "record_orders", writes)
        monkeypatch.setattr(store, "intents", searches)

    def read(self, *orders: Order, fills: tuple[Fill, ...] = (), opened: bool = False) -> int:
        """One reading: new fills."""
        names = [OURS] if opened else []
        record = cast("OpenRecord", type("Record", (), {"intents": names}))
        self.known = self.book.ours(record, orders, fills)
        return self.book.record(self.known, orders, fills)


@pytest.fixture
def case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    store = open_store(tmp_path / "store.db", MARKET, ACCOUNT)
    yield Case(store, monkeypatch)
    store.close()


def test_a_reading_is_orders_fills_and_held_units(case: Case) -> None:
    hedge = option(24_600, Right.PUT)
    case.broker.book, case.broker.trades = [PENDING, FOREIGN], [fill_of(PENDING)]
    case.broker.held = {PUT.key: -130, hedge.key: 65}
    reading = case.book.read("seven", NOW)
    assert (reading.at, reading.changes) == (NOW, "seven")
    assert (reading.orders, reading.fills) == ([PENDING, FOREIGN], [fill_of(PENDING)])
    assert reading.held == {PUT.key: -130, hedge.key: 65}


def test_orders_and_fills_of_another_program_are_not_recorded(case: Case) -> None:
    untagged = replace(FOREIGN, order_id="O-8", correlation_id="")
    fills = tuple(fill_of(order) for order in (PENDING, FOREIGN, untagged))
    assert case.read(PENDING, FOREIGN, untagged, fills=fills) == 1
    assert [order.order_id for order in case.store.orders()] == [PENDING.order_id]
    assert [fill.order_id for fill in case.store.fills()] == [PENDING.order_id]
    assert case.searched == [[OURS.correlation_id, "other"]]  # nothing without a tag


def test_without_anything_of_ours_nothing_is_written(case: Case) -> None:
    assert case.read(FOREIGN, fills=(fill_of(FOREIGN),)) == 0
    assert case.read(FOREIGN, opened=True) == 0
    assert case.written == []


def test_what_was_recorded_is_not_written_again(case: Case) -> None:
    first, second = fill_of(PENDING), fill_of(PENDING, 2)
    assert case.read(PENDING, fills=(first,), opened=True) == 1
    assert case.read(PENDING, fills=(first,), opened=True) == 0
    part = replace(PENDING, state=OrderState.PART_TRADED, filled_units=65)
    assert case.read(part, fills=(first, second), opened=True) == 1
    assert case.read(part, fills=(first, second), opened=True) == 0
    assert case.written == [[PENDING.order_id]] * 2
    assert case.store.orders() == [part]
    assert case.searched == []  # the intent is open


def test_an_order_of_a_closed_group_is_looked_up_until_it_has_ended(case: Case) -> None:
    """An order may reach the broker after its intent was given up: it has to be cancelled."""
    for _ in range(2):
        case.read(PENDING)
        assert list(case.known) == [OURS.correlation_id]
    cancelled = replace(PENDING, state=OrderState.CANCELLED)
    case.read(cancelled)
    assert list(case.known) == [OURS.correlation_id]
    assert case.store.orders() == [cancelled]
    case.read(cancelled)
    assert case.known == {}
    assert len(case.searched) == 3


def test_an_order_that_is_first_seen_ended_is_recorded(case: Case) -> None:
    refused = replace(PENDING, state=OrderState.REJECTED, reason="no money")
    case.read(refused)
    assert case.store.orders() == [refused]


def test_a_late_fill_of_a_closed_group_is_recorded(case: Case) -> None:
    ended = replace(PENDING, state=OrderState.CANCELLED)
    case.read(ended)
    assert case.read(ended, fills=(fill_of(ended),)) == 1
    assert case.read(fills=(fill_of(ended, 2),)) == 1  # the order itself is listed no more
    (position,) = case.store.positions()
    assert [leg.net_units for leg in position.legs] == [130]
    before = len(case.searched)
    assert case.read(fills=(fill_of(ended), fill_of(ended, 2))) == 0
    assert len(case.searched) == before
