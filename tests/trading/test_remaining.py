"""Units that are still to be traded, by hand: fills, attempts, orders that may still trade."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from strikeloom.domain.instruments import Right
from strikeloom.domain.legs import Side
from strikeloom.domain.orders import IntentState, OrderState, Purpose
from strikeloom.trading.remaining import (
    has_nothing_left,
    held_free,
    is_abandoned,
    is_unwinding,
    latest,
    most_units,
    unfinished,
    units_left,
    untraded_units,
    working_positions,
)
from support.fakes import option
from support.trading_records import NOW, PUT, intent, order_of, position_of, state

HEDGE = option(24_600, Right.PUT)
UNIT = option(24_800, Right.PUT, symbol="SINGLE", lot=1)
SHORT = position_of("P1", (PUT, -260), (HEDGE, 260))


def exit_of(leg=0, **changes):
    """Buy back four lots of the short put, or sell the hedge."""
    instrument, side = ((PUT, Side.BUY), (HEDGE, Side.SELL))[leg]
    figures = {"instrument": instrument, "side": side, "units": 260, "priority": leg,
               "purpose": Purpose.EXIT, "intent_id": "IEXIT", "leg": leg}  # fmt: skip
    return intent(**{**figures, **changes})


def names(intents):
    return [item.correlation_id for item in intents]


def test_latest_attempts_are_in_the_order_of_sending():
    sold = intent(leg=0, side=Side.SELL, priority=1)
    second = intent(leg=2, slice=1)
    group = [
        sold, intent(leg=2, attempt=2), intent(leg=2), second, intent(leg=1),
        intent(leg=2, attempt=3),
    ]  # fmt: skip
    assert names(latest(group)) == ["IONE-1-0-1", "IONE-2-0-3", "IONE-2-1-1", "IONE-0-0-1"]


def test_the_first_attempt_states_the_units_and_every_fill_counts():
    first, second = intent(units=260), intent(units=130, attempt=2)
    other = intent(units=65, slice=1)
    group = [first, second, other]
    filled = {first.correlation_id: 130, second.correlation_id: 65}
    assert untraded_units(state(group, filled=filled), group) == {(0, 0): 65, (0, 1): 65}
    more = {**filled, second.correlation_id: 130, other.correlation_id: 65}
    assert untraded_units(state(group, filled=more), group) == {}
    late = {first.correlation_id: 260, second.correlation_id: 130}  # more than was wanted
    assert untraded_units(state(group, filled=late), group) == {(0, 1): 65}


def test_a_leg_that_holds_nothing_to_close_is_left_out_of_an_exit():
    group = [exit_of(0), exit_of(1)]
    both = state(group, positions=[SHORT])
    assert units_left(both, group) == {(0, 0): 260, (1, 0): 260}
    settled = state(group, positions=[position_of("P1", (PUT, 0), (HEDGE, 260))])
    assert units_left(settled, group) == {(1, 0): 260}
    turned = state(group, positions=[position_of("P1", (PUT, 65), (HEDGE, 260))])
    assert units_left(turned, group) == {(1, 0): 260}
    assert units_left(state(group), group) == {}
    entry = [intent()]
    assert units_left(state(entry), entry) == {(0, 0): 130}


# how much may be sent


def test_no_more_is_sent_than_is_left_in_whole_lots():
    for filled, most in ((0, 260), (65, 195), (100, 130), (195, 65), (196, 0), (260, 0)):
        first = intent(units=260, state=IntentState.ENDED)
        found = state([first], filled={first.correlation_id: filled})
        assert most_units(found, first) == most, filled


def test_an_order_of_the_leg_that_may_still_trade_is_not_sent_again():
    """260 wanted; 130 of an earlier attempt are out, 65 of them filled."""
    first = intent(units=260, state=IntentState.UNKNOWN)
    second = intent(units=130, attempt=2)
    account = state([first, second], filled={first.correlation_id: 195})
    # 65 are left to trade and 65 are out
    assert most_units(account, second) == 0
    ended = replace(first, state=IntentState.ENDED)
    assert most_units(state([ended, second], filled={first.correlation_id: 195}), second) == 65


@pytest.mark.parametrize(
    ("order_state", "day", "most"),
    [
        (OrderState.PENDING, 0, 0),
        (OrderState.PART_TRADED, 0, 0),
        (OrderState.CANCELLED, 0, 130),
        (OrderState.PENDING, 1, 130),  # of yesterday: it ended with its day
    ],
)
def test_an_order_that_is_open_although_its_intent_ended_may_still_trade(order_state, day, most):
    first = intent(state=IntentState.ENDED)
    second = intent(attempt=2)
    order = order_of(first, order_state, updated_at=NOW - timedelta(days=day))
    assert most_units(state([first, second], orders=[order]), second) == most


@pytest.mark.parametrize(
    ("held", "most"), [(-260, 260), (-130, 130), (-100, 65), (-64, 0), (0, 0), (130, 0)]
)
def test_an_exit_is_no_larger_than_what_is_held(held, most):
    leaving = exit_of()
    account = state([leaving], positions=[position_of("P1", (PUT, held), (HEDGE, 260))])
    assert most_units(account, leaving) == most


def test_an_exit_leaves_what_another_order_of_the_leg_closes():
    other = exit_of(intent_id="IOLD", units=130, state=IntentState.WORKING)
    leaving = exit_of()
    account = state([other, leaving], positions=[SHORT], filled={other.correlation_id: 65})
    assert held_free(account, leaving) == 195
    assert most_units(account, leaving) == 195
    # what the other side does, or another leg or position, takes nothing away
    for change in ({"side": Side.SELL}, {"leg": 1}, {"position_id": "P2"}):
        elsewhere = state([replace(other, **change), leaving], positions=[SHORT])
        assert held_free(elsewhere, leaving) == 260, change
    itself = replace(leaving, state=IntentState.WORKING)
    assert held_free(state([itself], positions=[SHORT]), itself) == 260


def test_units_traded_but_not_reported_are_not_traded_twice():
    """The broker holds 100 less of the short than we know of: only 160 may be bought back."""
    leaving = exit_of()
    account = state([leaving], positions=[SHORT], gaps={PUT.key: 100})
    assert most_units(account, leaving) == 130
    assert most_units(account, leaving, unseen=False) == 260
    # a difference on the other side is no trade of this exit
    assert most_units(replace(account, gaps={PUT.key: -100}), leaving) == 260
    selling = exit_of(1)
    sold = state([selling], positions=[SHORT], gaps={HEDGE.key: -65})
    assert most_units(sold, selling) == 195
    entry = intent()
    assert most_units(state([entry], gaps={PUT.key: 100}), entry) == 130


def test_a_gap_is_shared_by_the_positions_that_hold_the_contract():
    """130 and 65 short, 65 bought back unseen: 130 are left for both, 65 of them are out."""
    first, second = position_of("P1", (PUT, -130)), position_of("P2", (PUT, -65))
    bought = position_of("P3", (PUT, 650))  # the other side does not count
    out = exit_of(intent_id="IOUT", position_id="P2", units=65, state=IntentState.WORKING)
    leaving = exit_of(units=130)
    account = state(
        [out, leaving], positions=[first, second, bought], gaps={PUT.key: 65}
    )  # fmt: skip
    assert most_units(account, leaving) == 65
    alone = state([leaving], positions=[first, second, bought], gaps={PUT.key: 65})
    assert most_units(alone, leaving) == 130
    entering = replace(out, purpose=Purpose.ENTRY)
    assert most_units(state([entering, leaving], positions=[first, second, bought],
                            gaps={PUT.key: 65}), leaving) == 130  # fmt: skip


def test_the_other_side_of_a_gap_or_of_a_holding_gives_nothing_and_takes_nothing():
    """A difference counts only when it is of the side that the exit trades."""
    out = exit_of(intent_id="IOUT", position_id="P2", units=65, state=IntentState.WORKING)
    leaving = exit_of()
    account = state([out, leaving], positions=[SHORT], gaps={PUT.key: -65})
    assert most_units(account, leaving) == 260
    same_side = replace(account, gaps={PUT.key: 65})
    assert most_units(same_side, leaving) == 130  # 260 held, 65 out, 65 traded unseen
    assert most_units(same_side, leaving, unseen=False) == 260
    # two sold, and one bought by another position: of two, one is bought back unseen
    both = [position_of("P1", (UNIT, -2)), position_of("P2", (UNIT, 1))]
    single = exit_of(instrument=UNIT, units=2)
    assert most_units(state([single], positions=both, gaps={UNIT.key: 1}), single) == 1


def test_an_order_that_has_traded_nothing_is_out_with_all_its_units():
    other = exit_of(intent_id="IOLD", units=130, state=IntentState.WORKING)
    leaving = exit_of()
    account = state([other, leaving], positions=[SHORT])
    assert held_free(account, leaving) == 130
    filled = replace(account, filled={other.correlation_id: 130})
    assert held_free(filled, leaving) == 260


def test_a_single_unit_counts():
    """Where a lot is one unit, the last one is neither left behind nor traded twice."""
    entry = intent(instrument=UNIT, units=2)
    one_filled = state([entry], filled={entry.correlation_id: 1})
    assert untraded_units(one_filled, [entry]) == {(0, 0): 1}
    assert most_units(one_filled, entry) == 1
    assert most_units(state([entry], filled={entry.correlation_id: 2}), entry) == 0
    leaving = exit_of(instrument=UNIT, units=1)
    held = [position_of("P1", (UNIT, -1))]
    assert units_left(state([leaving], positions=held), [leaving]) == {(0, 0): 1}
    assert most_units(state([leaving], positions=held), leaving) == 1
    out = exit_of(intent_id="IOLD", instrument=UNIT, units=1, state=IntentState.WORKING)
    assert most_units(state([out, leaving], positions=held), leaving) == 0


# groups


def refused(**changes):
    return intent(state=IntentState.REFUSED, **changes)


def test_an_entry_with_a_refused_leg_is_abandoned_when_nothing_is_open_or_held():
    filled = intent(leg=1, state=IntentState.FILLED)
    group = [refused(), filled]
    assert is_abandoned(state(group), group)
    assert not is_abandoned(state(group), [replace(refused(), purpose=Purpose.EXIT), filled])
    assert not is_abandoned(state(group), [replace(refused(), state=IntentState.ENDED), filled])
    for open_state in (IntentState.NEW, IntentState.WORKING, IntentState.UNKNOWN):
        waiting = [refused(), replace(filled, state=open_state)]
        assert not is_abandoned(state(waiting), waiting)
    held = position_of("P1", (PUT, 0), (HEDGE, 130))
    assert not is_abandoned(state(group, positions=[held]), group)
    unwinding = exit_of(1, intent_id="IUNW", purpose=Purpose.UNWIND, units=130)
    again = state([*group, unwinding], positions=[held])
    assert is_abandoned(again, group)
    assert is_unwinding(again, "P1")
    assert not is_unwinding(again, "P2")
    done = state([*group, unwinding], positions=[held], filled={unwinding.correlation_id: 130})
    assert not is_unwinding(done, "P1")


def test_groups_with_something_left_are_unfinished():
    entry = intent(position_id="P9", intent_id="INEW")
    gone = refused(position_id="P8", intent_id="IGONE")
    done = intent(position_id="P7", intent_id="IDONE")
    leaving = exit_of()
    account = state(
        [entry, gone, done, leaving], positions=[SHORT], filled={done.correlation_id: 130}
    )
    assert set(unfinished(account)) == {"INEW", "IEXIT"}
    assert working_positions(account) == {"P9", "P1"}


def test_a_group_is_closed_when_no_new_order_of_it_can_follow():
    filled = intent(state=IntentState.FILLED)
    all_filled = {filled.correlation_id: 130}
    assert has_nothing_left(state([filled], filled=all_filled), (filled,))
    working = replace(filled, state=IntentState.WORKING)
    assert not has_nothing_left(state([working], filled=all_filled), (working,))
    other = intent(leg=1, state=IntentState.WORKING)  # its trades are known before its end
    both, known = (filled, other), {**all_filled, other.correlation_id: 130}
    assert not has_nothing_left(state(both, filled=known), both)
    open_order = order_of(filled, OrderState.PART_TRADED)
    assert not has_nothing_left(state([filled], orders=[open_order], filled=all_filled), (filled,))
    closed = order_of(filled, OrderState.TRADED)
    assert has_nothing_left(state([filled], orders=[closed], filled=all_filled), (filled,))
    ended = exit_of(state=IntentState.ENDED)
    assert not has_nothing_left(state([ended], positions=[SHORT]), (ended,))
    assert has_nothing_left(state([ended]), (ended,))
    entry = intent(state=IntentState.ENDED)
    assert not has_nothing_left(state([entry]), (entry,))
    assert has_nothing_left(state([refused()]), (refused(),))


def test_a_settlement_that_was_cut_off_before_its_fill_is_never_sent():
    held = position_of("P1", (PUT, 130))
    cut = intent(purpose=Purpose.SETTLEMENT, side=Side.SELL, state=IntentState.FILLED)
    assert unfinished(state([cut], positions=[held])) == {}
    exit_ = replace(cut, purpose=Purpose.EXIT)
    assert list(unfinished(state([exit_], positions=[held]))) == ["IONE"]
