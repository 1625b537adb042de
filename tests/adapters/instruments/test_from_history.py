"""Contracts as a day's file lists them."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from strikeloom.adapters.bhavcopy import import_paths
from strikeloom.adapters.instruments.from_history import HistoryInstruments
from strikeloom.adapters.parquet.history import ParquetHistory
from strikeloom.domain.instruments import InstrumentKind, Right, Underlying
from strikeloom.errors import DataError, MissingHistory
from support.nse_files import legacy, save, udiff

DAY = date(2026, 2, 10)
KEY = "NIFTY:2026-02-24:2590000:CE"


@pytest.fixture
def instruments(history: ParquetHistory, tmp_path: Path) -> HistoryInstruments:
    half = {"StrkPric": "25850.50", "FinInstrmId": "40002"}
    import_paths([save(tmp_path / "a.csv", udiff({}, half))], history)
    return HistoryInstruments(history, history.underlyings())


def test_a_listed_contract(instruments: HistoryInstruments) -> None:
    found = instruments.instrument(KEY, DAY)
    assert (found.key, found.kind, found.lot_size, found.tick) == (KEY, InstrumentKind.INDEX, 65, 5)
    assert instruments.instrument(KEY, date(2026, 2, 13)) == found
    half = instruments.instrument("NIFTY:2026-02-24:2585050:CE", DAY)
    assert (half.strike, half.right) == (2_585_050, Right.CALL)


def test_what_is_not_listed(instruments: HistoryInstruments) -> None:
    with pytest.raises(DataError, match=r"NIFTY:2026-02-24:2590000:PE is not listed on 2026-02-10"):
        instruments.instrument("NIFTY:2026-02-24:2590000:PE", DAY)
    with pytest.raises(MissingHistory, match="no contracts up to 2026-02-09"):
        instruments.instrument(KEY, date(2026, 2, 9))
    with pytest.raises(DataError, match="names no instrument"):
        instruments.instrument("NIFTY", DAY)


def test_the_old_layout_has_no_lots(history: ParquetHistory, tmp_path: Path) -> None:
    stock = {"TckrSymb": "SBIN", "FinInstrmTp": "STO", "StrkPric": "1050.00"}
    import_paths([save(tmp_path / "a.csv", legacy({}, stock))], history)
    instruments = HistoryInstruments(history, {})
    assert instruments.instrument(KEY, DAY).lot_size == 65  # NSE/FAOP/70616: 65 from 2026
    with pytest.raises(DataError, match="import the day's UDiFF file"):
        instruments.instrument("SBIN:2026-02-24:105000:CE", DAY)


def test_underlyings_of_the_market_come_first(history: ParquetHistory) -> None:
    made = Underlying("NIFTY", InstrumentKind.INDEX, "Made")
    assert HistoryInstruments(history, {"NIFTY": made}).underlying("NIFTY") == made
    assert HistoryInstruments(history, {}).underlying("NIFTY").kind is InstrumentKind.INDEX
    with pytest.raises(DataError, match="NIFTI"):
        HistoryInstruments(history, {}).underlying("NIFTI")


def test_a_split_or_a_new_name_is_reported(history: ParquetHistory, tmp_path: Path) -> None:
    later = {"TradDt": "2026-03-02", "XpryDt": "2026-03-30"}
    later |= {"FininstrmActlXpryDt": "2026-03-30"}
    import_paths([save(tmp_path / "a.csv", udiff(later))], history)
    instruments = HistoryInstruments(history, {})
    with pytest.raises(DataError, match="on record: LTIM became LTM on 2026-02-27"):
        instruments.instrument("LTIM:2026-03-30:500000:CE", date(2026, 3, 2))


def test_a_tick_without_its_review_is_the_coarse_one(instruments: HistoryInstruments) -> None:
    assert instruments.tick("YESBANK", InstrumentKind.STOCK, DAY) == 5


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("symbol", "day", "tick"),
    [
        ("JIOFIN", date(2026, 3, 19), 5),  # closed at 239.45, but at 255.40 in February
        ("CROMPTON", date(2026, 2, 26), 1),  # above 250 again, but closed January at 221.45
        ("ANGELONE", date(2026, 2, 26), 5),  # split to 246.50 that day
        ("ANGELONE", date(2026, 3, 2), 1),
        ("NIFTY", date(2026, 3, 2), 5),
    ],
)
def test_ticks_are_those_of_the_monthly_review(
    real_history: ParquetHistory, symbol: str, day: date, tick: int
) -> None:
    kind = InstrumentKind.INDEX if symbol == "NIFTY" else InstrumentKind.STOCK
    assert HistoryInstruments(real_history, {}).tick(symbol, kind, day) == tick


@pytest.mark.realdata
def test_every_option_of_a_real_day_is_found(real_history: ParquetHistory) -> None:
    instruments = HistoryInstruments(real_history, {})
    frame = real_history.contracts(DAY, symbols=["BANKNIFTY", "M&M", "BAJAJ-AUTO"])
    options = frame[frame["right"] != "XX"].iloc[::37]
    for row in options.itertuples():
        paise = round(row.strike * 100)
        key = f"{row.symbol}:{row.expiry:%Y-%m-%d}:{paise}:{row.right}"
        found = instruments.instrument(key, DAY)
        assert (found.key, found.lot_size) == (key, row.lot_size)
