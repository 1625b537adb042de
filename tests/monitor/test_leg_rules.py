"""Rules by time for legs that end on different days, and which legs they leave."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from strikeloom.domain.instruments import Instrument, Right, Share
from strikeloom.domain.positions import MarkedPosition
from strikeloom.monitor.mark import mark_position
from strikeloom.settings.exit_rules.days_to_expiry import DaysToExpiry
from strikeloom.settings.exit_rules.leg_ended import LegEnded
from strikeloom.views.marked import days_left
from support.fakes import EXPIRY, ist, option
from support.mixed_legs import FUTURE, LOT, NEXT, NEXT_FUTURE, SHARE, stock_option
from support.trading_records import position_of, snapshot

LATER = date(2026, 3, 30)
NEAR, FAR = option(25_000), option(25_000, expiry=LATER)
CALL, PUT = stock_option(1_420), stock_option(1_380, Right.PUT)


def seen(day: str, *legs: tuple[Instrument, int], at: str = "10:00") -> MarkedPosition:
    """Position of (instrument, units) as marked on a day without any price."""
    held = position_of("P1", *legs)
    ends = {
        leg.leg: leg.instrument.expiry
        for leg in held.legs
        if leg.net_units and not isinstance(leg.instrument, Share)
    }
    market = snapshot(at=ist(f"2026-{day} {at}"))
    return mark_position(held, market, last_days=ends, peak=None)


@pytest.mark.parametrize(
    ("day", "at", "left"),
    [
        ("02-11", "10:00", 13),
        ("02-24", "15:29", 0),
        ("02-24", "15:30", 34),  # its session is over: it settles
        ("03-02", "10:00", 28),
    ],
)
def test_days_count_to_the_nearest_expiry_that_is_ahead(day, at, left) -> None:
    found = seen(day, (NEAR, -65), (FAR, 65), at=at)
    assert (found.days_left, found.days_to_first_end) == (
        left, (EXPIRY - found.at.date()).days,
    )  # fmt: skip


def test_days_left_of_every_leg_are_shown() -> None:
    assert days_left(seen("02-11", (NEAR, -65), (FAR, 65))) == "13 and 47 days left"
    assert days_left(seen("02-23", (NEAR, -65))) == "1 day left"
    assert days_left(seen("02-25", (NEAR, -65))) == "waits for its settlement"
    assert days_left(seen("02-25", (SHARE, 500))) == "no expiry"
    assert days_left(seen("02-25", (NEAR, -65), (FAR, 65))) == "33 days left"


@pytest.mark.parametrize(
    ("legs", "kept"),
    [
        (((NEAR, -65), (FAR, 65)), (0, 1)),
        (((CALL, -LOT), (SHARE, LOT)), (0, 500)),
        (((CALL, -LOT), (PUT, LOT), (SHARE, LOT)), (0, 0, 500)),
        (((CALL, -LOT), (NEXT_FUTURE, LOT)), (0, 1)),
        (((PUT, LOT), (SHARE, LOT)), (0, 500)),
        (((CALL, -LOT), (FUTURE, LOT)), (0, 0)),  # they end together
        (((NEAR, 65), (FAR, -65)), (0, 0)),  # the later one would be naked
        (((CALL, LOT), (stock_option(1_400, expiry=NEXT), -LOT), (SHARE, LOT)), (0, -1, 500)),
        (((NEAR, -65), (FAR, 65), (option(25_000, Right.PUT), -65)), (0, 1, 0)),
    ],
)
def test_only_what_ends_is_closed_unless_a_sold_leg_lost_its_hedge(legs, kept) -> None:
    rule = DaysToExpiry(days=2, legs="ending")
    decision = rule.decide(seen("02-22", *legs))
    assert (decision.fires, decision.target_lots) == (True, kept)
    assert not rule.decide(seen("02-21", *legs)).fires
    whole = DaysToExpiry(days=2).decide(seen("02-22", *legs))
    assert whole.target_lots == (0,) * len(legs)


def test_the_rule_counts_to_the_later_leg_once_the_first_is_closed() -> None:
    rule = DaysToExpiry(days=2, legs="ending")
    left = seen("02-22", (NEAR, 0), (FAR, 65))
    assert not rule.decide(left).fires
    assert rule.decide(seen("03-28", (NEAR, 0), (FAR, 65))).target_lots == (0, 0)


def test_a_sentence_names_what_is_closed() -> None:
    rule = DaysToExpiry(days=2, legs="ending")
    found = seen("02-11", (NEAR, -65), (FAR, 65))
    assert rule.decide(found).sentence == (
        "13 days left, exits at 2 from NIFTY 24 Feb 25000 CE and keeps the rest"
    )
    assert rule.decide(seen("02-11", (NEAR, 65))).sentence == "13 days left, exits at 2"


@pytest.mark.parametrize(
    ("day", "legs", "fires", "sentence"),
    [
        ("02-11", ((NEAR, -65), (FAR, 65)), False,
         "13 days to the first expiry, exits the rest 1 day after it"),
        ("02-24", ((NEAR, -65), (FAR, 65)), False,
         "0 days to the first expiry, exits the rest 1 day after it"),
        ("02-25", ((NEAR, -65), (FAR, 65)), True,  # also while it waits for its settlement
         "1 day after the first expiry, exits the rest 1 day after it"),
        ("02-27", ((CALL, 0), (SHARE, LOT)), True,
         "3 days after the first expiry, exits the rest 1 day after it"),
        ("02-25", ((NEAR, -65),), False, "nothing is held beyond the first expiry"),
        ("02-25", ((NEAR, -65), (option(24_000), 65)), False,
         "nothing is held beyond the first expiry"),
        ("02-11", ((SHARE, LOT),), False, "nothing is held beyond the first expiry"),
    ],
)  # fmt: skip
def test_what_is_left_is_closed_after_the_first_end(day, legs, fires, sentence) -> None:
    # position_of gives closed legs no first units: what was entered is what it shows
    entered = {NEAR: -65, CALL: -LOT}
    found = seen(day, *legs)
    held = found.position
    whole = replace(held, legs=tuple(
        replace(leg, first_units=leg.net_units or entered[leg.instrument]) for leg in held.legs
    ))  # fmt: skip
    ends = dict(found.last_days)
    marked = mark_position(whole, snapshot(at=found.at), last_days=ends, peak=None)
    decision = LegEnded().decide(marked)
    assert (decision.fires, decision.sentence) == (fires, sentence)
    assert decision.target_lots == (0,) * len(legs)


def test_the_rest_may_be_kept_some_days_longer() -> None:
    legs = ((NEAR, -65), (FAR, 65))
    rule = LegEnded(days=3)
    assert not rule.decide(seen("02-26", *legs)).fires
    assert rule.decide(seen("02-27", *legs)).fires
    near = rule.decide(seen("02-11", *legs))
    assert near.closeness == pytest.approx(1 - (13 + 3) / 30)


def test_a_series_that_ends_early_ends_the_leg_then() -> None:
    held = position_of("P1", (NEAR, -65), (FAR, 65))
    early = EXPIRY - timedelta(days=7)
    market = snapshot(at=ist("2026-02-18 10:00"))
    found = mark_position(held, market, last_days={0: early, 1: LATER}, peak=None)
    assert (found.last_day, found.days_to_first_end) == (LATER, -1)
    assert found.unsettled == (f"{NEAR.label} expired on {early}, waits for the file of {early}",)
