"""Quantity freeze and slices."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strikeloom.errors import DataError
from strikeloom.nse.freeze import freeze_units, slices


@pytest.mark.parametrize(
    ("symbol", "day", "units"),
    [
        ("NIFTY", date(2026, 2, 10), 1800),
        ("BANKNIFTY", date(2025, 10, 31), 900),
        ("BANKNIFTY", date(2025, 11, 3), 600),
        ("MIDCPNIFTY", date(2026, 8, 3), 2800),
        ("NIFTYNXT50", date(2026, 8, 3), 600),
        ("NIFTYFPI", date(2026, 8, 12), 8500),
        ("WIPRO", date(2026, 2, 10), 90000),
        ("WIPRO", date(2024, 7, 4), None),
        ("NIFTYFPI", date(2026, 8, 11), None),
        ("LTIM", date(2026, 2, 26), 4500),
        ("LTM", date(2026, 2, 27), 4500),  # LTIM until the day before
        ("LTM", date(2026, 2, 26), None),
    ],
)
def test_freeze_quantities_are_dated(symbol: str, day: date, units: int | None) -> None:
    assert freeze_units(symbol, day) == units


@pytest.mark.parametrize(
    ("units", "lot", "freeze", "orders"),
    [
        (24 * 75, 75, 1800, [1800]),  # NIFTY of 2025: 1,800 units are one order
        (25 * 75, 75, 1800, [1800, 75]),
        (20 * 30, 30, 600, [600]),  # BANKNIFTY since November 2025
        (1800, 1800, 1800, [1800]),
    ],
)
def test_an_order_of_the_freeze_quantity_is_allowed(units, lot, freeze, orders) -> None:
    assert slices(units, lot, freeze) == orders


def test_an_order_stays_within_the_limit() -> None:
    # the contract file prints 1756 = 27 lots of 65 + 1: 27 lots are the largest order
    assert slices(65 * 60, 65, 1800) == [1755, 1755, 390]
    assert slices(65 * 60, 65, None) == [3900]


@pytest.mark.parametrize("units", [0, -65, 100])
def test_what_is_not_whole_lots_is_refused(units: int) -> None:
    with pytest.raises(DataError, match="not whole lots of 65"):
        slices(units, 65, 1800)


def test_a_lot_above_the_freeze_is_refused() -> None:
    with pytest.raises(DataError, match="one lot of 1801 units is above the freeze quantity 1800"):
        slices(1801, 1801, 1800)


@given(lots=st.integers(1, 5000), lot=st.integers(1, 5000), freeze=st.integers(5001, 10000))
def test_slices_add_up(lots: int, lot: int, freeze: int) -> None:
    cut = slices(lots * lot, lot, freeze)
    assert sum(cut) == lots * lot
    assert all(0 < units <= freeze and units % lot == 0 for units in cut)
    assert cut == sorted(cut, reverse=True)
    assert len(cut) <= 1 or cut[0] + lot > freeze  # no more orders than needed


@pytest.mark.realdata
def test_the_list_of_december_2025(shared_data: Path) -> None:
    with (shared_data / "reference" / "qtyfreeze.csv").open(encoding="utf-8") as stream:
        listed = [[field.strip() for field in row] for row in csv.reader(stream)][1:]
    assert len(listed) == 213
    for _, symbol, units in listed:
        assert freeze_units(symbol, date(2025, 12, 20)) == int(units)


@pytest.mark.realdata
def test_the_contract_file_of_july_2024(shared_data: Path) -> None:
    """It prints the largest order plus one."""
    import pandas as pd

    path = shared_data / "reference" / "NSE_FO_contract_05072024.csv.gz"
    frame = pd.read_csv(path, usecols=["FinInstrmNm", "TckrSymb", "MaxTradQty"])
    frame = frame[frame["FinInstrmNm"].isin(["OPTSTK", "OPTIDX"])]
    largest = frame.groupby("TckrSymb")["MaxTradQty"].max()
    largest = largest[~largest.index.str.contains("NSETEST")]
    for symbol, units in largest.items():
        assert freeze_units(str(symbol), date(2024, 7, 5)) == int(units) - 1, symbol
