"""Today's chains from a broker's double on a stepped clock: paced, kept one by one, taken up."""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import replace
from datetime import date, datetime, time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from strikeloom import iv_history
from strikeloom.adapters.parquet.history import ParquetHistory
from strikeloom.adapters.workers import HereWorkers
from strikeloom.desk import open_desk
from strikeloom.errors import NoQuote, RateLimited, SettingsError, StageError, Unreachable
from strikeloom.nse.sessions import IST
from strikeloom.ports.desk import Desk
from support.fakes import ManualClock

MARKET = "synthetic-7"


class MadeChains:
    """``ports.chains.Chains``: contracts as a broker would quote them, half a percent wide."""

    def __init__(self, contracts: pd.DataFrame, clock: ManualClock) -> None:
        self.options = contracts[contracts["right"] != "XX"]
        self.clock = clock
        self.asked: list[tuple[datetime, str]] = []
        self.faults: dict[str, list[Exception]] = {}

    def expiries(self, symbol: str) -> list[date]:
        self._ask(symbol)
        rows = self.options[self.options["symbol"] == symbol]
        return sorted(rows["expiry"].dt.date.unique())

    def chain(self, symbol: str, expiry: date) -> pd.DataFrame:
        self._ask(symbol)
        of = (self.options["symbol"] == symbol) & (self.options["expiry"] == pd.Timestamp(expiry))
        rows = self.options[of]
        close = rows["close"].where(rows["traded"])
        return pd.DataFrame(
            {
                "at": pd.DatetimeIndex([self.clock.now()] * len(rows)).as_unit("us"),
                **{name: rows[name].to_numpy() for name in ("symbol", "expiry", "strike", "right")},
                "bid": (close * 0.9975).to_numpy(),
                "ask": (close * 1.0025).to_numpy(),
                "last": close.to_numpy(),
                "bid_size": 100,
                "ask_size": 100,
                "volume": (rows["lots_traded"] * rows["lot_size"]).to_numpy(),
                "open_interest": rows["open_interest"].to_numpy(),
                "spot": rows["underlying"].to_numpy(),
            }
        )

    def _ask(self, symbol: str) -> None:
        self.asked.append((self.clock.now(), symbol))
        waiting = self.faults.get(symbol, [])
        if waiting:
            raise waiting.pop(0)


class Live:
    """A desk whose last day has no file yet, only a broker."""

    def __init__(self, home: Path, drawn: ParquetHistory) -> None:
        before, self.today = drawn.days()[-2:]
        folder = home / "history" / MARKET
        (folder / "contracts").mkdir(parents=True)
        for name in ("underlyings.json", f"contracts/{before}.parquet"):
            shutil.copy(drawn.folder / name, folder / name)
        self.file = drawn.folder / "contracts" / f"{self.today}.parquet"
        self.clock = ManualClock(datetime.combine(self.today, time(14, 0), IST))
        self.chains = MadeChains(drawn.contracts(self.today), self.clock)
        self.desk = replace(open_desk(MARKET, self.today), clock=self.clock, chains=self.chains)
        self.symbols = sorted(drawn.contracts(before)["symbol"].unique())

    def read(self, *symbols: str) -> dict[str, str]:
        return {d.item: d.error for d in iv_history.read_chains(self.desk, symbols)}


@pytest.fixture
def live(home: Path, synthetic_history: ParquetHistory) -> Live:
    return Live(home, synthetic_history)


def _fill(desk: Desk) -> tuple[date, ...]:
    gaps = iv_history.find_gaps(desk)
    assert not [d for d in iv_history.collect(desk, gaps, HereWorkers()) if d.error]
    return gaps.todo


def test_requests_keep_three_seconds_apart(live: Live) -> None:
    assert live.read(*live.symbols[:4]) == dict.fromkeys(live.symbols[:4], "")
    moments = [at.timestamp() for at, _ in live.chains.asked]
    # an expiry list and two chains of each
    assert len(moments) == 4 * 3
    assert np.diff(moments).min() >= 3


