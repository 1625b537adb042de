"""What every broker keeps. A new adapter joins by one entry in ``broker``."""

import pytest

from strikeloom.adapters.sim import SimBroker
from strikeloom.domain.orders import OrderState
from strikeloom.errors import BrokerError, Rejected
from support.dhan_client import OurSide
from support.fakes import CASH, ManualClock, ShownFeed, ist, option, order
from support.injected_faults import FaultyBroker
from support.local_exchange import local_exchange

CALL, PUT = option(25000), option(24000)


def _show(market) -> None:
    market.spots["NIFTY"] = 25_000_00
    market.show(CALL, 9900, 10000, size=10_000)
    market.show(PUT, 4900, 5000, size=10_000)


@pytest.fixture
def simulated(tmp_path):
    market = ShownFeed(ManualClock(ist("2026-02-11 10:00")))
    _show(market)
    broker = SimBroker(tmp_path / "account.db", market, market.clock, CASH)
    yield broker, lambda: None
    broker.close()


@pytest.fixture
def dhan(tmp_path):
    with local_exchange(tmp_path, limits=False) as local:
        _show(local.market)
        ours = OurSide(local, tmp_path)
        yield ours.broker, lambda: local.step(1)
        ours.close()


@pytest.fixture(params=["simulated", "faulty without faults", "dhan over the wire"])
def wired(request):
    """A broker, and a moment that passes at its exchange."""
    if request.param == "dhan over the wire":
        return request.getfixturevalue("dhan")
    broker, moment = request.getfixturevalue("simulated")
    return (FaultyBroker(broker) if request.param != "simulated" else broker), moment


@pytest.fixture
def broker(wired):
    return wired[0]


@pytest.fixture
def trade(wired):
    """Place an order, and return its state in the book a moment later."""
    broker, moment = wired

    def placed(*given, **named):
        answer = broker.submit(order(*given, **named))
        moment()
        (found,) = [o for o in broker.orders() if o.order_id == answer.order_id]
        assert found.correlation_id == answer.correlation_id == given[0]
        return found

    return placed


def test_it_reports_its_name_and_how_complete_its_book_is(broker):
    assert broker.name
    assert isinstance(broker.book_is_complete, bool)
    assert isinstance(broker.reports_settlements, bool)


def test_an_answered_order_is_in_the_book_with_its_tag(trade):
    found = trade("tag-1", CALL, "BUY", 1, 9800)
    assert (found.instrument_key, found.units, found.limit) == (CALL.key, 65, 9800)
    assert (found.state, found.filled_units) == (OrderState.PENDING, 0)


def test_a_fill_shows_in_orders_fills_positions_and_funds(broker, trade):
    before = broker.funds()
    placed = trade("tag-1", CALL, "BUY", 2, 10000)
    assert (placed.state, placed.filled_units) == (OrderState.TRADED, 130)
    (fill,) = broker.fills()
    assert (fill.order_id, fill.correlation_id) == (placed.order_id, "tag-1")
    assert (fill.instrument_key, fill.units, fill.kind) == (CALL.key, 130, "trade")
    assert {p.instrument_key: p.net_units for p in broker.positions()} == {CALL.key: 130}
    assert broker.funds().cash == before.cash - fill.units * fill.price - fill.charges


def test_a_flat_contract_is_no_position(broker, trade):
    trade("in", CALL, "BUY", 1, 10000)
    trade("out", CALL, "SELL", 1, 9900)
    assert broker.positions() == []
    assert len({fill.fill_id for fill in broker.fills()}) == 2


def test_a_refusal_is_an_error_without_effect(broker):
    before = broker.funds(), broker.positions(), broker.fills()
    with pytest.raises(Rejected) as refused:
        broker.submit(order("bad", CALL, "BUY", 1, 10001))
    assert isinstance(refused.value, BrokerError)
    assert (broker.funds(), broker.positions(), broker.fills()) == before


def test_a_cancelled_order_is_terminal_and_stays_so(broker, trade):
    resting = trade("tag-1", CALL, "BUY", 1, 9000)
    ended = broker.cancel(resting.order_id)
    assert (ended.state, ended.filled_units) == (OrderState.CANCELLED, 0)
    assert broker.cancel(resting.order_id) == ended


def test_a_cancel_of_a_filled_order_returns_it_as_filled(broker, trade):
    filled = trade("tag-1", CALL, "BUY", 1, 10000)
    assert broker.cancel(filled.order_id).state is OrderState.TRADED


def test_an_unknown_order_is_an_error(broker):
    with pytest.raises(BrokerError):
        broker.cancel("no-such-order")


def test_a_repeated_tag_is_a_second_order(broker, trade):
    for _ in range(2):
        trade("tag-1", PUT, "BUY", 1, 4000)
    assert len({o.order_id for o in broker.orders() if o.correlation_id == "tag-1"}) == 2


def test_money_is_whole_paise(broker, trade):
    trade("tag-1", CALL, "SELL", 1, 9900)
    funds = broker.funds()
    assert all(isinstance(v, int) for v in (funds.cash, funds.margin_used, funds.available))
    assert 0 < funds.margin_used <= funds.cash
    assert funds.available == funds.cash - funds.margin_used
