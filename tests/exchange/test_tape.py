"""A market day being played: what it shows, when, and that nothing shown is impossible."""

from datetime import date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strikeloom.domain.instruments import Right
from strikeloom.domain.legs import Side
from strikeloom.domain.orders import OrderState
from strikeloom.domain.quotes import QuoteSource
from strikeloom.errors import DataError, NoQuote, SettingsError
from strikeloom.exchange.account.account import Account
from strikeloom.exchange.engine.engine import Engine
from strikeloom.exchange.market.candles import candles
from strikeloom.exchange.market.clock import PacedClock, SteppedClock
from strikeloom.exchange.market.securities import made_ids
from strikeloom.exchange.market.sources import PreviousDay, tape_of_history, tape_of_rows
from strikeloom.exchange.market.synthetic import synthetic_days
from strikeloom.exchange.market.views import spot_view, views
from strikeloom.exchange.orders.request import Placement
from strikeloom.nse.sessions import session
from strikeloom.ports.feed import DepthFeed
from support.fakes import CASH, EXPIRY, MADE, ist, option

CALL, PUT = option(25000), option(25000, Right.PUT)
OPEN = ist("2026-02-11 09:15")


def rows(*snapshots):
    """Snapshots as (minute, contract, bid, ask, last, size, volume, spot), prices in rupees."""
    return pd.DataFrame(
        [
            {
                "at": pd.Timestamp(OPEN + timedelta(minutes=minute)),
                "symbol": c.symbol, "expiry": pd.Timestamp(c.expiry), "strike": c.strike / 100,
                "right": c.right.value, "bid": bid, "ask": ask, "last": last, "bid_size": size,
                "ask_size": size, "volume": volume, "open_interest": 6500, "spot": spot,
            }
            for minute, c, bid, ask, last, size, volume, spot in snapshots
        ]
    )  # fmt: skip


def made(*snapshots, at=OPEN, **more):
    return tape_of_rows(rows(*snapshots), [CALL, PUT], SteppedClock(at), **more)


DAY = (
    (0, CALL, 99.0, 100.0, 99.5, 650, 0, 25000.0),
    (0, PUT, np.nan, 80.0, np.nan, 650, 0, 25000.0),
    (5, CALL, 104.0, 105.0, 104.5, 1300, 1300, 25010.0),
    (5, PUT, 78.0, 79.0, 78.5, 650, 650, 25010.0),
    (10, CALL, 101.0, 102.0, 101.5, 650, 1950, 25004.0),
    (10, PUT, 79.0, 80.0, 79.5, 650, 650, 25004.0),
)


def test_a_snapshot_is_shown_as_it_was_recorded():
    tape = made(*DAY, at=OPEN + timedelta(minutes=5))
    quote = tape.quotes([CALL])[CALL.key]
    assert (quote.bid, quote.ask, quote.last) == (10400, 10500, 10450)
    assert (quote.bid_size, quote.volume, quote.open_interest) == (1300, 1300, 6500)
    assert (quote.at, quote.source) == (OPEN + timedelta(minutes=5), QuoteSource.QUOTED)
    assert tape.spot("NIFTY") == (25010_00, OPEN + timedelta(minutes=5))
    assert isinstance(tape, DepthFeed)


def test_nothing_is_shown_before_its_time():
    tape = made(*DAY, at=OPEN - timedelta(seconds=1))
    assert tape.quotes([CALL]) == {}
    assert tape.depths([CALL]) == {}
    with pytest.raises(NoQuote, match="no level of NIFTY"):
        tape.spot("NIFTY")
    tape.clock.step(61)
    with pytest.raises(NoQuote, match="later than the market's clock"):
        tape.quotes_at(OPEN + timedelta(minutes=5), [CALL])
    assert tape.moments(OPEN, OPEN + timedelta(hours=1)) == []
    assert tape.quotes([PUT])[PUT.key].bid is None


