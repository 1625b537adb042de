"""What structures would have earned: by hand, from the exchange's values, and by identities."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strikeloom.domain.instruments import (
    FutureContract,
    Instrument,
    InstrumentKind,
    OptionContract,
    Right,
    Share,
)
from strikeloom.domain.legs import Leg, Side
from strikeloom.strategy_creation.later_days import LaterDay
from strikeloom.strategy_creation.since import EarnedSince, ValuedBy, earned_over

BUY, SELL = Side.BUY, Side.SELL
CALL, PUT = Right.CALL, Right.PUT
INDEX, STOCK = InstrumentKind.INDEX, InstrumentKind.STOCK
NAN = float("nan")
#: More lots than any row of the measured widths: half a percent of an option above Rs 100.
BUSY = 1_000_000
FIRST, SECOND, LAST = date(2026, 1, 22), date(2026, 1, 23), date(2026, 1, 27)


def nifty(strike: int, right: Right, expiry: date = LAST) -> OptionContract:
    return OptionContract("NIFTY", expiry, strike * 100, right, INDEX, 65)


def stock(strike: int, right: Right, expiry: date = LAST) -> OptionContract:
    return OptionContract("RELIANCE", expiry, strike * 100, right, STOCK, 500)


def a_day(
    day: date,
    instruments: list[Instrument],
    price: list[float],
    final: list[float] | None = None,
    units: list[float] | None = None,
    paid: list[float] | None = None,
    unknown: dict[int, str] | None = None,
) -> LaterDay:
    count = len(instruments)
    return LaterDay(
        day,
        tuple(instruments),
        np.array(units or [1.0] * count),
        np.array(paid or [0.0] * count),
        np.array(price),
        np.array(final or [NAN] * count),
        np.full(count, BUSY),
        ~np.isnan(price),
        unknown or {},
    )


def only(legs: list[Leg], *days: LaterDay) -> EarnedSince:
    (found,) = earned_over([legs], days)
    return found


def test_a_vertical_closed_by_hand() -> None:
    """Zerodha's calculator of 2026-03-02: 500 units bought and sold at Rs 1,000 cost Rs 982.63.

    Both legs cost that, and half a percent of 500,000 each for the width.
    """
    start, end = date(2026, 3, 2), date(2026, 3, 4)
    low, high = (stock(strike, CALL, date(2026, 3, 30)) for strike in (1300, 1400))
    legs = [Leg(low, BUY, 1, 1000_00), Leg(high, SELL, 1, 1000_00)]
    held: list[Instrument] = [low, high]
    opened = a_day(start, held, [1000, 1000])
    flat = only(legs, opened, a_day(end, held, [1000, 1000]))
    assert (flat.day, flat.final, flat.by, flat.reason) == (end, False, ValuedBy.PRICES, "")
    assert flat.earned == pytest.approx(-2 * (982_63 + 2_500_00), abs=60)
    moved = only(legs, opened, a_day(end, held, [1100, 1040]))
    # on top: 500 x (100 - 40); by value of closing: sold, 0.1 % STT and 0.0355 % with GST of
    # 50,000 more; bought, 0.003 % stamps and 0.0355 % with GST of 20,000 more; half a percent in
    # two of both
    more = 50_000 * (0.1 + 0.03563 * 1.18) / 100 + 20_000 * (0.003 + 0.03563 * 1.18) / 100
    assert moved.earned is not None
    assert (moved.earned - flat.earned) / 100 == pytest.approx(
        500 * 60 - more - 70_000 * 0.0025, abs=0.05
    )


def test_an_index_option_ends_at_the_exchanges_final_value() -> None:
    """NIFTY closed at 25175.40 on 2026-01-27: 175.40 for a call at 25000, whatever its close.

    Its buyer pays 0.125 % of that as tax, and nothing else on the way out.
    """
    call = nifty(25000, CALL)
    opened = a_day(FIRST, [call], [150.0])
    found = only([Leg(call, BUY, 1, 150_00)], opened, a_day(LAST, [call], [90.0], [25175.40]))
    # bought for 9,750: brokerage 20, exchange, fund and SEBI 0.03563 %, GST, stamps
    fees = 20 + 9750 * 0.03563 / 100
    way_in = fees * 1.18 + 9750 * 0.003 / 100 + 9750 * 0.005 / 2
    tax = 65 * 175.40 * 0.00125
    assert (found.day, found.final, found.by) == (LAST, True, ValuedBy.SETTLEMENT)
    assert found.earned is not None
    assert found.earned / 100 == pytest.approx(65 * 25.40 - way_in - tax, abs=0.03)


def test_a_worthless_option_costs_nothing_on_the_way_out() -> None:
    put = nifty(25000, PUT)
    opened = a_day(FIRST, [put], [150.0])
    found = only([Leg(put, SELL, 1, 150_00)], opened, a_day(LAST, [put], [NAN], [25175.40]))
    # sold for 9,750: STT 0.1 % instead of stamps
    fees = (20 + 9750 * 0.03563 / 100) * 1.18 + 9.75 + 9750 * 0.005 / 2
    assert found.earned is not None
    assert found.earned / 100 == pytest.approx(9750 - fees, abs=0.03)


@given(
    final=st.floats(20_000, 30_000).map(lambda x: round(x, 2)),
    low=st.integers(22_000, 25_000),
    width=st.integers(50, 3_000),
)
def test_a_box_is_worth_its_width_wherever_the_index_ends(
    final: float, low: int, width: int
) -> None:
    high = low + width
    signs = [(low, CALL, BUY), (low, PUT, SELL), (high, CALL, SELL), (high, PUT, BUY)]
    legs = [Leg(nifty(strike, right), side, 1, 100_00) for strike, right, side in signs]
    held: list[Instrument] = [leg.instrument for leg in legs]
    opened, tomorrow = a_day(FIRST, held, [100.0] * 4), a_day(SECOND, held, [100.0] * 4)
    found = only(legs, opened, tomorrow, a_day(LAST, held, [NAN] * 4, [final] * 4))
    taxed = 65 * (max(0, round(final - low, 2)) + max(0, round(high - final, 2))) * 0.00125
    # two bought and two sold at 100: the way in alone is half the round trip less STT and stamps
    way_in = 4 * ((20 + 6500 * 0.03563 / 100) * 1.18 + 6500 * 0.0064 / 2)
    way_in += 2 * 6.5 + 2 * 6500 * 0.003 / 100
    assert found.earned is not None
    assert found.earned / 100 == pytest.approx(65 * width - taxed - way_in, abs=0.1)
    assert [day for day, _ in found.path] == [SECOND, LAST]


@given(
    prices=st.lists(st.floats(0.05, 900).map(lambda x: round(x, 2)), min_size=6, max_size=6),
    lots=st.integers(1, 4),
)
def test_a_structure_and_its_opposite_lose_both_costs(prices: list[float], lots: int) -> None:
    held: list[Instrument] = [nifty(25000 + 100 * n, CALL) for n in range(3)]
    sides = (BUY, SELL, BUY)
    legs = [
        Leg(it, side, lots, round(price * 100))
        for it, side, price in zip(held, sides, prices, strict=False)
    ]
    other = [Leg(leg.instrument, leg.side.opposite, lots, leg.price) for leg in legs]
    days = a_day(FIRST, held, prices[:3]), a_day(SECOND, held, prices[3:])
    mine, its = earned_over([legs, other], days)
    assert mine.earned is not None
    assert its.earned is not None
    assert mine.earned + its.earned < -2 * 6 * 20_00


def test_a_stock_option_in_the_money_ends_in_shares() -> None:
    """A call at 1,400 buys 500 shares for 700,000, which are sold at 1,450 for 725,000."""
    call = stock(1400, CALL)
    opened = a_day(FIRST, [call], [30.0])
    found = only([Leg(call, BUY, 1, 30_00)], opened, a_day(LAST, [call], [49.0], [1450.0]))
    fees = (20 + 15_000 * 0.03563 / 100) * 1.18 + 15_000 * 0.003 / 100 + 15_000 * 0.011 / 2
    received = 700_000 * (0.1 + 0.015) / 100
    sold = 725_000 * (0.1 + (0.00297 + 0.0001 + 0.0001) * 1.18) / 100 + 14.75
    assert found.earned is not None
    assert found.earned / 100 == pytest.approx(25_000 - 15_000 - fees - received - sold, abs=0.05)


def test_shares_that_are_lacking_are_bought() -> None:
    """A put at 1,400 delivers 500 shares for 700,000, which cost 675,000 at 1,350."""
    put = stock(1400, PUT)
    opened = a_day(FIRST, [put], [30.0])
    found = only([Leg(put, BUY, 1, 30_00)], opened, a_day(LAST, [put], [49.0], [1350.0]))
    fees = (20 + 15_000 * 0.03563 / 100) * 1.18 + 15_000 * 0.003 / 100 + 15_000 * 0.011 / 2
    delivered = 700_000 * 0.1 / 100 + 14.75
    bought = 675_000 * (0.1 + 0.015 + 0.00317 * 1.18) / 100
    assert found.earned is not None
    assert found.earned / 100 == pytest.approx(
        25_000 - 15_000 - fees - delivered - bought, abs=0.05
    )


def test_a_future_ends_at_the_final_value_beside_its_option() -> None:
    """65 x (25175.40 - 25100) of the future, 150 less 175.40 of the call sold at 25000."""
    future, call = FutureContract("NIFTY", LAST, INDEX, 65), nifty(25000, CALL)
    held: list[Instrument] = [future, call]
    legs = [Leg(future, BUY, 1, 25100_00), Leg(call, SELL, 1, 150_00)]
    opened = a_day(FIRST, held, [25100.0, 150.0])
    end = a_day(LAST, held, [25170.0, NAN], [25175.40, 25175.40])
    found = only(legs, opened, end)
    value = 65 * 25100
    # exchange, fund and SEBI 0.00193 %, stamps 0.002 %, half of 0.013 % for the width
    fees = (20 + value * 0.00193 / 100) * 1.18 + value * (0.002 + 0.013 / 2) / 100
    sold = (20 + 9750 * 0.03563 / 100) * 1.18 + 9.75 + 9750 * 0.005 / 2
    assert found.by is ValuedBy.SETTLEMENT
    assert found.earned is not None
    assert found.earned / 100 == pytest.approx(65 * (75.40 - 25.40) - fees - sold, abs=0.05)
    # without its option it ends all the same
    alone = only(legs[:1], opened, end)
    assert alone.earned is not None
    assert alone.earned / 100 == pytest.approx(65 * 75.40 - fees, abs=0.05)


def test_a_covered_call_delivers_its_own_shares() -> None:
    """At 1,450 the call takes the shares for 1,400: no order to sell them, one fee and 0.1 %."""
    share, call = Share("RELIANCE"), stock(1400, CALL)
    held: list[Instrument] = [share, call]
    legs = [Leg(share, BUY, 500, 1380_00), Leg(call, SELL, 1, 30_00)]
    opened = a_day(FIRST, held, [1380.0, 30.0])
    bought = 690_000 * (0.1 + 0.015 + 0.00317 * 1.18 + 0.031 / 2) / 100
    sold = (20 + 15_000 * 0.03563 / 100) * 1.18 + 15 + 15_000 * 0.011 / 2
    called = only(legs, opened, a_day(LAST, held, [1450.0, NAN], [NAN, 1450.0]))
    assert called.earned is not None
    assert called.earned / 100 == pytest.approx(
        500 * (1400 - 1380 + 30) - bought - sold - 700 - 14.75, abs=0.05
    )
    assert called.by is ValuedBy.SETTLEMENT
    kept = only(legs, opened, a_day(LAST, held, [1390.0, NAN], [NAN, 1390.0]))
    way_out = 695_000 * (0.1 + 0.00317 * 1.18) / 100 + 14.75
    assert kept.earned is not None
    assert kept.earned / 100 == pytest.approx(500 * (10 + 30) - bought - sold - way_out, abs=0.05)


def test_a_spread_in_the_money_nets_its_deliveries_off() -> None:
    """Calls at 1,300 bought and 1,400 sold end in 50,000 of cash: tax on 75,000 of the bought."""
    low, high = stock(1300, CALL), stock(1400, CALL)
    held: list[Instrument] = [low, high]
    legs = [Leg(low, BUY, 1, 90_00), Leg(high, SELL, 1, 30_00)]
    opened = a_day(FIRST, held, [90.0, 30.0])
    found = only(legs, opened, a_day(LAST, held, [NAN, NAN], [1450.0, 1450.0]))
    assert found.earned is not None
    way_in = sum(
        (20 + value * 0.03563 / 100) * 1.18 + value * (tax + width / 2) / 100
        for value, tax, width in ((45_000, 0.003, 0.64), (15_000, 0.1, 1.1))
    )
    assert found.earned / 100 == pytest.approx(
        50_000 - 30_000 - way_in - 500 * 150 * 0.00125, abs=0.05
    )


def test_a_calendar_settles_its_near_leg_and_closes_the_far_one() -> None:
    near, far = nifty(25000, CALL), nifty(25000, CALL, date(2026, 2, 24))
    held: list[Instrument] = [near, far]
    legs = [Leg(near, SELL, 1, 150_00), Leg(far, BUY, 1, 400_00)]
    opened = a_day(FIRST, held, [150.0, 400.0])
    found = only(
        legs, opened, a_day(LAST, held, [NAN, 420.0], [25175.40, NAN]),
        a_day(date(2026, 1, 28), held, [NAN, 10.0]),
    )  # fmt: skip
    assert (found.day, found.final, found.by) == (LAST, True, ValuedBy.BOTH)
    gross = 65 * (150 - 175.40 + 420 - 400)
    values = {"near": (9_750, 0.1), "far": (26_000, 0.003), "out": (27_300, 0.1)}
    costs = sum(
        (20 + value * 0.03563 / 100) * 1.18 + value * tax / 100 + value * 0.005 / 2
        for value, tax in values.values()
    )
    assert found.earned is not None
    assert found.earned / 100 == pytest.approx(gross - costs, abs=0.05)


@pytest.mark.parametrize("ratio", [2, 5, 10])
def test_a_split_changes_units_and_not_what_is_earned(ratio: int) -> None:
    call = stock(1400, CALL)
    after = OptionContract("RELIANCE", LAST, 1400_00 // ratio, CALL, STOCK, 500 * ratio)
    legs = [Leg(call, BUY, 1, 200_00)]
    opened = a_day(FIRST, [call], [200.0])
    whole = only(legs, opened, a_day(LAST, [call], [NAN], [1500.0]))
    split = only(legs, opened, a_day(LAST, [after], [NAN], [1500.0 / ratio], [float(ratio)]))
    assert split.earned == whole.earned


def test_units_are_whole_after_a_bonus_of_two_for_five() -> None:
    """350 units become 490, where 1.4 times 350 is a little less in floating point."""
    call = OptionContract("RELIANCE", LAST, 1400_00, CALL, STOCK, 350)
    after = OptionContract("RELIANCE", LAST, 1000_00, CALL, STOCK, 490)
    legs, opened = [Leg(call, SELL, 1, 200_00)], a_day(FIRST, [call], [200.0])
    found, less = (
        only(legs, opened, a_day(SECOND, [after], [price], units=[1.4])) for price in (100.0, 0.0)
    )
    assert found.earned is not None
    assert less.earned is not None
    # by value of closing: charges and half a percent in two of 49,000
    more = 49_000 * (1 + (0.003 + 0.03563 * 1.18 + 0.64 / 2) / 100)
    assert (less.earned - found.earned) / 100 == pytest.approx(more, abs=0.05)


def test_a_dividend_is_the_holders_of_a_future_or_a_share() -> None:
    """Down by the dividend of 10 and nothing else: only the costs are lost."""
    share, future = Share("RELIANCE"), FutureContract("RELIANCE", LAST, STOCK, 500)
    held: list[Instrument] = [share, future]
    for leg in (Leg(share, BUY, 500, 1400_00), Leg(future, BUY, 1, 1400_00)):
        opened = a_day(FIRST, held, [1400.0, 1400.0])
        same = only([leg], opened, a_day(SECOND, held, [1390.0, 1390.0], paid=[1000.0, 1000.0]))
        fell = only([leg], opened, a_day(SECOND, held, [1390.0, 1390.0]))
        assert same.earned is not None
        assert fell.earned is not None
        assert same.earned - fell.earned == 500 * 10_00
        assert -2_500_00 < same.earned < 0


def test_what_is_missing_is_a_reason_and_never_zero() -> None:
    call, other = nifty(25000, CALL), nifty(25100, CALL)
    held: list[Instrument] = [call, other]
    legs = [Leg(call, BUY, 1, 150_00), Leg(other, SELL, 1, 100_00)]
    opened = a_day(FIRST, held, [150.0, 100.0])
    alone = only(legs, opened)
    assert (alone.earned, alone.day, alone.path) == (None, None, ())
    assert alone.reason == "no day after 2026-01-22 is stored"
    known, gap = a_day(SECOND, held, [155.0, 100.0]), a_day(LAST, held, [160.0, NAN])
    never = only(legs, opened, gap)
    assert (never.earned, never.by) == (None, None)
    assert never.reason == "NIFTY 27 Jan 25100 CE is not on the list of 2026-01-27"
    once = only(legs, opened, known, gap)
    assert once.earned is not None
    assert (once.day, once.final, once.by, once.reason) == (
        SECOND, False, ValuedBy.PRICES, never.reason,
    )  # fmt: skip
    assert only(legs, opened, gap, known).reason == ""
    after = only(legs, opened, known, a_day(date(2026, 1, 28), held, [NAN, NAN]))
    assert after.reason == (
        "NIFTY 27 Jan 25100 CE has ended, and no final value of its last day is stored"
    )
    lost = only(legs, opened, a_day(SECOND, held, [155.0, NAN], unknown={1: "it was changed"}))
    assert (lost.earned, lost.reason) == (None, "it was changed")


def test_a_later_leg_without_a_price_leaves_the_end_unknown() -> None:
    near, far = nifty(25000, CALL), nifty(25000, CALL, date(2026, 2, 24))
    held: list[Instrument] = [near, far]
    legs = [Leg(near, SELL, 1, 150_00), Leg(far, BUY, 1, 400_00)]
    opened = a_day(FIRST, held, [150.0, 400.0])
    found = only(
        legs, opened, a_day(SECOND, held, [150.0, 401.0]),
        a_day(LAST, held, [NAN, NAN], [25175.40, NAN]),
        a_day(date(2026, 1, 28), held, [NAN, 410.0]),
    )  # fmt: skip
    assert (found.day, found.final) == (SECOND, False)
    assert found.reason == "NIFTY 24 Feb 25000 CE is not on the list of 2026-01-27"


def test_a_share_that_is_sold_pays_the_depository_once() -> None:
    """500 shares at 1,400 both ways, and 12.50 with GST on the way out."""
    share = Share("RELIANCE")
    days = a_day(FIRST, [share], [1400.0]), a_day(SECOND, [share], [1400.0])
    found = only([Leg(share, BUY, 500, 1400_00)], *days)
    value = 700_000
    both = 2 * value * (0.1 + 0.00317 * 1.18 + 0.031 / 2) / 100 + value * 0.015 / 100
    assert found.earned is not None
    assert found.earned / 100 == pytest.approx(-both - 14.75, abs=0.05)


def test_what_has_ended_earns_nothing_while_others_go_on() -> None:
    near, far = nifty(25000, CALL), nifty(25000, CALL, date(2026, 2, 24))
    held: list[Instrument] = [near, far]
    days = (
        a_day(FIRST, held, [150.0, 400.0]),
        a_day(LAST, held, [NAN, 410.0], [25175.40, NAN]),
        a_day(date(2026, 1, 28), held, [NAN, 420.0]),
    )
    ended, going = earned_over([[Leg(near, BUY, 1, 150_00)], [Leg(far, BUY, 1, 400_00)]], days)
    assert [day for day, _ in ended.path] == [LAST]
    assert [day for day, _ in going.path] == [LAST, date(2026, 1, 28)]
    assert (ended.final, going.final) == (True, False)


def test_many_at_once_are_as_each_alone() -> None:
    held: list[Instrument] = [nifty(25000, CALL), nifty(25100, CALL), stock(1400, CALL)]
    days = (
        a_day(FIRST, held, [150.0, 100.0, 30.0]),
        a_day(SECOND, held, [155.0, NAN, 31.0]),
        a_day(LAST, held, [NAN, NAN, NAN], [25175.4, 25175.4, 1450.0]),
    )
    whole = [
        [Leg(held[0], BUY, 1, 150_00)],
        [Leg(held[0], BUY, 1, 150_00), Leg(held[1], SELL, 2, 100_00)],
        [Leg(held[2], SELL, 1, 30_00)],
    ]
    assert earned_over(whole, days) == [only(legs, *days) for legs in whole]
