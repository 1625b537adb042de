"""Intents of a decision: sides, units, slices, order of sending, limits."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strikeloom.domain.instruments import Right
from strikeloom.domain.legs import Leg, Side
from strikeloom.domain.orders import IntentState, Purpose
from strikeloom.errors import GuardError, NoQuote
from strikeloom.settings.all import load_settings
from strikeloom.trading.intents import (
    Pricing,
    correlation,
    entry_intents,
    exit_intents,
    exit_name,
    intent_name,
    next_attempt,
)
from strikeloom.trading.limits import limit_price
from support import candidates
from support.fakes import ist, option
from support.trading_records import (
    ACCOUNT,
    MARKET,
    NOW,
    PUT,
    intent,
    position_of,
    quote_of,
    snapshot,
)

HEDGE = option(24_600, Right.PUT)
SETTINGS = load_settings().execution.model_copy(
    update={"entry_slippage_percent": 2, "exit_slippage_percent": 5, "min_slippage_ticks": 2}
)
QUOTES = [quote_of(PUT, 119_50, 120_50), quote_of(HEDGE, 69_50, 70_50)]


def pricing(*quotes, tick=5):
    market = snapshot(*(quotes or QUOTES))
    return Pricing(ACCOUNT, MARKET, market, SETTINGS, lambda _: 1_800, lambda _: tick)


def proposed(*legs):
    proposal = candidates.proposal(1, candidates.risk())
    return replace(proposal, legs=tuple(Leg(c, side, n, 100_00) for c, side, n in legs))


def shape(intents):
    return [(i.leg, i.slice, i.side, i.units, i.priority) for i in intents]


# limits


@pytest.mark.parametrize(
    ("side", "purpose", "bid", "ask", "limit"),
    [
        # 2 % of the ask of 120.50 is 2.41: 122.91, up to the tick
        (Side.BUY, Purpose.ENTRY, 119_50, 120_50, 122_95),
        # 2 % of the bid of 119.50 is 2.39: 117.11, down to the tick
        (Side.SELL, Purpose.ENTRY, 119_50, 120_50, 117_10),
        # 5 % of 120.50 is 6.025, half a paisa to the even one: 126.52
        (Side.BUY, Purpose.EXIT, 119_50, 120_50, 126_55),
        (Side.SELL, Purpose.EXIT, 119_50, 120_50, 113_50),  # 5.975: 113.52
        (Side.BUY, Purpose.UNWIND, 119_50, 120_50, 126_55),
        (Side.BUY, Purpose.ENTRY, None, 100_00, 102_00),  # the other side does not matter
        (Side.SELL, Purpose.ENTRY, 100_00, None, 98_00),
        # at least two ticks
        (Side.BUY, Purpose.ENTRY, 1_00, 1_05, 1_15),
        (Side.SELL, Purpose.ENTRY, 1_00, 1_05, 90),
        (Side.BUY, Purpose.ENTRY, 4_95, 5_00, 5_10),  # 2 % are two ticks
        (Side.BUY, Purpose.ENTRY, 7_45, 7_50, 7_65),  # 2 % are three
    ],
)
def test_a_limit_is_the_opposite_side_and_the_slippage_on_the_tick(side, purpose, bid, ask, limit):
    assert limit_price(PUT, side, purpose, quote_of(PUT, bid, ask), SETTINGS) == limit


@pytest.mark.parametrize(
    ("side", "bid", "ask", "missing"),
    [(Side.BUY, 100_00, None, "ask"), (Side.SELL, None, 100_00, "bid")],
)
def test_no_limit_without_the_opposite_side(side, bid, ask, missing):
    with pytest.raises(NoQuote, match=f"no {missing} now"):
        limit_price(PUT, side, Purpose.EXIT, quote_of(PUT, bid, ask), SETTINGS)


@given(st.integers(5, 10**6), st.sampled_from(Side), st.sampled_from(Purpose))
def test_a_buyer_never_bids_below_the_ask_nor_a_seller_above_the_bid(price, side, purpose):
    limit = limit_price(PUT, side, purpose, quote_of(PUT, price, price), SETTINGS)
    assert limit % PUT.tick == 0
    assert int(side) * (limit - price) >= 0 or limit == PUT.tick


# entries


def test_an_entry_trades_every_leg_in_its_lots_and_buys_first():
    found = entry_intents(pricing(), proposed((PUT, Side.SELL, 1), (HEDGE, Side.BUY, 2)), lots=3)
    assert shape(found) == [
        (0, 0, Side.SELL, 3 * 65, 1),
        (1, 0, Side.BUY, 6 * 65, 0),
    ]
    assert [i.limit for i in found] == [117_10, 71_95]  # 70.50 and 1.41
    for item in found:
        assert (item.purpose, item.state, item.attempt) == (Purpose.ENTRY, IntentState.NEW, 1)
        assert (item.account, item.market, item.created_at) == (ACCOUNT, MARKET, NOW)
        assert item.position_id == "S001"
    assert {i.intent_id for i in found} == {intent_name(ACCOUNT, MARKET, "S001", Purpose.ENTRY)}
    assert found[0].why == "open 3 lots of iron_condor on SYM1"
    (one, _) = entry_intents(pricing(), proposed((PUT, Side.SELL, 1), (HEDGE, Side.BUY, 1)), 1)
    assert one.why == "open 1 lot of iron_condor on SYM1"


def test_an_order_is_cut_at_the_freeze_quantity():
    """1,800 units for NIFTY: 27 lots of 65 are the most. 60 lots are 27, 27 and 6."""
    found = entry_intents(pricing(), proposed((PUT, Side.SELL, 1)), lots=60)
    assert [(i.slice, i.units) for i in found] == [(0, 27 * 65), (1, 27 * 65), (2, 6 * 65)]
    name = found[0].intent_id
    assert [i.correlation_id for i in found] == [f"{name}-0-{n}-1" for n in range(3)]


@pytest.mark.parametrize(("opened", "now", "limits"), [(1, 5, (2_15, 2_55)), (5, 1, (2_18, 2_53))])
def test_a_limit_is_on_the_tick_of_the_day(opened, now, limits):
    """A stock crosses the limit of the fine tick while its option is held or planned."""
    held = replace(PUT, tick=opened)
    given = pricing(quote_of(held, 2_30, 2_41), tick=now)
    (leaving,) = exit_intents(given, position_of("P1", (held, 65)), (0,), "")  # 2.30 less 0.115
    (back,) = exit_intents(given, position_of("P1", (held, -65)), (0,), "")  # 2.41 and 0.1205
    (entry,) = entry_intents(given, proposed((held, Side.BUY, 1)), 1)
    again = next_attempt(given, replace(leaving, instrument=held, limit=1), 65)
    assert (leaving.limit, back.limit) == limits
    assert again.limit == leaving.limit
    assert {i.instrument.tick for i in (leaving, back, entry, again)} == {now}


def test_names_are_short_safe_and_of_one_account():
    name = intent_name("a", "m", "P", 7)
    assert name == intent_name("a", "m", "P", 7)
    assert len(name) == 12
    assert len(correlation(name, 99, 999, 999)) <= 30
    others = [("b", "m", "P", 7), ("a", "n", "P", 7), ("a", "m", "Q", 7), ("a", "m", "P", 8)]
    assert len({name, *(intent_name(*parts) for parts in others)}) == 5


# exits


def test_an_exit_closes_each_leg_towards_its_target_and_buys_first():
    position = position_of("P1", (PUT, -4 * 65), (HEDGE, 4 * 65))
    half = exit_intents(pricing(), position, (-2, 2), "half")
    assert shape(half) == [(0, 0, Side.BUY, 130, 0), (1, 0, Side.SELL, 130, 1)]
    assert [i.limit for i in half] == [126_55, 66_00]  # 69.50 less 3.475, to the even paisa 3.48
    assert {(i.purpose, i.why, i.position_id) for i in half} == {(Purpose.EXIT, "half", "P1")}
    everything = exit_intents(pricing(), position, (0, 0), "all", Purpose.UNWIND)
    assert [i.units for i in everything] == [260, 260]
    assert {i.purpose for i in everything} == {Purpose.UNWIND}


def test_a_leg_at_its_target_is_left_alone():
    position = position_of("P1", (PUT, -130), (HEDGE, 260))
    found = exit_intents(pricing(), position, (-2, 2), "")
    assert shape(found) == [(1, 0, Side.SELL, 130, 1)]
    assert exit_intents(pricing(), position, (-2, 4), "") == []
    flat = position_of("P1", (PUT, 0), (HEDGE, 65))
    assert shape(exit_intents(pricing(), flat, (0, 0), "")) == [(1, 0, Side.SELL, 65, 1)]


@pytest.mark.parametrize("target", [(-3, 2), (1, 2), (-2, -1), (-2, 3), (-3, 3)])
def test_a_target_that_adds_or_turns_is_refused(target):
    position = position_of("P1", (PUT, -130), (HEDGE, 130))
    with pytest.raises(GuardError, match="would add to it or change its sign"):
        exit_intents(pricing(), position, target, "")


@pytest.mark.parametrize("target", [(), (0,), (0, 0, 0)])
def test_a_target_names_every_leg(target):
    position = position_of("P1", (PUT, -130), (HEDGE, 130))
    with pytest.raises(ValueError, match="argument 2 is"):
        exit_intents(pricing(), position, target, "")


def test_an_exit_that_became_valuable_is_cut_below_the_order_value():
    """Bought at 120, 27 lots are 2.1 lakh; at 1,500 they would be 26.3 lakh, above 25."""
    rich = pricing(quote_of(PUT, 1_500_00, 1_505_00))
    position = position_of("P1", (PUT, 27 * 65))
    found = exit_intents(rich, position, (0,), "")  # at 1,425.00: 1,754 units are 25 lakh
    assert [(i.units, i.limit) for i in found] == [(26 * 65, 1_425_00), (65, 1_425_00)]
    again = next_attempt(rich, intent(units=27 * 65, purpose=Purpose.EXIT, side=Side.SELL), 27 * 65)
    assert again.units == 26 * 65
    (entry,) = entry_intents(rich, proposed((PUT, Side.SELL, 1)), lots=27)
    assert entry.units == 27 * 65  # its guard refuses it
    few = SETTINGS.guards.model_copy(update={"max_lots_per_order": 10})
    rich = replace(rich, settings=SETTINGS.model_copy(update={"guards": few}))
    assert [i.units for i in exit_intents(rich, position, (0,), "")] == [650, 650, 455]


def test_a_group_is_named_by_revision_target_and_purpose():
    position = position_of("P1", (PUT, -130))
    names = {
        exit_name(position, (0,)),
        exit_name(position, (-1,)),
        exit_name(position, (0,), Purpose.UNWIND),
        exit_name(replace(position, revision=3), (0,)),
        exit_name(replace(position, position_id="P2"), (0,)),
    }
    assert len(names) == 5
    (found,) = exit_intents(pricing(), position, (0,), "")
    assert found.intent_id == exit_name(position, (0,))


# attempts


def test_the_next_attempt_is_for_what_is_left_at_a_fresh_price():
    old = intent(
        leg=2, slice=1, attempt=2, purpose=Purpose.EXIT, state=IntentState.ENDED, note="old",
        created_at=ist("2026-02-11 09:30"), priority=1,
    )  # fmt: skip
    later = replace(pricing(quote_of(PUT, 129_00, 130_00)))
    new = next_attempt(later, old, 65)
    assert new.correlation_id == "IONE-2-1-3"
    assert (new.attempt, new.units, new.limit) == (3, 65, 136_50)  # 130.00 and 6.50
    assert (new.state, new.note, new.created_at) == (IntentState.NEW, "", NOW)
    kept = ("account", "market", "intent_id", "position_id", "purpose", "leg", "slice",
            "instrument", "side", "priority", "why")  # fmt: skip
    assert [getattr(new, name) for name in kept] == [getattr(old, name) for name in kept]


def test_the_next_attempt_is_within_the_largest_order_of_its_day():
    """The exchange halves the limit while an exit of the former size is out."""
    old = intent(units=27 * 65, purpose=Purpose.EXIT, state=IntentState.ENDED)
    assert next_attempt(pricing(), old, 27 * 65).units == 27 * 65
    halved = replace(pricing(), order_limit=lambda _: 900)
    assert next_attempt(halved, old, 27 * 65).units == 13 * 65  # 845; 14 lots are 910
    assert next_attempt(halved, old, 65).units == 65


def test_nothing_is_priced_at_an_old_quote():
    stale = quote_of(PUT, 119_50, 120_50, at=NOW - timedelta(seconds=16))
    with pytest.raises(NoQuote):
        next_attempt(pricing(stale), intent(), 65)
