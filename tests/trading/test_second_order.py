"""A broker that places an order twice: what the second one still has open is cancelled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from strikeloom.domain.legs import Leg, Side
from strikeloom.domain.orders import IntentState, Order, OrderRequest
from strikeloom.trading.lease import Lease
from strikeloom.trading.prepare import prepare_exit
from strikeloom.trading.send import OrderRateLimiter
from strikeloom.trading.work import work
from support.desk import MadeDesk
from support.fakes import option
from support.unreliable_broker import RealOrder, UnreliableBroker

CALL = option(25_000)


class TwiceBroker(UnreliableBroker):
    """Places its first order twice."""

    def submit(self, request: OrderRequest) -> Order:
        order = super().submit(request)
        if len(self.all_orders) == 1:
            self.all_orders.append(RealOrder(request, "W2", self.clock.now()))
        return order


class Case:
    """A position of four lots whose exit is placed twice."""

    def __init__(self, folder: Path) -> None:
        self.made = made = MadeDesk(folder)
        made.show(CALL, 150_00, 151_00)
        position = made.enter(made.propose([Leg(CALL, Side.BUY, 1, 150_00)], "one_leg"), 4)
        self.broker = TwiceBroker(made.clock, {CALL.key: 260})
        self.desk = replace(made.desk, broker=self.broker)
        made.store.record_intents(prepare_exit(self.desk, position, [0], "exit"))
        self.round()
        self.first, self.second = self.broker.all_orders

    def round(self, seconds: float = 0) -> None:
        self.made.step(seconds)
        with Lease(self.made.home, self.made.store) as lease:
            work(self.desk, lease, OrderRateLimiter(1e6))

    def exits(self) -> list[tuple[int, IntentState]]:
        return [(i.attempt, i.state) for i in self.made.store.intents() if i.why == "exit"]


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Case]:
    case = Case(tmp_path)
    yield case
    case.made.close()


def test_when_one_has_filled_the_other_is_cancelled(case: Case) -> None:
    case.broker.trade(case.first, 260, reported=True)
    case.round(1)
    assert not case.second.is_open
    assert case.exits() == [(1, IntentState.FILLED)]
    assert ("critical", f"{case.first.request.correlation_id} is 2 times in the order book") in (
        case.made.alerts.texts
    )


def test_when_one_has_ended_the_other_is_cancelled_before_the_next_attempt(case: Case) -> None:
    case.first.is_open = False
    case.round(5)
    assert not case.second.is_open
    assert [order.request.units for order in case.broker.open_orders()] == [260]
    assert case.exits() == [(1, IntentState.ENDED), (2, IntentState.WORKING)]
    assert case.broker.too_large == []


def test_both_are_cancelled_when_they_have_rested(case: Case) -> None:
    case.round(5)
    assert not case.first.is_open
    assert not case.second.is_open
    assert [order.request.units for order in case.broker.open_orders()] == [260]
    assert case.broker.too_large == []
