"""When an order has rested, and when its unfilled units may be tried again, to the second."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from strikeloom.domain.orders import IntentState, OrderState, Purpose
from strikeloom.settings.all import load_settings
from strikeloom.trading.attempts import Retry, has_failed, has_rested, retry
from support.fakes import ist
from support.trading_records import NOW, intent, order_of, state

SETTINGS = load_settings().execution.model_copy(
    update={"max_attempts": 3, "exit_retry_seconds": 60, "rest_seconds": 3}
)


def ended(seconds=3.0, **changes):
    """An intent that ended unfilled, made so many seconds ago."""
    made = NOW - timedelta(seconds=seconds)
    return intent(**{"state": IntentState.ENDED, "created_at": made, **changes})


@pytest.mark.parametrize(
    ("age", "rest", "rested"),
    [(2.9, 3, False), (3, 3, True), (9, 3, True), (0, 0, False), (0.1, 0, True), (-1, 0, False)],
)
def test_an_order_rests_for_the_stated_seconds(age, rest, rested):
    settings = SETTINGS.model_copy(update={"rest_seconds": rest})
    order = ended(age, state=IntentState.WORKING)
    assert has_rested(state([order]), order, settings) is rested


@pytest.mark.parametrize(
    ("purpose", "attempt", "age", "rested"),
    [
        (Purpose.EXIT, 2, 3, True),
        (Purpose.EXIT, 3, 59.9, False),  # no next attempt may go: it stays in the order book
        (Purpose.EXIT, 3, 60, True),
        (Purpose.UNWIND, 4, 59.9, False),
        (Purpose.ENTRY, 3, 3, True),  # given up, and what has filled is unwound
    ],
)
def test_an_exit_rests_until_its_next_attempt_may_go(purpose, attempt, age, rested):
    order = ended(age, purpose=purpose, attempt=attempt, state=IntentState.WORKING)
    assert has_rested(state([order]), order, SETTINGS) is rested


def test_an_order_rests_from_when_it_was_sent():
    order = ended(10, state=IntentState.WORKING)
    sent = replace(state([order]), changed_at={order.correlation_id: NOW - timedelta(seconds=2.9)})
    assert not has_rested(sent, order, SETTINGS)
    sent = replace(sent, changed_at={order.correlation_id: NOW - timedelta(seconds=3)})
    assert has_rested(sent, order, SETTINGS)


@pytest.mark.parametrize(
    ("attempt", "answer"), [(1, Retry.YES), (2, Retry.YES), (3, Retry.NO), (4, Retry.NO)]
)
def test_an_entry_is_tried_so_many_times(attempt, answer):
    assert retry(state(), ended(attempt=attempt), SETTINGS) is answer


def test_an_entry_is_not_tried_on_another_day():
    yesterday = ended(created_at=NOW - timedelta(days=1))
    assert retry(state(), yesterday, SETTINGS) is Retry.NO
    early = ended(created_at=ist("2026-02-11 00:00"))
    assert retry(state(), early, SETTINGS) is Retry.YES


def test_an_exit_goes_on_with_a_pause_after_its_attempts():
    def answer(attempt, seconds):
        found = ended(seconds, attempt=attempt, purpose=Purpose.EXIT)
        return retry(state(orders=[order_of(found, OrderState.CANCELLED)]), found, SETTINGS)

    assert [answer(n, 3) for n in (1, 2, 3, 9)] == [Retry.YES, Retry.YES, Retry.NO, Retry.NO]
    assert [answer(3, seconds) for seconds in (59.9, 60, 61)] == [
        Retry.NO, Retry.OVERDUE, Retry.OVERDUE,
    ]  # fmt: skip


@pytest.mark.parametrize("purpose", [Purpose.EXIT, Purpose.UNWIND])
def test_an_exit_that_was_sent_or_refused_pauses_before_the_next_attempt(purpose):
    now = ended(0, purpose=purpose)
    assert retry(state(), now, SETTINGS) is Retry.YES  # it never reached the broker
    known = state(orders=[order_of(now, OrderState.CANCELLED)])
    assert retry(known, now, SETTINGS) is Retry.NO
    for pause, most in ((3, 2.9), (0, 0)):  # rest_seconds, and the longest time within them
        settings = SETTINGS.model_copy(update={"rest_seconds": pause})
        for seconds, answer in ((0, Retry.NO), (most, Retry.NO), (most + 0.1, Retry.YES)):
            refused = ended(seconds, purpose=purpose, state=IntentState.REFUSED)
            assert retry(state(), refused, settings) is answer


def test_a_refused_exit_waits_for_the_session():
    evening = ist("2026-02-11 16:00")
    for found, answer in ((IntentState.REFUSED, Retry.NO), (IntentState.ENDED, Retry.YES)):
        leaving = ended(purpose=Purpose.EXIT, state=found)
        assert retry(state(at=evening), leaving, SETTINGS) is answer


@pytest.mark.parametrize(
    ("found", "attempt", "failed"),
    [
        (IntentState.NEW, 3, False),
        (IntentState.SENDING, 3, False),
        (IntentState.WORKING, 3, False),
        (IntentState.UNKNOWN, 3, False),
        (IntentState.REFUSED, 1, True),
        (IntentState.ENDED, 2, False),
        (IntentState.ENDED, 3, True),
    ],
)
def test_a_leg_has_failed_when_it_was_refused_or_has_no_attempt_left(found, attempt, failed):
    assert has_failed(state(), ended(state=found, attempt=attempt), SETTINGS) is failed
