"""Charges beside contract notes, calculators and worked examples that brokers published.

Each case names its source and the day of its rates. Rupees of the source; half a rupee apart is
the same figure, as calculators differ in what they round.
"""

from __future__ import annotations

from datetime import date

import pytest

from strikeloom.domain.instruments import InstrumentKind, OptionContract, Right
from strikeloom.domain.legs import Side
from strikeloom.nse.charges import Segment, depository_charge, settlement_charges, trade_charges
from strikeloom.nse.contract_note import ExecutedOrder, contract_note, share_stt, whole_rupees

BUY, SELL = Side.BUY, Side.SELL
OPTION, FUTURE, DELIVERY, INTRADAY = Segment


def order(
    side: Side, segment: Segment, units: int, rupees: float, brokerage: float | None = None
) -> ExecutedOrder:
    paise = None if brokerage is None else round(brokerage * 100)
    return ExecutedOrder("A", segment, side, units, round(units * rupees * 100), paise)


#: Zerodha's calculator of early 2026, 500 units bought and sold at Rs 1,000, as recorded in
#: github marketcalls/vectorbt-backtesting-skills (rules/indian-market-costs.md).
SPRING = date(2026, 3, 2)
#: Zerodha's margin interface, recorded on 2026-09-30 (one lot of NIFTY: a future sold at 22,833.70
#: and an option bought at 19); a public example of reading its answers.
AUTUMN = date(2026, 9, 30)

NOTES = [
    # what, day, broker, orders, total of the source
    ("Zerodha calculator, intraday", SPRING, "zerodha",
     [order(BUY, INTRADAY, 500, 1000), order(SELL, INTRADAY, 500, 1000)], 224.61),
    ("Zerodha calculator, future", SPRING, "zerodha",
     [order(BUY, FUTURE, 500, 1000), order(SELL, FUTURE, 500, 1000)], 179.97),
    ("Zerodha calculator, option", SPRING, "zerodha",
     [order(BUY, OPTION, 500, 1000), order(SELL, OPTION, 500, 1000)], 982.63),
    ("Zerodha margin interface, future sold", AUTUMN, "zerodha",
     [order(SELL, FUTURE, 65, 22833.70)], 799.50),
    ("Zerodha margin interface, option bought", AUTUMN, "zerodha",
     [order(BUY, OPTION, 65, 19)], 24.12),
    # github zerodha/kiteconnect-mocks, virtual_contract_note.json: NIFTY of July 2023
    ("Zerodha virtual contract note, option bought", date(2023, 7, 12), "zerodha",
     [order(BUY, OPTION, 100, 1.5)], 23.69),
    # community.dhan.co/t/9058 ("Help understanding Dhan's pricing"), contract note 0811563: ten
    # shares sold at 1,283.50 brought Rs 12,821.48; by its rates between 2023-04 and 2024-03
    ("Dhan contract note, shares sold", date(2023, 9, 1), "dhan",
     [order(SELL, DELIVERY, 10, 1283.5)], 12_835 - 12_821.48),
    # investorgain.com, "Fyers Brokerage Calculator 2024": 5,000 units bought at 990, sold at 1,010
    ("Fyers calculator, future", date(2024, 2, 1), "zerodha",
     [order(BUY, FUTURE, 5000, 990, 20), order(SELL, FUTURE, 5000, 1010, 20)], 1025.00),
    ("ProStocks calculator, future", date(2024, 2, 1), "zerodha",
     [order(BUY, FUTURE, 5000, 990, 15), order(SELL, FUTURE, 5000, 1010, 15)], 1013.20),
    # r/UpdateINDIA of 2025-05-28, "Statutory charges in NSE F&O": RELIANCE, without brokerage
    ("statutory charges, future", date(2025, 5, 28), "dhan",
     [order(BUY, FUTURE, 500, 1420, 0), order(SELL, FUTURE, 500, 1450, 0)], 191.88),
]  # fmt: skip