def test_between_two_snapshots_the_market_moves_in_a_line_labelled_synthetic():
    tape = made(*DAY, at=OPEN + timedelta(minutes=2, seconds=30), tick_seconds=1)
    quote = tape.quotes([CALL])[CALL.key]
    # half way from 99.00/100.00/99.50 to 104.00/105.00/104.50; volume in whole lots
    assert (quote.bid, quote.ask, quote.last, quote.volume) == (10150, 10250, 10200, 650)
    assert quote.source is QuoteSource.SYNTHETIC_SPREAD
    assert quote.at == OPEN + timedelta(minutes=2, seconds=30)
    assert tape.spot("NIFTY")[0] == 25005_00
    assert len(tape.day_columns.moments) == 601
    # a side that comes or goes between two snapshots stays as it was
    assert tape.quotes([PUT])[PUT.key].bid is None


def test_depth_begins_with_the_quote_and_goes_away_from_it():
    tape = made(*DAY, at=OPEN + timedelta(minutes=5))
    depth = tape.depths([CALL])[CALL.key]
    assert (depth.bids[0].price, depth.bids[0].units) == (10400, 1300)
    assert (depth.asks[0].price, depth.asks[0].units) == (10500, 1300)
    assert len(depth.bids) == len(depth.asks) == 5
    assert [x.price for x in depth.bids] == sorted({x.price for x in depth.bids}, reverse=True)
    assert [x.price for x in depth.asks] == sorted({x.price for x in depth.asks})
    assert all(x.units % 65 == 0 and x.units > 0 and x.orders > 0 for x in depth.bids + depth.asks)
    assert depth == made(*DAY, at=OPEN + timedelta(minutes=5)).depths([CALL])[CALL.key]
    assert depth.source is QuoteSource.SYNTHETIC_SPREAD


prices = st.one_of(st.just(np.nan), st.integers(1, 4000).map(lambda n: n / 20))


@given(
    ends=st.lists(
        st.tuples(prices, st.integers(0, 200), st.integers(0, 40)), min_size=2, max_size=2
    ),
    second=st.integers(0, 300),
)
@settings(deadline=None, max_examples=200)
def test_no_moment_shows_a_price_off_its_tick_or_a_crossed_market(ends, second):
    day = [
        (5 * n, CALL, bid, bid + width / 20, bid, 65 * lots, 650 * n, 25000.0)
        for n, (bid, width, lots) in enumerate(ends)
    ]
    tape = made(*day, at=OPEN + timedelta(seconds=second), tick_seconds=1)
    depth = tape.depths([CALL])[CALL.key]
    for levels in (depth.bids, depth.asks):
        assert all(level.price > 0 and level.price % 5 == 0 for level in levels)
        assert all(level.units > 0 and level.units % 65 == 0 for level in levels)
    assert not depth.crossed
    quote = tape.quotes([CALL]).get(CALL.key)
    if quote and quote.last is not None:
        known = [round(bid * 100) for bid, *_ in ends if not np.isnan(bid)]
        assert min(known) <= quote.last <= max(known)


def test_the_day_so_far():
    before = PreviousDay(
        ids={CALL.key: 49081}, close={CALL.key: 9800}, interest={CALL.key: 5200},
        spot_close={"NIFTY": 24_900_00},
    )  # fmt: skip
    tape = made(*DAY, at=OPEN + timedelta(minutes=12), before=before)
    view = views(tape, [CALL.key])[CALL.key]
    # nothing had traded at the open: the day begins with the first trade
    assert (view.open, view.high, view.low) == (10450, 10450, 10150)
    assert (view.previous_close, view.previous_open_interest) == (9800, 5200)
    assert view.average == round((1300 * 10450 + 650 * 10150) / 1950)
    assert view.last_at == OPEN + timedelta(minutes=10)
    assert view.listed.security_id == 49081
    assert tape.by_id(49081).instrument == CALL
    assert view.previous_volume is None
    assert view.lower_band < view.quote.bid < view.quote.ask < view.upper_band
    spot = spot_view(tape, "NIFTY")
    assert (spot.open, spot.high, spot.low, spot.last) == (25000_00, 25010_00, 25000_00, 25004_00)
    assert spot.previous_close == 24_900_00


def test_bars_hold_what_traded_in_them():
    tape = made(*DAY, at=OPEN + timedelta(minutes=12))
    found = candles(tape, CALL.key, 10)
    assert found.at == [OPEN, OPEN + timedelta(minutes=10)]
    assert found.open.tolist() == [10450, 10150]
    assert found.high.tolist() == [10450, 10150]
    assert found.volume.tolist() == [1300, 650]
    levels = candles(tape, "NIFTY", 10)
    assert levels.open.tolist() == [25000_00, 25004_00]
    assert levels.close.tolist() == [25010_00, 25004_00]