def test_today_is_worked_out_from_quotes_and_again_from_the_file(
    live: Live, synthetic_history: ParquetHistory
) -> None:
    assert set(live.read().values()) == {""}
    assert live.today in _fill(live.desk)
    quoted = live.desk.store.iv_history(live.today, first=live.today).set_index("symbol")
    assert sorted(quoted.index) == live.symbols
    shutil.copy(live.file, live.desk.history.folder / "contracts")  # type: ignore[attr-defined]
    assert _fill(live.desk) == (live.today,)
    filed = live.desk.store.iv_history(live.today, first=live.today).set_index("symbol")
    both = pd.concat([quoted["atm_iv"], filed["atm_iv"]], axis=1, keys=["quoted", "filed"]).dropna()
    assert len(both) > len(filed) / 2
    assert (both["quoted"] - both["filed"]).abs().max() < 0.01


def test_stopped_it_goes_on_where_it_was(live: Live) -> None:
    outcomes = iv_history.read_chains(live.desk)
    first = [next(outcomes).item for _ in range(3)]
    outcomes.close()  # type: ignore[attr-defined]
    assert set(live.desk.history.chain_times(live.today)) == set(first)
    live.chains.asked.clear()
    # also those that today, as far as it is read, does not have
    assert live.read() == dict.fromkeys(live.symbols, "")
    assert not {symbol for _, symbol in live.chains.asked} & set(first)
    live.clock.wait(3600)
    live.chains.asked.clear()
    live.read(first[0])
    assert len(live.chains.asked) == 3, "an hour later it is read again"


def test_a_busy_broker_is_asked_again_and_a_symbol_without_quotes_fails_alone(live: Live) -> None:
    busy, silent, fine = live.symbols[:3]
    live.chains.faults[busy] = [RateLimited("slow down"), Unreachable("no route")]
    live.chains.faults[silent] = [NoQuote("no level of the underlying")]
    assert live.read(busy, silent, fine) == {
        busy: "",
        silent: "no level of the underlying",
        fine: "",
    }
    asked = Counter(symbol for _, symbol in live.chains.asked)
    assert asked == {busy: 5, silent: 1, fine: 3}
    assert set(live.desk.history.chain_times(live.today)) == {busy, fine}


def test_a_broker_that_is_down_ends_the_run_and_keeps_what_was_read(live: Live) -> None:
    for symbol in live.symbols[1:]:
        live.chains.faults[symbol] = [Unreachable("no route")] * 99
    with pytest.raises(
        StageError, match=r"5 underlyings in a row .* no route; the chains read so far"
    ):
        live.read()
    assert set(live.desk.history.chain_times(live.today)) == set(live.symbols[:1])


def test_without_a_broker_or_a_session_there_are_no_chains(live: Live) -> None:
    with pytest.raises(SettingsError, match="has no broker to ask"):
        next(iv_history.read_chains(replace(live.desk, chains=None)))
    sunday = ManualClock(datetime(2026, 6, 14, 12, 0, tzinfo=IST))
    with pytest.raises(StageError, match="2026-06-14 is no trading day"):
        next(iv_history.read_chains(replace(live.desk, clock=sunday)))


def test_a_wide_or_one_sided_quote_is_no_price(live: Live) -> None:
    symbol = live.symbols[0]
    ok = live.chains.options
    rows = (ok["symbol"] == symbol) & ok["traded"] & (ok["close"] > 20)
    names = ok.index[rows][:2]
    real = live.chains.chain

    def unreadable(name: str, expiry: date) -> pd.DataFrame:
        frame = real(name, expiry)
        for at, row in enumerate(frame.itertuples()):
            for place, number in enumerate(names):
                same = ok.loc[number]
                if (row.strike, row.right, row.expiry) == (same.strike, same.right, same.expiry):
                    frame.loc[at, "ask" if place == 0 else "bid"] = 99_999 if place == 0 else np.nan
        return frame

    live.chains.chain = unreadable  # type: ignore[method-assign]
    live.read(symbol)
    frame = live.desk.history.as_of(live.today).contracts(live.today)
    assert frame["close"].notna().eq(frame["traded"]).all()
    key = ["expiry", "strike", "right"]
    bad = frame.merge(ok.loc[names, key], on=key)
    assert len(bad) >= 1
    assert not bad["traded"].any()
