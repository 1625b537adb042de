"""What positions can earn and lose whose legs end on different days, by QuantLib and by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
import QuantLib as ql
from hypothesis import given, settings
from hypothesis import strategies as st

from strikeloom.domain.exit_fields import fields_of
from strikeloom.domain.instruments import Right
from strikeloom.domain.legs import Side
from strikeloom.domain.position_leg import PositionLeg
from strikeloom.domain.positions import MarkedPosition, Position
from strikeloom.domain.quotes import Quote
from strikeloom.monitor.mark import mark_position
from strikeloom.settings.exit_rules.profit_target import ProfitTarget
from strikeloom.settings.exit_rules.stop_loss import StopLoss
from strikeloom.views.marked import days_left, limits
from support.fakes import EXPIRY, ist, option
from support.mixed_legs import LOT, NEXT, RELIANCE, SHARE, MixedDesk, stock_option
from support.trading_records import snapshot

NOW = ist("2026-02-11 10:00")
LATER = date(2026, 3, 30)
LEVEL, CARRY = 25_000.0, 0.06
#: From ten in the morning, and from the close of the first expiry, to the close of the later one.
YEARS, AFTER = (47 * 24 + 5.5) / 8760, 34 / 365


def worth(level: float, strike: float, right: Right, years: float, vol: float) -> float:
    """QuantLib's Black formula on the forward, discounted at the carry."""
    kind = ql.Option.Call if right is Right.CALL else ql.Option.Put
    growth = math.exp(CARRY * years)
    return float(ql.blackFormula(kind, strike, level * growth, vol * math.sqrt(years), 1 / growth))


def shown(instrument, rupees: float) -> Quote:
    price = round(rupees * 100)
    return Quote(instrument.key, price, price, None, 650, 650, 0, 0, NOW)


def position(*legs: tuple[object, int, int]) -> Position:
    """Position of (instrument, units, entry price in paise)."""
    held = tuple(
        PositionLeg(n, of, units, units, units * paid, 0, 0, entry_value=units * paid)  # type: ignore[arg-type]
        for n, (of, units, paid) in enumerate(legs)
    )
    return Position("a", "m", "S1", "NIFTY", "t", "calendar", held, 2, NOW, carry=CARRY)


def mark(of: Position, *quotes: Quote, level: float | None = LEVEL) -> MarkedPosition:
    levels = {} if level is None else {"NIFTY": (round(level * 100), NOW)}
    ends = {leg.leg: leg.instrument.expiry for leg in of.legs if leg.net_units}
    market = replace(snapshot(*quotes, at=NOW), levels=levels)
    return mark_position(of, market, last_days=ends, peak=None)


@pytest.mark.parametrize("right", Right)
@given(vol=st.integers(80, 600).map(lambda n: n / 1000), steps=st.integers(-10, 10))
@settings(max_examples=15, deadline=None)
def test_a_calendar_is_that_of_quantlib(right, vol, steps) -> None:
    strike = 25_000 + 100 * steps
    near, far = option(strike, right), option(strike, right, expiry=LATER)
    price = worth(LEVEL, strike, right, YEARS, vol)
    held = position((near, -65, 200_00), (far, 65, 300_00))
    found = mark(held, shown(near, 250.0), shown(far, price))

    def profit(level: float) -> float:
        sign = 1 if right is Right.CALL else -1
        short = max(0.0, sign * (level - strike))
        return 65 * (worth(level, strike, right, AFTER, vol) - short - 100.0)

    levels = [1e-6, *(strike * math.exp(n / 2000) for n in range(-4000, 4001)), 1e7]
    profits = [profit(level) for level in levels]
    assert found.limits_on == EXPIRY
    # volatility is kept to a tenth of a point
    assert found.max_profit / 100 == pytest.approx(max(profits), abs=65 * 0.001 * 4000)
    assert found.max_loss / 100 == pytest.approx(-min(profits), abs=0.02)


def test_a_double_calendar_earns_most_at_one_of_its_strikes() -> None:
    wings = [(24_600, Right.PUT), (25_400, Right.CALL)]
    near = [option(strike, right) for strike, right in wings]
    far = [option(strike, right, expiry=LATER) for strike, right in wings]
    vol = 0.14
    quotes = [shown(it, worth(LEVEL, it.strike / 100, it.right, YEARS, vol)) for it in far]
    held = position(*((it, -65, 90_00) for it in near), *((it, 65, 240_00) for it in far))
    found = mark(held, *quotes, *(shown(it, 90.0) for it in near))

    def profit(level: float) -> float:
        rest = sum(worth(level, it.strike / 100, it.right, AFTER, vol) for it in far)
        short = max(0.0, 24_600 - level) + max(0.0, level - 25_400)
        return 65 * (rest - short - 300.0)

    best = max(profit(24_600 + n) for n in range(801))
    assert found.max_profit / 100 == pytest.approx(best, abs=65 * 0.5)
    assert found.max_profit / 100 == pytest.approx(max(profit(24_600), profit(25_400)), rel=0.02)


