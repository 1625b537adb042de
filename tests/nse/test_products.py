"""Products of the broker: its documents on what is held as what, and when it is closed."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from strikeloom.domain.instruments import FutureContract, Instrument, InstrumentKind, Share
from strikeloom.domain.products import Product
from strikeloom.errors import DataError
from strikeloom.nse.charges import Segment
from strikeloom.nse.products import (
    carried_product,
    charged_as,
    first_square_off,
    product_rule,
    product_rules,
    square_off_moment,
)
from strikeloom.nse.sessions import IST
from support.fakes import option

DAY = date(2026, 2, 10)
SHARE = Share("RELIANCE", 10)
FUTURE = FutureContract("NIFTY", date(2026, 2, 24), InstrumentKind.INDEX, 65, 10)
OPTION = option(25_000)
KINDS = [SHARE, FUTURE, OPTION]


# dhanhq.co/docs, annexure: CNC cash and carry for equity deliveries; INTRADAY for equity, futures
# and options; MARGIN carry forward in futures and options. MTF by Dhan's price list.
@pytest.mark.parametrize(
    ("instrument", "names"),
    [
        (SHARE, {"CNC": True, "MTF": True, "INTRADAY": False}),
        (FUTURE, {"INTRADAY": False, "MARGIN": True}),
        (OPTION, {"INTRADAY": False, "MARGIN": True}),
    ],
)
def test_what_is_held_as_what(instrument: Instrument, names: dict[str, bool]) -> None:
    assert {rule.name: rule.overnight for rule in product_rules(instrument, DAY)} == names


def test_what_is_carried_over_nights() -> None:
    assert [carried_product(it) for it in KINDS] == [Product.CNC, Product.MARGIN, Product.MARGIN]
    with pytest.raises(DataError, match="nobroker carries no delivery"):
        carried_product(SHARE, "nobroker")


def test_what_a_product_is_charged_as() -> None:
    assert charged_as(SHARE, Product.CNC, DAY) is Segment.DELIVERY
    assert charged_as(SHARE, Product.INTRADAY, DAY) is Segment.INTRADAY
    assert charged_as(FUTURE, Product.INTRADAY, DAY) is Segment.FUTURE
    assert charged_as(OPTION, Product.MARGIN, DAY) is Segment.OPTION
    with pytest.raises(DataError, match=r"holds no NIFTY .* as CNC .* products: INTRADAY, MARGIN"):
        charged_as(OPTION, Product.CNC, DAY)


@pytest.mark.parametrize("instrument", KINDS)
def test_intraday_positions_were_closed_at_twenty_past_three(instrument: Instrument) -> None:
    """knowledge.dhan.co: cash and derivatives 3:20 PM; not known for the hours since August."""
    last = date(2026, 7, 31)
    assert square_off_moment(instrument, last) == datetime(2026, 7, 31, 15, 20, tzinfo=IST)
    assert square_off_moment(instrument, date(2026, 8, 3)) is None
    rule = product_rule(instrument, "INTRADAY", date(2026, 8, 3))
    assert rule is not None
    assert not rule.overnight


def test_no_time_of_closing_is_known_on_a_day_of_other_hours() -> None:
    assert square_off_moment(SHARE, date(2025, 10, 21)) is None  # an hour of Muhurat trading


@pytest.mark.parametrize("day", [DAY, date(2026, 7, 31), date(2026, 8, 3), date(2025, 10, 21)])
def test_nothing_is_closed_before_the_first_moment_of_a_day(day: date) -> None:
    known = [at for it in KINDS if (at := square_off_moment(it, day)) is not None]
    assert first_square_off(day) == min(known, default=None)


def test_a_product_begins_with_its_row() -> None:
    assert product_rule(SHARE, "MTF", date(2021, 12, 31)) is None
    assert product_rules(SHARE, DAY, "nobroker") == ()
