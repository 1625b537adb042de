"""Charges of shares and futures: published rates by date; fills of one order; contract notes."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strikeloom.domain.legs import Side
from strikeloom.errors import DataError
from strikeloom.nse.charges import (
    Segment,
    brokerage,
    delivery_charges,
    depository_charge,
    order_brokerage,
    trade_charges,
)
from strikeloom.nse.contract_note import ExecutedOrder, contract_note, whole_rupees

DAY = date(2026, 4, 2)
CRORE = 1_00_00_000


# rupees of one crore sold: Finance Acts and NSE/FA/46730, 56129, 61137, 64232 and 73061, the
# exchange's fee with its protection fund
@pytest.mark.parametrize(
    ("day", "future_stt", "future_fee", "share_fee"),
    [
        (date(2021, 4, 1), 1000, 200.01, 345.01),
        (date(2023, 3, 31), 1000, 200.01, 345.01),
        (date(2023, 4, 1), 1250, 200, 335),
        (date(2024, 3, 31), 1250, 200, 335),
        (date(2024, 4, 1), 1250, 198, 332),
        (date(2024, 9, 30), 1250, 198, 332),
        (date(2024, 10, 1), 2000, 183, 307),
        (date(2026, 2, 28), 2000, 183, 307),
        (date(2026, 3, 1), 2000, 183, 307),
        (date(2026, 3, 31), 2000, 183, 307),
        (date(2026, 4, 1), 5000, 183, 307),
    ],
)
def test_the_rates_of_futures_and_shares_are_dated(
    day: date, future_stt: int, future_fee: float, share_fee: float
) -> None:
    def sold(segment: Segment) -> tuple[float, float, float]:
        found = trade_charges(Side.SELL, CRORE // 1000, 1000_00, day, segment=segment)
        assert found.sebi == 1000
        assert found.stamp == 0
        return found.stt / 100, found.exchange / 100, found.brokerage / 100

    assert sold(Segment.FUTURE) == (future_stt, future_fee, 20)
    assert sold(Segment.DELIVERY) == (10000, share_fee, 0)
    assert sold(Segment.INTRADAY) == (2500, share_fee, 20)


# of one crore bought, since 2020-07-01: Indian Stamp Act; STT of a purchase for delivery
@pytest.mark.parametrize(
    ("segment", "stamp", "stt"),
    [
        (Segment.DELIVERY, 1500, 10000),
        (Segment.INTRADAY, 300, 0),
        (Segment.FUTURE, 200, 0),
        (Segment.OPTION, 300, 0),
    ],
)
def test_the_buyer_pays_the_stamps(segment: Segment, stamp: int, stt: int) -> None:
    found = trade_charges(Side.BUY, CRORE // 1000, 1000_00, DAY, segment=segment)
    assert (found.stamp, found.stt) == (stamp * 100, stt * 100)


def test_an_option_is_what_is_charged_when_nothing_is_named() -> None:
    for side in Side:
        named = trade_charges(side, 65, 100_00, DAY, segment=Segment.OPTION)
        assert trade_charges(side, 65, 100_00, DAY) == named


def test_goods_and_services_tax_is_of_brokerage_exchange_and_sebi() -> None:
    """18 % of 20 + 307 + 10 rupees is 60.66."""
    found = trade_charges(Side.SELL, CRORE // 1000, 1000_00, DAY, segment=Segment.INTRADAY)
    assert found.gst == 60_66


# Dhan's price list: 0.03 % up to Rs 20, which it reaches at Rs 66,667
@pytest.mark.parametrize(
    ("value", "paise"),
    [(1000_00, 30), (66_666_00, 20_00), (66_700_00, 20_00), (10_00_000_00, 20_00)],
)
def test_brokerage_is_the_lesser_of_twenty_rupees_and_a_share(value: int, paise: int) -> None:
    assert order_brokerage(value, DAY, Segment.INTRADAY) == paise
    assert order_brokerage(value, DAY, Segment.FUTURE) == paise
    assert order_brokerage(value, DAY, Segment.OPTION) == 20_00
    assert order_brokerage(value, DAY, Segment.DELIVERY) == 0
    assert brokerage(DAY, segment=Segment.FUTURE) == 20_00


@given(parts=st.lists(st.integers(1, 200), min_size=1, max_size=5), price=st.integers(1, 500_00))
def test_the_fills_of_an_order_pay_its_brokerage_once(parts: list[int], price: int) -> None:
    paid = before = 0
    for units in parts:
        found = trade_charges(
            Side.BUY, units, price, DAY, first_fill=not before, segment=Segment.INTRADAY,
            earlier=before,
        )  # fmt: skip
        paid += found.brokerage
        before += units * price
    assert paid == order_brokerage(before, DAY, Segment.INTRADAY)


def test_a_later_fill_needs_the_value_before_it() -> None:
    with pytest.raises(DataError, match="earlier fills is missing"):
        trade_charges(Side.BUY, 10, 100_00, DAY, first_fill=False, segment=Segment.FUTURE)
    later = trade_charges(Side.BUY, 10, 100_00, DAY, first_fill=False, segment=Segment.DELIVERY)
    assert later.brokerage == 0
    assert trade_charges(Side.BUY, 10, 100_00, DAY, earlier=5).brokerage == 0


def test_a_broker_or_day_without_a_list_is_refused() -> None:
    with pytest.raises(DataError, match="brokerage of nobroker for future is not known"):
        trade_charges(Side.BUY, 1, 1, DAY, segment=Segment.FUTURE, broker="nobroker")
    with pytest.raises(DataError, match="rate of exchange_share is not known for 2020-12-31"):
        trade_charges(Side.BUY, 1, 1, date(2020, 12, 31), segment=Segment.DELIVERY)
    with pytest.raises(DataError, match="depository fee of nobroker is not known"):
        depository_charge(DAY, "nobroker")


def test_shares_that_a_derivative_delivers_are_taxed_on_both_sides() -> None:
    """0.1 % of 7 lakh is Rs 700, and 0.015 % of it Rs 105 for who receives them."""
    received = delivery_charges(7_00_000_00, DAY, receives_shares=True)
    given_up = delivery_charges(7_00_000_00, DAY, receives_shares=False)
    assert (received.stt, received.stamp, received.total) == (700_00, 105_00, 805_00)
    assert (given_up.stt, given_up.stamp, given_up.total) == (700_00, 0, 700_00)


@pytest.mark.parametrize(
    ("paise", "rupees"), [(0, 0), (49, 0), (50, 1), (149.99, 1), (150, 2), (1297, 13), (1240, 12)]
)
def test_half_a_rupee_counts_as_one(paise: float, rupees: int) -> None:
    """The tax department's rounding, as Zerodha states it: 50 paise and more go up."""
    assert whole_rupees(paise) == rupees * 100


