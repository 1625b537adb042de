"""Shares and futures in rows and packets of the broker: what is held, ordered, filled, quoted.

Rows are those of the broker's documentation (version 2, holdings and positions) and of its
answers recorded in 2025, with the numbers of the local exchange.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import pytest

from strikeloom.adapters.dhan.account_rows import (
    fill_of,
    held_units,
    holding_of,
    order_of,
    past_fill_of,
    position_of,
)
from strikeloom.adapters.dhan.feed import DhanFeed
from strikeloom.domain.orders import OrderState
from strikeloom.errors import BrokerError
from support.dhan_client import OurSide, eventually
from support.fakes import ist, option
from support.local_exchange import FUTURE, SHARE, SHARE_ID, STOCK_FUTURE, LocalExchange

NOW = ist("2026-02-11 10:00")
DAY = NOW.date()
HOLDING = {
    "exchange": "ALL", "tradingSymbol": "RELIANCE", "securityId": str(SHARE_ID),
    "isin": "INE002A01018", "totalQty": 1000, "dpQty": 1000, "t1Qty": 0, "availableQty": 1000,
    "collateralQty": 0, "avgCostPrice": 2655.0,
}  # fmt: skip
#: Recorded on 15 March 2025, of another fund: one share delivered, and one bought the day before.
RECORDED = {**HOLDING, "totalQty": 2, "dpQty": 1, "t1Qty": 1, "availableQty": 2,
            "avgCostPrice": 252.05, "lastTradedPrice": 251.06}  # fmt: skip
BOUGHT = {
    "dhanClientId": "1000000003", "tradingSymbol": "RELIANCE", "securityId": str(SHARE_ID),
    "positionType": "LONG", "exchangeSegment": "NSE_EQ", "productType": "CNC",
    "buyAvg": 3345.8, "buyQty": 40, "costPrice": 3215.0, "sellAvg": 0.0, "sellQty": 0,
    "netQty": 40, "realizedProfit": 0.0, "unrealizedProfit": 6122.0, "rbiReferenceRate": 1.0,
    "multiplier": 1, "carryForwardBuyQty": 0, "carryForwardSellQty": 0,
    "carryForwardBuyValue": 0.0, "carryForwardSellValue": 0.0, "dayBuyQty": 40, "daySellQty": 0,
    "dayBuyValue": 133832.0, "daySellValue": 0.0, "drvExpiryDate": "0001-01-01",
    "drvOptionType": None, "drvStrikePrice": 0.0, "crossCurrency": False,
}  # fmt: skip
SOLD = {**BOUGHT, "positionType": "SHORT", "buyQty": 0, "sellQty": 300, "netQty": -300,
        "dayBuyQty": 0, "daySellQty": 300}  # fmt: skip
#: The purchase of the day before, where the broker still shows it beside the holdings.
CARRIED = {**BOUGHT, "carryForwardBuyQty": 40, "dayBuyQty": 0}
#: Shares that were to be delivered the day before, and were not there.
OWED = {**BOUGHT, "positionType": "SHORT", "netQty": -500, "carryForwardSellQty": 500,
        "dayBuyQty": 0}  # fmt: skip
INTRADAY = {**BOUGHT, "productType": "INTRADAY", "positionType": "SHORT", "netQty": -100,
            "dayBuyQty": 0, "daySellQty": 100}  # fmt: skip
LONG_FUTURE = {**BOUGHT, "exchangeSegment": "NSE_FNO", "productType": "MARGIN", "netQty": 1000,
               "carryForwardBuyQty": 500, "dayBuyQty": 500, "drvExpiryDate": "2026-02-24",
               "tradingSymbol": "RELIANCE-Feb2026-FUT"}  # fmt: skip


def _held(
    ours: OurSide, positions: list, holdings: list, *, intraday: bool = False
) -> dict[str, int]:
    found = held_units(positions, holdings, ours.instruments, DAY)
    return {one.instrument_key: one.net_units for one in found if one.intraday is intraday}


@pytest.mark.parametrize(
    ("positions", "holdings", "units"),
    [
        ([], [HOLDING], 1000),
        ([BOUGHT], [], 40),
        ([BOUGHT], [HOLDING], 1040),
        ([SOLD], [HOLDING], 700),
        ([CARRIED], [RECORDED], 2),  # what was bought yesterday is among the two
        ([INTRADAY], [HOLDING], 1000),
        ([BOUGHT, INTRADAY], [RECORDED], 42),
        ([BOUGHT, {**INTRADAY, "productType": "BO"}], [], 40),
        ([OWED], [], -500),
        ([{**OWED, "dayBuyQty": 500, "netQty": 0}], [], None),  # bought in
        ([{**OWED, "dayBuyQty": 600, "netQty": 100}], [], 100),
        ([{**SOLD, "daySellQty": 1000, "netQty": -1000}], [HOLDING], None),
        ([], [{**HOLDING, "exchange": "BSE"}], None),
        ([{**BOUGHT, "exchangeSegment": "BSE_EQ"}], [], None),
        ([], [{**HOLDING, "securityId": "10576"}], None),  # a fund that the list has no share of
    ],
)
def test_a_share_is_held_once(
    ours: OurSide, positions: list, holdings: list, units: int | None
) -> None:
    assert _held(ours, positions, holdings).get(SHARE.key) == units


def test_what_is_held_for_the_day_is_apart(ours: OurSide) -> None:
    """DhanHQ annexure: INTRADAY, CO and BO are closed the same day."""
    rows = [BOUGHT, INTRADAY, {**INTRADAY, "productType": "CO", "netQty": -7}]
    assert _held(ours, rows, [HOLDING], intraday=True) == {SHARE.key: -107}
    future = {**LONG_FUTURE, "productType": "INTRADAY"}
    assert _held(ours, [LONG_FUTURE, future], [], intraday=True) == {STOCK_FUTURE.key: 1000}
    assert _held(ours, [LONG_FUTURE, future], []) == {STOCK_FUTURE.key: 1000}


def test_one_number_is_a_share_and_a_future(ours: OurSide) -> None:
    assert _held(ours, [LONG_FUTURE, BOUGHT], [HOLDING]) == {
        STOCK_FUTURE.key: 1000,
        SHARE.key: 1040,
    }


def test_no_holdings_is_an_error_at_the_broker_and_none_here(ours: OurSide) -> None:
    """DH-1111 with status 500, as third parties have seen it."""
    assert ours.broker.positions() == []


def test_what_does_not_agree_with_the_list_is_refused(ours: OurSide) -> None:
    day = DAY
    for wrong in (
        {"drvExpiryDate": "2026-03-30"},
        {"drvOptionType": "CALL", "drvStrikePrice": 1400.0},
        {"securityId": "99"},
    ):
        with pytest.raises(BrokerError, match="cannot be read"):
            position_of({**LONG_FUTURE, **wrong}, ours.instruments, day)
    with pytest.raises(BrokerError, match="a holding"):
        holding_of({**HOLDING, "totalQty": 1.5}, ours.instruments, day)
    with pytest.raises(BrokerError, match="lacks 'totalQty'"):
        holding_of({"exchange": "ALL"}, ours.instruments, day)


@pytest.mark.parametrize("count", [None, "", "NaN", math.nan, math.inf, "-Infinity", 1.5, [1]])
def test_what_is_no_count_is_refused_by_name(ours: OurSide, count: object) -> None:
    for read, row in (
        (holding_of, {**HOLDING, "totalQty": count}),
        (position_of, {**BOUGHT, "dayBuyQty": count}),
        (position_of, {**BOUGHT, "netQty": count}),
        (position_of, {**INTRADAY, "netQty": count}),
        (position_of, {**LONG_FUTURE, "netQty": count}),
    ):
        with pytest.raises(BrokerError, match="is not a count of units"):
            read(row, ours.instruments, DAY)


@pytest.mark.parametrize("row", [None, [], "NSE_EQ", {"securityId": "2885", "netQty": 5}])
def test_a_row_that_names_no_segment_is_an_error(ours: OurSide, row: object) -> None:
    with pytest.raises(BrokerError, match="a position"):
        position_of(row, ours.instruments, DAY)
    with pytest.raises(BrokerError, match="an order"):
        order_of(row, ours.instruments, NOW)
    with pytest.raises(BrokerError, match="a holding"):
        holding_of(row, ours.instruments, DAY)


def _order(segment: str, product: str, **more: object) -> dict[str, object]:
    return {
        "orderId": "7", "correlationId": "tag-1", "orderStatus": "TRADED", "quantity": 100,
        "transactionType": "BUY", "exchangeSegment": segment, "productType": product,
        "securityId": str(SHARE_ID), "price": 1000.0, "filledQty": 100, "drvOptionType": "NA",
        "drvExpiryDate": "0001-01-01", "drvStrikePrice": 0.0, "updateTime": "2026-02-11 09:59:00",
        **more,
    }  # fmt: skip


#: By hand from Dhan's price list and the schedules in force on 11 February 2026, for 100 shares at
#: 1,000 rupees. Both: exchange 2.97 and protection fund 0.10 (0.00297 and 0.0001 %), SEBI 0.10.
#: Delivery: no brokerage, STT 100.00, stamp 15.00, GST 0.57. Intraday: brokerage 20.00, which is
#: less than 0.03 %, no STT on a buy, stamp 3.00, GST 18 % of 23.17.
CHARGES = [("NSE_EQ", "CNC", 100, 118_74), ("NSE_EQ", "INTRADAY", 100, 30_34)]


@pytest.mark.parametrize(("segment", "product", "units", "charges"), CHARGES)
def test_a_fill_of_shares_is_charged_as_its_product(
    ours: OurSide, segment: str, product: str, units: int, charges: int
) -> None:
    row = _order(segment, product)
    found = order_of(row, ours.instruments, NOW)
    assert found is not None
    assert (found.instrument_key, found.state) == (SHARE.key, OrderState.TRADED)
    trade = {**row, "exchangeTradeId": "1", "tradedQuantity": units, "tradedPrice": 1000.0}
    whole = fill_of(trade, found, ours.instruments, NOW, earlier=0)
    assert whole.charges == charges
    half = {**trade, "tradedQuantity": units // 2}
    first = fill_of(half, found, ours.instruments, NOW, earlier=0)
    second = fill_of(half, found, ours.instruments, NOW, earlier=first.units * first.price)
    assert abs(first.charges + second.charges - whole.charges) <= 6  # each item is rounded twice


def test_a_past_fill_of_a_future_is_checked_by_its_expiry(ours: OurSide) -> None:
    row = _order("NSE_FNO", "MARGIN", drvExpiryDate="2026-02-24", drvStrikePrice=-0.01)
    found = order_of({**row, "quantity": 500, "filledQty": 500}, ours.instruments, NOW)
    assert found is not None
    assert found.instrument_key == STOCK_FUTURE.key
    trade = {**row, "exchangeTradeId": "1", "tradedQuantity": 500, "tradedPrice": 1405.0}
    assert past_fill_of(trade, found, earlier=0).units == 500
    with pytest.raises(BrokerError, match="its order 7 is in RELIANCE:2026-02-24:FUT"):
        past_fill_of({**trade, "drvExpiryDate": "2026-03-30"}, found, earlier=0)


@pytest.fixture
def feed(ours: OurSide, local: LocalExchange) -> Iterator[DhanFeed]:
    for instrument, price in ((SHARE, 1400_00), (STOCK_FUTURE, 1405_00), (FUTURE, 25_050_00)):
        local.market.show(instrument, price - 10, price + 10, size=650)
        local.market.trade(instrument, price, 6500, 0 if instrument == SHARE else 13_000)
    made = ours.feed()
    yield made
    made.close()


def test_quotes_of_all_kinds_are_requested_and_streamed(
    feed: DhanFeed, local: LocalExchange
) -> None:
    call = option(25_000)
    local.market.show(call, 99_00, 100_00)
    found = feed.quotes(
        [SHARE, STOCK_FUTURE, FUTURE, call, replace(FUTURE, expiry=date(2026, 3, 30))]
    )
    assert {key: (quote.bid, quote.ask, quote.open_interest) for key, quote in found.items()} == {
        SHARE.key: (1399_90, 1400_10, 0), STOCK_FUTURE.key: (1404_90, 1405_10, 13_000),
        FUTURE.key: (25_049_90, 25_050_10, 13_000), call.key: (99_00, 100_00, 0),
    }  # fmt: skip
    assert feed.spot("RELIANCE")[0] == 1400_00
    eventually(lambda: feed.status.connected)

    def ticked() -> bool:
        local.market.show(SHARE, 1409_90, 1410_10)
        local.market.trade(SHARE, 1410_00, 7000)
        local.market.show(FUTURE, 25_059_90, 25_060_10)
        local.push()
        held = feed.cache.get([SHARE.key, FUTURE.key])
        return (held[SHARE.key].last, held[FUTURE.key].bid) == (1410_00, 25_059_90)

    eventually(ticked)
    # the share's ticks are its stock's level: one subscription serves both
    eventually(lambda: feed.spot("RELIANCE")[0] == 1410_00)
    assert feed.quotes([SHARE])[SHARE.key].bid == 1409_90
