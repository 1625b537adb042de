"""Products of the broker: its documents on what trades as what, and when it is closed."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from strikeloom.errors import DataError
from strikeloom.nse.charges import Segment
from strikeloom.nse.products import product, products, square_off
from strikeloom.nse.sessions import IST

DAY = date(2026, 2, 10)


# dhanhq.co/docs, annexure: CNC cash and carry for equity deliveries; INTRADAY for equity, futures
# and options; MARGIN carry forward in futures and options. MTF by Dhan's price list.
@pytest.mark.parametrize(
    ("segment", "names"),
    [
        (Segment.DELIVERY, ["CNC", "MTF"]),
        (Segment.INTRADAY, ["INTRADAY"]),
        (Segment.FUTURE, ["INTRADAY", "MARGIN"]),
        (Segment.OPTION, ["INTRADAY", "MARGIN"]),
    ],
)
def test_what_trades_as_what(segment: Segment, names: list[str]) -> None:
    found = products(segment, DAY)
    assert [item.name for item in found] == names
    assert {item.segment for item in found} == {segment}
    assert {item.name: item.overnight for item in found} == {n: n != "INTRADAY" for n in names}


def test_shares_on_the_brokers_money_pay_brokerage() -> None:
    """Dhan's price list: nothing for delivery, Rs 20 or 0.03 % for its margin trading facility."""
    assert product("CNC", Segment.DELIVERY, DAY).brokerage is Segment.DELIVERY
    assert product("MTF", Segment.DELIVERY, DAY).brokerage is Segment.INTRADAY
    assert product("MARGIN", Segment.FUTURE, DAY).brokerage is Segment.FUTURE


@pytest.mark.parametrize("segment", [Segment.INTRADAY, Segment.FUTURE, Segment.OPTION])
def test_intraday_positions_were_closed_at_twenty_past_three(segment: Segment) -> None:
    """knowledge.dhan.co: NSE/BSE cash, derivatives 3:20 PM."""
    last = date(2026, 7, 31)
    assert square_off("INTRADAY", segment, last) == datetime(2026, 7, 31, 15, 20, tzinfo=IST)
    assert not product("INTRADAY", segment, date(2026, 8, 3)).overnight
    with pytest.raises(DataError, match=r"closes INTRADAY positions of .* is not on record"):
        square_off("INTRADAY", segment, date(2026, 8, 3))


def test_what_is_carried_is_not_closed() -> None:
    assert square_off("CNC", Segment.DELIVERY, DAY) is None
    assert square_off("MARGIN", Segment.OPTION, date(2026, 8, 3)) is None


def test_a_product_of_another_segment_is_refused() -> None:
    with pytest.raises(DataError, match=r"dhan trades no option as CNC .* products: INTRADAY, MAR"):
        product("CNC", Segment.OPTION, DAY)
    with pytest.raises(DataError, match="no delivery as MARGIN"):
        square_off("MARGIN", Segment.DELIVERY, DAY)
    with pytest.raises(DataError, match="products: none on record"):
        product("CNC", Segment.DELIVERY, DAY, "nobroker")
    assert products(Segment.DELIVERY, date(2021, 10, 31)) == ()
