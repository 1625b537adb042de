"""A day's note beside what is booked: figures by hand from the rates of February 2026."""

from __future__ import annotations

from datetime import date

import pytest

from strikeloom.adapters.sim import SimBroker
from strikeloom.domain.instruments import FutureContract, Instrument, InstrumentKind, Share
from strikeloom.domain.legs import Side
from strikeloom.domain.orders import Fill, FillKind
from strikeloom.nse.charges import Charges, Segment
from strikeloom.trading.day_note import SegmentTotals, day_note
from support.fakes import CASH, EXPIRY, ManualClock, ShownFeed, ist, option, order

DAY = date(2026, 2, 11)
SHARE = Share("RELIANCE", 10)
CALL = option(25_000)
FUTURE = FutureContract("NIFTY", EXPIRY, InstrumentKind.INDEX, 65, 10)
BUY, SELL = Side.BUY, Side.SELL
RUPEES = "STT and stamp duty are in whole rupees on the note, once a market"
UNNAMED = "booked with the fills otherwise than by the rates on record"


def fill(
    number: int, instrument: Instrument, side: Side, units: int, price: int, charges: int,
    *, order: int = 0, kind: FillKind = FillKind.TRADE, at: str = "10:00", day: date = DAY,
) -> Fill:  # fmt: skip
    return Fill(
        f"F{number}", f"E{order or number}", f"I-{number}", instrument.key, side, units, price,
        charges, ist(f"{day} {at}"), kind,
    )  # fmt: skip


def test_the_note_of_options_and_a_future() -> None:
    """65 bought at 100.00 and sold at 110.00, a future of 65 bought at 25,000.00.

    STT 0.1 % of 7,150.00; exchange and protection fund 0.03553 % of 13,650.00 and 0.00183 % of
    16,25,000.00; SEBI 0.0001 %; stamps 0.003 % of 6,500.00 and 0.002 % of 16,25,000.00: 7.15 and
    32.695, on the note 7 and 33. Brokerage 3 x 20.00; GST 18 %.
    """
    fills = [
        fill(1, CALL, BUY, 65, 100_00, 2661),
        fill(2, CALL, SELL, 65, 110_00, 3372),
        fill(3, FUTURE, BUY, 65, 25_000_00, 9323),
        fill(4, CALL, BUY, 65, 90_00, 2643, day=date(2026, 2, 10)),
    ]
    note = day_note(fills, DAY)
    assert note.segments == (
        SegmentTotals(Segment.OPTION, 2, 6_500_00, 7_150_00),
        SegmentTotals(Segment.FUTURE, 1, 16_25_000_00, 0),
    )
    assert note.markets == {"derivatives": Charges(60_00, 7_00, 34_59, 1_64, 33_00, 17_32)}
    assert note.net_payable == 6_500_00 - 7_150_00 + 153_55
    assert note.booked == 2661 + 3372 + 9323
    assert sum(paise for _, paise in note.differences) == 153_55 - note.booked
    rounded = dict(note.differences)[RUPEES]
    assert rounded == 7_00 - 7_15 + 33_00 - 32_70


def test_shares_bought_and_sold_the_same_day_are_taxed_as_intraday() -> None:
    """10 bought at 1,400.00 and 10 sold at 1,410.00 as CNC: no brokerage, as delivery.

    STT booked 0.1 % of 14,000.00 and 14,100.00; on the note 0.025 % of 10 x 1,405.00 = 3.51.
    Stamps booked 0.015 % of 14,000.00 = 2.10; on the note 0.003 % = 0.42.
    """
    fills = [fill(1, SHARE, BUY, 10, 1_400_00, 1662), fill(2, SHARE, SELL, 10, 1_410_00, 1463)]
    note = day_note(fills, DAY)
    (charges,) = note.markets.values()
    assert (charges.brokerage, charges.stt, charges.stamp) == (0, 4_00, 0)
    reasons = dict(note.differences)
    assert reasons["bought and sold the same day, taxed as intraday: RELIANCE"] == (
        3_51 + 42 - 14_00 - 14_10 - 2_10
    )
    assert reasons[RUPEES] == 49 - 42
    assert sum(reasons.values()) == charges.total - note.booked


@pytest.mark.parametrize(
    ("more", "reason"),
    [(14_75, "the depository's fee is on the ledger"), (7_00, "otherwise than by the rates")],
)
def test_what_is_booked_beyond_the_rates_is_named(more: int, reason: str) -> None:
    """12.50 and 18 % are the depository's; another sum has no name."""
    charges = day_note([fill(1, SHARE, SELL, 10, 1_410_00, 0)], DAY)
    unbooked = -dict(charges.differences)[UNNAMED]
    note = day_note([fill(1, SHARE, SELL, 10, 1_410_00, abs(unbooked) + more)], DAY)
    assert [paise for why, paise in note.differences if reason in why] == [-more]
    assert sum(paise for _, paise in note.differences) == note.charges.total - note.booked


def test_what_ends_a_contract_is_on_no_note_of_orders() -> None:
    fills = [
        fill(1, CALL, SELL, 65, 120_00, 9_75, kind=FillKind.SETTLEMENT),
        fill(2, SHARE, BUY, 500, 1_400_00, 805_00, kind=FillKind.DELIVERY),
    ]
    note = day_note(fills, DAY)
    assert (note.segments, note.charges.total, note.booked, note.differences) == ((), 0, 0, ())
    assert note.besides == (("delivery", 805_00), ("settlement", 9_75))


def test_the_note_of_the_simulated_broker_explains_every_paisa(tmp_path) -> None:
    """An order of two fills, all kinds, shares sold that were held and that were bought today."""
    market = ShownFeed(ManualClock(ist("2026-02-10 10:00")))
    market.spots |= {"NIFTY": 25_000_00, "RELIANCE": 1_400_00}
    broker = SimBroker(tmp_path / "account.db", market, market.clock, CASH)
    market.show(SHARE, 1_399_00, 1_400_00)
    broker.submit(order("held", SHARE, "BUY", 100, 1_400_00))
    market.clock.at = ist("2026-02-11 10:00")
    for instrument, price in ((SHARE, 1_402_00), (CALL, 101_35), (FUTURE, 25_013_00)):
        market.show(instrument, price, price, size=65)
    broker.submit(order("slow", CALL, "BUY", 3, 101_35))
    broker.submit(order("future", FUTURE, "SELL", 1, 25_013_00))
    broker.submit(order("more", SHARE, "BUY", 7, 1_402_00))
    broker.submit(order("less", SHARE, "SELL", 31, 1_402_00))
    market.clock.at = ist("2026-02-11 11:00")
    market.show(CALL, 101_35, 101_35)
    note = day_note(broker.fills(), DAY)
    assert [(it.segment, it.orders) for it in note.segments] == [
        (Segment.OPTION, 1), (Segment.FUTURE, 1), (Segment.DELIVERY, 2)
    ]  # fmt: skip
    reasons = dict(note.differences)
    assert reasons.pop("the depository's fee is on the ledger, not on the note") == -14_75
    assert not [why for why in reasons if "otherwise than" in why]
    booked = sum(f.charges for f in broker.fills() if f.at.date() == DAY)
    assert note.booked == booked
    assert sum(reasons.values()) - 14_75 == note.charges.total - booked
    broker.close()
