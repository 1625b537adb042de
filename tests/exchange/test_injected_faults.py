"""Injected faults have the effect they name, and the wrapped broker stays correct."""

from collections import Counter

import pytest

from strikeloom.domain.orders import OrderState
from strikeloom.errors import (
    NoQuote,
    RateLimited,
    Rejected,
    SettingsError,
    UnknownOutcome,
    Unreachable,
)
from support.fakes import option, order
from support.injected_faults import Fault, FaultyBroker, FaultyFeed, Plan, QuoteFault

CALL = option(25000)


@pytest.mark.parametrize(
    ("fault", "error", "arrives"),
    [
        (Fault.UNREACHABLE, Unreachable, False),
        (Fault.TOO_MANY, RateLimited, False),
        (Fault.REJECTED, Rejected, False),
        (Fault.REQUEST_LOST, UnknownOutcome, False),
        (Fault.REPLY_LOST, UnknownOutcome, True),
        (Fault.LATE_ORDER, UnknownOutcome, True),
    ],
)
def test_a_submit_fails_as_planned_and_the_next_goes_through(broker, feed, fault, error, arrives):
    feed.show(CALL, 9900, 10000)
    faulty = FaultyBroker(broker, submits=Plan([fault]))
    with pytest.raises(error, match="injected"):
        faulty.submit(order("a", CALL, "BUY", 1, 10000))
    assert len(broker.orders()) == arrives
    assert faulty.submit(order("b", CALL, "BUY", 1, 10000)).state is OrderState.TRADED
    assert faulty.injected == [("submit", fault)]


def test_a_late_order_is_hidden_from_the_book_and_the_trades_but_not_from_positions(broker, feed):
    feed.show(CALL, 9900, 10000)
    faulty = FaultyBroker(
        broker, submits=Plan([Fault.LATE_ORDER]), late_looks=2, book_is_complete=False
    )
    assert not faulty.book_is_complete
    with pytest.raises(UnknownOutcome):
        faulty.submit(order("a", CALL, "BUY", 1, 10000))
    assert faulty.positions()[0].net_units == 65
    for _ in range(2):
        assert faulty.orders() == []
    assert len(faulty.orders()) == len(faulty.fills()) == 1


def test_a_cancel_may_be_carried_out_without_an_answer(broker, feed):
    feed.show(CALL, 9900, 10000)
    faulty = FaultyBroker(broker, cancels=Plan([Fault.REQUEST_LOST, Fault.REPLY_LOST]))
    resting = faulty.submit(order("a", CALL, "BUY", 1, 9000))
    for left in (OrderState.PENDING, OrderState.CANCELLED):
        with pytest.raises(UnknownOutcome):
            faulty.cancel(resting.order_id)
        assert broker.orders()[0].state is left


def test_looks_fail_too(broker):
    plan = Plan([Fault.UNREACHABLE, Fault.REPLY_LOST, Fault.TOO_MANY, Fault.NONE])
    faulty = FaultyBroker(broker, looks=plan)
    with pytest.raises(Unreachable):
        faulty.orders()
    with pytest.raises(UnknownOutcome):
        faulty.fills()
    with pytest.raises(RateLimited):
        faulty.positions()
    assert faulty.funds() == broker.funds()


def test_rates_are_kept_and_a_seed_repeats_them():
    rates = {Fault.LATE_ORDER: 0.1, Fault.REJECTED: 0.3}
    drawn = [[plan.draw() for _ in range(5000)] for plan in (Plan(rates=rates, seed=3),) * 1]
    again = [Plan(rates=rates, seed=3)]
    assert drawn[0] == [again[0].draw() for _ in range(5000)]
    counts = Counter(drawn[0])
    assert abs(counts[Fault.LATE_ORDER] / 5000 - 0.1) < 0.02
    assert abs(counts[Fault.REJECTED] / 5000 - 0.3) < 0.03
    assert counts[Fault.NONE] + counts[Fault.LATE_ORDER] + counts[Fault.REJECTED] == 5000


@pytest.mark.parametrize(
    "rates", [{Fault.LATE_ORDER: 0.7, Fault.REJECTED: 0.4}, {Fault.LATE_ORDER: -0.1}]
)
def test_rates_beyond_one_are_refused(rates):
    with pytest.raises(SettingsError, match="fault rates"):
        Plan(rates=rates)


def _faulty_feed(feed, kind):
    return FaultyFeed(feed, {CALL.key: kind})


def test_bad_quotes(feed, clock):
    other = option(25500)
    good = feed.show(CALL, 9900, 10000)
    untouched = feed.show(other, 100, 105)
    assert _faulty_feed(feed, QuoteFault.QUOTE_ABSENT).quotes([CALL, other]) == {
        other.key: untouched
    }
    one = _faulty_feed(feed, QuoteFault.QUOTE_ONE_SIDED).quotes([CALL])[CALL.key]
    assert (one.bid, one.bid_size, one.ask) == (None, 0, 10000)
    crossed = _faulty_feed(feed, QuoteFault.QUOTE_CROSSED).quotes([CALL])[CALL.key]
    assert not crossed.two_sided
    frozen = _faulty_feed(feed, QuoteFault.QUOTE_STALE)
    assert frozen.quotes([CALL])[CALL.key] == good
    clock.wait(600)
    feed.show(CALL, 5000, 5100)
    assert frozen.quotes([CALL])[CALL.key] == good
    thin = _faulty_feed(feed, QuoteFault.QUOTE_THIN).quotes([CALL])[CALL.key]
    assert (thin.bid, thin.bid_size, thin.ask_size) == (5000, 65, 65)
    assert frozen.spot("NIFTY") == feed.spot("NIFTY")
    assert frozen.settlement("NIFTY", CALL.expiry) is None
    with pytest.raises(NoQuote):
        frozen.spot("UNLISTED")


def test_a_dry_contract_never_completes(tmp_path, feed, clock):
    from strikeloom.adapters.sim import SimBroker
    from support.fakes import CASH

    broker = SimBroker(
        tmp_path / "dry.db", _faulty_feed(feed, QuoteFault.STUCK_PARTIAL), clock, CASH
    )
    feed.show(CALL, 9900, 10000)
    broker.submit(order("a", CALL, "BUY", 3, 10000))
    for _ in range(5):
        clock.wait(60)
        feed.show(CALL, 9900, 10000)
        assert broker.orders()[0].filled_units == 65
    assert broker.orders()[0].state is OrderState.PART_TRADED
