"""No set of published prices of the synthetic market can be traded against another.

Worked out here from prices alone: bounds on verticals, butterflies, parity and calendars that
hold for any model. The rate is the one the market states.
"""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from strikeloom.domain.frames import CONTRACTS, QUOTES
from strikeloom.nse.sessions import session, years_to_expiry

RATE = 0.065
DAYS = [date(2026, 1, 28), date(2026, 3, 30), date(2026, 4, 6), date(2026, 4, 7), date(2026, 6, 10)]
QUOTED = date(2026, 6, 11)


def _options(frame):
    return frame[frame["right"].isin(["CE", "PE"])].reset_index(drop=True)


def _ladders(frame, columns):
    """Arrays by symbol and expiry: strikes, and each column for calls and for puts."""
    for (symbol, expiry), rows in frame.groupby(["symbol", "expiry"]):
        sides = {
            right: part.sort_values("strike").set_index("strike")[columns]
            for right, part in rows.groupby("right")
        }
        assert sides["CE"].index.equals(sides["PE"].index)
        yield symbol, expiry.date(), sides["CE"].index.to_numpy(), sides["CE"], sides["PE"]


def _discount(at, expiry):
    return np.exp(-RATE * years_to_expiry(at, expiry))


@pytest.mark.parametrize("day", DAYS)
def test_settlement_prices_are_free_of_arbitrage_within_their_rounding(synthetic_history, day):
    frame = CONTRACTS.check(synthetic_history.contracts(day), where=str(day))
    frame = _options(frame)
    at = session(day).close
    live = frame[frame["expiry"] > pd.Timestamp(day)]
    ticks = 0.05  # the coarser one; each price is within half of it
    by_expiry = {}
    for symbol, expiry, strikes, calls, puts in _ladders(live, ["settle"]):
        c, p = calls["settle"].to_numpy(), puts["settle"].to_numpy()
        discount = _discount(at, expiry)
        spot = live.loc[live["symbol"] == symbol, "underlying"].iloc[0]
        step = np.diff(strikes)
        assert np.allclose(step, step[0])
        for prices, sign in ((c, -1), (p, 1)):
            moves = sign * np.diff(prices)
            assert moves.min() >= -ticks
            assert (moves - discount * step).max() <= ticks
            assert (prices[:-2] - 2 * prices[1:-1] + prices[2:]).min() >= -2 * ticks
        parity = c - p - (spot - discount * strikes)
        # a price is never below one tick, which is more than a far strike is worth
        assert np.abs(parity).max() <= 1.5 * ticks + 0.005
        by_expiry.setdefault(symbol, []).append(pd.Series(c, index=strikes))
    for ladders in by_expiry.values():
        for near, far in zip(ladders, ladders[1:], strict=False):
            assert (far - near).min() >= -ticks


def test_a_traded_close_is_the_settlement_price(synthetic_history):
    frame = _options(synthetic_history.contracts(DAYS[-1]))
    traded = frame[frame["traded"]]
    assert (traded["close"] == traded["settle"]).all()
    assert (traded["high"] >= traded[["open", "close"]].max(axis=1)).all()
    assert (traded["low"] <= traded[["open", "close"]].min(axis=1)).all()
    assert (traded["low"] > 0).all()


@pytest.fixture(scope="module")
def snapshots(synthetic_history):
    moments = synthetic_history.quote_times(QUOTED)
    shown = moments[0], moments[40], moments[-1]
    return {at: _options(synthetic_history.quotes(at)) for at in shown}


def test_no_quotes_can_be_traded_against_each_other(snapshots):
    for at, frame in snapshots.items():
        QUOTES.check(frame, where=str(at))
        calls_by_symbol = {}
        for symbol, expiry, strikes, calls, puts in _ladders(frame, ["bid", "ask"]):
            discount = _discount(at, expiry)
            _verticals(strikes, calls, discount, falling=True)
            _verticals(strikes, puts, discount, falling=False)
            _butterflies(calls)
            _butterflies(puts)
            forward_low = strikes + (calls["bid"] - puts["ask"]).to_numpy() / discount
            forward_high = strikes + (calls["ask"] - puts["bid"]).to_numpy() / discount
            assert np.nanmax(forward_low) <= np.nanmin(forward_high) + 1e-9
            calls_by_symbol.setdefault(symbol, []).append(calls)
        for ladders in calls_by_symbol.values():
            for near, far in zip(ladders, ladders[1:], strict=False):
                assert not (far["ask"] - near["bid"] < -1e-9).any()


def _verticals(strikes, side, discount, *, falling):
    bid, ask = side["bid"].to_numpy(), side["ask"].to_numpy()
    width = discount * np.diff(strikes)
    dear, cheap = (
        (slice(None, -1), slice(1, None)) if falling else (slice(1, None), slice(None, -1))
    )
    assert not (ask[dear] - bid[cheap] < -1e-9).any()  # the dearer one is worth at least as much
    assert not (bid[dear] - ask[cheap] > width + 1e-9).any()  # and at most the width more


def _butterflies(side):
    bid, ask = side["bid"].to_numpy(), side["ask"].to_numpy()
    assert not (ask[:-2] + ask[2:] - 2 * bid[1:-1] < -1e-9).any()


def test_quotes_are_on_the_tick_with_whole_lots(snapshots, synthetic_history):
    lots = _options(synthetic_history.contracts(DAYS[-1])).groupby("symbol")["lot_size"].first()
    levels = _options(synthetic_history.contracts(DAYS[-1])).groupby("symbol")["underlying"].first()
    for frame in snapshots.values():
        fine = frame["symbol"].map(levels) < 250
        fine &= ~frame["symbol"].isin(["SYNDEX", "SYNBANK"])
        assert fine.any()
        for name in ("bid", "ask", "last"):
            steps = frame[name] * 100 / np.where(fine, 1, 5)
            assert np.allclose(steps, steps.round(), atol=1e-6, equal_nan=True)
        shown = frame["bid"].notna() & frame["ask"].notna()
        assert (frame.loc[shown, "bid"] < frame.loc[shown, "ask"]).all()
        assert 0.5 < shown.mean() < 0.9  # most contracts have two sides, far ones have not
        assert (frame["bid"].notna() == (frame["bid_size"] > 0)).all()
        assert (frame["ask"].notna() == (frame["ask_size"] > 0)).all()
        for name in ("bid_size", "ask_size", "volume", "open_interest"):
            assert (frame[name] % frame["symbol"].map(lots) == 0).all()


def test_the_quoted_day_is_whole(synthetic_history):
    moments = synthetic_history.quote_times(QUOTED)
    assert len(moments) == 76
    assert moments[0].isoformat() == "2026-06-11T09:15:00+05:30"
    assert moments[-1].isoformat() == "2026-06-11T15:30:00+05:30"
    assert {(b - a).seconds for a, b in zip(moments, moments[1:], strict=False)} == {300}
    assert QUOTED not in synthetic_history.days()
    first, last = (synthetic_history.quotes(at) for at in (moments[0], moments[-1]))
    assert (last["volume"].to_numpy() >= first["volume"].to_numpy()).all()
    assert len(first) == len(last)
