"""A series that the exchange ends before its expiry settles on its last day, everywhere alike."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from strikeloom.adapters.bhavcopy import import_paths
from strikeloom.adapters.instruments.from_history import HistoryInstruments
from strikeloom.adapters.parquet.history import ParquetHistory
from strikeloom.desk import open_desk, to_day_end
from strikeloom.domain.instruments import Share
from strikeloom.domain.legs import Leg, Side
from strikeloom.domain.market import Outlook
from strikeloom.domain.orders import OrderState
from strikeloom.domain.positions import Position
from strikeloom.domain.proposals import Proposal, RiskSummary, Score, strategy_id
from strikeloom.domain.templates import Stance, Tier
from strikeloom.exchange.account.account import Account
from strikeloom.exchange.engine.engine import Engine
from strikeloom.exchange.market.clock import SteppedClock
from strikeloom.exchange.market.sources import tape_of_history
from strikeloom.exchange.orders.request import Placement
from strikeloom.monitor import watch
from strikeloom.ports.desk import Desk
from strikeloom.ports.feed import MarketFeed
from strikeloom.trading.lease import Lease
from strikeloom.trading.prepare import last_days, prepare_entry
from strikeloom.trading.send import OrderRateLimiter
from strikeloom.trading.work import work
from support.fakes import MADE, ManualClock, ist
from support.synthetic_chains import made

REAL = ManualClock(ist("2026-11-01 12:00"))


@dataclass(frozen=True)
class Story:
    """A contract bought on one day, its value in paise on its last day, and a later listing."""

    home: Path
    key: str
    bought: date
    last: date
    relisted: date
    expiry: date
    value: int

    @property
    def history(self) -> ParquetHistory:
        return ParquetHistory(self.home / "history" / "nse", "nse")


def _invented(home: Path) -> Story:
    """LOOMCO: series of 24 Feb and 30 Mar end on 12 Feb at 1,012.50; new ones on 13 Feb."""
    near, far, last = date(2026, 2, 24), date(2026, 3, 30), date(2026, 2, 12)
    vols = {("LOOMCO", near): 0.3, ("LOOMCO", far): 0.3}
    early = dict.fromkeys(vols, last)
    history = ParquetHistory(home / "history" / "nse", "nse")
    for number, ends in ((10, None), (11, early), (12, early), (13, None)):
        day = date(2026, 2, number)
        frame = made(vols, day=day, ends=ends).assign(day=np.datetime64(day, "s"))
        if day == last:
            option = frame["right"] != "XX"
            frame["final_settlement"] = 1012.50
            frame["settle"] = frame["settle"].mask(option)
        history.write("contracts", frame, source="by hand")
    days = date(2026, 2, 10), last, date(2026, 2, 13)
    return Story(home, "LOOMCO:2026-03-30:100000:CE", *days, far, 12_50)


def _itc(shared: Path, home: Path) -> Story:
    """ITC 30 Jan 470 CE: ended on 2025-01-03, where the file prints 481.60."""
    days = date(2025, 1, 2), date(2025, 1, 3), date(2025, 1, 6)
    names = [f"BhavCopy_NSE_FO_0_0_0_{day:%Y%m%d}_F_0000.csv.zip" for day in days]
    files = [shared / "fo_bhavcopy" / "udiff" / name for name in names]
    report = import_paths(files, ParquetHistory(home / "history" / "nse", "nse"))
    assert not report.refused
    return Story(home, "ITC:2025-01-30:47000:CE", *days, date(2025, 1, 30), 11_60)


@pytest.fixture(params=["invented", pytest.param("itc", marks=pytest.mark.realdata)])
def story(request: pytest.FixtureRequest, tmp_path: Path) -> Story:
    if request.param == "invented":
        return _invented(tmp_path)
    return _itc(request.getfixturevalue("shared_data"), tmp_path)


class _LateFeed:
    """``ports.feed.MarketFeed`` that does not know of an early end."""

    def __init__(self, feed: MarketFeed) -> None:
        self._feed = feed

    def __getattr__(self, name: str) -> Any:
        return getattr(self._feed, name)

    def last_day(self, _symbol: str, expiry: date, _since: date) -> date:
        return expiry


def _enter(desk: Desk, key: str, day: date) -> Position:
    """Buy a lot through the only way to an order, not knowing of an early end."""
    desk = replace(desk, feed=_LateFeed(desk.feed))  # type: ignore[arg-type]
    instrument = desk.instruments.instrument(key, day)
    ask = desk.feed.quotes([instrument])[key].ask
    assert ask is not None
    legs = [Leg(instrument, Side.BUY, 1, ask)]
    name = strategy_id("nse", day, instrument.symbol, "long_call", legs)
    risk = RiskSummary(0, 0, 0, (), 0.5, 0, 0.0, 0.0, 0, 0, 0, "none", 0)
    proposal = Proposal(
        name, "nse", day, instrument.symbol, "x", "long_call", Tier.INCOME, Stance.LONG, "debit",
        tuple(legs), risk, Score(0.5, ()), (), "made", 1, 1.0, 0.3, None, Outlook.BULLISH,
    )  # fmt: skip
    desk.store.save_proposals("made", [proposal], [])
    desk.store.record_intents(prepare_entry(desk, proposal, 1))
    with Lease(desk.home, desk.store) as lease:
        work(desk, lease, OrderRateLimiter(1e6))
    return desk.store.position(name)


def _final(story: Story) -> int:
    """Final value of the underlying in paise, of a call that ended in the money."""
    return int(story.key.split(":")[2]) + story.value


def test_a_replayed_position_settles_on_the_last_day(story: Story) -> None:
    desk = open_desk("nse", story.bought, home=story.home)
    to_day_end(desk, story.bought)
    held = _enter(desk, story.key, story.bought)
    (leg,) = held.legs
    units, paid = leg.net_units, leg.open_value
    assert units == leg.instrument.lot_size
    after_entry = desk.broker.funds().cash
    to_day_end(desk, story.last)
    report = watch(desk, REAL, once=True)
    (settled,) = [fill for fill in desk.broker.fills() if fill.kind == "settlement"]
    assert (settled.price, settled.units, settled.at.date()) == (story.value, units, story.last)
    cash = after_entry + units * (story.value - _final(story)) - settled.charges
    assert desk.broker.funds().cash == cash  # the shares come in at the final value
    share = f"{held.symbol}:SHARE"
    assert [(p.instrument_key, p.net_units) for p in desk.broker.positions()] == [(share, units)]
    leg, shares = desk.store.position(held.position_id).legs
    assert (shares.instrument.key, shares.open_value) == (share, units * _final(story))
    assert (leg.net_units, shares.net_units) == (0, units)
    assert leg.realised == units * story.value - paid
    (ours,) = [fill for fill in desk.store.fills() if fill.kind == "settlement"]
    assert (ours.price, ours.charges, ours.at) == (settled.price, settled.charges, settled.at)
    assert report.fills >= 1
    texts = [alert.text for alert in desk.store.alerts()]
    assert any(f"settled on {story.last}" in text and str(story.expiry) in text for text in texts)
    assert not any("differ" in text for text in texts)
    # the later series of the same name is another contract, which remains open
    to_day_end(desk, story.relisted)
    again = _enter(desk, story.key, story.relisted)
    watch(desk, REAL, once=True, alert_only=True)
    names = [p.position_id for p in desk.store.positions()]
    assert names == [held.position_id, again.position_id]
    there = {p.instrument_key: p.net_units for p in desk.broker.positions()}
    assert there[story.key] == again.legs[0].net_units
    assert last_days(desk, again) == {0: story.expiry}
    desk.close()


def test_days_to_expiry_count_to_the_last_day_once_it_is_known(story: Story) -> None:
    desk = open_desk("nse", story.bought, home=story.home)
    to_day_end(desk, story.bought)
    held = _enter(desk, story.key, story.bought)
    known_last = last_days(desk, held)[0]
    # the file of the first invented day does not have it yet, that of ITC does
    assert known_last == (story.last if held.symbol == "ITC" else story.expiry)
    if known_last == story.expiry:
        to_day_end(desk, date(2026, 2, 11))
        assert last_days(desk, held) == {0: story.last}
    desk.close()


def test_the_exchange_playing_the_history_settles_on_the_last_day(story: Story) -> None:
    history, path = story.history, story.home / "exchange.db"
    listed = HistoryInstruments(history, history.underlyings())
    clock = SteppedClock(ist(f"{story.bought} 15:29"))
    tape = tape_of_history(history, listed, story.bought, clock, MADE, tick_seconds=60)
    engine = Engine(Account(path, 10**9), tape, clock, tape)
    instrument = tape.by_key(story.key).instrument
    ask = tape.quotes([instrument])[story.key].ask or 0
    order = engine.place(Placement(instrument, Side.BUY, instrument.lot_size, limit=ask))
    assert order.state is OrderState.TRADED
    clock.move_to(ist(f"{story.bought} 15:30"))
    assert engine.holdings() == {instrument: instrument.lot_size}
    cash = engine.balance().cash
    engine.close()

    clock = SteppedClock(ist(f"{story.last} 15:29"))
    tape = tape_of_history(history, listed, story.last, clock, MADE, tick_seconds=60)
    engine = Engine(Account(path, 10**9), tape, clock, tape)
    assert engine.holdings() == {instrument: instrument.lot_size}
    clock.move_to(ist(f"{story.last} 15:30"))
    assert engine.holdings() == {Share(instrument.symbol): instrument.lot_size}
    settled = engine.trades()[-2]
    assert (settled.kind, settled.price, settled.at.date()) == (
        "settlement", story.value, story.last,
    )  # fmt: skip
    gain = instrument.lot_size * (story.value - _final(story))
    assert engine.balance().cash == cash + gain - settled.charges
    engine.audit()
    engine.close()

    tape = tape_of_history(
        history, listed, story.relisted, SteppedClock(ist(f"{story.relisted} 15:30")), MADE
    )
    assert tape.last_day(instrument.symbol, story.expiry, story.relisted) == story.expiry


def test_a_listing_of_the_evening_before_lists_nothing_that_has_ended(tmp_path: Path) -> None:
    """Quotes of a day whose own file is not there: what ended on the eve is not listed."""
    expiry, eve, day = date(2026, 2, 24), date(2026, 2, 12), date(2026, 2, 13)
    vols = {("LOOMCO", expiry): 0.3, ("OTHERCO", expiry): 0.3}
    history = ParquetHistory(tmp_path, "nse")
    frame = made(vols, day=eve, ends={("LOOMCO", expiry): eve})
    history.write("contracts", frame.assign(day=np.datetime64(eve, "s")), source="by hand")
    sizes = dict.fromkeys(("bid_size", "ask_size", "volume", "open_interest"), 100)
    row = {
        "at": pd.Timestamp(ist(f"{day} 10:00")), "symbol": "OTHERCO", "expiry": expiry,
        "strike": 1000.0, "right": "CE", "bid": 19.0, "ask": 20.0, "last": 19.5, **sizes,
        "spot": 1000.0,
    }  # fmt: skip
    quotes = pd.DataFrame([row]).astype({"expiry": "datetime64[s]"})
    history.write("quotes", quotes, source="by hand")
    listed = HistoryInstruments(history, history.underlyings())
    tape = tape_of_history(history, listed, day, SteppedClock(ist(f"{day} 10:00")), MADE)
    assert {item.instrument.symbol for item in tape.listed} == {"OTHERCO"}
