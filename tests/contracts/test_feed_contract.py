"""What every market feed keeps."""

from dataclasses import dataclass, replace
from datetime import date, datetime

import pytest

from strikeloom.adapters.instruments.from_history import HistoryInstruments
from strikeloom.adapters.replay.feed import ReplayFeed
from strikeloom.domain.instruments import FutureContract, Instrument, OptionContract, Share
from strikeloom.errors import NoQuote
from strikeloom.ports.feed import MarketFeed, RecordedFeed
from strikeloom.settings.all import load_settings
from support.dhan_client import OurSide
from support.fakes import EXPIRY, ManualClock, ShownFeed, TapeFeed, ist, option
from support.injected_faults import FaultyFeed, QuoteFault
from support.local_exchange import FUTURE, SHARE, STOCK_FUTURE, local_exchange

KEY, STOCK = "SYNDEX:2026-06-30:2830000:CE", "AVANTIKA"
NOW = ist("2026-06-11 11:02")


@dataclass
class Case:
    """A feed that shows one instrument of a symbol, and another that it does not know."""

    feed: MarketFeed
    instrument: Instrument
    unknown: Instrument
    level: int
    now: datetime
    expiry: date

    @property
    def symbol(self) -> str:
        return self.instrument.symbol


#: Instruments of the local exchange, and levels of their underlyings in paise.
WIRE = {
    "option": (option(25_000), 25_000_00),
    "future": (FUTURE, 25_000_00),
    "stock future": (STOCK_FUTURE, 1_400_00),
    "share": (SHARE, 1_400_00),
}


@pytest.fixture(params=list(WIRE))
def kind(request):
    return request.param


def _unknown(instrument: Instrument) -> Instrument:
    match instrument:
        case OptionContract():
            return replace(instrument, strike=99_000_00)
        case FutureContract():
            return replace(instrument, expiry=date(2035, 1, 31))
        case _:
            return replace(instrument, symbol="NOSUCH")


@pytest.fixture
def over_the_wire(tmp_path, kind):
    with local_exchange(tmp_path, limits=False) as local:
        ours, (instrument, level) = OurSide(local, tmp_path), WIRE[kind]
        local.market.show(instrument, 50000, 50100)
        feed = ours.feed()
        yield Case(feed, instrument, _unknown(instrument), level, local.clock.now(), EXPIRY)
        feed.close()
        ours.close()


#: Instruments of the synthetic market.
DRAWN = {
    "option": KEY,
    "future": "SYNDEX:2026-06-30:FUT",
    "stock future": f"{STOCK}:2026-06-30:FUT",
    "share": f"{STOCK}:SHARE",
}


@pytest.fixture(params=["replay", "shown", "tape", "faulty", "dhan over the wire"])
def case(request, kind, synthetic_history):
    if request.param == "dhan over the wire":
        return request.getfixturevalue("over_the_wire")
    clock = ManualClock(NOW)
    listed = HistoryInstruments(synthetic_history, synthetic_history.underlyings())
    instrument = listed.instrument(DRAWN[kind], date(2026, 6, 10))
    replay = ReplayFeed(synthetic_history, clock, load_settings().desk.replay)
    level = replay.spot(instrument.symbol)[0]
    feed = replay
    if request.param != "replay":
        feed = TapeFeed(clock) if request.param == "tape" else ShownFeed(clock)
        feed.spots[instrument.symbol] = level
        if request.param == "tape":
            feed.record(ist("2026-06-11 11:00"), instrument, 50000, 50100, 650)
            feed.record(ist("2026-06-11 11:05"), instrument, 60000, 60100, 650)
        else:
            feed.show(instrument, 50000, 50100)
        if request.param == "faulty":
            feed = FaultyFeed(feed, {instrument.key: QuoteFault.QUOTE_THIN})
    expiry = date(2026, 6, 30)
    return Case(feed, instrument, _unknown(instrument), level, NOW, expiry)


def test_quotes_are_keyed_by_contract_and_not_from_the_future(case):
    (found,) = case.feed.quotes([case.instrument]).values()
    assert found.key == case.instrument.key
    assert found.at <= case.now
    assert found.at.utcoffset().total_seconds() == 19800
    assert found.two_sided
    assert min(found.bid_size, found.ask_size) > 0
    assert found.bid % case.instrument.tick == found.ask % case.instrument.tick == 0


def test_a_contract_without_a_quote_is_absent_and_not_zero(case):
    assert case.feed.quotes([case.unknown]) == {}
    assert set(case.feed.quotes([case.instrument, case.unknown])) == {case.instrument.key}
    assert case.feed.quotes([]) == {}


def test_spot_has_a_moment_and_an_unknown_one_is_an_error(case):
    level, at = case.feed.spot(case.symbol)
    assert level == case.level
    assert at <= case.now
    with pytest.raises(NoQuote, match="NOSUCH"):
        case.feed.spot("NOSUCH")


def test_a_settlement_is_unknown_before_its_day(case):
    assert case.feed.settlement(case.symbol, case.expiry) is None


def test_a_future_s_settlement_is_unknown_before_its_day_is_over(case):
    if isinstance(case.instrument, FutureContract):
        assert case.feed.daily_settlement(case.instrument, case.now.date()) is None


def test_a_share_s_price_is_near_its_stock_s_level(case):
    """Only where prices are drawn together: elsewhere the test shows both."""
    if isinstance(case.instrument, Share) and isinstance(case.feed, ReplayFeed):
        quote = case.feed.quotes([case.instrument])[case.instrument.key]
        assert quote.bid <= case.level * 1.002
        assert quote.ask >= case.level * 0.998


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
