"""Charges: published rates by date, a worked contract note."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strikeloom.domain.instruments import InstrumentKind, OptionContract, Right
from strikeloom.domain.legs import Side
from strikeloom.errors import DataError
from strikeloom.nse import charges
from strikeloom.nse.charges import first_charge_day, settlement_charges, trade_charges

DAY = date(2026, 4, 2)


def test_charges_of_the_worked_example() -> None:
    """One lot of 65 at Rs 100 after 2026-04-01: premium 6,500."""
    sell = trade_charges(Side.SELL, 65, 10000, DAY)
    assert (sell.brokerage, sell.stt, sell.exchange, sell.sebi, sell.gst) == (
        2000,
        975,
        231,
        1,
        402,
    )
    assert sell.total == pytest.approx(3610, abs=2)
    buy = trade_charges(Side.BUY, 65, 10000, DAY)
    assert (buy.stt, buy.stamp) == (0, 20)
    assert buy.total == pytest.approx(2650, abs=5)
    assert 6260 <= sell.total + buy.total <= 6290


# of a premium of one crore rupees, in rupees: Finance Acts and NSE's price lists
@pytest.mark.parametrize(
    ("day", "stt", "exchange"),
    [
        (date(2021, 4, 1), 5000, 5300.01),
        (date(2023, 3, 31), 5000, 5300.01),
        (date(2023, 4, 1), 6250, 5050),
        (date(2024, 3, 31), 6250, 5050),
        (date(2024, 4, 1), 6250, 5000),
        (date(2024, 9, 30), 6250, 5000),
        (date(2024, 10, 1), 10000, 3553),
        (date(2026, 2, 28), 10000, 3553),
        (date(2026, 3, 1), 10000, 3553),
        (date(2026, 3, 31), 10000, 3553),
        (date(2026, 4, 1), 15000, 3553),
    ],
)
def test_the_rates_are_dated(day: date, stt: int, exchange: float) -> None:
    sell = trade_charges(Side.SELL, 1_000_000, 1000, day)
    assert sell.stt == stt * 100
    assert sell.exchange == round(exchange * 100)  # with the protection fund
    assert sell.sebi == 10 * 100


def test_stamp_duty_is_the_buyers_and_stt_the_sellers() -> None:
    buy, sell = (trade_charges(side, 65, 10000, DAY) for side in (Side.BUY, Side.SELL))
    assert (buy.stt, sell.stamp) == (0, 0)
    assert (buy.brokerage, buy.exchange, buy.sebi, buy.gst) == (
        sell.brokerage,
        sell.exchange,
        sell.sebi,
        sell.gst,
    )


def test_brokerage_is_for_the_order_not_for_its_fills() -> None:
    later = trade_charges(Side.BUY, 65, 10000, DAY, first_fill=False)
    first = trade_charges(Side.BUY, 65, 10000, DAY)
    assert (first.brokerage, later.brokerage) == (2000, 0)
    assert first.gst - later.gst == 360  # 18 % of Rs 20


INDEX = OptionContract("NIFTY", DAY, 24000_00, Right.CALL, InstrumentKind.INDEX, 50, 5)
STOCK = OptionContract("RELIANCE", DAY, 1400_00, Right.CALL, InstrumentKind.STOCK, 500, 5)


def test_exercise_is_taxed_on_intrinsic_value() -> None:
    """Rs 200 a unit on 50 units: 0.125 % of Rs 10,000 until March 2026, 0.15 % since."""
    assert settlement_charges(INDEX, 50, 200_00, date(2026, 3, 31)).total == 1250
    assert settlement_charges(INDEX, 50, 200_00, date(2026, 4, 1)).total == 1500
    assert settlement_charges(INDEX, 50, 0, DAY).total == 0
    assert settlement_charges(INDEX, -50, 200_00, DAY).total == 0


@pytest.mark.parametrize(
    ("right", "net", "stt", "stamp"),
    [
        # 500 shares at 1,400: 0.1 % of 7 lakh is Rs 700, and 0.015 % of it Rs 105 to receive them
        (Right.CALL, 500, 700_00, 105_00),  # and no tax on the Rs 10,000 it is worth
        (Right.CALL, -500, 700_00, 0),
        (Right.PUT, 500, 700_00, 0),
        (Right.PUT, -500, 700_00, 105_00),
    ],
)
def test_a_delivery_is_taxed_on_the_shares_on_both_sides(
    right: Right, net: int, stt: int, stamp: int
) -> None:
    found = settlement_charges(replace(STOCK, right=right), net, 20_00, DAY)
    assert (found.stt, found.stamp, found.total) == (stt, stamp, stt + stamp)
    assert settlement_charges(replace(STOCK, right=right), net, 0, DAY).total == 0


def test_a_paisa_in_the_money_delivers_the_shares() -> None:
    """0.1 % of 7 lakh, and 0.015 % for the stamps."""
    found = settlement_charges(STOCK, 500, 1, DAY)
    assert (found.stt, found.stamp) == (700_00, 105_00)


def test_a_single_share_is_delivered_like_a_lot() -> None:
    """0.1 % and 0.015 % of Rs 1,400."""
    found = settlement_charges(STOCK, 1, 20_00, DAY)
    assert (found.stt, found.stamp) == (1_40, 21)


TATA = OptionContract(
    "TATAMOTORS", date(2025, 5, 29), 400_00, Right.CALL, InstrumentKind.STOCK, 550, 5
)


def test_a_call_delivered_alone_is_taxed_on_the_shares_alone() -> None:
    """A broker's policy and the tax department's letter of 2018-08-27: 0.1 % of 400 x 550."""
    found = settlement_charges(TATA, 550, 50_00, TATA.expiry)
    assert found.stt == 220_00
    assert found.stamp == 33_00  # 0.015 %


def test_what_nets_off_is_taxed_on_intrinsic_value() -> None:
    """0.125 % of 50 x 550 for the buyer: Rs 34.375; nothing for the seller."""
    found = settlement_charges(TATA, 550, 50_00, TATA.expiry, 0)
    assert (found.stt, found.total) == (34_38, 34_38)
    sold = replace(TATA, strike=420_00)
    assert settlement_charges(sold, -550, 30_00, TATA.expiry, 0).total == 0


def test_a_part_is_delivered_and_the_rest_ends_in_cash() -> None:
    """Of two lots one: Rs 220 and 33 for the shares, Rs 34.375 for the other."""
    found = settlement_charges(TATA, 1100, 50_00, TATA.expiry, 550)
    assert (found.stt, found.stamp) == (220_00 + 34_38, 33_00)


def test_charges_are_known_from_the_first_day_of_every_rate() -> None:
    """The table of the exchange's fee begins last, on 2021-01-01."""
    first = first_charge_day()
    assert first == date(2021, 1, 1)
    assert trade_charges(Side.SELL, 65, 10000, first).total > 0
    assert settlement_charges(STOCK, -500, 20_00, first).total > 0


