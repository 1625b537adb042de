"""Ticks of shares and futures: circulars, a broker's list, the exchange's own files."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from strikeloom.domain.instruments import InstrumentKind
from strikeloom.nse.ticks import future_tick, review_day, share_tick

if TYPE_CHECKING:
    import pandas as pd

STOCK, INDEX = InstrumentKind.STOCK, InstrumentKind.INDEX


# NSE circulars of 2024-05-24 and for 2025-04-15, as zerodha.com (bulletin of 2024-05-25) and
# fyers.in (notice of 2025-03-17) print them; closes in paise
@pytest.mark.parametrize(
    ("day", "close", "share", "future"),
    [
        (date(2024, 6, 9), 100_00, 5, 5),
        (date(2024, 6, 10), 249_99, 1, 5),
        (date(2024, 7, 7), 249_99, 1, 5),
        (date(2024, 7, 8), 249_99, 1, 1),
        (date(2024, 7, 8), 250_00, 5, 5),
        (date(2025, 4, 11), 25_000_00, 5, 5),
        (date(2025, 4, 15), 249_99, 1, 1),
        (date(2025, 4, 15), 250_00, 5, 5),
        (date(2025, 4, 15), 1000_00, 5, 5),
        (date(2025, 4, 15), 1000_05, 10, 10),
        (date(2025, 4, 15), 5000_00, 10, 10),
        (date(2025, 4, 15), 5000_10, 50, 50),
        (date(2025, 4, 15), 10_000_50, 100, 100),
        (date(2025, 4, 15), 20_000_00, 100, 100),
        (date(2025, 4, 15), 20_001_00, 500, 500),
    ],
)
def test_ticks_by_the_close_of_the_review(day: date, close: int, share: int, future: int) -> None:
    assert share_tick(close, day) == share
    assert future_tick(STOCK, close, day) == future


@pytest.mark.parametrize(
    ("day", "level", "tick"),
    [
        (date(2025, 4, 11), 52_000_00, 5),
        (date(2025, 4, 15), 12_000_00, 5),
        (date(2025, 4, 15), 15_000_00, 5),
        (date(2025, 4, 15), 23_519_35, 10),
        (date(2025, 4, 15), 30_000_00, 10),
        (date(2025, 4, 15), 51_564_85, 20),
    ],
)
def test_ticks_of_index_futures_by_the_level(day: date, level: int, tick: int) -> None:
    assert future_tick(INDEX, level, day) == tick


def test_the_first_review_was_on_28_march_2025() -> None:
    """fyers.in: "the first revision will be ... based on the closing price on March 28"."""
    assert review_day(date(2025, 4, 15)) == date(2025, 3, 28)


def test_without_a_close_the_coarsest_tick_holds() -> None:
    """A multiple of 500 paise is a price under each finer tick."""
    assert share_tick(None, date(2026, 2, 10)) == 500
    assert future_tick(STOCK, None, date(2026, 2, 10)) == 500
    assert future_tick(INDEX, None, date(2026, 2, 10)) == 20
    assert share_tick(None, date(2024, 6, 10)) == 5


def _closes(shared_data: Path, day: date) -> dict[str, int]:
    import pandas as pd

    name = "fno_underlyings_2024-12-02_to_2026-03-19.csv.gz"
    frame = pd.read_csv(shared_data / "cm_bhavcopy" / name, skipinitialspace=True)
    frame = frame[frame["DATE1"].str.strip() == f"{day:%d-%b-%Y}"]
    closes = (frame["CLOSE_PRICE"] * 100).round().astype(int)
    return dict(zip(frame["SYMBOL"], closes, strict=True))


@pytest.mark.realdata
def test_ticks_of_a_security_list(shared_data: Path) -> None:
    """Dhan's list of 2026-02-10 states the tick of every share and future in paise."""
    import pandas as pd

    day = date(2026, 2, 10)
    closes = _closes(shared_data, review_day(day))
    frame = pd.read_csv(shared_data / "scrip_master" / "api-scrip-master.csv.gz", low_memory=False)
    frame = frame[frame["SEM_EXM_EXCH_ID"] == "NSE"]
    names = frame["SEM_TRADING_SYMBOL"]
    shares = frame[(frame["SEM_INSTRUMENT_NAME"] == "EQUITY") & (frame["SEM_SERIES"] == "EQ")]
    futures = frame[frame["SEM_INSTRUMENT_NAME"] == "FUTSTK"]
    futures = futures.assign(SEM_TRADING_SYMBOL=names.str.rsplit("-", n=2).str[0])
    checked = 0
    for rows, expected in (
        (shares, {s: share_tick(close, day) for s, close in closes.items()}),
        (futures, {s: future_tick(STOCK, close, day) for s, close in closes.items()}),
    ):
        stated = rows.groupby("SEM_TRADING_SYMBOL")["SEM_TICK_SIZE"].unique()
        for symbol in stated.index.intersection(list(expected)):
            assert stated[symbol].tolist() == [expected[symbol]], symbol
            checked += 1
    assert checked > 450
    # underlying prices in the exchange's file of 2026-01-30
    levels = {"NIFTY": 25_320_65, "BANKNIFTY": 59_610_45, "FINNIFTY": 27_330_85,
              "MIDCPNIFTY": 13_400_05, "NIFTYNXT50": 67_839_85}  # fmt: skip
    listed = frame[frame["SEM_INSTRUMENT_NAME"] == "FUTIDX"]
    for name, tick in listed[["SEM_TRADING_SYMBOL", "SEM_TICK_SIZE"]].itertuples(index=False):
        assert future_tick(INDEX, levels[name.split("-")[0]], day) == tick, name


@pytest.mark.realdata
@pytest.mark.parametrize("day", [date(2026, 1, 1), date(2026, 3, 19)])
def test_futures_close_on_their_tick(
    shared_data: Path, official: dict[date, pd.DataFrame], day: date
) -> None:
    closes = _closes(shared_data, review_day(day))
    frame = official[day]
    futures = frame[(frame["type"] == "STF") & (frame["volume"] > 0)]
    off = 0
    for symbol, close in futures[["symbol", "close"]].itertuples(index=False):
        tick = future_tick(STOCK, closes[symbol], day) if symbol in closes else 1
        off += round(close * 100) % tick != 0
    assert off == 0


@pytest.mark.realdata
def test_a_stocks_futures_and_options_have_one_lot(official: dict[date, pd.DataFrame]) -> None:
    compared = 0
    for frame in official.values():
        lots = frame.groupby(["symbol", "expiry", "type"])["lot"].unique().unstack()
        both = lots.dropna(subset=["STF", "STO"])
        for key, future, option in both[["STF", "STO"]].itertuples():
            assert future.tolist() == option.tolist(), key
            compared += 1
    assert compared > 1500
