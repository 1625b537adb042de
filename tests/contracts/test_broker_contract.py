"""What every broker keeps. A new adapter joins by one entry in ``broker``."""

from dataclasses import dataclass

import pytest

from strikeloom.adapters.sim import SimBroker
from strikeloom.domain.instruments import FutureContract, Instrument
from strikeloom.domain.orders import OrderState
from strikeloom.domain.products import Product
from strikeloom.errors import BrokerError, Rejected
from support.dhan_client import OurSide
from support.fakes import CASH, ManualClock, ShownFeed, ist, option, order
from support.injected_faults import FaultyBroker
from support.local_exchange import FUTURE, SHARE, STOCK_FUTURE, local_exchange


@dataclass(frozen=True)
class Kind:
    """An instrument quoted at a bid and an ask, with the price of an order that rests."""

    instrument: Instrument
    bid: int
    ask: int
    low: int
    off_tick: int
    sold: bool  # can be sold without being held


KINDS = {
    "option": Kind(option(25_000), 99_00, 100_00, 90_00, 100_01, sold=True),
    "future": Kind(FUTURE, 25_049_00, 25_050_00, 25_000_00, 25_050_01, sold=True),
    "stock future": Kind(STOCK_FUTURE, 1404_00, 1405_00, 1390_00, 1405_01, sold=True),
    "share": Kind(SHARE, 1399_00, 1400_00, 1390_00, 1400_01, sold=False),
}


def _show(market) -> None:
    market.spots |= {"NIFTY": 25_000_00, "RELIANCE": 1_400_00}
    for kind in KINDS.values():
        market.show(kind.instrument, kind.bid, kind.ask, size=10_000)


@pytest.fixture(params=list(KINDS))
def kind(request):
    return KINDS[request.param]


@pytest.fixture
def it(kind):
    return kind.instrument


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


def test_an_answered_order_is_in_the_book_with_its_tag(trade, kind, it):
    found = trade("tag-1", it, "BUY", 1, kind.low)
    assert (found.instrument_key, found.units, found.limit) == (it.key, it.lot_size, kind.low)
    assert (found.state, found.filled_units) == (OrderState.PENDING, 0)


def test_a_fill_shows_in_orders_fills_positions_and_funds(broker, trade, kind, it):
    before = broker.funds()
    placed = trade("tag-1", it, "BUY", 2, kind.ask)
    units = 2 * it.lot_size
    assert (placed.state, placed.filled_units) == (OrderState.TRADED, units)
    (fill,) = broker.fills()
    assert (fill.order_id, fill.correlation_id) == (placed.order_id, "tag-1")
    assert (fill.instrument_key, fill.units, fill.kind) == (it.key, units, "trade")
    assert {p.instrument_key: p.net_units for p in broker.positions()} == {it.key: units}
    paid = 0 if isinstance(it, FutureContract) else fill.units * fill.price
    assert broker.funds().cash == before.cash - paid - fill.charges


def test_fills_of_one_order_cost_what_the_order_costs(broker, wired, kind, it):
    """Brokerage is of the order: a percent of its value where that is less than the flat fee."""
    before = broker.funds().cash
    for name in ("first", "second"):
        broker.submit(order(name, it, "BUY", 1, kind.ask))
        wired[1]()
    fills = broker.fills()
    paid = 0 if isinstance(it, FutureContract) else sum(f.units * f.price for f in fills)
    assert broker.funds().cash == before - paid - sum(f.charges for f in fills)
    assert fills[0].charges == fills[1].charges


def test_a_flat_instrument_is_no_position(broker, trade, kind, it):
    trade("in", it, "BUY", 1, kind.ask)
    trade("out", it, "SELL", 1, kind.bid)
    assert broker.positions() == []
    assert len({fill.fill_id for fill in broker.fills()}) == 2


def test_all_kinds_are_held_side_by_side(broker, trade):
    for name, one in KINDS.items():
        trade(name.replace(" ", "-"), one.instrument, "BUY", 1, one.ask)
    held = {p.instrument_key: p.net_units for p in broker.positions()}
    assert held == {one.instrument.key: one.instrument.lot_size for one in KINDS.values()}


