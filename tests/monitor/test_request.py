"""Exit requests: whole lots, ratios, repeats, old pictures."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strikeloom.domain.hedges import left_unhedged
from strikeloom.domain.instruments import Right
from strikeloom.domain.position_leg import PositionLeg
from strikeloom.domain.positions import Position, RequestState
from strikeloom.errors import GuardError, SettingsError, StoreError
from strikeloom.monitor import kill, request_exit, resume
from strikeloom.monitor.request import target_after
from support.desk import MadeDesk
from support.fakes import EXPIRY, ist, option

NOW = ist("2026-02-11 10:00")


def held(*lots: tuple[int, int]) -> Position:
    """Position of legs given as (first lots, lots now)."""
    legs = tuple(
        PositionLeg(n, option(24_000 + 100 * n), now * 65, first * 65, 0, 0, 0)
        for n, (first, now) in enumerate(lots)
    )
    return Position("a", "m", "S", "NIFTY", "t", "credit", legs, 1, NOW)


@pytest.mark.parametrize(
    ("legs", "percent", "left"),
    [
        (((4, 4), (-4, -4)), 25, (3, -3)),
        (((4, 4), (-4, -4)), 50, (2, -2)),
        (((4, 4), (-4, -4)), 75, (1, -1)),
        (((4, 4), (-4, -4)), 100, (0, 0)),
        (((4, 2), (-4, -2)), 50, (0, 0)),  # half of four, of which two are left
        (((4, 3), (-4, -3)), 100, (0, 0)),
        (((2, 2), (-4, -4)), 50, (1, -2)),  # a ratio is kept
        (((1, 1), (-1, -1)), 100, (0, 0)),
        (((4, 0), (-4, -4)), 50, (0, -2)),  # a leg that was left on its own stays left
    ],
)
def test_target_is_a_share_of_the_quantity_first_filled(legs, percent, left):
    assert target_after(held(*legs), percent) == left


@pytest.mark.parametrize(
    ("legs", "percent", "words"),
    [
        (((1, 1), (-1, -1)), 25, "whole lots"),
        (((2, 2), (-2, -2)), 75, "whole lots"),
        (((2, 2), (-3, -3)), 50, "whole lots"),
        (((4, 1), (-4, -1)), 50, "only 1 of 4"),
    ],
)
def test_a_share_that_is_not_whole_lots_has_a_reason(legs, percent, words):
    reason = target_after(held(*legs), percent)
    assert isinstance(reason, str)
    assert words in reason


lots = st.integers(1, 40)


@given(
    st.lists(st.tuples(lots, st.sampled_from([1, -1])), min_size=1, max_size=4),
    st.integers(0, 100),
    st.integers(1, 100),
)
def test_a_target_never_adds_and_never_changes_a_sign(legs, gone, percent):
    now = [(first * sign, sign * (first - first * gone // 100)) for first, sign in legs]
    target = target_after(held(*now), percent)
    if isinstance(target, str):
        return
    for (_, lots_now), wanted in zip(now, target, strict=True):
        assert lots_now * wanted >= 0
        assert abs(wanted) <= abs(lots_now)


def test_a_repeat_is_the_same_request(made: MadeDesk):
    position = made.enter(made.spread(), 4)
    first, new = request_exit(made.desk, position.position_id, percent=50, who="page")
    again, new_again = request_exit(made.desk, position.position_id, percent=50, who="other")
    assert new
    assert not new_again
    assert again == first
    assert first.target_lots == (-2, 2)
    assert len(made.store.requests()) == 1


def test_an_old_revision_is_refused_and_changes_nothing(made: MadeDesk):
    position = made.enter(made.spread(), 4)
    with pytest.raises(GuardError, match="changed"):
        request_exit(made.desk, position.position_id, who="page", revision=position.revision - 1)
    assert not made.store.requests()


def test_one_leg_can_be_exited(made: MadeDesk):
    position = made.enter(made.spread(), 4)
    request, _ = request_exit(made.desk, position.position_id, leg=0, who="cli")
    assert request.target_lots == (0, 4)
    assert request.percent is None


def test_what_cannot_be_exited_has_a_reason(made: MadeDesk):
    position = made.enter(made.spread(), 1)
    with pytest.raises(GuardError, match=r"25 %: not whole lots of 1; 100 % can be exited"):
        request_exit(made.desk, position.position_id, percent=25, who="cli")
    with pytest.raises(GuardError, match="no open leg 7"):
        request_exit(made.desk, position.position_id, leg=7, who="cli")
    with pytest.raises(StoreError, match=position.position_id):
        request_exit(made.desk, "S-unknown", who="cli")
    assert not made.store.requests()


def test_a_refused_share_names_the_nearest_possible_ones(made: MadeDesk):
    position = made.enter(made.spread(), 5)
    with pytest.raises(GuardError, match=r"not whole lots of 5; 40, 60, 100 % can be exited"):
        request_exit(made.desk, position.position_id, percent=50, who="cli")


FAR = date(2026, 3, 30)


def mixed(*legs: tuple[Right, date, int]) -> Position:
    """Position of legs given as (right, expiry, signed lots)."""
    made = [
        (replace(option(24_000 + 100 * n, right), expiry=expiry), lots)
        for n, (right, expiry, lots) in enumerate(legs)
    ]
    return replace(
        held(),
        legs=tuple(
            PositionLeg(n, instrument, lots * 65, lots * 65, 0, 0, 0)
            for n, (instrument, lots) in enumerate(made)
        ),
    )


CALL, PUT = Right.CALL, Right.PUT


@pytest.mark.parametrize(
    ("legs", "target", "naked"),
    [
        (((PUT, EXPIRY, -2), (PUT, EXPIRY, 2)), (-2, 0), [0]),
        (((PUT, EXPIRY, -2), (PUT, EXPIRY, 2)), (-2, 1), [0]),  # a part of the hedge
        (((PUT, EXPIRY, -2), (PUT, EXPIRY, 2)), (0, 2), []),
        (((PUT, EXPIRY, -2), (PUT, EXPIRY, 2)), (-1, 1), []),
        (((PUT, EXPIRY, -2), (CALL, EXPIRY, 2)), (-2, 0), []),  # a call never hedged the put
        # iron condor: the put's wing goes, only the sold put is named
        (((PUT, EXPIRY, 1), (PUT, EXPIRY, -1), (CALL, EXPIRY, -1), (CALL, EXPIRY, 1)),
         (0, -1, -1, 1), [1]),
        (((CALL, EXPIRY, -1), (CALL, FAR, 1)), (-1, 0), [0]),  # the later call hedges
        (((CALL, EXPIRY, 1), (CALL, FAR, -1)), (0, -1), []),  # the earlier call never did
        (((CALL, EXPIRY, 1), (CALL, EXPIRY, -2)), (0, -2), [1]),  # one of two was hedged
        (((CALL, EXPIRY, -2),), (-1,), []),  # naked before, less of it after
    ],
)  # fmt: skip
def test_a_sold_leg_that_loses_its_hedge_is_named(legs, target, naked):
    position = mixed(*legs)
    labels = [f"the sold {position.legs[n].instrument.label} (leg {n})" for n in naked]
    assert left_unhedged(position, target) == labels


def test_an_exit_that_leaves_a_sold_leg_unhedged_is_refused_unless_allowed(made: MadeDesk):
    position = made.enter(made.spread(), 4)
    name = position.position_id
    with pytest.raises(GuardError, match=r"leave the sold NIFTY .* 24800 PE \(leg 0\) without"):
        request_exit(made.desk, name, leg=1, who="cli")
    assert not made.store.requests()
    request, _ = request_exit(made.desk, name, leg=1, who="cli", leave_unhedged=True)
    assert request.target_lots == (-4, 0)


@pytest.mark.parametrize("percent", [0, -25, 101, 1000])
def test_a_percentage_out_of_range_is_refused(made: MadeDesk, percent):
    position = made.enter(made.spread(), 4)
    with pytest.raises(GuardError, match="percent"):
        request_exit(made.desk, position.position_id, percent=percent, who="cli")
    assert not made.store.requests()


def test_requests_begin_pending(made: MadeDesk):
    position = made.enter(made.spread(), 4)
    request, _ = request_exit(made.desk, position.position_id, who="cli")
    assert request.state is RequestState.PENDING
    assert request == replace(made.store.requests()[0])


def test_the_kill_switch_is_sticky_and_resume_needs_a_reason(made: MadeDesk):
    kill(made.desk, "news", flatten=False, at=NOW)
    assert made.store.kill_switch().engaged
    with pytest.raises(SettingsError, match="reason"):
        resume(made.desk, "  ", at=NOW)
    assert made.store.kill_switch().engaged
    resume(made.desk, "book checked", at=NOW)
    assert not made.store.kill_switch().engaged
    assert made.store.kill_switch().reason == "book checked"


def test_kill_needs_a_reason_that_is_not_blank(made: MadeDesk):
    with pytest.raises(SettingsError, match="reason"):
        kill(made.desk, "  ", flatten=False, at=NOW)
    assert not made.store.kill_switch().engaged
