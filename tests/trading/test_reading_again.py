"""When the broker is read again: what it still has to report is not left for a minute."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from strikeloom.domain.instruments import Right
from strikeloom.domain.legs import Leg, Side
from strikeloom.domain.orders import Fill, IntentState
from strikeloom.monitor import kill
from strikeloom.trading.lease import Lease
from strikeloom.trading.prepare import prepare_entry
from strikeloom.trading.reconcile import Reconciler
from strikeloom.trading.send import OrderRateLimiter
from strikeloom.trading.work import work
from support.desk import MadeDesk
from support.fakes import option

CALL = option(25_000, Right.CALL)


class LateTrades:
    """A broker whose order book is ahead of its trades, and that reports no change of either."""

    book_is_complete = False

    def __init__(self, made: MadeDesk) -> None:
        self._broker = made.broker
        self.reads = 0
        self.hides_trades = True

    def __getattr__(self, name: str) -> object:
        return getattr(self._broker, name)

    def change_count(self) -> int:
        return 1

    def fills(self) -> list[Fill]:
        self.reads += 1
        return [] if self.hides_trades else self._broker.fills()


@pytest.fixture
def made(tmp_path: Path):
    desk = MadeDesk(tmp_path)
    yield desk
    desk.close()


def test_trades_behind_the_order_book_are_read_once_a_second(made: MadeDesk) -> None:
    made.show(CALL, 150_00, 151_00)
    broker = LateTrades(made)
    desk = replace(made.desk, broker=broker)
    proposal = made.propose([Leg(CALL, Side.BUY, 1, 150_00)], "long_call")
    made.store.record_intents(prepare_entry(desk, proposal, 1))
    reconciler = Reconciler(desk)
    with Lease(made.home, made.store) as lease:
        work(desk, lease, OrderRateLimiter(1e6), reconciler)
    (intent,) = made.store.intents()
    assert intent.state is IntentState.WORKING
    before = broker.reads
    for _ in range(3):  # three cycles within a second
        made.clock.wait(0.2)
        reconciler.refresh()
    assert broker.reads == before
    made.clock.wait(0.5)
    broker.hides_trades = False
    state = reconciler.refresh()
    assert broker.reads == before + 1
    assert list(state.positions) == [proposal.strategy_id]
    made.clock.wait(5)  # all is reported: nothing is read again before the minute is over
    reconciler.refresh()
    assert broker.reads == before + 1


def test_a_kill_switch_set_while_quotes_are_read_stops_the_entry(
    made: MadeDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    proposal = made.spread()
    made.store.record_intents(prepare_entry(made.desk, proposal, 1))
    quotes = made.feed.quotes

    def slow_quotes(contracts):
        kill(made.desk, "news", flatten=False, at=made.clock.now())
        return quotes(contracts)

    monkeypatch.setattr(made.feed, "quotes", slow_quotes)
    with Lease(made.home, made.store) as lease:
        work(made.desk, lease, OrderRateLimiter(1e6))
    assert made.broker.orders() == []
    assert {intent.state for intent in made.store.intents()} == {IntentState.REFUSED}
