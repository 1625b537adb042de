"""What every market feed keeps."""

from dataclasses import replace
from datetime import date

import pytest

from doubles import ManualClock, ShownFeed, TapeFeed, ist
from strikeloom.adapters.instruments.from_history import HistoryInstruments
from strikeloom.adapters.replay.feed import ReplayFeed
from strikeloom.domain.instruments import parse_key
from strikeloom.errors import NoQuote
from strikeloom.exchange.faults import BadQuote, FaultyFeed
from strikeloom.ports.feed import RecordedFeed
from strikeloom.settings.all import load_settings

KEY = "SYNDEX:2026-06-30:2830000:CE"
ABSENT = "SYNDEX:2026-06-30:9900000:CE"
NOW = ist("2026-06-11 11:02")


def _contract(history, key):
    listed = HistoryInstruments(history, history.underlyings())
    return listed.contract(key, date(2026, 6, 10))


@pytest.fixture(params=["replay", "shown", "tape", "faulty"])
def feed(request, synthetic_history):
    clock = ManualClock(NOW)
    replay = ReplayFeed(synthetic_history, clock, load_settings().desk.replay)
    if request.param == "replay":
        return replay
    contract = _contract(synthetic_history, KEY)
    double = TapeFeed(clock) if request.param == "tape" else ShownFeed(clock)
    double.spots["SYNDEX"] = 2_830_000
    if request.param == "tape":
        double.record(ist("2026-06-11 11:00"), contract, 50000, 50100, 650)
        double.record(ist("2026-06-11 11:05"), contract, 60000, 60100, 650)
    else:
        double.show(contract, 50000, 50100)
    if request.param == "faulty":
        return FaultyFeed(double, {KEY: BadQuote.THIN})
    return double


@pytest.fixture
def contract(synthetic_history):
    return _contract(synthetic_history, KEY)


def test_quotes_are_keyed_by_contract_and_not_from_the_future(feed, contract):
    (found,) = feed.quotes([contract]).values()
    assert found.key == contract.key
    assert found.at <= NOW
    assert found.at.utcoffset().total_seconds() == 19800
    assert found.two_sided
    assert min(found.bid_size, found.ask_size) > 0
    assert found.bid % contract.tick == found.ask % contract.tick == 0


def test_a_contract_without_a_quote_is_absent_and_not_zero(feed, contract):
    unknown = replace(contract, strike=parse_key(ABSENT)[2])
    assert unknown.key == ABSENT
    assert feed.quotes([unknown]) == {}
    assert set(feed.quotes([contract, unknown])) == {KEY}
    assert feed.quotes([]) == {}


def test_spot_has_a_moment_and_an_unknown_one_is_an_error(feed):
    level, at = feed.spot("SYNDEX")
    assert 2_000_000 < level < 4_000_000
    assert at <= NOW
    with pytest.raises(NoQuote, match="NOBODY"):
        feed.spot("NOBODY")


def test_a_settlement_is_unknown_before_its_day(feed):
    assert feed.settlement("SYNDEX", date(2026, 6, 30)) is None


def test_a_recorded_feed_tells_its_past_and_no_more(feed, contract):
    if not isinstance(feed, RecordedFeed):
        assert not hasattr(feed, "quotes_at")
        return
    past = feed.moments(ist("2026-06-11 09:00"), ist("2026-06-11 15:30"))
    assert past == sorted(past)
    assert past[-1] == ist("2026-06-11 11:00")
    assert feed.moments(past[-1], NOW) == []
    assert feed.quotes_at(past[-1], [contract]) == feed.quotes([contract])
