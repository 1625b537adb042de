"""What becomes of an exit request, position by position, without a desk."""

from __future__ import annotations

import pytest

from strikeloom.domain.orders import OrderIntent
from strikeloom.domain.position_leg import PositionLeg
from strikeloom.domain.positions import ExitRequest, Position, RequestState
from strikeloom.monitor.act import answer_request, progress_of, targets_of
from support.fakes import option
from support.trading_records import NOW, intent


def held(*lots: int, revision: int = 3) -> Position:
    """Legs of which four lots each were first bought or sold, and this many are left."""
    legs = tuple(
        PositionLeg(n, option(24_000 + 100 * n), 65 * now, 65 * 4, 0, 0, 0)
        for n, now in enumerate(lots)
    )
    return Position("a", "m", "S1", "NIFTY", "t", "credit", legs, revision, NOW)


def asked(*lots: int, revision: int = 3) -> ExitRequest:
    return ExitRequest("R1", "a", "m", "S1", revision, lots, None, "somebody", NOW)


def no_price():
    raise AssertionError("prices are read only when orders are made")


@pytest.mark.parametrize(
    ("position", "note"),
    [
        (held(-2, 4), "the position had changed before"),
        (held(0, 4), "the position had changed before"),
        (held(0, 0), "the position had closed before"),
    ],
)
def test_a_request_for_an_older_position_is_stale_with_what_happened(position, note):
    outcome = answer_request(
        asked(-1, 2, revision=2), position, no_price, recorded=False, working=False
    )
    assert (outcome.state, outcome.note) == (RequestState.STALE, note)
    assert outcome.intents == ()


@pytest.mark.parametrize(
    ("left", "target", "met"),
    [
        ((-2, 2), (-2, 2), True),
        ((-2, 4), (-2, 2), False),  # the short is back, its hedge not yet
        ((-4, 2), (-2, 2), False),
        ((0, 2), (-2, 2), True),  # another exit has closed more than was asked for
        ((-1, 1), (-2, 2), True),
        ((0, 0), (0, 0), True),
        ((0, 1), (0, 0), False),
    ],
)
def test_a_request_is_done_when_every_leg_is_down_to_its_target(left, target, met):
    outcome = progress_of(asked(*target), held(*left), None, NOW.date())
    assert outcome.state is (RequestState.DONE if met else RequestState.ACCEPTED)


@pytest.mark.parametrize(
    ("left", "target", "note"),
    [
        ((-2, 2), (-2, 2), "reduced as asked"),
        ((0, 2), (0, 2), "reduced as asked"),
        ((0, 0), (-2, 2), "closed"),
    ],
)
def test_a_request_that_is_done_reports_whether_anything_is_left(left, target, note):
    assert progress_of(asked(*target), held(*left), None, NOW.date()).note == note


@pytest.mark.parametrize(
    ("left", "target", "lots"),
    [
        ((-4, 4), (-2, 2), 4),  # two of each
        ((-4, 4), (0, 0), 8),
        ((-2, 4), (-2, 1), 3),
        ((-1, 4), (-1, 3), 1),
    ],
)
def test_lots_to_go_are_those_between_what_is_held_and_the_target(left, target, lots):
    outcome = progress_of(asked(*target), held(*left), None, NOW.date())
    assert outcome.note == f"orders at work, {lots} lots to go"


def ended(*notes: str) -> list[OrderIntent]:
    return [intent(leg=n, note=note) for n, note in enumerate(notes)]


@pytest.mark.parametrize(
    ("notes", "reason"),
    [
        (("no margin", "tick", "outside the band"), "outside the band"),
        (("no margin", "tick", "outside the band", ""), "outside the band"),
        (("no margin",), "no margin"),
        (("", ""), "the orders ended before the target was met"),
        ((), "the orders ended before the target was met"),
    ],
)
def test_a_request_whose_orders_ended_early_is_refused_for_the_last_reason(notes, reason):
    outcome = progress_of(asked(0, 0), held(-4, 4), ended(*notes), NOW.date())
    assert (outcome.state, outcome.note) == (RequestState.REFUSED, reason)


def test_orders_that_ended_at_the_target_are_no_failure():
    outcome = progress_of(asked(-2, 2), held(-2, 2), ended("too late", "too late"), NOW.date())
    assert (outcome.state, outcome.note) == (RequestState.DONE, "reduced as asked")


@pytest.mark.parametrize(
    ("left", "state", "note"),
    [
        ((-2, 2), RequestState.DONE, "reduced as asked"),
        ((-4, 4), RequestState.ACCEPTED, "orders at work, 2 lots to go"),
    ],
)
def test_a_leg_that_filled_after_the_request_is_kept(left, state, note):
    outcome = progress_of(asked(-2), held(*left), None, NOW.date())
    assert (outcome.state, outcome.note) == (state, note)


def test_a_leg_that_filled_after_the_request_is_left_where_it_leaves_everything():
    assert targets_of(asked(0), held(-4, 4)) == (0, 0)
    assert targets_of(asked(-2), held(-4, 4)) == (-2, 4)
    assert targets_of(asked(-2, 2), held(-4, 4)) == (-2, 2)
