"""Marks and P&L against figures worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strikeloom.domain.instruments import Right
from strikeloom.domain.legs import Leg, Side
from strikeloom.domain.positions import Position, PositionLeg
from strikeloom.domain.quotes import MarkHow, Quote
from strikeloom.domain.snapshot import MarketSnapshot
from strikeloom.errors import DataError
from strikeloom.monitor.mark import mark_contract, mark_position
from strikeloom.trading.prepare import last_day
from support.desk import MadeDesk
from support.fakes import ist, option

NOW = ist("2026-02-11 10:00")


CALL = option(25_000)


def snapshot_of(given_quote, at, most):
    return MarketSnapshot(at, {CALL.key: given_quote} if given_quote else {}, most, "replay")


def mark(desk, position, quotes):
    now, most = desk.clock.now(), desk.quote_age_seconds
    snapshot = MarketSnapshot(now, quotes, most, desk.mode.value)
    return mark_position(position, snapshot, last_day=last_day(desk, position), peak=None)


def quote(bid, ask, last=None, age=0.0):
    return Quote("K", bid, ask, last, 1, 1, 0, 0, NOW - timedelta(seconds=age))


@pytest.mark.parametrize(
    ("given_quote", "price", "how"),
    [
        (quote(100, 110, 90), 105, MarkHow.MID),
        (quote(100, 105, 90), 102, MarkHow.MID),  # half a paisa is dropped
        (quote(None, 110, 90), 90, MarkHow.LAST),
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


def test_legs_of_two_expiries_are_refused(made: MadeDesk):
    position = made.enter(made.spread(), 1)
    other = replace(position.legs[0].contract, expiry=ist("2026-03-24 00:00").date())
    mixed = replace(position, legs=(replace(position.legs[0], contract=other), position.legs[1]))
    with pytest.raises(DataError, match="2 expiries"):
        mark(made.desk, mixed, {})


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
