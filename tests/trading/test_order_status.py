"""Status of an intent according to the broker's order book, case by case."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from strikeloom.domain.instruments import Right
from strikeloom.domain.orders import IntentState, OrderState
from strikeloom.trading.account_state import state_of
from strikeloom.trading.order_status import AbsenceCheck, OrderOutcome, awaits_report, outcome
from support.fakes import option
from support.trading_records import NOW, PUT, intent, order_of, position_of, state

SENT = intent(state=IntentState.SENDING)
NAME = SENT.correlation_id
#: The wait is over, but the book need not name every order.
CHECK = AbsenceCheck(book_is_complete=False, waited=30, wait=30, held={})


def found(book=(), of=SENT, check=CHECK, **account):
    return outcome(of, list(book), state([of], **account), check)


def of_state(order_state, filled=0, **changes):
    return order_of(SENT, order_state, filled, **changes)


# in the book


@pytest.mark.parametrize("units", [130, 195])
def test_an_order_is_filled_when_its_fills_are_all_reported(units):
    for book in ([], [of_state(OrderState.TRADED, 130)], [of_state(OrderState.PENDING)]):
        assert found(book, filled={NAME: units}) == OrderOutcome(IntentState.FILLED)


def test_an_open_order_is_working_and_stays_so():
    for order_state in (OrderState.PENDING, OrderState.PART_TRADED, OrderState.UNKNOWN):
        assert found([of_state(order_state)]).to is IntentState.WORKING
        working = replace(SENT, state=IntentState.WORKING)
        assert found([of_state(order_state)], working) == OrderOutcome()


def test_a_closed_order_ends_when_its_fills_are_reported():
    half = [of_state(OrderState.CANCELLED, 65, reason="by the user")]
    assert found(half, filled={NAME: 64}) == OrderOutcome()
    assert found(half, filled={NAME: 65}) == OrderOutcome(IntentState.ENDED, "by the user")
    assert found([of_state(OrderState.EXPIRED)]).to is IntentState.ENDED


def test_a_rejected_order_is_refused_unless_it_traded():
    rejected = [of_state(OrderState.REJECTED, reason="no money")]
    assert found(rejected) == OrderOutcome(IntentState.REFUSED, "no money")
    assert found(rejected, filled={NAME: 65}).to is IntentState.ENDED


def test_two_orders_of_one_intent_are_critical_and_both_must_end():
    pair = [of_state(OrderState.CANCELLED, 65), of_state(OrderState.PENDING, order_id="O-2")]
    open_one = found(pair)
    assert open_one.to is IntentState.WORKING
    assert open_one.alert == ("critical", f"{NAME} is 2 times in the order book")
    closed = [pair[0], replace(pair[1], state=OrderState.CANCELLED, filled_units=65)]
    assert found(closed, filled={NAME: 129}).to is None
    assert found(closed, filled={NAME: 130}).to is IntentState.FILLED
    assert found([pair[0]]).alert == ()


def test_of_two_ended_orders_the_latest_decides():
    cancelled = of_state(OrderState.CANCELLED, reason="by the user")
    rejected = of_state(OrderState.REJECTED, reason="no money", order_id="O-2")
    last_refused, last_ended = found([cancelled, rejected]), found([rejected, cancelled])
    assert (last_refused.to, last_refused.note) == (IntentState.REFUSED, "no money")
    assert (last_ended.to, last_ended.note) == (IntentState.ENDED, "by the user")


# not in the book


def test_an_order_that_is_not_listed_is_first_unresolved():
    for waited in (0, 29.9):
        early = replace(CHECK, waited=waited)
        first = found(check=early)
        assert (first.to, first.unresolved, first.lost) == (IntentState.UNKNOWN, True, False)
        assert first.alert[0] == "critical"
        again = found(of=replace(SENT, state=IntentState.UNKNOWN), check=early)
        assert again == OrderOutcome(unresolved=True)


def test_after_the_wait_it_never_reached_the_broker():
    for sent in (SENT, replace(SENT, state=IntentState.UNKNOWN)):
        lost = found(of=sent)
        assert (lost.to, lost.note, lost.lost) == (
            IntentState.ENDED, "never reached the broker", True,
        )  # fmt: skip
        assert lost.alert[0] == "warning"


def test_a_complete_book_needs_no_wait():
    complete = AbsenceCheck(book_is_complete=True, waited=0, wait=30, held={PUT.key: 130})
    assert found(check=complete).lost


@pytest.mark.parametrize(
    ("held", "ours", "lost"),
    [(0, 0, True), (130, 0, False), (-130, -130, True), (-65, -130, False), (0, -130, False)],
)
def test_positions_must_agree_before_an_absence_counts(held, ours, lost):
    positions = [position_of("P1", (PUT, ours))] if ours else []
    check = replace(CHECK, held={PUT.key: held} if held else {})
    answer = found(check=check, positions=positions)
    assert answer.lost is lost
    assert answer.unresolved is not lost
    other = replace(check, held={**check.held, option(24_600, Right.PUT).key: 65})
    assert found(check=other, positions=positions).lost is lost


def test_an_order_that_traded_in_part_reached_the_broker():
    assert found(filled={NAME: 65}).to is IntentState.UNKNOWN
    complete = replace(CHECK, book_is_complete=True)
    assert found(filled={NAME: 65}, check=complete).unresolved


def test_an_order_with_a_number_of_today_reached_the_broker():
    known = of_state(OrderState.PENDING)
    assert found(orders=[known]).to is IntentState.UNKNOWN
    assert found(orders=[replace(known, state=OrderState.CANCELLED)]).lost


def test_an_order_that_traded_today_is_not_over_with_its_day():
    """Known, ended and partly filled, then missing from the book: it is not sent again."""
    known = of_state(OrderState.CANCELLED, 65)
    answer = found(orders=[known], filled={NAME: 65})
    assert (answer.to, answer.unresolved, answer.lost) == (IntentState.UNKNOWN, True, False)


def test_an_order_of_yesterday_ended_with_its_day():
    yesterday = NOW - timedelta(days=1)
    old = replace(SENT, created_at=yesterday, state=IntentState.UNKNOWN)
    known = of_state(OrderState.PENDING, updated_at=yesterday)
    answer = found(of=old, orders=[known], filled={NAME: 65})
    assert (answer.to, answer.note, answer.lost) == (IntentState.ENDED, "ended with its day", True)
    # without a number it may have traded or not: the fill shows that it did
    assert found(of=old, filled={NAME: 65}).unresolved


def test_a_working_order_that_vanishes_is_unresolved():
    working = replace(SENT, state=IntentState.WORKING)
    for check in (CHECK, replace(CHECK, book_is_complete=True)):
        assert found(of=working, check=check).to is IntentState.UNKNOWN


# whether something is still to be reported


@pytest.mark.parametrize("sent", [IntentState.SENDING, IntentState.UNKNOWN])
def test_the_answer_to_a_request_is_awaited(sent):
    item = replace(SENT, state=sent)
    assert awaits_report(state([item]), item)
    assert awaits_report(state([item], orders=[of_state(OrderState.PENDING)]), item)


def test_the_trades_of_an_order_that_has_ended_are_awaited():
    working = replace(SENT, state=IntentState.WORKING)
    ended, resting = of_state(OrderState.TRADED, 130), of_state(OrderState.PENDING, order_id="O-2")
    for orders, awaited in (([ended], True), ([resting], False), ([ended, resting], False)):
        assert awaits_report(state([working], orders=orders), working) is awaited
    assert not awaits_report(state([working]), working)


@pytest.mark.parametrize(
    "over", [IntentState.NEW, IntentState.FILLED, IntentState.ENDED, IntentState.REFUSED]
)
def test_nothing_is_awaited_of_what_is_over_or_not_sent(over):
    item = replace(SENT, state=over)
    for orders in ([], [of_state(OrderState.TRADED, 130)], [of_state(OrderState.PENDING)]):
        assert not awaits_report(state([item], orders=orders), item)


# the state itself


def test_a_state_knows_its_units_and_intents():
    hedge = option(24_600, Right.PUT)
    first = position_of("P1", (PUT, -130), (hedge, 130))
    second = position_of("P2", (PUT, 130), (hedge, 65))
    other = intent(intent_id="ITWO", position_id="P2")
    account = state([SENT, other], positions=[first, second])
    assert account.net_units() == {hedge.key: 195}
    assert (account.held_units("P1", 0), account.held_units("P1", 1)) == (-130, 130)
    assert (account.held_units("P1", 2), account.held_units("P9", 0)) == (0, 0)
    assert account.intent(NAME) is SENT
    assert account.intent("ITWO-9-0-1") is None
    assert account.intent("INONE-0-0-1") is None
    assert list(account.intents_of("P2")) == [other]
    assert list(account.intents()) == [SENT, other]


def test_each_open_leg_of_a_position_has_its_last_day():
    hedge, early, late = option(24_600, Right.PUT), NOW.date(), NOW.date() + timedelta(days=7)
    both, other = position_of("P1", (PUT, -130), (hedge, 130)), position_of("P2", (PUT, 65))
    days = {("P1", 0): late, ("P1", 1): early, ("P2", 0): early - timedelta(days=1)}
    account = state(positions=[both, other], last_days=days)
    assert account.ends_of("P1") == {0: late, 1: early}
    assert account.ends_of("P9") == {}
    half = state(positions=[both], last_days={("P1", 0): late})  # the other leg is closed
    assert half.ends_of("P1") == {0: late}
    assert state(positions=[both], last_days={}).ends_of("P1") == {}


def test_a_state_is_read_from_the_open_records():
    class Record:
        positions = (position_of("P1", (PUT, -130), (option(24_600, Right.PUT), 0)),)
        intents = (SENT, intent(intent_id="ITWO"), replace(SENT, attempt=2))
        orders = (of_state(OrderState.PENDING), of_state(OrderState.CANCELLED, order_id="O-2"))
        changed_at = {NAME: NOW}  # noqa: RUF012
        filled = {NAME: 65}  # noqa: RUF012
        requests = ()
        kill_switch = None
        peaks = {"P1": 7}  # noqa: RUF012

    asked = []

    def last_day(symbol, expiry, since):
        asked.append((symbol, expiry, since))
        return expiry

    account = state_of("a", "m", Record(), NOW, last_day)
    assert [len(account.groups[name]) for name in ("IONE", "ITWO")] == [2, 1]
    assert len(account.orders_of(NAME)) == 2
    assert account.last_days == {("P1", 0): PUT.expiry}
    assert asked == [("NIFTY", PUT.expiry, NOW.date())]
    assert (account.filled, account.peaks, account.new_fills) == ({NAME: 65}, {"P1": 7}, 0)