def test_bars_between_two_snapshots_follow_the_line():
    """From 99.50 to 104.50 in five minutes: a rupee a minute, and 260 units on average."""
    tape = made(*DAY, at=OPEN + timedelta(minutes=5), tick_seconds=1)
    found = candles(tape, CALL.key, 1)
    assert found.at == [OPEN + timedelta(minutes=n) for n in range(6)]
    closes = [10045, 10145, 10245, 10350, 10450]  # a second before the next minute, on the tick
    assert np.abs(found.close[:5] - closes).max() <= 5
    assert found.close[5] == 10450
    assert found.volume.sum() == 1300
    assert (found.high >= found.low).all()
    levels = candles(tape, "NIFTY", 1)
    assert levels.open[0] == 25000_00
    assert levels.close[-1] == 25010_00
    assert len(levels.at) == 6


def test_what_is_not_listed_is_refused_by_name():
    tape = made(*DAY)
    with pytest.raises(DataError, match="no instrument has the security id 7"):
        tape.by_id(7)
    with pytest.raises(DataError, match="is not listed on 2026-02-11"):
        tape.by_key(option(26000).key)
    with pytest.raises(DataError, match="has quotes but is not listed"):
        tape_of_rows(rows(*DAY), [CALL], SteppedClock(OPEN))
    with pytest.raises(DataError, match="needs quotes of one day"):
        tape_of_rows(rows(*DAY).iloc[:0], [CALL], SteppedClock(OPEN))
    bad = rows(*DAY)
    bad.loc[2, "bid"] = -1.0
    with pytest.raises(DataError, match="quote 2 has bid -1"):
        tape_of_rows(bad, [CALL, PUT], SteppedClock(OPEN))


def test_ids_are_the_exchange_s_own_or_made_and_stay():
    known = {"a": 5, "b": 2**40, "c": 5}
    found = made_ids(["c", "b", "a", "d"], known)
    assert found["a"] == 5
    assert len(set(found.values())) == 4
    assert all(0 < number < 2**31 for number in found.values())
    assert made_ids(["d"], {})["d"] == found["d"]


# trading on it


def test_an_order_walks_the_levels_and_waits_for_the_rest(tmp_path):
    tape = made(*DAY, at=OPEN + timedelta(minutes=5))
    engine = Engine(Account(tmp_path / "a.db", CASH), tape, tape.clock, tape)
    depth = tape.depths([CALL])[CALL.key]
    limit = depth.asks[2].price
    shown = sum(level.units for level in depth.asks[:3])
    order = engine.place(Placement(CALL, Side.BUY, 1755, limit=limit))
    assert order.filled == min(1755, shown)
    by_price = {}
    for trade in engine.trades():
        by_price[trade.price] = by_price.get(trade.price, 0) + trade.units
    left = 1755
    for level in depth.asks[:3]:
        assert by_price.get(level.price, 0) == min(left, level.units)
        left -= by_price.get(level.price, 0)
    engine.audit()


def test_a_leap_over_seconds_trades_what_each_second_would(tmp_path):
    found = []
    for name, steps in (("leap", [600]), ("steps", [1] * 600), ("odd", [7] * 80 + [40])):
        tape = made(*DAY, at=OPEN, tick_seconds=1)
        engine = Engine(Account(tmp_path / f"{name}.db", CASH), tape, tape.clock, tape)
        engine.place(Placement(CALL, Side.BUY, 650, limit=9800))
        engine.place(Placement(CALL, Side.SELL, 650, limit=10300))
        engine.place(Placement(PUT, Side.BUY, 1300, limit=7950))
        for seconds in steps:
            tape.clock.step(seconds)
            engine.advance()
        found.append((engine.orders(), engine.trades(), engine.balance()))
        engine.audit()
    assert found[0] == found[1] == found[2]
    assert any(order.state is OrderState.TRADED for order in found[0][0])


# whole days


