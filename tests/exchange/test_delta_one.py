"""Futures and shares of end-of-day files: on the tick, in the day's range, settled as published."""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog

from strikeloom.adapters.bhavcopy import import_paths
from strikeloom.adapters.instruments.dated_ticks import DatedTicks
from strikeloom.adapters.instruments.from_history import HistoryInstruments
from strikeloom.adapters.parquet.history import ParquetHistory
from strikeloom.adapters.replay.feed import ReplayFeed
from strikeloom.domain.instruments import FutureContract, OptionContract, Share
from strikeloom.exchange.market.clock import SteppedClock
from strikeloom.exchange.market.end_of_day import MOMENTS, option_rows, priced_day
from strikeloom.exchange.market.end_of_day_delta_one import delta_one_of, delta_one_rows
from strikeloom.exchange.market.sources import tape_of_history
from strikeloom.exchange.market.views import views
from strikeloom.nse.sessions import session
from support.fakes import MADE, ist

if TYPE_CHECKING:
    from pathlib import Path

#: Expiry days, a split, a rename, the day of the largest fall, days of other years and ticks.
DAYS = (
    date(2025, 1, 2), date(2025, 1, 8), date(2026, 1, 2), date(2026, 1, 14), date(2026, 1, 27),
    date(2026, 2, 27), date(2026, 3, 9), date(2026, 3, 19),
)  # fmt: skip


def _files(shared: Path, day: date) -> tuple[Path, Path]:
    name = f"BhavCopy_NSE_FO_0_0_0_{day:%Y%m%d}_F_0000.csv.zip"
    return shared / "fo_bhavcopy" / "udiff" / name, shared / "cm_bhavcopy" / "daily" / (
        f"{day}.csv.gz"
    )


def _published(shared: Path, day: date) -> dict[str, dict[str, float]]:
    """Low, high, close, settlement and volume of futures and shares, read without our code."""
    contracts, cash = _files(shared, day)
    found: dict[str, dict[str, float]] = {}
    stocks = set()
    with zipfile.ZipFile(contracts) as archive:
        text = io.TextIOWrapper(archive.open(archive.namelist()[0]))
        for row in csv.DictReader(text):
            if row["FinInstrmTp"] in ("IDF", "STF"):
                # the open to the low of one that traded only as a leg of spreads are 0
                found[f"{row['TckrSymb']}:{row['XpryDt']}:FUT"] = {
                    "low": float(row["LwPric"]), "high": float(row["HghPric"]),
                    "close": float(row["ClsPric"]), "settle": float(row["SttlmPric"]),
                    "traded": float(row["TtlTradgVol"]), "id": float(row["FinInstrmId"]),
                    "before": float(row["PrvsClsgPric"]), "interest": float(row["OpnIntrst"]),
                    "last": row["FininstrmActlXpryDt"],
                }  # fmt: skip
            if row["FinInstrmTp"] == "STF":
                stocks.add(row["TckrSymb"])
    with gzip.open(cash, "rt") as file:
        for line in csv.DictReader(file):
            row = {name.strip(): value.strip() for name, value in line.items()}
            if row["SYMBOL"] in stocks and row["SERIES"] == "EQ":
                close = float(row["CLOSE_PRICE"])
                found[f"{row['SYMBOL']}:SHARE"] = {
                    "low": float(row["LOW_PRICE"]), "high": float(row["HIGH_PRICE"]),
                    "close": close, "settle": close, "traded": float(row["TTL_TRD_QNTY"]),
                    "before": float(row["PREV_CLOSE"]), "interest": 0.0,
                }  # fmt: skip
    return found


