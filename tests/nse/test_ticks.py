"""Ticks against traded prices and a broker's security list; snapping."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strikeloom.domain.instruments import InstrumentKind
from strikeloom.domain.legs import Side
from strikeloom.nse.ticks import option_tick, review_day, snap

if TYPE_CHECKING:
    import pandas as pd


def test_ticks_are_finer_for_cheap_stocks_since_november_2025() -> None:
    assert option_tick(InstrumentKind.STOCK, 24999, date(2025, 11, 3)) == 1
    assert option_tick(InstrumentKind.STOCK, 24999, date(2025, 10, 31)) == 5
    assert option_tick(InstrumentKind.STOCK, 25000, date(2026, 2, 10)) == 5
    assert option_tick(InstrumentKind.STOCK, None, date(2026, 2, 10)) == 5
    assert option_tick(InstrumentKind.INDEX, 10000, date(2026, 2, 10)) == 5


def test_the_review_is_on_the_last_trading_day_of_the_month_before() -> None:
    assert review_day(date(2025, 11, 3)) == date(2025, 10, 31)
    assert review_day(date(2026, 1, 1)) == date(2025, 12, 31)
    # 31 January 2026 was a Saturday; the special Sunday was in February already
    assert review_day(date(2026, 2, 27)) == date(2026, 1, 30)
    assert review_day(date(2026, 4, 1)) == date(2026, 3, 30)  # 31 March was a holiday


@given(price=st.integers(1, 10**7), tick=st.sampled_from([1, 5, 10]))
def test_snapping_is_never_less_willing_to_trade(price: int, tick: int) -> None:
    buy, sell = snap(price, tick, Side.BUY), snap(price, tick, Side.SELL)
    assert buy % tick == sell % tick == 0
    assert buy >= price
    assert sell <= max(price, tick)
    assert buy - sell <= tick
    assert snap(buy, tick, Side.SELL) == snap(buy, tick, Side.BUY) == buy


def test_snapping_by_hand() -> None:
    assert (snap(10003, 5, Side.BUY), snap(10003, 5, Side.SELL)) == (10005, 10000)
    assert (snap(2, 5, Side.SELL), snap(2, 5, Side.BUY)) == (5, 5)


def _closes(shared_data: Path, day: date) -> dict[str, float]:
    import pandas as pd

    name = "fno_underlyings_2024-12-02_to_2026-03-19.csv.gz"
    frame = pd.read_csv(shared_data / "cm_bhavcopy" / name, skipinitialspace=True)
    frame = frame[frame["DATE1"].str.strip() == f"{day:%d-%b-%Y}"]
    return dict(zip(frame["SYMBOL"], frame["CLOSE_PRICE"], strict=True))


@pytest.mark.realdata
@pytest.mark.parametrize("day", [date(2026, 1, 1), date(2026, 2, 26), date(2026, 3, 19)])
def test_prices_off_the_coarse_tick_trade_exactly_where_the_fine_one_holds(
    shared_data: Path, official: dict[date, pd.DataFrame], day: date
) -> None:
    closes = _closes(shared_data, review_day(day))
    frame = official[day]
    traded = frame[(frame["type"] == "STO") & (frame["volume"] > 0)]
    off = (traded["close"] * 100).round().astype(int) % 5 != 0
    share = off.groupby(traded["symbol"]).agg(["mean", "size"])
    fine = 0
    for symbol, found in share[share["size"] >= 20].iterrows():
        level = round(closes[str(symbol)] * 100)
        expected = option_tick(InstrumentKind.STOCK, level, day)
        assert (found["mean"] > 0.3) == (expected == 1), (symbol, level, found["mean"])
        fine += expected == 1
    assert fine > 15


@pytest.mark.realdata
def test_ticks_of_a_security_list(shared_data: Path) -> None:
    """Dhan's list of 2026-02-10 states the tick of every stock option in paise."""
    import pandas as pd

    path = shared_data / "scrip_master" / "api-scrip-master.csv.gz"
    columns = ["SEM_EXM_EXCH_ID", "SEM_INSTRUMENT_NAME", "SEM_TRADING_SYMBOL", "SEM_TICK_SIZE"]
    frame = pd.read_csv(path, usecols=columns)
    frame = frame[(frame["SEM_EXM_EXCH_ID"] == "NSE") & (frame["SEM_INSTRUMENT_NAME"] == "OPTSTK")]
    symbols = frame["SEM_TRADING_SYMBOL"].str.rsplit("-", n=4).str[0]
    stated = frame["SEM_TICK_SIZE"].groupby(symbols).unique()
    day = date(2026, 2, 10)
    closes = _closes(shared_data, review_day(day))
    checked = [symbol for symbol in stated.index if symbol in closes]
    assert len(checked) > 200
    for symbol in checked:
        tick = option_tick(InstrumentKind.STOCK, round(closes[symbol] * 100), day)
        assert stated[symbol].tolist() == [tick], symbol
