"""Futures and shares of the synthetic market: consistent with its options at every moment."""

from __future__ import annotations

import math
from datetime import date

import numpy as np
import pytest

from strikeloom.adapters.instruments.from_history import HistoryInstruments
from strikeloom.adapters.parquet.history import ParquetHistory
from strikeloom.domain.instruments import FutureContract, OptionContract, Share
from strikeloom.exchange.market.clock import SteppedClock
from strikeloom.exchange.market.sources import tape_of_history
from strikeloom.exchange.market.synthetic import synthetic_days
from strikeloom.nse.sessions import session
from support.fakes import MADE, ist

LAST, QUOTED = synthetic_days()[1:]
RATE = 0.065  # of the synthetic market, a year of 365 days


def _years(at, expiry: date) -> float:
    """Calendar time to the close of the expiry's session."""
    return (session(expiry).close - at).total_seconds() / (365 * 24 * 3600)


def test_parity_holds_inside_the_quotes_at_every_moment(synthetic_history: ParquetHistory) -> None:
    """C - P = D (F - K) and F = S e^(rT): no side of one beats the other sides of the rest."""
    checked = 0
    for at in synthetic_history.quote_times(QUOTED):
        rows = synthetic_history.quotes(at).dropna(subset=["bid", "ask"])
        futures, shares = rows[rows["right"] == "XX"], rows[rows["right"] == "EQ"]
        names = ["symbol", "expiry", "strike"]
        pairs = rows[rows["right"] == "CE"].merge(
            rows[rows["right"] == "PE"], on=names, suffixes=("_c", "_p")
        )
        both = pairs.merge(futures[["symbol", "expiry", "bid", "ask"]], on=["symbol", "expiry"])
        years = np.array([_years(at, day.date()) for day in both["expiry"]])
        discount = np.exp(-RATE * years)
        bought = discount * (both["ask"] - both["strike"])
        sold = discount * (both["bid"] - both["strike"])
        assert (both["bid_c"] - both["ask_p"] <= bought + 1e-6).all()
        assert (both["ask_c"] - both["bid_p"] >= sold - 1e-6).all()
        held = futures.merge(shares[["symbol", "bid", "ask"]], on="symbol", suffixes=("", "_s"))
        growth = [math.exp(RATE * _years(at, day.date())) for day in held["expiry"]]
        assert (held["bid"] <= held["ask_s"] * growth + 1e-6).all()
        assert (held["ask"] >= held["bid_s"] * growth - 1e-6).all()
        assert (shares["bid"] <= shares["spot"] + 0.005).all()
        assert (shares["ask"] >= shares["spot"] - 0.005).all()
        assert (len(futures), len(shares)) == (3 * 30, 28)
        checked += len(both) + len(held)
    assert checked > 100_000


@pytest.mark.parametrize("day", [QUOTED, LAST])
def test_a_synthetic_day_is_on_its_ticks(synthetic_history: ParquetHistory, day: date) -> None:
    instruments = HistoryInstruments(synthetic_history, synthetic_history.underlyings())
    clock = SteppedClock(session(day).open)
    tape = tape_of_history(synthetic_history, instruments, day, clock, MADE)
    kinds = {
        kind: [it.instrument for it in tape.listed if isinstance(it.instrument, kind)]
        for kind in (OptionContract, FutureContract, Share)
    }
    assert len(kinds[Share]) == 28
    assert len(kinds[FutureContract]) >= 90
    lots = {it.symbol: it.lot_size for it in kinds[OptionContract]}
    assert all(it.lot_size == lots[it.symbol] for it in kinds[FutureContract])
    for at in (session(day).open, session(day).close):
        clock.move_to(at)
        for kind in (FutureContract, Share):
            quotes = tape.quotes(kinds[kind])
            assert len(quotes) == len(kinds[kind])
            for it in kinds[kind]:
                quote = quotes[it.key]
                assert quote.bid % it.tick == quote.ask % it.tick == 0
                assert quote.bid < quote.ask
                low, high = tape.band(it)
                assert low <= quote.bid < quote.ask <= high
    near = kinds[FutureContract][0]
    assert tape.daily_settlement(near, day) == tape.quotes([near])[near.key].last
    before = synthetic_history.contracts(LAST, symbols=[near.symbol])
    mine = (before["right"] == "XX") & (before["expiry"].dt.date == near.expiry)
    if day != LAST:
        assert tape.daily_settlement(near, LAST) == round(before["settle"][mine].iloc[0] * 100)


def test_options_alone_make_chains_and_expiries(synthetic_history: ParquetHistory) -> None:
    instruments = HistoryInstruments(synthetic_history, synthetic_history.underlyings())
    clock = SteppedClock(ist(f"{QUOTED} 10:00"))
    tape = tape_of_history(synthetic_history, instruments, QUOTED, clock, MADE)
    for symbol, found in tape.by_symbol.items():
        assert all(isinstance(it.instrument, OptionContract) for it in found)
        assert tape.expiries(symbol) == sorted({it.instrument.expiry for it in found})
