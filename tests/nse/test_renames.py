"""Former names lead to later ones, later ones back, and a name used again is its new owner's."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from strikeloom.nse.corporate_actions import CorporateAction, on_record
from strikeloom.nse.renames import (
    actions_under_later_names,
    known_as,
    names_of,
    under_later_names,
)

JAN, MAR, MAY, JUL = (date(2026, month, 5) for month in (1, 3, 5, 7))


def _rename(former: str, later: str, day: date) -> CorporateAction:
    return CorporateAction(former, day, "rename", None, later)


CHAIN = [_rename("BBB", "CCC", MAY), _rename("AAA", "BBB", MAR)]


@pytest.mark.parametrize(
    ("name", "day", "symbol", "note"),
    [
        ("ZOMATO", date(2026, 2, 10), "ETERNAL", "ZOMATO became ETERNAL on 2025-04-09"),
        ("ZOMATO", date(2025, 4, 9), "ETERNAL", "ZOMATO became ETERNAL on 2025-04-09"),
        ("ZOMATO", date(2025, 4, 8), "ZOMATO", ""),
        ("ETERNAL", date(2025, 4, 8), "ZOMATO", "ZOMATO became ETERNAL on 2025-04-09"),
        ("ETERNAL", date(2026, 2, 10), "ETERNAL", ""),
        ("TATAMOTORS", date(2026, 1, 1), "TMPV", "TATAMOTORS became TMPV on 2025-10-24"),
        ("LTIM", date(2026, 2, 26), "LTIM", ""),
        ("LTIM", date(2026, 2, 27), "LTM", "LTIM became LTM on 2026-02-27"),
        ("GMRINFRA", date(2025, 1, 1), "GMRAIRPORT", "GMRINFRA became GMRAIRPORT on 2024-12-11"),
        ("NIFTY", date(2026, 1, 1), "NIFTY", ""),
        ("", date(2026, 1, 1), "", ""),
    ],
)
def test_names_on_record_lead_to_the_symbol_of_the_day(
    name: str, day: date, symbol: str, note: str
) -> None:
    found = known_as(name, day, on_record())
    assert (found.symbol, found.note) == (symbol, note)
    assert str(found) == (f"{symbol} ({note})" if note else symbol)


@pytest.mark.parametrize("name", ["AAA", "BBB", "CCC"])
@pytest.mark.parametrize(("day", "symbol"), [(JAN, "AAA"), (MAR, "BBB"), (MAY, "CCC")])
def test_a_chain_of_renames_leads_from_each_name_to_that_of_the_day(
    name: str, day: date, symbol: str
) -> None:
    found = known_as(name, day, CHAIN)
    assert found.symbol == symbol
    assert [item.day for item in found.renames] == sorted(item.day for item in found.renames)


def test_a_name_that_another_underlying_took_over_is_that_underlyings() -> None:
    actions = [_rename("OLD", "NEW", MAR), _rename("OTHER", "OLD", JUL)]
    assert known_as("OLD", MAY, actions).symbol == "NEW"
    assert known_as("OLD", JUL, actions) == ("OLD", ())
    assert names_of("OLD", actions) == ["OLD", "OTHER"]
    assert names_of("NEW", actions) == ["NEW", "OLD"]


def test_the_names_of_an_underlying_begin_with_the_newest() -> None:
    assert names_of("CCC", CHAIN) == ["CCC", "BBB", "AAA"]
    assert names_of("NIFTY", CHAIN) == ["NIFTY"]


def test_rows_are_renamed_only_where_they_are_older_than_the_rename() -> None:
    symbols = np.array(["AAA", "BBB", "CCC", "AAA", "ZZZ"], dtype=object)
    days = np.array([JAN, MAR, MAY, MAY, JAN], dtype="datetime64[D]")
    found = under_later_names(symbols, days, CHAIN)
    # the fourth row is of a new underlying with the former name
    assert found.tolist() == ["CCC", "CCC", "CCC", "AAA", "ZZZ"]
    assert under_later_names(symbols[:0], days[:0], CHAIN).tolist() == []


def test_actions_before_a_rename_are_those_of_the_later_name() -> None:
    demerger = CorporateAction("TATAMOTORS", date(2025, 10, 14), "demerger", None)
    split = CorporateAction("TATAMOTORS", date(2026, 2, 2), "split", 2.0)
    rename = _rename("TATAMOTORS", "TMPV", date(2025, 10, 24))
    found = actions_under_later_names([demerger, rename, split])
    assert [item.symbol for item in found] == ["TMPV", "TATAMOTORS", "TATAMOTORS"]