@pytest.fixture(scope="module")
def real(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> ParquetHistory:
    """Files of the days, with the cash files before them that decide the ticks."""
    history = ParquetHistory(tmp_path_factory.mktemp("delta_one") / "nse", "nse")
    cash = shared_data / "cm_bhavcopy" / "fno_underlyings_2024-12-02_to_2026-03-19.csv.gz"
    import_paths([*(path for day in DAYS for path in _files(shared_data, day)), cash], history)
    return history


@pytest.mark.realdata
@pytest.mark.parametrize("day", DAYS)
def test_quotes_of_a_day_are_within_its_files(
    shared_data: Path, real: ParquetHistory, day: date
) -> None:
    """Every quote of four moments: in low..high, on a tick that divides the printed prices."""
    known = _published(shared_data, day)
    ticks = DatedTicks(real)
    priced = priced_day(real, day, lambda s, k: ticks.tick(s, k, day))
    rows = delta_one_rows(
        delta_one_of(*priced), real.cash(day, day), lambda s, k, r: ticks.tick(s, k, day, r),
        MADE, MOMENTS,
    )  # fmt: skip
    rows["key"] = [
        f"{s}:SHARE" if right == "EQ" else f"{s}:{expiry:%Y-%m-%d}:FUT"
        for s, expiry, right in zip(rows["symbol"], rows["expiry"], rows["right"], strict=True)
    ]
    kinds = real.contracts(day, columns=["symbol", "kind"]).drop_duplicates()
    kind = dict(zip(kinds["symbol"], kinds["kind"], strict=True))
    quoted = 0
    for row in rows.itertuples():
        file = known[row.key]
        tick = ticks.tick(row.symbol, kind[row.symbol], day, row.right)
        assert round(file["low"] * 100) % tick == round(file["high"] * 100) % tick == 0
        for side in (row.bid, row.ask):
            if not np.isnan(side):
                quoted += 1
                assert file["low"] - 1e-9 <= side <= file["high"] + 1e-9, row
                assert round(side * 100) % tick == 0, row
                assert file["traded"] > 0
        assert not row.bid >= row.ask
        if row.at == rows["at"].max():
            assert row.settle == pytest.approx(file["settle"], abs=1e-9)
            assert np.isnan(row.last) if not file["traded"] else row.last == file["close"]
        else:
            assert np.isnan(row.settle)
    closing = rows[rows["at"] == rows["at"].max()]
    living = {key for key, file in known.items() if file.get("last", f"{day}") >= f"{day}"}
    assert set(closing["key"]) == living
    assert quoted > 0.97 * 2 * len(rows)


@pytest.mark.realdata
@pytest.mark.parametrize("day", DAYS[2:5])
def test_futures_and_options_have_fitted_forwards(real: ParquetHistory, day: date) -> None:
    """One forward and discount fit all quotes of an expiry, its future's too.

    Where that forward is outside the future's own low..high its quote is at the end of them.
    """
    ticks = DatedTicks(real)
    names = ["NIFTY", "BANKNIFTY", "RELIANCE", "SBIN", "TCS"]
    priced = priced_day(real, day, lambda s, k: ticks.tick(s, k, day), names)
    futures = delta_one_rows(
        delta_one_of(*priced), real.cash(day, day), lambda s, k, r: ticks.tick(s, k, day, r),
        MADE, MOMENTS,
    )  # fmt: skip
    checked, apart = _fitted_forwards(option_rows(priced, MADE), futures)
    assert checked >= 4 * 10
    printed = priced.chains.futures.set_index(["symbol", "expiry"])
    for future in apart:
        low, high = printed.loc[(future.symbol, future.expiry), ["low", "high"]]
        assert future.bid - low < 1e-9 or high - future.ask < 1e-9
    assert len(apart) <= 0.05 * checked


def _fitted_forwards(
    options: pd.DataFrame, futures: pd.DataFrame
) -> tuple[int, list[tuple[object, ...]]]:
    """Solve for one forward and discount inside the quotes of each expiry and moment.

    How many there were, and the futures that do not fit.
    """
    both = options.dropna(subset=["bid", "ask"])
    pairs = both[both["right"] == "CE"].merge(
        both[both["right"] == "PE"], on=["at", "symbol", "expiry", "strike"], suffixes=("_c", "_p")
    )
    groups = dict(list(pairs.groupby(["at", "symbol", "expiry"])))
    checked, apart = 0, []
    for future in futures[futures["right"] == "XX"].dropna(subset=["bid", "ask"]).itertuples():
        part = groups.get((future.at, future.symbol, future.expiry))
        if part is None:
            continue
        strike = part["strike"].to_numpy()
        least = (part["bid_c"] - part["ask_p"]).to_numpy()
        most = (part["ask_c"] - part["bid_p"]).to_numpy()
        one = np.ones_like(strike)
        # unknowns: discounted forward x, discount d; x - d K within each synthetic's quotes
        upper = [np.stack([one, -strike], 1), np.stack([-one, strike], 1),
                 [[1.0, -future.ask], [-1.0, future.bid]]]  # fmt: skip
        bounds = np.concatenate([most, -least, [0.0, 0.0]])
        solved = linprog([0, 0], np.concatenate(upper), bounds, bounds=[(0, None), (0.5, 1.0001)])
        checked += 1
        if not solved.success:
            apart.append(future)
    return checked, apart


@pytest.mark.realdata
def test_a_day_lists_and_settles_all_kinds(shared_data: Path, real: ParquetHistory) -> None:
    day, before = DAYS[3], DAYS[2]
    known = _published(shared_data, day)
    clock = SteppedClock(ist("2026-01-14 15:29"))
    instruments = HistoryInstruments(real, real.underlyings())
    tape = tape_of_history(real, instruments, day, clock, MADE)
    listed = {item.instrument.key: item for item in tape.listed}
    futures = [it for it in tape.listed if isinstance(it.instrument, FutureContract)]
    assert {it.instrument.key for it in futures} == {key for key in known if key.endswith("FUT")}
    assert all(it.security_id == known[it.instrument.key]["id"] for it in futures)
    shares = {it.instrument.symbol: it for it in tape.listed if isinstance(it.instrument, Share)}
    stocks = {it.symbol: it.security_id for it in tape.underlyings if it.segment == "NSE_EQ"}
    assert {symbol: it.security_id for symbol, it in shares.items()} == stocks
    assert len({it.security_id for it in tape.listed}) == len(tape.listed)
    assert all(isinstance(it.instrument, OptionContract)
               for found in tape.by_symbol.values() for it in found)  # fmt: skip
    weekly = date(2026, 1, 20)  # of NIFTY's options alone
    assert weekly in tape.expiries("NIFTY")
    assert f"NIFTY:{weekly}:FUT" not in listed

    near, share = listed["NIFTY:2026-01-27:FUT"].instrument, listed["RELIANCE:SHARE"].instrument
    assert (near.lot_size, near.tick, share.lot_size, share.tick) == (65, 10, 1, 10)
    assert instruments.instrument(near.key, day) == near
    assert instruments.instrument(share.key, day) == share
    assert instruments.order_limit(share, day) is None
    shown = views(tape, [near.key, share.key])
    for key in (near.key, share.key):
        assert shown[key].previous_close == round(known[key]["before"] * 100)
        assert shown[key].quote.volume > 0
    assert tape.daily_settlement(near, day) is None  # its session is not over
    clock.move_to(ist("2026-01-14 15:30"))
    assert tape.daily_settlement(near, day) == round(known[near.key]["settle"] * 100)
    earlier = round(_published(shared_data, before)[near.key]["settle"] * 100)
    assert tape.daily_settlement(near, before) == earlier
    assert tape.daily_settlement(near, date(2026, 1, 13)) is None  # not stored here
    quote = tape.quotes([near])[near.key]
    assert quote.last == round(known[near.key]["close"] * 100)
    assert quote.open_interest == known[near.key]["interest"]


@pytest.mark.realdata
def test_bands_of_a_day(real: ParquetHistory) -> None:
    """10 % of the close before; KOTAKBANK of the day of its split of a fifth of it."""
    day = DAYS[3]
    clock = SteppedClock(session(day).close)
    tape = tape_of_history(real, HistoryInstruments(real, real.underlyings()), day, clock, MADE)
    for key in ("NIFTY:2026-01-27:FUT", "RELIANCE:SHARE", "KOTAKBANK:SHARE"):
        item = tape.by_key(key)
        low, high = tape.band(item.instrument)
        base = int(tape.facts.previous_close[item.row])
        assert low == pytest.approx(0.9 * base, abs=item.instrument.tick)
        assert high == pytest.approx(1.1 * base, abs=item.instrument.tick)
    split = tape.by_key("KOTAKBANK:SHARE")
    printed = real.cash(day, day, symbols=["KOTAKBANK"])["previous_close"].iloc[0]
    assert tape.facts.previous_close[split.row] == pytest.approx(printed * 100 / 5, abs=1)


@pytest.mark.realdata
def test_a_replay_quotes_and_marks_them(shared_data: Path, real: ParquetHistory) -> None:
    day = DAYS[3]
    known = _published(shared_data, day)
    clock = SteppedClock(session(day).open)
    feed = ReplayFeed(real, clock, MADE)
    held = [
        HistoryInstruments(real, real.underlyings()).instrument(key, day)
        for key in ("NIFTY:2026-01-27:FUT", "NIFTY:2026-03-30:FUT", "SBIN:2026-02-24:FUT",
                    "SBIN:SHARE")
    ]  # fmt: skip
    opened = feed.quotes(held)
    assert set(opened) == {it.key for it in held}
    assert all(quote.settlement is None and quote.bid < quote.ask for quote in opened.values())
    clock.move_to(session(day).close)
    for it in held:
        quote, file = feed.quotes([it])[it.key], known[it.key]
        assert quote.settlement == round(file["settle"] * 100)
        assert quote.last == round(file["close"] * 100)
        assert file["low"] * 100 <= quote.bid < quote.ask <= file["high"] * 100
        if isinstance(it, FutureContract):
            assert feed.daily_settlement(it, day) == round(file["settle"] * 100)
