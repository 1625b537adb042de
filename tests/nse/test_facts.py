"""Expiries, lots, ticks, freeze, charges, settlement, underlyings: worked and published cases."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strikeloom.domain.instruments import Kind, OptionContract, Right
from strikeloom.domain.legs import Side
from strikeloom.errors import DataError
from strikeloom.nse.charges import exercise_charges, trade_charges
from strikeloom.nse.corporate_actions import renamed, splits, steps
from strikeloom.nse.expiries import monthly_expiries, monthly_expiry, weekly_expiries
from strikeloom.nse.freeze import freeze_units, slices
from strikeloom.nse.lots import index_lot
from strikeloom.nse.settlement import delivers, intrinsic
from strikeloom.nse.tables import rows
from strikeloom.nse.ticks import option_tick, snap
from strikeloom.nse.underlyings import known, underlying

TABLES = [
    "session_hours",
    "session_overrides",
    "index_lots",
    "ticks",
    "freeze",
    "charges",
    "brokerage",
    "expiry_weekday",
    "corporate_actions",
    "underlyings",
]


@pytest.mark.parametrize("table", TABLES)
def test_every_fact_has_its_date_and_its_source(table: str) -> None:
    for row in rows(table):
        date.fromisoformat(row["effective_from"])
        assert row["source"].strip(), row


# holiday shifts of 2026 (nominal Tuesdays that are holidays)
@pytest.mark.parametrize(
    ("month", "expected"),
    [
        (1, date(2026, 1, 27)),
        (2, date(2026, 2, 24)),
        (3, date(2026, 3, 30)),
        (4, date(2026, 4, 28)),
        (11, date(2026, 11, 23)),
    ],
)
def test_monthly_expiries_of_2026(month: int, expected: date) -> None:
    assert monthly_expiry(2026, month) == expected


def test_weekly_expiries_move_back_over_holidays() -> None:
    assert weekly_expiries(date(2026, 2, 26), 3) == [
        date(2026, 3, 2),
        date(2026, 3, 10),
        date(2026, 3, 17),
    ]
    assert date(2026, 4, 13) in weekly_expiries(date(2026, 4, 8), 2)


def test_expiries_were_on_thursdays_before_september_2025() -> None:
    assert monthly_expiry(2025, 7) == date(2025, 7, 31)
    assert monthly_expiries(date(2026, 1, 28), 2) == [date(2026, 2, 24), date(2026, 3, 30)]


@pytest.mark.parametrize(
    ("symbol", "expiry", "lot"),
    [
        ("NIFTY", date(2026, 2, 24), 65),
        ("NIFTY", date(2025, 6, 26), 75),
        ("BANKNIFTY", date(2026, 2, 24), 30),
        ("BANKNIFTY", date(2025, 10, 28), 35),
        ("FINNIFTY", date(2026, 2, 24), 60),
        ("MIDCPNIFTY", date(2026, 2, 24), 120),
        ("NIFTYNXT50", date(2026, 2, 24), 25),
    ],
)
def test_index_lots(symbol: str, expiry: date, lot: int) -> None:
    assert index_lot(symbol, expiry) == lot


def test_a_symbol_without_a_lot_is_refused() -> None:
    with pytest.raises(DataError, match="no lot size is on record for RELIANCE"):
        index_lot("RELIANCE", date(2026, 2, 24))


def test_ticks_are_finer_for_cheap_stocks_since_november_2025() -> None:
    assert option_tick(Kind.STOCK, 24999, date(2025, 11, 3)) == 1
    assert option_tick(Kind.STOCK, 24999, date(2025, 10, 31)) == 5
    assert option_tick(Kind.STOCK, 25000, date(2026, 2, 10)) == 5
    assert option_tick(Kind.STOCK, None, date(2026, 2, 10)) == 5
    assert option_tick(Kind.INDEX, 10000, date(2026, 2, 10)) == 5


@given(price=st.integers(1, 10**7), tick=st.sampled_from([1, 5, 10]))
def test_snapping_is_never_less_willing_to_trade(price: int, tick: int) -> None:
    buy, sell = snap(price, tick, Side.BUY), snap(price, tick, Side.SELL)
    assert buy % tick == sell % tick == 0
    assert buy >= price
    assert sell <= max(price, tick)
    assert buy - sell <= tick


def test_freeze_slices_stay_below_the_limit() -> None:
    assert freeze_units("NIFTY", date(2026, 2, 10)) == 1800
    # the contract file prints 1756 = 27 lots of 65 + 1 as the largest order plus one
    assert slices(65 * 60, 65, 1800) == [1755, 1755, 390]
    assert freeze_units("RELIANCE", date(2026, 2, 10)) is None
    with pytest.raises(DataError, match="not whole lots"):
        slices(100, 65, 1800)


@given(lots=st.integers(1, 5000), lot=st.integers(1, 5000), freeze=st.integers(5001, 10000))
def test_slices_add_up(lots: int, lot: int, freeze: int) -> None:
    cut = slices(lots * lot, lot, freeze)
    assert sum(cut) == lots * lot
    assert all(0 < units < freeze and units % lot == 0 for units in cut)


def test_charges_of_the_worked_example() -> None:
    """One lot of 65 at Rs 100 after 2026-04-01: premium 6,500."""
    sell = trade_charges(Side.SELL, 65, 10000, date(2026, 4, 2))
    assert (sell.brokerage, sell.stt, sell.exchange, sell.sebi, sell.gst) == (
        2000,
        975,
        231,
        1,
        402,
    )
    assert sell.total == pytest.approx(3610, abs=2)
    buy = trade_charges(Side.BUY, 65, 10000, date(2026, 4, 2))
    assert (buy.stt, buy.stamp) == (0, 20)
    assert buy.total == pytest.approx(2650, abs=5)
    assert 6260 <= sell.total + buy.total <= 6290


def test_the_rates_are_dated() -> None:
    premium = (Side.SELL, 65, 10000)
    assert trade_charges(*premium, date(2024, 9, 30)).stt == 406
    assert trade_charges(*premium, date(2024, 10, 1)).stt == 650
    assert trade_charges(*premium, date(2026, 3, 31)).stt == 650
    assert exercise_charges(1_000_000, date(2026, 3, 31)).total == 1250
    assert exercise_charges(1_000_000, date(2026, 4, 1)).total == 1500


def test_settlement_is_intrinsic_and_stocks_deliver() -> None:
    call = OptionContract("NIFTY", date(2026, 1, 27), 2500000, Right.CALL, Kind.INDEX, 65)
    assert intrinsic(call, 2517540) == 17540
    assert intrinsic(call, 2490000) == 0
    assert not delivers(call, 2517540)
    put = OptionContract("TCS", date(2026, 1, 27), 300000, Right.PUT, Kind.STOCK, 175)
    assert intrinsic(put, 290000) == 10000
    assert delivers(put, 290000)


def test_corporate_actions_are_dated() -> None:
    assert splits("KOTAKBANK") == [(date(2026, 1, 14), 5.0)]
    assert splits("ANGELONE") == [(date(2026, 2, 26), 10.0)]
    assert steps("ITC") == [date(2025, 1, 6)]
    assert renamed("LTIM") == ("LTM", date(2026, 2, 27))


def test_an_unknown_symbol_names_its_neighbour() -> None:
    assert underlying("NIFTY").kind is Kind.INDEX
    assert underlying("INFY").sector == "Information Technology"
    with pytest.raises(DataError, match="did you mean RELIANCE"):
        underlying("RELIANC")


@pytest.mark.realdata
def test_every_underlying_of_the_real_files_is_known(shared_data: Path) -> None:
    import zipfile

    import pandas as pd

    folder = shared_data / "fo_bhavcopy" / "udiff"
    symbols: set[str] = set()
    for path in sorted(folder.glob("*.zip"))[::12]:
        with zipfile.ZipFile(path) as archive, archive.open(archive.namelist()[0]) as stream:
            symbols |= set(pd.read_csv(stream, usecols=["TckrSymb"])["TckrSymb"])
    assert symbols <= set(known())