@pytest.mark.parametrize(
    ("day", "broker", "orders", "total"), [c[1:] for c in NOTES], ids=[c[0] for c in NOTES]
)
def test_a_days_orders_cost_what_the_broker_published(
    day: date, broker: str, orders: list[ExecutedOrder], total: float
) -> None:
    assert contract_note(orders, day, broker).total / 100 == pytest.approx(total, abs=0.5)


def test_a_delivery_of_zerodhas_calculator_is_two_notes() -> None:
    """Rs 1,112.41 to buy 500 shares at 1,000 and sell them another day, without the depository."""
    notes = [
        contract_note([order(side, DELIVERY, 500, 1000)], SPRING, "zerodha") for side in (BUY, SELL)
    ]
    assert sum(note.total for note in notes) == pytest.approx(1112_41, abs=2)
    assert sum(note.stt for note in notes) == 1000_00
    assert [note.stamp for note in notes] == [75_00, 0]


def test_dhans_contract_note_to_the_paisa() -> None:
    """Rs 13 STT, and 0.52 of exchange, SEBI and GST."""
    note = contract_note([order(SELL, DELIVERY, 10, 1283.5)], date(2023, 9, 1))
    assert (note.stt, note.total) == (13_00, 13_52)


def test_a_future_sold_in_zerodhas_interface_to_the_paisa() -> None:
    """STT 742.09525, exchange 27.16068615, SEBI 1.4841905, GST 8.756, brokerage 20: 799.4962."""
    sold = trade_charges(SELL, 65, 22833_70, AUTUMN, segment=FUTURE, broker="zerodha")
    assert (sold.brokerage, sold.stt, sold.exchange, sold.sebi, sold.gst) == (
        2000, 742_10, 27_16, 1_48, 8_76,
    )  # fmt: skip
    assert (sold.stamp, sold.total) == (0, 799_50)


def test_the_parts_of_angel_ones_calculator() -> None:
    """angelone.in, intraday, 240,000 bought and 245,000 sold; its fee is of 2021 to March 2023.

    Its GST of 13.63 includes that of a depository fee that it does not charge: left out here.
    """
    day = date(2022, 6, 1)
    bought = trade_charges(BUY, 100, 2400_00, day, segment=INTRADAY)
    sold = trade_charges(SELL, 100, 2450_00, day, segment=INTRADAY)
    assert bought.brokerage + sold.brokerage == 40_00
    assert (bought.stt, sold.stt) == (0, 61_25)
    assert bought.exchange + sold.exchange == 16_73
    assert (bought.stamp, sold.stamp) == (7_20, 0)
    assert bought.sebi + sold.sebi == pytest.approx(49, abs=1)


def test_an_intraday_purchase_of_the_fyers_calculator() -> None:
    """hmatrading.in, "FYERS Brokerage Calculator 2024": Rs 10,000 bought cost Rs 4.2."""
    bought = trade_charges(BUY, 100, 100_00, date(2024, 3, 1), segment=INTRADAY)
    assert (bought.brokerage, bought.stt, bought.stamp) == (3_00, 0, 30)
    assert bought.total == pytest.approx(4_20, abs=5)


def test_the_parts_of_a_statutory_example() -> None:
    """r/UpdateINDIA, 2025-05-28: RELIANCE future 1,420 to 1,450, option 25 to 35, 500 units."""
    day = date(2025, 5, 28)
    legs = [
        trade_charges(s, 500, p, day, segment=FUTURE) for s, p in ((BUY, 1420_00), (SELL, 1450_00))
    ]
    assert sum(leg.exchange for leg in legs) == pytest.approx(24_83 + 1_44, abs=2)
    assert (legs[0].stamp, legs[1].stt) == (14_20, 145_00)
    options = [trade_charges(side, 500, p, day) for side, p in ((BUY, 25_00), (SELL, 35_00))]
    assert sum(leg.exchange for leg in options) == pytest.approx(10_51 + 15, abs=1)
    assert (options[0].stamp, options[1].stt) == (38, 17_50)


