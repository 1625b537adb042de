"""What every broker keeps. A new adapter joins by one entry in ``broker``."""

import pytest

from doubles import CASH, ManualClock, ShownFeed, ist, option, order
from strikeloom.adapters.sim import SimBroker
from strikeloom.domain.orders import OrderState
from strikeloom.errors import BrokerError, Rejected
from strikeloom.exchange.faults import FaultyBroker

CALL, PUT = option(25000), option(24000)


@pytest.fixture
def market():
    feed = ShownFeed(ManualClock(ist("2026-02-11 10:00")))
    feed.spots["NIFTY"] = 25_000_00
    feed.show(CALL, 9900, 10000)
    feed.show(PUT, 4900, 5000)
    return feed


@pytest.fixture(params=["simulated", "faulty without faults"])
def broker(request, market, tmp_path):
    inner = SimBroker(tmp_path / "account.db", market, market.clock, CASH)
    yield inner if request.param == "simulated" else FaultyBroker(inner)
    inner.close()


def test_it_says_who_it_is_and_how_far_its_book_goes(broker):
    assert broker.name
    assert isinstance(broker.book_is_complete, bool)


def test_an_answered_order_is_in_the_book_with_its_tag(broker):
    placed = broker.submit(order("tag-1", CALL, "BUY", 1, 9800))
    (found,) = [o for o in broker.orders() if o.correlation_id == "tag-1"]
    assert found == placed
    assert (found.contract_key, found.units, found.limit) == (CALL.key, 65, 9800)
    assert found.state is OrderState.PENDING


def test_a_fill_shows_in_orders_fills_positions_and_funds(broker):
    before = broker.funds()
    placed = broker.submit(order("tag-1", CALL, "BUY", 2, 10000))
    assert (placed.state, placed.filled_units) == (OrderState.TRADED, 130)
    (fill,) = broker.fills()
    assert (fill.order_id, fill.correlation_id) == (placed.order_id, "tag-1")
    assert (fill.contract_key, fill.units, fill.kind) == (CALL.key, 130, "trade")
    assert {p.contract_key: p.net_units for p in broker.positions()} == {CALL.key: 130}
    assert broker.funds().cash == before.cash - fill.units * fill.price - fill.charges


def test_a_flat_contract_is_no_position(broker):
    broker.submit(order("in", CALL, "BUY", 1, 10000))
    broker.submit(order("out", CALL, "SELL", 1, 9900))
    assert broker.positions() == []
    assert len({fill.fill_id for fill in broker.fills()}) == 2


def test_a_refusal_is_an_error_without_effect(broker):
    before = broker.funds(), broker.positions(), broker.fills()
    with pytest.raises(Rejected) as refused:
        broker.submit(order("bad", CALL, "BUY", 1, 10001))
    assert isinstance(refused.value, BrokerError)
    assert (broker.funds(), broker.positions(), broker.fills()) == before


def test_a_cancelled_order_is_terminal_and_stays_so(broker):
    resting = broker.submit(order("tag-1", CALL, "BUY", 1, 9000))
    ended = broker.cancel(resting.order_id)
    assert (ended.state, ended.filled_units) == (OrderState.CANCELLED, 0)
    assert broker.cancel(resting.order_id) == ended


def test_a_filled_order_answers_a_cancel_with_its_end(broker):
    filled = broker.submit(order("tag-1", CALL, "BUY", 1, 10000))
    assert broker.cancel(filled.order_id).state is OrderState.TRADED


def test_an_unknown_order_is_an_error(broker):
    with pytest.raises(BrokerError):
        broker.cancel("no-such-order")


def test_a_repeated_tag_is_a_second_order(broker):
    for _ in range(2):
        broker.submit(order("tag-1", PUT, "BUY", 1, 4000))
    assert len({o.order_id for o in broker.orders() if o.correlation_id == "tag-1"}) == 2


def test_money_is_whole_paise(broker):
    broker.submit(order("tag-1", CALL, "SELL", 1, 9900))
    funds = broker.funds()
    assert all(isinstance(v, int) for v in (funds.cash, funds.margin_used, funds.available))
    assert 0 < funds.margin_used <= funds.cash
    assert funds.available == funds.cash - funds.margin_used
