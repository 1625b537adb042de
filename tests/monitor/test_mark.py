"""Marks and P&L against figures worked out by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.stats import norm

from strikeloom.domain.exit_fields import fields_of
from strikeloom.domain.instruments import Right
from strikeloom.domain.legs import Leg, Side
from strikeloom.domain.orders import Purpose
from strikeloom.domain.position_greeks import PositionGreeks
from strikeloom.domain.position_leg import PositionLeg
from strikeloom.domain.positions import Position
from strikeloom.domain.quotes import MarkHow, Quote
from strikeloom.domain.snapshot import MarketSnapshot
from strikeloom.monitor import request_exit, watch
from strikeloom.monitor.decide import decide
from strikeloom.monitor.mark import mark_contract, mark_position
from strikeloom.settings.exits import plan_of
from strikeloom.trading.prepare import last_days
from support.desk import MadeDesk
from support.fakes import ManualClock, ist, option
from support.trading_records import open_ends

NOW = ist("2026-02-11 10:00")


CALL = option(25_000)


def snapshot_of(given_quote, at, most):
    return MarketSnapshot(at, {CALL.key: given_quote} if given_quote else {}, most, "replay")


def mark(desk, position, quotes):
    now, most = desk.clock.now(), desk.quote_age_seconds
    snapshot = MarketSnapshot(now, quotes, most, desk.mode.value)
    return mark_position(position, snapshot, last_days=last_days(desk, position), peak=None)


def quote(bid, ask, last=None, age=0.0):
    return Quote("K", bid, ask, last, 1, 1, 0, 0, NOW - timedelta(seconds=age))


@pytest.mark.parametrize(
    ("given_quote", "price", "how"),
    [
        (quote(100, 110, 90), 105, MarkHow.MID),
        (quote(100, 105, 90), 102, MarkHow.MID),  # half a paisa is dropped
        (quote(None, 110, 90), 90, MarkHow.LAST),
        (quote(None, 80, 90), 80, MarkHow.LAST),  # offered below the last trade
        (quote(85, None, 90), 90, MarkHow.LAST),
        (quote(300, None, 90), 300, MarkHow.LAST),  # wanted above the last trade
        (quote(110, 100, 90), 90, MarkHow.LAST),  # crossed: no market to take a mid of
        (quote(100, 110, 90, age=60), 105, MarkHow.MID),
    ],
)
def test_mark_is_the_mid_else_the_last(given_quote, price, how):
    found = mark_contract(CALL, snapshot_of(given_quote, NOW, 60))
    assert found is not None
    assert (found.price, found.how) == (price, how)


@pytest.mark.parametrize(
    "given_quote", [None, quote(100, 110, 90, age=61), quote(None, 110), quote(110, 100)]
)
def test_no_mark_where_there_is_nothing_fresh(given_quote):
    assert mark_contract(CALL, snapshot_of(given_quote, NOW, 60)) is None


def test_pnl_of_a_spread_by_hand(made: MadeDesk):
    position = made.enter(made.spread(), 4)
    units = 4 * 65
    charges = sum(leg.charges for leg in position.legs)
    sold, bought = option(24_800, Right.PUT), option(24_600, Right.PUT)
    made.show(sold, 99_50, 100_50)
    made.show(bought, 59_50, 60_50)
    quotes = made.feed.quotes([sold, bought])
    marked = mark(made.desk, position, quotes)
    # sold at the bid 119.50, bought at the ask 70.50; marked at mids of 100 and 60
    received = (119_50 - 70_50) * units
    assert marked.entry_premium == received
    assert marked.pnl == received - (100_00 - 60_00) * units - charges
    # a put spread earns its credit, and loses the width less the credit
    assert marked.max_profit == received
    assert marked.max_loss == 200_00 * units - received


def test_one_leg_without_price_means_no_pnl(made: MadeDesk):
    position = made.enter(made.spread(), 2)
    sold = option(24_800, Right.PUT)
    marked = mark(made.desk, position, made.feed.quotes([sold]))
    assert marked.pnl is None
    assert marked.missing == (option(24_600, Right.PUT).label,)


@pytest.mark.parametrize("closed", [0, 1])
def test_a_closed_leg_keeps_its_result_and_the_open_one_is_marked(made: MadeDesk, closed: int):
    """A leg bought back is neither marked nor missed, whichever of the legs it is."""
    position = made.enter(made.spread(), 4)
    legs = list(position.legs)
    legs[closed] = replace(legs[closed], net_units=0, open_value=0, realised=1_234_56)
    quotes = {
        leg.instrument.key: replace(quote(99_00, 101_00), key=leg.instrument.key)
        for leg in legs
        if leg.net_units
    }
    marked = mark(made.desk, replace(position, legs=tuple(legs)), quotes)
    still = legs[1 - closed]
    # the short was sold at the bid 119.50, the hedge bought at the ask 70.50; both are at 100
    gained = (119_50 - 100_00) * 260 if still.net_units < 0 else (100_00 - 70_50) * 260
    assert list(marked.marks) == [still.instrument.key]
    assert marked.missing == ()
    assert marked.pnl == 1_234_56 + gained - sum(leg.charges for leg in legs)


def test_every_leg_without_a_price_is_named(made: MadeDesk):
    """Of four legs, two before the last have none; the last is marked all the same."""
    position = made.enter(made.spread(), 2)
    first, second = position.legs
    legs = (first, second, replace(first, leg=2), replace(second, leg=3))
    quotes = {second.instrument.key: replace(quote(69_50, 70_50), key=second.instrument.key)}
    marked = mark(made.desk, replace(position, legs=legs), quotes)
    assert marked.missing == (first.instrument.label,) * 2
    assert list(marked.marks) == [second.instrument.key]


def test_old_quotes_are_no_quotes(made: MadeDesk):
    position = made.enter(made.spread(), 2)
    made.clock.wait(901)  # config/desk.yaml, replay
    marked = mark(made.desk, position, dict(made.feed.shown))
    assert marked.pnl is None
    assert [text.rpartition(" (")[2] for text in marked.missing] == ["older than 900 s)"] * 2


def test_limits_stay_those_of_the_quantity_first_filled(made: MadeDesk):
    position = made.enter(made.spread(), 4)
    before = mark(made.desk, position, dict(made.feed.shown))
    half = replace(
        position,
        legs=tuple(
            replace(leg, net_units=leg.net_units // 2, open_value=leg.open_value // 2)
            for leg in position.legs
        ),
    )
    after = mark(made.desk, half, dict(made.feed.shown))
    assert (after.max_profit, after.max_loss) == (before.max_profit, before.max_loss)


def test_a_sold_call_can_lose_without_limit(made: MadeDesk):
    call = made.show(option(25_500), 80_00, 81_00)
    position = made.enter(made.propose([Leg(call, Side.SELL, 1, 80_00)], "short_call"), 1)
    marked = mark(made.desk, position, dict(made.feed.shown))
    assert marked.max_loss is None
    assert marked.max_profit == 80_00 * 65


@pytest.fixture(scope="module")
def lasting(tmp_path_factory):
    """Give one desk to many examples."""
    desk = MadeDesk(tmp_path_factory.mktemp("marks"))
    desk.clock.at = NOW
    yield desk
    desk.close()


paise = st.integers(1, 1_000_00)


@given(
    lots=st.integers(1, 50),
    entry=st.tuples(paise, paise),
    bids=st.tuples(paise, paise),
    widths=st.tuples(st.integers(0, 500), st.integers(0, 500)),
)
def test_pnl_is_what_leaving_at_the_marks_would_leave(lasting, lots, entry, bids, widths):
    """Cash in and out of opening at the entry and closing at the marks, by another sum."""
    contracts = [option(24_800, Right.PUT), option(24_600, Right.PUT)]
    signs = [-1, 1]
    units = lots * 65
    legs = tuple(
        PositionLeg(n, c, s * units, s * units, s * units * e, 0, 7)
        for n, (c, s, e) in enumerate(zip(contracts, signs, entry, strict=True))
    )
    position = Position("a", "m", "S", "NIFTY", "t", "credit", legs, 2, NOW)
    quotes = {
        c.key: Quote(c.key, b, b + w, None, 1, 1, 0, 0, NOW)
        for c, b, w in zip(contracts, bids, widths, strict=True)
    }
    marked = mark(lasting.desk, position, quotes)
    cash = -14
    for sign, paid, bid, width in zip(signs, entry, bids, widths, strict=True):
        cash -= sign * units * paid
        cash += sign * units * ((2 * bid + width) // 2)
    assert marked.pnl == cash


def test_the_entry_premium_is_that_of_intents_and_fills(made: MadeDesk):
    """As the sum over the fills of entry orders, whole, in part and after an exit of a part."""
    position = made.enter(made.spread(), 4)
    premium = mark(made.desk, position, dict(made.feed.shown)).entry_premium
    assert premium == _premium_of_fills(made, position) > 0
    request_exit(made.desk, position.position_id, percent=50, who="test")
    watch(made.desk, ManualClock(ist("2026-11-01 12:00")), once=True)
    (half,) = made.store.positions()
    assert [leg.net_lots for leg in half.legs] == [-2, 2]
    assert mark(made.desk, half, {}).entry_premium == premium == _premium_of_fills(made, half)


def _premium_of_fills(made: MadeDesk, position: Position) -> int:
    name = position.position_id
    entries = {
        intent.correlation_id
        for intent in made.store.intents(position_id=name)
        if intent.purpose is Purpose.ENTRY
    }
    return sum(
        -int(fill.side) * fill.units * fill.price
        for fill in made.store.fills(position_id=name)
        if fill.correlation_id in entries
    )


def test_level_and_sessions_of_a_position(made: MadeDesk):
    position = made.enter(made.spread(), 1)  # Wed 11 Feb 2026; expiry Tue 24 Feb
    levels = {"NIFTY": (25_000_00, NOW)}
    marked = seen(made, position, NOW, levels)
    assert marked.level == 25_000_00
    # 12, 13, 16 to 20, 23 and 24 February
    assert (marked.sessions_held, marked.sessions_left, marked.days_left) == (0, 9, 13)
    later = seen(made, position, ist("2026-02-18 10:00"), levels)
    assert (later.sessions_held, later.sessions_left, later.days_left) == (5, 4, 6)
    assert later.level is None
    assert later.unknown["level"] == "the level of NIFTY is older than 900 s"
    last = seen(made, position, ist("2026-02-24 15:00"), {})
    assert (last.sessions_left, last.days_left) == (0, 0)
    assert last.unknown["level"] == "the level of NIFTY is unknown"


def test_sessions_beyond_the_known_calendar_are_unknown_with_the_reason(made: MadeDesk):
    position = made.enter(made.spread(), 1)
    snapshot = MarketSnapshot(NOW, {}, 900, "replay")
    far = mark_position(position, snapshot, last_days={0: date(2090, 1, 2)}, peak=None)
    assert far.sessions_left is None
    assert "calendar is known" in far.unknown["sessions_left"]
    closed = mark_position(position, snapshot, last_days={}, peak=None)
    assert (closed.sessions_left, closed.unknown["sessions_left"]) == (None, "nothing is open")


def seen(made, position, at, levels, quotes=None):
    quotes = made.feed.shown if quotes is None else quotes
    snapshot = MarketSnapshot(at, quotes, 900, "replay", levels)
    return mark_position(position, snapshot, last_days=open_ends(position), peak=None)


def test_greeks_of_a_spread_by_differences(made: MadeDesk):
    """Delta, gamma and theta against values of the legs by scipy's normal distribution."""
    position = made.enter(made.spread(), 2)
    marked = seen(made, position, NOW, {"NIFTY": (25_000_00, NOW)})
    carry, units = position.carry, [leg.net_units for leg in position.legs]
    assert carry == 0.0  # proposed with a forward equal to the level
    years = 13 * 24 * 60 / (365 * 24 * 60) + 5.5 * 60 / (365 * 24 * 60)
    strikes, prices = [24_800.0, 24_600.0], [120.0, 70.0]

    def put(level, strike, vol, left):
        spread = vol * math.sqrt(left)
        d1 = math.log(level / strike) / spread + spread / 2
        return strike * norm.cdf(spread - d1) - level * norm.cdf(-d1)

    vols = [
        brentq(lambda v, k=k, p=p: put(25_000.0, k, v, years) - p, 0.01, 2)
        for k, p in zip(strikes, prices, strict=True)
    ]

    def value(level=25_000.0, shift=0.0, left=years):
        legs = zip(units, strikes, vols, strict=True)
        return sum(n * put(level, k, v + shift, left) for n, k, v in legs)

    step = 1.0
    assert marked.delta == pytest.approx((value(25_001) - value(24_999)) / 2, rel=1e-4)
    curve = (value(25_000 + step) - 2 * value() + value(25_000 - step)) / step**2
    assert marked.gamma == pytest.approx(curve, rel=1e-3)
    assert marked.vega == pytest.approx((value(shift=1e-4) - value(shift=-1e-4)) / 2e-2, rel=1e-4)
    day = 1e-3 / 365
    assert marked.theta == pytest.approx((value(left=years - day) - value()) / 1e-3, rel=1e-2)
    assert marked.greeks.missing == ""