def test_a_poor_man_s_covered_call_cannot_lose_more_than_it_cost() -> None:
    """The far call at 23,000 for 2,400, the near at 25,500 sold for 100."""
    near, far = option(25_500), option(23_000, expiry=LATER)
    price = worth(LEVEL, 23_000, Right.CALL, YEARS, 0.15)
    found = mark(
        position((far, 65, 2_400_00), (near, -65, 100_00)), shown(far, price), shown(near, 100.0)
    )
    assert found.max_loss == 65 * 2_300_00

    def profit(level: float) -> float:
        short = max(0.0, level - 25_500)
        return 65 * (worth(level, 23_000, Right.CALL, AFTER, 0.15) - short - 2_300.0)

    # beyond the short strike only its time value is lost: what is left is intrinsic, discounted
    assert found.max_profit / 100 == pytest.approx(profit(25_500), abs=65 * 0.3)


def test_a_later_leg_below_its_intrinsic_value_has_no_volatility() -> None:
    """1,999 for a call 2,000 in the money: at the first expiry it is worth S - K discounted."""
    near, far = option(25_500), option(23_000, expiry=LATER)
    found = mark(
        position((far, 65, 2_000_00), (near, -65, 100_00)), shown(far, 1_999.0), shown(near, 90.0)
    )
    discounted = 23_000 * math.exp(-CARRY * AFTER)
    assert found.max_profit / 100 == pytest.approx(65 * (25_500 - discounted - 1_900), abs=1)


def test_what_ends_later_and_was_sold_has_no_limit() -> None:
    near, far = option(25_000), option(25_000, expiry=LATER)
    price = worth(LEVEL, 25_000, Right.CALL, YEARS, 0.15)
    reverse = position((near, 65, 250_00), (far, -65, 600_00))
    found = mark(reverse, shown(near, 250.0), shown(far, price))
    assert found.max_profit is not None
    assert found.max_loss is not None
    two = position((near, 65, 250_00), (far, -130, 600_00))
    assert mark(two, shown(near, 250.0), shown(far, price)).max_loss is None
    assert math.isinf(float(fields_of(mark(two, shown(near, 250.0), shown(far, price))).max_loss))


@pytest.mark.parametrize(
    ("level", "quoted", "carry", "reason"),
    [
        (None, True, CARRY, "the level of NIFTY is not known now"),
        (LEVEL, False, CARRY, "NIFTY 30 Mar 25000 CE has no price"),
        (LEVEL, True, None, "the carry of the day that proposed it is unknown"),
    ],
)  # fmt: skip
def test_unknown_limits_have_a_reason_and_fire_nothing(level, quoted, carry, reason) -> None:
    near, far = option(25_000), option(25_000, expiry=LATER)
    held = replace(position((near, -65, 250_00), (far, 65, 600_00)), carry=carry)
    quotes = [shown(near, 250.0), *([shown(far, 600.0)] if quoted else [])]
    found = mark(held, *quotes, level=level)
    assert (found.max_profit, found.max_loss) == (None, None)
    assert found.unknown["max_profit"] == found.unknown["max_loss"] == reason
    assert math.isnan(float(fields_of(found).max_profit))
    for rule in (ProfitTarget(percent=1), StopLoss(percent=1)):
        assert not rule.decide(found).fires
    assert limits(found) == f"what it can earn and lose is not known: {reason}"
    if quoted:
        assert reason in ProfitTarget(percent=1).decide(found).sentence
        assert reason in StopLoss(percent=1).decide(found).sentence


def test_a_share_of_the_premium_needs_no_estimate() -> None:
    """Paid 350 for each of 65: a quarter is 5,687.50."""
    near, far = option(25_000), option(25_000, expiry=LATER)
    held = replace(position((near, -65, 250_00), (far, 65, 600_00)), carry=None)
    rule, stop = ProfitTarget(percent=25, of="premium"), StopLoss(percent=25, of="premium")
    assert rule.decide(mark(held, shown(near, 250.0), shown(far, 687.5))).fires
    assert not rule.decide(mark(held, shown(near, 250.0), shown(far, 687.4))).fires
    assert stop.decide(mark(held, shown(near, 250.0), shown(far, 512.5))).fires
    found = mark(held, shown(near, 250.0), shown(far, 600.0))
    assert rule.decide(found).sentence == "₹0 of ₹5,688 (25 %)"


