"""What every market feed keeps."""

from dataclasses import dataclass, replace
from datetime import date, datetime

import pytest

from strikeloom.adapters.instruments.from_history import HistoryInstruments
from strikeloom.adapters.replay.feed import ReplayFeed
from strikeloom.domain.instruments import OptionContract
from strikeloom.errors import NoQuote
from strikeloom.ports.feed import MarketFeed, RecordedFeed
from strikeloom.settings.all import load_settings
from support.dhan_client import OurSide
from support.fakes import EXPIRY, ManualClock, ShownFeed, TapeFeed, ist, option
from support.injected_faults import FaultyFeed, QuoteFault
from support.local_exchange import local_exchange

KEY = "SYNDEX:2026-06-30:2830000:CE"
NOW = ist("2026-06-11 11:02")


@dataclass
class Case:
    """A feed that shows one contract of a symbol."""

    feed: MarketFeed
    instrument: OptionContract
    symbol: str
    now: datetime
    expiry: date


@pytest.fixture
def over_the_wire(tmp_path):
    with local_exchange(tmp_path, limits=False) as local:
        ours, instrument = OurSide(local, tmp_path), option(25_000)
        local.market.show(instrument, 50000, 50100)
        feed = ours.feed()
        yield Case(feed, instrument, "NIFTY", local.clock.now(), EXPIRY)
        feed.close()
        ours.close()


@pytest.fixture(params=["replay", "shown", "tape", "faulty", "dhan over the wire"])
def case(request, synthetic_history):
    if request.param == "dhan over the wire":
        return request.getfixturevalue("over_the_wire")
    clock = ManualClock(NOW)
    listed = HistoryInstruments(synthetic_history, synthetic_history.underlyings())
    instrument = listed.instrument(KEY, date(2026, 6, 10))
    feed = ReplayFeed(synthetic_history, clock, load_settings().desk.replay)
    if request.param != "replay":
        feed = TapeFeed(clock) if request.param == "tape" else ShownFeed(clock)
        feed.spots["SYNDEX"] = 2_830_000
        if request.param == "tape":
            feed.record(ist("2026-06-11 11:00"), instrument, 50000, 50100, 650)
            feed.record(ist("2026-06-11 11:05"), instrument, 60000, 60100, 650)
        else:
            feed.show(instrument, 50000, 50100)
        if request.param == "faulty":
            feed = FaultyFeed(feed, {KEY: QuoteFault.QUOTE_THIN})
    return Case(feed, instrument, "SYNDEX", NOW, instrument.expiry)


def test_quotes_are_keyed_by_contract_and_not_from_the_future(case):
    (found,) = case.feed.quotes([case.instrument]).values()
    assert found.key == case.instrument.key
    assert found.at <= case.now
    assert found.at.utcoffset().total_seconds() == 19800
    assert found.two_sided
    assert min(found.bid_size, found.ask_size) > 0
    assert found.bid % case.instrument.tick == found.ask % case.instrument.tick == 0


def test_a_contract_without_a_quote_is_absent_and_not_zero(case):
    unknown = replace(case.instrument, strike=99_000_00)
    assert case.feed.quotes([unknown]) == {}
    assert set(case.feed.quotes([case.instrument, unknown])) == {case.instrument.key}
    assert case.feed.quotes([]) == {}


def test_spot_has_a_moment_and_an_unknown_one_is_an_error(case):
    level, at = case.feed.spot(case.symbol)
    assert 2_000_000 < level < 4_000_000
    assert at <= case.now
    with pytest.raises(NoQuote, match="NOSUCH"):
        case.feed.spot("NOSUCH")


def test_a_settlement_is_unknown_before_its_day(case):
    assert case.feed.settlement(case.symbol, case.expiry) is None


def test_a_recorded_feed_shows_its_past_and_no_more(case):
    feed = case.feed
    if not isinstance(feed, RecordedFeed):
        assert not hasattr(feed, "quotes_at")
        return
    past = feed.moments(ist("2026-06-11 09:00"), ist("2026-06-11 15:30"))
    assert past == sorted(past)
    assert past[-1] == ist("2026-06-11 11:00")
    assert feed.moments(past[-1], NOW) == []
    assert feed.quotes_at(past[-1], [case.instrument]) == feed.quotes([case.instrument])