def test_what_is_not_held_is_sold_unless_it_must_be_delivered(broker, trade, kind, it):
    if kind.sold:
        trade("tag-1", it, "SELL", 1, kind.bid)
        assert [p.net_units for p in broker.positions()] == [-it.lot_size]
        return
    with pytest.raises(Rejected, match="holdings"):
        broker.submit(order("tag-1", it, "SELL", 1, kind.bid))
    assert broker.positions() == []


def test_a_refusal_is_an_error_without_effect(broker, kind, it):
    before = broker.funds(), broker.positions(), broker.fills()
    with pytest.raises(Rejected) as refused:
        broker.submit(order("bad", it, "BUY", 1, kind.off_tick))
    assert isinstance(refused.value, BrokerError)
    assert (broker.funds(), broker.positions(), broker.fills()) == before


def test_a_cancelled_order_is_terminal_and_stays_so(broker, trade, kind, it):
    resting = trade("tag-1", it, "BUY", 1, kind.low)
    ended = broker.cancel(resting.order_id)
    assert (ended.state, ended.filled_units) == (OrderState.CANCELLED, 0)
    assert broker.cancel(resting.order_id) == ended


def test_a_cancel_of_a_filled_order_returns_it_as_filled(broker, trade, kind, it):
    filled = trade("tag-1", it, "BUY", 1, kind.ask)
    assert broker.cancel(filled.order_id).state is OrderState.TRADED


def test_an_unknown_order_is_an_error(broker):
    with pytest.raises(BrokerError):
        broker.cancel("no-such-order")


def test_a_repeated_tag_is_a_second_order(broker, trade, kind, it):
    for _ in range(2):
        trade("tag-1", it, "BUY", 1, kind.low)
    assert len({o.order_id for o in broker.orders() if o.correlation_id == "tag-1"}) == 2


def test_what_is_held_for_the_day_is_apart_from_what_is_carried(broker, trade, kind, it):
    """Its charges too: a share bought for the day is not taxed as delivered."""
    trade("keep", it, "BUY", 2, kind.ask)
    trade("today", it, "BUY", 1, kind.ask, product=Product.INTRADAY)
    held = {(p.instrument_key, p.intraday): p.net_units for p in broker.positions()}
    assert held == {(it.key, False): 2 * it.lot_size, (it.key, True): it.lot_size}
    if it is SHARE:  # 0.1 % STT on delivery and 0.015 % stamps; for the day 0.003 % stamps alone
        costs = {f.correlation_id: f.charges for f in broker.fills()}
        assert costs["keep"] > 2 * costs["today"]
    trade("out", it, "SELL", 1, kind.bid, product=Product.INTRADAY)
    held = {(p.instrument_key, p.intraday): p.net_units for p in broker.positions()}
    assert held == {(it.key, False): 2 * it.lot_size}


def test_every_kind_is_sold_for_the_day_and_needs_margin(broker, trade, kind, it):
    trade("short", it, "SELL", 1, kind.bid, product=Product.INTRADAY)
    assert [(p.net_units, p.intraday) for p in broker.positions()] == [(-it.lot_size, True)]
    assert broker.funds().margin_used > 0
    trade("back", it, "BUY", 1, kind.ask, product=Product.INTRADAY)
    assert broker.positions() == []
    lost = it.lot_size * (kind.ask - kind.bid)  # of a future it is paid after the session
    assert broker.funds().margin_used in (0, lost)


def test_a_product_of_another_kind_is_refused_without_effect(broker, it):
    other = Product.MARGIN if it is SHARE else Product.CNC
    with pytest.raises(Rejected, match=f"{other}"):
        broker.submit(order("bad", it, "BUY", 1, KINDS["share"].ask, product=other))
    assert broker.positions() == broker.fills() == []


def test_money_is_whole_paise(broker, trade, kind, it):
    trade("tag-1", it, *(("SELL", 1, kind.bid) if kind.sold else ("BUY", 1, kind.ask)))
    funds = broker.funds()
    assert all(isinstance(v, int) for v in (funds.cash, funds.margin_used, funds.available))
    assert 0 <= funds.margin_used <= funds.cash
    assert (funds.margin_used > 0) == kind.sold, "shares are paid for, and need no margin"
    assert funds.available == funds.cash - funds.margin_used