def test_greeks_count_each_leg_to_its_own_last_day() -> None:
    """By differences of QuantLib's values on the forward, undiscounted as the Greeks are."""
    near, far = option(25_000), option(25_000, expiry=LATER)
    first = (13 * 24 + 5.5) / 8760
    held = position((near, -65, 250_00), (far, 65, 600_00))

    def value(level: float, years: float) -> float:
        deviation = 0.15 * math.sqrt(years)
        return float(
            ql.blackFormula(ql.Option.Call, 25_000, level * math.exp(CARRY * years), deviation)
        )

    found = mark(held, shown(near, value(LEVEL, first)), shown(far, value(LEVEL, YEARS)))
    slopes = [(value(LEVEL + 1, t) - value(LEVEL - 1, t)) / 2 for t in (first, YEARS)]
    assert found.delta == pytest.approx(65 * (slopes[1] - slopes[0]), abs=0.02)
    assert found.theta > 0
    assert found.vega > 0


# after the first leg has ended


@pytest.fixture
def made(tmp_path: Path) -> MixedDesk:
    return MixedDesk(tmp_path)


def test_what_has_ended_counts_by_what_it_brought() -> None:
    """The near call sold at 250 ended at 400: 150 a unit are lost, 600 are in the far."""
    near, far = option(25_000), option(25_000, expiry=LATER)
    held = position((near, -65, 250_00), (far, 65, 600_00))
    ended = replace(held.legs[0], net_units=0, open_value=0, realised=-65 * 150_00)
    after = replace(held, legs=(ended, held.legs[1]))
    market = replace(
        snapshot(
            replace(shown(far, 700.0), at=ist("2026-02-25 10:00")), at=ist("2026-02-25 10:00")
        ),
        levels={"NIFTY": (25_400_00, ist("2026-02-25 10:00"))},
    )
    found = mark_position(after, market, last_days={1: LATER}, peak=None)
    assert (found.max_profit, found.max_loss, found.limits_on) == (None, 65 * 750_00, LATER)
    assert (found.days_left, found.days_to_first_end, days_left(found)) == (33, -1, "33 days left")
    assert limits(found) == "by 30 Mar: can earn unlimited, can lose ₹48,750"
    assert found.pnl == 65 * (700_00 - 600_00) - 65 * 150_00


def test_a_leg_that_waits_for_its_settlement_is_named_and_the_rest_goes_on() -> None:
    near, far = option(25_000), option(25_000, expiry=LATER)
    held = position((near, -65, 250_00), (far, 65, 600_00))
    at = ist("2026-02-25 10:00")
    market = replace(
        snapshot(replace(shown(far, 700.0), at=at), at=at), levels={"NIFTY": (25_400_00, at)}
    )
    found = mark_position(held, market, last_days={0: EXPIRY, 1: LATER}, peak=None)
    text = "NIFTY 24 Feb 25000 CE expired on 2026-02-24, waits for the file of 2026-02-24"
    assert (found.pnl, found.missing, found.unsettled) == (None, (text,), (text,))
    assert (found.last_day, found.days_to_first_end) == (LATER, -1)
    assert "ended and waits for its settlement" in found.unknown["max_profit"]


def test_shares_that_a_put_brought_are_part_of_what_is_left(made: MixedDesk) -> None:
    """A put calendar at 1,380: short at 15.00, long at 40.50; final 1,350.

    With the shares at 1,380 (15 received) and a put at 1,380 that cost 40.50, what can be lost
    is 25.50 a share, before the time value that the put has now.
    """
    near, far = stock_option(1_380, Right.PUT), stock_option(1_380, Right.PUT, NEXT)
    made.show(near, 15_00, 15_50)
    made.show(far, 40_00, 40_50)
    name = made.hold("put_calendar", (near, Side.SELL, 1, 15_00), (far, Side.BUY, 1, 40_00))
    held = made.store.position(name)
    short, long = held.legs
    ended = replace(short, net_units=0, open_value=0, realised=500 * (15_00 - 30_00))
    shares = PositionLeg(2, SHARE, LOT, LOT, LOT * 1_350_00, 0, 0, 0, EXPIRY)
    after = replace(held, legs=(ended, long, shares))
    at = ist("2026-02-25 10:00")
    quotes = [replace(quote, at=at) for quote in made.feed.shown.values()]
    market = replace(snapshot(*quotes, at=at), levels={RELIANCE: (1_350_00, at)})
    found = mark_position(after, market, last_days={1: NEXT}, peak=None)
    assert (found.max_profit, found.max_loss) == (None, 500 * 25_50)
