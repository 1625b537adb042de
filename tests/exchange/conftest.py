"""An exchange on a day of one's own making."""

import pytest

from strikeloom.adapters.sim import SimBroker
from support.fakes import CASH, ManualClock, ShownFeed, TapeFeed, ist


@pytest.fixture
def clock():
    return ManualClock(ist("2026-02-11 10:00"))


@pytest.fixture
def feed(clock):
    feed = ShownFeed(clock)
    feed.spots |= {"NIFTY": 25_000_00, "RELIANCE": 1_400_00}
    return feed


@pytest.fixture
def tape(clock):
    feed = TapeFeed(clock)
    feed.spots |= {"NIFTY": 25_000_00}
    return feed


@pytest.fixture
def broker(tmp_path, feed, clock):
    broker = SimBroker(tmp_path / "account.db", feed, clock, CASH)
    yield broker
    broker.close()


@pytest.fixture
def taped(tmp_path, tape, clock):
    broker = SimBroker(tmp_path / "taped.db", tape, clock, CASH)
    yield broker
    broker.close()
