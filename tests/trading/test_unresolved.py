"""What a person finds out about an order of unknown status is recorded for that order alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from strikeloom.domain.legs import Side
from strikeloom.domain.orders import IntentState, OrderState
from strikeloom.errors import BrokerError
from strikeloom.trading.reconcile import reconcile
from strikeloom.trading.unresolved import resolve_unknown
from support.desk import ACCOUNT, MARKET, MadeDesk
from support.injected_faults import FaultyBroker
from support.trading_records import intent, order_of

FIRST, SECOND = "IONE-0-0-1", "IONE-1-0-1"


@pytest.fixture
def made(tmp_path: Path):
    """Two legs of unknown status, of 130 units each; the broker's list shows neither."""
    desk = MadeDesk(tmp_path)
    proposal = desk.spread()
    own = {"account": ACCOUNT, "market": MARKET, "position_id": proposal.strategy_id}
    desk.store.record_intents(
        [
            intent(leg=0, state=IntentState.UNKNOWN, side=Side.SELL, limit=118_00, **own),
            intent(leg=1, state=IntentState.UNKNOWN, instrument=proposal.legs[1].instrument, **own),
        ]
    )
    yield desk
    desk.close()


def states(made: MadeDesk) -> dict[str, IntentState]:
    return {item.correlation_id: item.state for item in made.store.intents()}


def resolve(made: MadeDesk, name: str = FIRST, *, arrived: bool, number: str = "") -> None:
    resolve_unknown(made.desk, name, arrived=arrived, who="Asha", number=number)


def test_what_never_arrived_has_ended(made: MadeDesk) -> None:
    resolve(made, arrived=False)
    assert states(made) == {FIRST: IntentState.ENDED, SECOND: IntentState.UNKNOWN}
    (ended,) = made.store.intents(states={IntentState.ENDED})
    assert ended.note == "Asha reports that it never arrived"
    assert made.store.orders() == []


def test_what_arrived_is_working_and_is_not_final(made: MadeDesk) -> None:
    resolve(made, arrived=True)
    assert states(made) == {FIRST: IntentState.WORKING, SECOND: IntentState.UNKNOWN}
    (working,) = made.store.intents(states={IntentState.WORKING})
    assert working.note == "Asha reports that it arrived"
    assert made.store.orders() == []  # without its number it has to be found in the book


@pytest.mark.parametrize(("name", "side", "limit"), [(FIRST, -1, 118_00), (SECOND, 1, 120_00)])
def test_the_number_is_recorded_for_this_order_with_nothing_filled(
    made: MadeDesk, name: str, side: int, limit: int
) -> None:
    resolve(made, name, arrived=True, number="77")
    (order,) = made.store.orders()
    (of,) = [item for item in made.store.intents() if item.correlation_id == name]
    assert (order.order_id, order.correlation_id) == ("77", name)
    assert (order.instrument_key, order.side) == (of.instrument.key, side)
    assert (order.units, order.filled_units, order.limit) == (130, 0, limit)
    assert order.state is OrderState.UNKNOWN
    assert not order.state.terminal
    assert order.updated_at == of.created_at


def test_a_number_with_an_order_that_never_arrived_is_not_recorded(made: MadeDesk) -> None:
    resolve(made, arrived=False, number="77")
    assert states(made)[FIRST] is IntentState.ENDED
    assert made.store.orders() == []


def test_the_number_of_another_order_is_refused(made: MadeDesk) -> None:
    other = made.store.intents()[1]
    for number in ("77", "78"):
        made.store.record_order(order_of(other, order_id=number))
    for number in ("77", "78"):
        with pytest.raises(BrokerError, match=f"order number {number} is already recorded"):
            resolve(made, arrived=True, number=number)
    assert set(states(made).values()) == {IntentState.UNKNOWN}
    resolve(made, arrived=True, number="79")
    assert states(made)[FIRST] is IntentState.WORKING


def test_other_orders_do_not_matter_where_no_number_is_given(made: MadeDesk) -> None:
    made.store.record_order(order_of(made.store.intents()[1]))
    resolve(made, arrived=False)
    assert states(made)[FIRST] is IntentState.ENDED


@pytest.mark.parametrize("arrived", [True, False])
def test_only_an_unknown_order_is_resolved(made: MadeDesk, arrived: bool) -> None:
    resolve(made, arrived=False)
    for name, words in (
        (FIRST, f"{FIRST} is not unresolved: its state is ended"),
        ("INONE-0-0-1", "no order INONE-0-0-1 in account"),
    ):
        with pytest.raises(BrokerError, match=words):
            resolve(made, name, arrived=arrived, number="77")
    assert states(made) == {FIRST: IntentState.ENDED, SECOND: IntentState.UNKNOWN}
    assert made.store.orders() == []


def test_an_order_reported_as_arrived_is_compared_with_the_book_again(made: MadeDesk) -> None:
    """The book still does not show it: its status is unknown again, and it is not sent."""
    resolve(made, arrived=True)
    broker = FaultyBroker(made.broker, book_is_complete=False)
    found = reconcile(replace(made.desk, broker=broker))
    assert states(made)[FIRST] is IntentState.UNKNOWN
    assert FIRST in found.unresolved
    assert made.broker.orders() == []
