"""Sentences of a watcher that only alerts: exactly what a trading one would place or cancel."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from strikeloom.domain.legs import Side
from strikeloom.domain.orders import IntentState, Purpose
from strikeloom.settings.all import load_settings
from strikeloom.trading.withheld import withheld
from support.trading_records import NOW, PUT, intent, position_of, state

WHAT = "NIFTY 24 Feb 24800 PE of P1 (test)"
HELD = position_of("P1", (PUT, -130))


def leaving(**changes):
    """Buy back the two lots of a short put."""
    return intent(purpose=Purpose.EXIT, **changes)


def lines_of(*intents, rest=3.0, **account):
    settings = load_settings().execution.model_copy(update={"rest_seconds": rest})
    return withheld(state(intents, **account), settings)


def test_a_new_order_is_named_with_its_limit():
    assert lines_of(intent()) == [f"buy 130 {WHAT} at ₹120.00"]
    sold = intent(side=Side.SELL, limit=1_234_50)
    assert lines_of(sold) == [f"sell 130 {WHAT} at ₹1,234.50"]


def test_a_new_order_is_named_with_no_more_than_may_be_sent():
    assert lines_of(leaving(), positions=[position_of("P1", (PUT, -65))]) == [
        f"buy 65 {WHAT} at ₹120.00"
    ]
    # two lots are wanted and this attempt is for one of them
    first = intent(state=IntentState.ENDED)
    second = intent(attempt=2, units=65)
    assert lines_of(first, second) == [f"buy 65 {WHAT} at ₹120.00"]
    # the short has less than a lot left
    assert lines_of(leaving(), positions=[position_of("P1", (PUT, -64))]) == []


@pytest.mark.parametrize(("age", "rest", "cancelled"), [(3, 3, 1), (2.9, 3, 0), (60, 3, 1)])
def test_an_order_is_cancelled_once_it_has_rested(age, rest, cancelled):
    resting = intent(state=IntentState.WORKING, created_at=NOW - timedelta(seconds=age))
    sentence = f"cancel buy 130 {WHAT}, and send what is left at a fresh price"
    assert lines_of(resting, rest=rest) == [sentence] * cancelled


@pytest.mark.parametrize("unknown", [IntentState.UNKNOWN, IntentState.SENDING])
def test_nothing_is_sent_for_an_order_of_unknown_status(unknown):
    assert lines_of(intent(state=unknown)) == []
    # also where a part of it is filled, and more is held than it could close
    part = leaving(state=unknown)
    held = [position_of("P1", (PUT, -260))]
    assert lines_of(part, positions=held, filled={part.correlation_id: 65}) == []


@pytest.mark.parametrize("purpose", [Purpose.ENTRY, Purpose.EXIT])
def test_what_is_left_of_an_ended_order_goes_at_a_fresh_price(purpose):
    ended = intent(purpose=purpose, state=IntentState.ENDED)
    account = {"positions": [HELD], "filled": {ended.correlation_id: 65}}
    assert lines_of(ended, **account) == [f"buy 65 {WHAT} at a fresh price"]
    all_filled = {ended.correlation_id: 130}
    assert lines_of(ended, positions=[HELD], filled=all_filled) == []
    # less than a lot
    assert lines_of(ended, positions=[HELD], filled={ended.correlation_id: 66}) == []


def test_a_refused_exit_is_tried_again_and_a_refused_entry_is_not():
    refused = leaving(state=IntentState.REFUSED)
    assert lines_of(refused, positions=[HELD]) == [f"buy 130 {WHAT} at a fresh price"]
    entry = intent(state=IntentState.REFUSED)
    assert lines_of(entry, positions=[HELD]) == []


def test_late_orders_are_cancelled_first_and_every_group_is_named():
    groups = [intent(), intent(intent_id="ITWO", position_id="P2", units=65)]
    account = replace(state(groups), late_orders=["W4", "W9"])
    assert withheld(account, 3) == [
        "cancel order W4: its intent was abandoned",
        "cancel order W9: its intent was abandoned",
        f"buy 130 {WHAT} at ₹120.00",
        f"buy 65 {WHAT.replace('P1', 'P2')} at ₹120.00",
    ]