def test_a_later_price_list_of_a_broker_leaves_the_first_day(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lists = [("2022-05-01", "1500"), ("2023-05-01", "2500")]
    table = [
        {
            "broker": "other", "segment": "option", "effective_from": day, "percent": "",
            "paise_per_order": paise,
        }
        for day, paise in lists
    ]  # fmt: skip
    known = charges.rows
    monkeypatch.setattr(charges, "rows", lambda name: table if name == "brokerage" else known(name))
    assert first_charge_day("other") == date(2022, 5, 1)
    assert charges.brokerage(date(2023, 4, 30), "other") == 1500
    assert charges.brokerage(date(2023, 5, 1), "other") == 2500
    first_charge_day.cache_clear()
    charges.listed_brokerage.cache_clear()


@given(units=st.integers(1, 10**5), price=st.integers(1, 10**6), side=st.sampled_from(list(Side)))
def test_charges_grow_with_the_premium(units: int, price: int, side: Side) -> None:
    small, large = (trade_charges(side, n, price, DAY) for n in (units, units + 1))
    assert 2360 <= small.total <= large.total  # brokerage with its GST at least
    # exchange, protection fund and SEBI bear GST; STT and stamp duty do not
    rate = 1.18 * (0.03552 + 0.00001 + 0.0001) + (0.15 if side is Side.SELL else 0.003)
    assert small.total - 2360 == pytest.approx(units * price * rate / 100, abs=4)


def test_a_day_before_the_table_is_refused() -> None:
    with pytest.raises(DataError, match=r"rate of exchange is not known for 2020-12-31"):
        trade_charges(Side.BUY, 65, 10000, date(2020, 12, 31))


def test_a_tax_on_delivered_exercises_would_fall_on_the_buyer_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its rate is 0 today. At 1 % of 50 rupees x 300 delivered of 550 units it is Rs 150."""
    call = OptionContract(
        "TATAMOTORS", date(2025, 5, 29), 400_00, Right.CALL, InstrumentKind.STOCK, 550
    )
    day = call.expiry
    today = {side: settlement_charges(call, side * 550, 50_00, day, 300) for side in (1, -1)}
    known = charges.percent

    def percent(item: str, on: date) -> float:
        return 1.0 if item == "stt_exercise_delivered" else known(item, on)

    monkeypatch.setattr(charges, "percent", percent)
    taxed = {side: settlement_charges(call, side * 550, 50_00, day, 300) for side in (1, -1)}
    assert taxed[1].stt - today[1].stt == 150_00
    assert taxed[-1] == today[-1]