# support.zerodha.com, "How is STT calculated": texts before and after October 2024
@pytest.mark.parametrize(
    ("day", "orders", "stt"),
    [
        # of 700 bought 500 are sold again, at an average of 103.75: Rs 13 and Rs 21
        (date(2024, 1, 10), [order(BUY, INTRADAY, 500, 100), order(BUY, DELIVERY, 200, 110),
                             order(SELL, INTRADAY, 500, 105)], 13 + 21),
        (date(2024, 10, 1), [order(BUY, INTRADAY, 500, 100), order(SELL, INTRADAY, 500, 105)], 13),
        (date(2024, 10, 1), [order(BUY, DELIVERY, 500, 100)], 50),
        (date(2024, 10, 3), [order(SELL, DELIVERY, 500, 105)], 53),  # of 52.50: half counts as one
        # traderji.com, "Brokerage charges comparison": ICICI Direct, BIOCON on 2013-10-23
        (date(2013, 10, 23), [order(BUY, INTRADAY, 1000, 337.14), order(SELL, INTRADAY, 1000, 338)],
         84),
        # tradingqna.com/t/88483: calculator of 2020, 0.5177 printed as 1
        (date(2020, 11, 1), [order(BUY, INTRADAY, 20, 103.30), order(SELL, INTRADAY, 20, 103.55)],
         1),
    ],
)  # fmt: skip
def test_the_tax_on_shares_is_of_the_days_average_price(
    day: date, orders: list[ExecutedOrder], stt: int
) -> None:
    assert whole_rupees(share_stt(orders, day)) == stt * 100


@pytest.mark.parametrize(
    ("day", "segment", "units", "price", "stt"),
    [
        # support.zerodha.com, before October 2024: one lot of NIFTY at 15,000; an option sold at 60
        (date(2024, 1, 10), FUTURE, 50, 15000, 94),
        (date(2024, 1, 10), OPTION, 50, 60, 2),
        # forum.5paisa.com, "STT charges in contract notes", 2024-07-24: one lot of ITC
        (date(2024, 7, 24), FUTURE, 1600, 495, 99),
        # moneysukh.com, "Budget 2026: hike in STT": one lot of NIFTY at 25,000; 812.50 unrounded
        (date(2026, 3, 31), FUTURE, 65, 25000, 325),
        (date(2026, 4, 1), FUTURE, 65, 25000, 813),
    ],
)
def test_the_tax_on_a_derivative_sold(
    day: date, segment: Segment, units: int, price: int, stt: int
) -> None:
    assert contract_note([order(SELL, segment, units, price)], day).stt == stt * 100
    assert contract_note([order(BUY, segment, units, price)], day).stt == 0


def test_the_tax_on_an_exercised_option_is_rounded_down() -> None:
    """forum.5paisa.com, 2024-07-24: 0.125 % of 6.20 x 1,600 is 12.40, charged as Rs 12."""
    expiry = date(2024, 7, 25)
    itc = OptionContract("ITC", expiry, 490_00, Right.CALL, InstrumentKind.STOCK, 1600)
    assert whole_rupees(settlement_charges(itc, 1600, 6_20, expiry, 0).stt) == 12_00


# support.zerodha.com, "What does DP charge mean": 13.50 and later 13 with GST, each scrip and day;
# madefortrade.in and Dhan's price list: 12.50 with GST
@pytest.mark.parametrize(
    ("broker", "day", "paise"),
    [
        ("zerodha", date(2022, 3, 1), 15_93),
        ("zerodha", date(2024, 9, 30), 15_93),
        ("zerodha", date(2024, 10, 1), 15_34),
        ("dhan", date(2026, 9, 22), 14_75),
    ],
)
def test_the_depository_takes_its_fee_once_a_scrip_and_day(
    broker: str, day: date, paise: int
) -> None:
    assert depository_charge(day, broker) == paise