def test_the_synthetic_day_plays(synthetic_history):
    from strikeloom.adapters.instruments.from_history import HistoryInstruments

    day = synthetic_days()[2]
    listed = HistoryInstruments(synthetic_history, synthetic_history.underlyings())
    clock = SteppedClock(session(day).open)
    tape = tape_of_history(synthetic_history, listed, day, clock, MADE)
    assert tape.expiries("SYNDEX")[0] > day
    for moment in (session(day).open, session(day).open + timedelta(hours=3)):
        clock.move_to(moment)
        frame = synthetic_history.quotes(moment, symbols=["SYNDEX"])
        frame = frame[frame["right"].isin(["CE", "PE"])]
        wanted = [item.instrument for item in tape.by_symbol["SYNDEX"]]
        quotes = tape.quotes(wanted)
        assert len(quotes) == (frame[["bid", "ask", "last"]].notna().any(axis=1)).sum()
        row = frame[frame["bid"].notna()].iloc[40]
        key = f"SYNDEX:{row['expiry']:%Y-%m-%d}:{round(row['strike'] * 100)}:{row['right']}"
        assert quotes[key].bid == round(row["bid"] * 100)
        assert quotes[key].bid_size == row["bid_size"]
    seen = listed.instrument(wanted[5].key, day)
    assert (seen.lot_size, seen.tick) == (wanted[5].lot_size, wanted[5].tick)


def test_a_day_without_anything_is_missing(synthetic_history):
    from strikeloom.adapters.instruments.from_history import HistoryInstruments
    from strikeloom.errors import MissingHistory

    listed = HistoryInstruments(synthetic_history, synthetic_history.underlyings())
    with pytest.raises(MissingHistory, match="neither quotes nor contracts"):
        tape_of_history(synthetic_history, listed, date(2026, 6, 13), SteppedClock(OPEN), MADE)


def test_an_end_of_day_file_becomes_a_day_inside_its_printed_range(synthetic_history):
    from strikeloom.adapters.instruments.from_history import HistoryInstruments

    day = synthetic_days()[1]
    listed = HistoryInstruments(synthetic_history, synthetic_history.underlyings())
    clock = SteppedClock(session(day).close)
    tape = tape_of_history(synthetic_history, listed, day, clock, MADE)
    frame = synthetic_history.contracts(day, symbols=["SYNDEX"])
    traded = frame[(frame["right"] != "XX") & frame["traded"]]
    for row in traded.iloc[::37].itertuples():
        key = f"SYNDEX:{row.expiry:%Y-%m-%d}:{round(row.strike * 100)}:{row.right}"
        view = views(tape, [key])[key]
        assert view.quote.last == round(row.close * 100)
        assert round(row.low * 100) <= view.low <= view.open <= view.high <= round(row.high * 100)
        assert view.quote.volume == row.lots_traded * row.lot_size
        assert view.quote.open_interest == row.open_interest
        assert view.quote.source is QuoteSource.SYNTHETIC_SPREAD


# clocks


def test_a_paced_clock_runs_at_its_speed_and_stops_at_the_end():
    base = SteppedClock(datetime.fromisoformat("2030-01-01T00:00:00+05:30"))
    clock = PacedClock(base, OPEN, 60, OPEN + timedelta(minutes=10))
    base.step(2)
    assert clock.now() == OPEN + timedelta(minutes=2)
    assert clock.wait(60)
    assert clock.now() == OPEN + timedelta(minutes=3)
    base.step(3600)
    assert clock.now() == OPEN + timedelta(minutes=10)
    assert not clock.wait(1)
    with pytest.raises(SettingsError, match="speed 0"):
        PacedClock(base, OPEN, 0)
    stepped = SteppedClock(OPEN)
    with pytest.raises(SettingsError, match="cannot go to"):
        stepped.step(-1)


def test_the_last_level_settles_what_expires_today():
    tape = tape_of_rows(
        rows((0, option(25000, expiry=date(2026, 2, 11)), 99.0, 100.0, 99.5, 65, 65, 25100.0)),
        [option(25000, expiry=date(2026, 2, 11))], SteppedClock(OPEN),
    )  # fmt: skip
    assert tape.settlement("NIFTY", date(2026, 2, 11)) is None
    tape.clock.move_to(session(date(2026, 2, 11)).close)
    assert tape.settlement("NIFTY", date(2026, 2, 11)) == 25100_00
    assert tape.settlement("NIFTY", EXPIRY) is None