def _order(
    side: Side, segment: Segment, units: int, rupees: float, name: str = "A"
) -> ExecutedOrder:
    return ExecutedOrder(name, segment, side, units, round(units * rupees * 100))


def test_what_is_bought_and_sold_the_same_day_is_not_delivered() -> None:
    """1,000 bought at 100 and 400 sold at 110 for delivery: 600 are kept, at 102.857 on average.

    STT 0.025 % of 400 and 0.1 % of 600 at that average: 10.286 + 61.714 = Rs 72. Stamps 0.003 % of
    40,000 and 0.015 % of 60,000: 1.20 + 9.00 = Rs 10.
    """
    orders = [
        _order(Side.BUY, Segment.DELIVERY, 1000, 100),
        _order(Side.SELL, Segment.DELIVERY, 400, 110),
    ]
    note = contract_note(orders, DAY)
    assert (note.stt, note.stamp) == (72_00, 10_00)
    as_intraday = [
        _order(Side.BUY, Segment.INTRADAY, 400, 100),
        _order(Side.BUY, Segment.DELIVERY, 600, 100),
        _order(Side.SELL, Segment.INTRADAY, 400, 110),
    ]
    assert contract_note(as_intraday, DAY).stt == note.stt


def test_shares_of_different_names_do_not_net() -> None:
    """Rs 1,000 each for delivery of 10 lakh bought and of 10 lakh sold."""
    orders = [
        _order(Side.BUY, Segment.DELIVERY, 1000, 1000, "A"),
        _order(Side.SELL, Segment.DELIVERY, 1000, 1000, "B"),
    ]
    assert contract_note(orders, DAY).stt == 2000_00
    assert contract_note(orders, DAY).stamp == 150_00