def test_greeks_follow_the_level_through_the_carry(made: MadeDesk):
    position = replace(made.enter(made.spread(), 2), carry=0.06)
    years = (13 * 24 + 5.5) / (365 * 24)
    here = seen(made, position, NOW, {"NIFTY": (25_000_00, NOW)})
    forward = 25_000_00 * math.exp(0.06 * years)
    flat = seen(made, replace(position, carry=0.0), NOW, {"NIFTY": (round(forward), NOW)})
    assert here.delta == pytest.approx(flat.delta * math.exp(0.06 * years), rel=1e-4)
    assert here.vega == pytest.approx(flat.vega, rel=1e-4)


@pytest.mark.parametrize(
    ("change", "quotes", "levels", "reason"),
    [
        ({}, None, {}, "the level of NIFTY is unknown"),
        ({"carry": None}, None, {"NIFTY": (25_000_00, NOW)}, "carry"),
        ({}, {}, {"NIFTY": (25_000_00, NOW)}, "24800 PE, NIFTY 24 Feb 24600 PE has no price"),
        ({}, None, {"NIFTY": (20_000_00, NOW)}, "24800 PE has no volatility: below intrinsic"),
    ],
)
def test_unknown_greeks_have_a_reason_and_no_zero(made: MadeDesk, change, quotes, levels, reason):
    position = replace(made.enter(made.spread(), 2), **change)
    marked = seen(made, position, NOW, levels, quotes)
    assert (marked.delta, marked.gamma, marked.vega, marked.theta) == (None,) * 4
    assert reason in marked.greeks.missing


def test_greeks_cost_nothing_until_a_rule_reads_them(made: MadeDesk):
    position = made.enter(made.spread(), 2)
    calls = []

    def compute():
        calls.append(1)
        return PositionGreeks(delta=5.0)

    marked = replace(seen(made, position, NOW, {}), compute_greeks=compute)
    decide(marked, plan_of(made.desk.settings.exits, "credit"))
    assert not calls
    assert (fields_of(marked).delta, fields_of(marked).delta) == (5.0, 5.0)
    assert len(calls) == 1
