"""Replaying recorded days: what is shown when, from figures put on disk by hand."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from strikeloom.adapters.parquet.history import ParquetHistory
from strikeloom.adapters.replay.clock import ReplayClock
from strikeloom.adapters.replay.feed import ReplayFeed
from strikeloom.adapters.replay.timeline import Timeline, moments
from strikeloom.adapters.sqlite.store import open_store
from strikeloom.domain.instruments import InstrumentKind, OptionContract, Right
from strikeloom.domain.legs import Side
from strikeloom.domain.orders import OrderIntent, Purpose
from strikeloom.domain.quotes import QuoteSource
from strikeloom.errors import NoQuote, StoreError
from strikeloom.settings.desk import ReplaySettings
from support.fakes import ist

FIRST, SECOND, EXPIRY = date(2026, 2, 10), date(2026, 2, 11), date(2026, 2, 24)
DATES = dict.fromkeys(("day", "expiry", "last_day"), "datetime64[s]")
SETTINGS = ReplaySettings(
    width_factor=1.0, min_half_spread_ticks=1, depth_share_of_volume=0.1,
)  # fmt: skip


def _row(day, strike, right, **given):
    row = {
        "day": pd.Timestamp(day), "symbol": "RELIANCE", "kind": "stock",
        **dict.fromkeys(("expiry", "last_day"), pd.Timestamp(EXPIRY)),
        "strike": float(strike), "right": right,
        "instrument_id": 1, "lot_size": 500, "open": np.nan, "high": np.nan, "low": np.nan,
        "close": np.nan, "settle": 20.0, "final_settlement": np.nan, "previous_close": 19.0,
        "underlying": 1405.5, "lots_traded": 0, "open_interest": 10_000, "oi_change": 2_500,
        "traded": False,
    }  # fmt: skip
    if "close" in given:
        row |= {"high": 99.0, "low": 0.05, "lots_traded": 40, "traded": True}
        row["settle"] = given["close"]
    return row | given


def _contract(strike, right=Right.CALL):
    return OptionContract("RELIANCE", EXPIRY, strike * 100, right, InstrumentKind.STOCK, 500, 5)


@pytest.fixture
def history(tmp_path):
    history = ParquetHistory(tmp_path / "history", "nse")
    rows = []
    for day, opened, closed in ((FIRST, 30.0, 31.35), (SECOND, 40.0, 29.0)):
        rows += [
            _row(day, 1400, "CE", open=opened, close=closed),
            _row(day, 1500, "CE") if day == FIRST else _row(day, 1500, "CE", open=0.1, close=0.05),
            _row(day, 1300, "PE", open=10.0, close=11.0, lots_traded=3),
            _row(day, 0, "XX", open=1402.0, close=1408.0, expiry=pd.Timestamp(EXPIRY)),
            _row(day, 0, "XX", open=1410.0, close=1416.0, expiry=pd.Timestamp("2026-03-30")),
        ]
    frame = pd.DataFrame(rows).astype(DATES)
    history.write("contracts", frame, source="by hand")
    return history


@pytest.fixture
def store(tmp_path):
    store = open_store(tmp_path / "store.db", "nse", "replay:nse")
    yield store
    store.close()


@pytest.fixture
def clock(store, history):
    return ReplayClock(store, history, ist("2026-02-10 15:30"))


@pytest.fixture
def feed(history, clock):
    return ReplayFeed(history, clock, SETTINGS)


def test_an_end_of_day_file_is_an_open_and_a_close(history):
    assert moments(history, FIRST) == [ist("2026-02-10 09:15"), ist("2026-02-10 15:30")]
    assert moments(history, date(2026, 2, 12)) == []
    line = Timeline(history)
    assert line.between(ist("2026-02-10 09:15"), ist("2026-02-11 15:30")) == [
        ist("2026-02-10 15:30"),
        ist("2026-02-11 09:15"),
        ist("2026-02-11 15:30"),
    ]


def test_a_day_stored_later_is_found(history):
    line = Timeline(history)
    later = date(2026, 2, 12)
    assert line.moments(later) == ()
    frame = pd.DataFrame([_row(later, 1400, "CE", open=1.0, close=2.0)])
    history.write("contracts", frame.astype(DATES), source="x")
    assert len(line.moments(later)) == 2


def test_the_close_has_a_labelled_spread_and_a_share_of_the_volume(feed):
    quote = feed.quotes([_contract(1400)])[_contract(1400).key]
    # quotes of stocks at 20 to 50 rupees with 11 to 100 lots were 1.5 % wide: 0.235 each side
    assert (quote.bid, quote.ask, quote.last) == (31_10, 31_60, 31_35)
    assert quote.bid_size == quote.ask_size == 2 * 500  # half of a tenth of 40 lots
    assert (quote.volume, quote.open_interest) == (40 * 500, 10_000)
    assert (quote.at, quote.settlement) == (ist("2026-02-10 15:30"), 31_35)
    assert quote.source is QuoteSource.SYNTHETIC_SPREAD


def test_the_open_shows_nothing_of_the_day_to_come(feed, clock):
    clock.move_to(ist("2026-02-11 09:15"))
    quote = feed.quotes([_contract(1400)])[_contract(1400).key]
    assert 0 < quote.bid < quote.last < quote.ask
    assert (quote.volume, quote.open_interest, quote.settlement) == (500, 7_500, None)
    clock.move_to(ist("2026-02-11 15:29"))
    later = feed.quotes([_contract(1400)])[_contract(1400).key]
    assert later == quote  # half a session old, with its own time


def test_the_cheapest_price_has_an_ask_and_no_bid(feed, clock):
    clock.move_to(ist("2026-02-11 15:30"))
    quote = feed.quotes([_contract(1500)])[_contract(1500).key]
    assert (quote.bid, quote.bid_size, quote.ask) == (None, 0, 10)


def test_at_least_one_lot_is_shown(feed):
    quote = feed.quotes([_contract(1300, Right.PUT)])[_contract(1300, Right.PUT).key]
    assert quote.ask_size == 500


def test_an_untraded_contract_has_its_settlement_price_at_the_close_and_no_quote(feed, clock):
    instrument = _contract(1500)
    quote = feed.quotes([instrument])[instrument.key]
    assert (quote.bid, quote.ask, quote.last, quote.volume) == (None, None, None, 0)
    assert quote.settlement == 20_00
    assert feed.quotes([_contract(9999)]) == {}
    clock.move_to(ist("2026-02-12 09:15"))
    assert feed.quotes([instrument])[instrument.key].at == ist("2026-02-11 15:30")


def test_spot_is_the_close_of_the_file_and_at_the_open_the_first_price(feed, clock, history):
    assert feed.spot("RELIANCE") == (1405_50, ist("2026-02-10 15:30"))
    clock.move_to(ist("2026-02-11 09:15"))
    # no cash file: the file's level, moved as the near future moved from 1402 to 1408
    assert feed.spot("RELIANCE")[0] == 1399_51
    cash = pd.DataFrame(
        {
            "day": pd.to_datetime([SECOND]).astype("datetime64[s]"), "symbol": ["RELIANCE"],
            "open": [1401.0], "high": [1410.0], "low": [1400.0], "close": [1405.5],
            "previous_close": [1.0], "volume": [1],
        }
    )  # fmt: skip
    history.write("cash", cash, source="by hand")
    fresh = ReplayFeed(history, clock, SETTINGS)
    assert fresh.spot("RELIANCE") == (1401_00, ist("2026-02-11 09:15"))
    with pytest.raises(NoQuote, match="NOSUCH"):
        fresh.spot("NOSUCH")


def test_an_index_opens_at_the_exchange_s_figure_where_two_publish(history, clock):
    rows = pd.DataFrame(
        {
            "day": pd.to_datetime([SECOND, SECOND]).astype("datetime64[s]"),
            "index": ["RELIANCE", "RELIANCE"],
            "publisher": ["other", "nse"],
            "open": [1.0, 1400.25], "high": [1.0, 1410.0], "low": [1.0, 1400.0],
            "close": [1.0, 1405.5],
        }
    )  # fmt: skip
    history.write("indices", rows, source="by hand")
    clock.move_to(ist("2026-02-11 09:15"))
    assert ReplayFeed(history, clock, SETTINGS).spot("RELIANCE")[0] == 1400_25


def test_nothing_is_known_before_the_first_day(history, store):
    feed = ReplayFeed(history, ReplayClock(store, history, ist("2026-02-09 12:00")), SETTINGS)
    assert feed.quotes([_contract(1400)]) == {}
    with pytest.raises(NoQuote):
        feed.spot("RELIANCE")


def test_the_last_price_is_kept_for_some_days_and_not_for_ever(feed, clock):
    clock.move_to(ist("2026-02-16 09:20"))
    assert feed.spot("RELIANCE")[1] == ist("2026-02-11 15:30")
    clock.move_to(ist("2026-03-16 09:20"))
    with pytest.raises(NoQuote):
        feed.spot("RELIANCE")


def test_a_day_of_recorded_quotes_ends_with_its_last_snapshot(synthetic_history, store):
    late = ReplayClock(store, synthetic_history, ist("2026-06-12 09:00"))
    feed = ReplayFeed(synthetic_history, late, SETTINGS)
    level, at = feed.spot("SYNDEX")
    assert at == ist("2026-06-11 15:30")
    assert level == round(synthetic_history.quotes(at, symbols=["SYNDEX"])["spot"].iloc[0] * 100)


def test_the_future_is_not_shown(feed):
    with pytest.raises(NoQuote, match="later than the replay's clock"):
        feed.quotes_at(ist("2026-02-11 09:15"), [_contract(1400)])
    assert feed.moments(ist("2026-02-10 09:00"), ist("2026-02-11 15:30")) == [
        ist("2026-02-10 09:15"),
        ist("2026-02-10 15:30"),
    ]


def test_settlement_is_known_after_the_expiry_s_close_and_only_from_its_own_file(
    feed, clock, history
):
    rows = [
        _row(EXPIRY, 1400, "CE", open=9.0, close=9.0, settle=np.nan, final_settlement=1409.4),
        _row(
            EXPIRY, 1400, "CE", expiry=pd.Timestamp("2026-03-30"), open=9.0, close=9.0,
            final_settlement=7.0,
        ),
    ]  # fmt: skip
    clock.move_to(ist("2026-02-24 15:30"))
    assert feed.settlement("RELIANCE", EXPIRY) is None  # no file of that day yet
    frame = pd.DataFrame(rows).astype(DATES)
    history.write("contracts", frame, source="by hand")
    assert feed.settlement("RELIANCE", EXPIRY) == 1409_40
    early = ReplayFeed(history, type(clock)(clock._store, history, clock.now()), SETTINGS)
    assert early.settlement("RELIANCE", date(2026, 3, 30)) is None


# the clock


def test_the_clock_steps_through_a_day_and_stops(clock):
    assert clock.now() == ist("2026-02-10 15:30")
    assert not clock.wait(60)
    clock.move_to(ist("2026-02-11 09:15"))
    assert clock.wait(60)
    assert clock.now() == ist("2026-02-11 15:30")
    assert not clock.wait(60)


def test_every_process_of_the_account_sees_the_same_time(clock, tmp_path, history):
    other = open_store(tmp_path / "store.db", "nse", "replay:nse")
    stranger = open_store(tmp_path / "store.db", "nse", "replay:other")
    clock.move_to(ist("2026-02-11 09:15"))
    start = ist("2026-02-10 15:30")
    assert ReplayClock(other, history, start).now() == ist("2026-02-11 09:15")
    assert ReplayClock(stranger, history, start).now() == start
    other.close()
    stranger.close()


def _ordered(store):
    store.record_intents(
        [
            OrderIntent(
                account="replay:nse", market="nse", correlation_id="x-0-0-1", intent_id="x",
                position_id="S1", purpose=Purpose.ENTRY, leg=0, slice=0, attempt=1,
                instrument=_contract(1400), side=Side.BUY, units=500, limit=100, priority=0,
                why="test", created_at=ist("2026-02-11 09:15"),
            )
        ]
    )  # fmt: skip


def test_time_goes_back_only_while_nothing_was_ordered(clock, store):
    clock.move_to(ist("2026-02-11 09:15"))
    clock.move_to(ist("2026-02-10 09:15"))
    assert clock.now() == ist("2026-02-10 09:15")
    clock.move_to(ist("2026-02-11 09:15"))
    _ordered(store)
    with pytest.raises(StoreError, match="cannot go back to 2026-02-10 09:15"):
        clock.move_to(ist("2026-02-10 09:15"))
    clock.move_to(ist("2026-02-11 15:30"))


def test_a_paced_clock_takes_its_time(store, history, monkeypatch):
    slept = []
    monkeypatch.setattr("strikeloom.adapters.replay.clock.time.sleep", slept.append)
    paced = ReplayClock(store, history, ist("2026-02-11 09:15"), pace=2.5)
    assert paced.wait(60)
    assert slept == [2.5]
    assert not paced.wait(60)
    assert slept == [2.5, 2.5, 1.0]


def test_a_cheap_share_s_options_are_quoted_on_their_fine_tick(tmp_path, store):
    """YESBANK 17 PE at 0.12: since November 2025 its options trade in steps of a paisa."""
    last = {"symbol": "YESBANK", "lot_size": 31_100, "open": 0.12, "close": 0.12, "low": 0.11}
    last |= {"underlying": 17.6, "lots_traded": 20_000}
    history = ParquetHistory(tmp_path / "yesbank", "nse")
    rows = [_row(date(2026, 1, 30), 17, "PE", **last | {"underlying": 17.5})]
    history.write("contracts", pd.DataFrame(rows).astype(DATES), source="by hand")
    rows = [_row(FIRST, 17, "PE", **last)]
    history.write("contracts", pd.DataFrame(rows).astype(DATES), source="by hand")
    alone = ParquetHistory(tmp_path / "alone", "nse")  # the price shows the tick
    alone.write("contracts", pd.DataFrame(rows).astype(DATES), source="by hand")
    for stored in (history, alone):
        feed = ReplayFeed(stored, ReplayClock(store, stored, ist("2026-02-10 15:30")), SETTINGS)
        put = OptionContract("YESBANK", EXPIRY, 17_00, Right.PUT, InstrumentKind.STOCK, 31_100, 1)
        quote = feed.quotes([put])[put.key]
        assert (quote.bid, quote.ask, quote.last) == (11, 13, 12)