def test_each_market_is_rounded_by_itself() -> None:
    """0.40 of shares and 0.40 of a future are nothing, not one rupee together."""
    shares = [_order(Side.SELL, Segment.DELIVERY, 4, 100)]
    future = [_order(Side.SELL, Segment.FUTURE, 8, 100)]
    assert contract_note(shares, DAY).stt == contract_note(future, DAY).stt == 0
    assert contract_note(shares + future, DAY).stt == 0
    assert contract_note([], DAY).total == 0


@pytest.mark.parametrize(("units", "value"), [(0, 100), (-1, 100), (1, 0), (1, -1)])
def test_a_note_has_executed_orders_only(units: int, value: int) -> None:
    with pytest.raises(DataError, match=f"order in A: {units} units for {value} paise"):
        contract_note([ExecutedOrder("A", Segment.FUTURE, Side.BUY, units, value)], DAY)
    assert contract_note([ExecutedOrder("A", Segment.OPTION, Side.BUY, 1, 1)], DAY).total == 23_60


@pytest.mark.parametrize(
    ("segment", "rupees", "stamp"),
    [
        # 0.015 % of shares and 0.002 % of a future: 0.495 and 0.5001; 0.495 and 0.501
        (Segment.DELIVERY, 3300, 0),
        (Segment.DELIVERY, 3334, 1),
        (Segment.FUTURE, 24_750, 0),
        (Segment.FUTURE, 25_050, 1),
    ],
)
def test_who_sells_adds_no_stamps(segment: Segment, rupees: int, stamp: int) -> None:
    orders = [_order(Side.BUY, segment, 1, rupees, "A"), _order(Side.SELL, segment, 1, 500, "B")]
    assert contract_note(orders, DAY).stamp == stamp * 100


# 0.025 % of 1,960 and of 2,000 rupees sold and bought back: 0.49 and 0.50
@pytest.mark.parametrize(("rupees", "stt"), [(1960, 0), (2000, 1)])
def test_the_tax_is_rounded_at_half_a_rupee(rupees: int, stt: int) -> None:
    orders = [_order(side, Segment.INTRADAY, 1, rupees) for side in Side]
    assert contract_note(orders, DAY).stt == stt * 100


def test_the_fees_of_a_note_to_the_paisa() -> None:
    """Ten crore of a future: 1,830 to the exchange, 100 to SEBI, GST of them and of Rs 20."""
    note = contract_note([_order(Side.SELL, Segment.FUTURE, 1, 10 * CRORE)], DAY)
    assert (note.brokerage, note.exchange, note.sebi) == (20_00, 1830_00, 100_00)
    assert note.gst == 351_00
    assert note.stt == 50_000_00


@given(
    units=st.integers(1, 10_000),
    price=st.integers(5, 5000_00),
    segment=st.sampled_from([Segment.OPTION, Segment.FUTURE]),
    side=st.sampled_from(list(Side)),
)
def test_a_note_is_its_trades_but_for_rounding(
    units: int, price: int, segment: Segment, side: Side
) -> None:
    """STT and stamps by half a rupee each, the rest by a paisa or two."""
    trade = trade_charges(side, units, price, DAY, segment=segment)
    note = contract_note([ExecutedOrder("A", segment, side, units, units * price)], DAY)
    assert note.brokerage == trade.brokerage
    assert note.total == pytest.approx(trade.total, abs=54)
