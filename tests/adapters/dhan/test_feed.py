"""Quotes over the wire: streamed, requested, repaired after a gap, refused without a login."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from datetime import timedelta

import numpy as np
import pytest

from strikeloom.adapters.dhan.day_list import SecurityId
from strikeloom.adapters.dhan.feed import DhanFeed
from strikeloom.adapters.dhan.mapping import traded_moment
from strikeloom.adapters.dhan.packets import FullTick, Ticker
from strikeloom.adapters.dhan.ticks import TickQueue
from strikeloom.errors import BrokerError, NoQuote
from strikeloom.exchange.market.candles import Candles
from support.dhan_client import QUICK, OurSide, eventually
from support.fakes import EXPIRY, option
from support.local_exchange import WEEKLY, LocalExchange, local_exchange

CALL, OTHER = option(25_000), option(25_100)


@pytest.fixture
def feed(ours: OurSide) -> Iterator[DhanFeed]:
    made = ours.feed()
    yield made
    made.close()


def _bid(feed: DhanFeed) -> int | None:
    held = feed.cache.get([CALL.key])
    return held[CALL.key].bid if held else None


def _streaming(feed: DhanFeed, local: LocalExchange) -> None:
    """Subscribed, and seen to tick."""
    feed.quotes([CALL])
    eventually(lambda: feed.status.connected)

    def ticks() -> bool:
        local.market.show(CALL, 98_00, 100_00)
        local.push()
        return _bid(feed) == 98_00

    eventually(ticks)


def test_what_is_asked_for_is_streamed_from_then_on(feed: DhanFeed, local: LocalExchange) -> None:
    local.market.show(CALL, 99_00, 100_00)
    local.market.trade(CALL, 99_50, 6500, 13_000)
    first = feed.quotes([CALL, OTHER])
    assert set(first) == {CALL.key}
    quote = first[CALL.key]
    assert (quote.bid, quote.ask, quote.last) == (99_00, 100_00, 99_50)
    assert (quote.volume, quote.open_interest) == (6500, 13_000)
    assert quote.at == local.clock.now()
    _streaming(feed, local)
    local.market.show(CALL, 101_05, 102_10, size=1950)
    local.push()
    eventually(lambda: _bid(feed) == 101_05)
    streamed = feed.quotes([CALL])[CALL.key]
    assert (streamed.ask, streamed.bid_size, streamed.ask_size) == (102_10, 1950, 1950)


def test_an_empty_side_is_absent(feed: DhanFeed, local: LocalExchange) -> None:
    _streaming(feed, local)
    local.market.show(CALL, None, 100_00)
    local.push()
    eventually(lambda: feed.cache.get([CALL.key])[CALL.key].bid is None)
    quote = feed.quotes([CALL])[CALL.key]
    assert (quote.bid, quote.bid_size, quote.ask) == (None, 0, 100_00)


def test_stacked_packets_are_all_seen(feed: DhanFeed, local: LocalExchange) -> None:
    local.fault("stacked", on="feed")
    contracts = [listed.instrument for listed in local.market.listed[:40]]
    for instrument in contracts:
        local.market.show(instrument, 50_00, 51_00)
    feed.quotes(contracts)
    eventually(lambda: feed.status.connected)

    def all_seen() -> bool:
        for instrument in contracts:
            local.market.show(instrument, 60_00, 61_00)
        local.push()
        return {q.bid for q in feed.cache.get(c.key for c in contracts).values()} == {60_00}

    eventually(all_seen)


def test_after_a_reset_it_is_subscribed_again_and_the_gap_is_asked_for(
    feed: DhanFeed, local: LocalExchange
) -> None:
    _streaming(feed, local)
    local.fault("stream-reset", on="feed", times=1)
    local.server.check_connections()
    eventually(lambda: feed.status.connections >= 2)
    local.market.show(CALL, 95_00, 96_00)  # not pushed: only a request shows it
    eventually(lambda: feed.repairs)
    assert feed.cache.get([CALL.key])[CALL.key].bid in (98_00, 95_00)
    local.push()
    eventually(lambda: _bid(feed) == 95_00)


def test_a_stall_is_noticed_and_left(ours: OurSide, local: LocalExchange) -> None:
    from dataclasses import replace

    feed = ours.feed(pauses=replace(QUICK, stall=0.4))
    try:
        _streaming(feed, local)
        eventually(lambda: feed.status.stalls >= 1)
        eventually(lambda: feed.status.connections >= 2)
    finally:
        feed.close()


def test_silence_is_not_a_failure_when_the_market_is_closed(
    ours: OurSide, local: LocalExchange
) -> None:
    from dataclasses import replace

    feed = ours.feed(pauses=replace(QUICK, stall=0.2))
    try:
        assert feed.market_is_open()
        _streaming(feed, local)
        local.clock.at += timedelta(hours=8)
        assert not feed.market_is_open()
        before = feed.status.stalls
        ours.local.server.check_connections()
        eventually(lambda: feed.status.connected)
        import time

        time.sleep(0.6)
        assert feed.status.stalls <= before + 1
    finally:
        feed.close()


def test_the_calendar_is_looked_at_before_anything_ticks(
    ours: OurSide, local: LocalExchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its tables take a quarter of a second to load: ticks that waited for that were so late."""
    connected: list[bool] = []

    def look(feed: DhanFeed) -> bool:
        connected.append(feed.status.connected)
        return True

    monkeypatch.setattr(DhanFeed, "market_is_open", look)
    feed = ours.feed()
    try:
        _streaming(feed, local)
    finally:
        feed.close()
    assert connected[0] is False


def test_a_dead_token_stops_the_feed_with_its_reason_until_it_is_renewed(
    ours: OurSide, feed: DhanFeed, local: LocalExchange
) -> None:
    _streaming(feed, local)
    local.exchange.tokens.end(local.client_id)
    local.server.check_connections()
    status = eventually(lambda: feed.status if feed.status.stopped else None)
    assert not status.connected
    assert "807" in status.failure
    assert local.token not in status.failure
    with pytest.raises(BrokerError):
        feed.quotes([OTHER])  # the same token: not tried again
    assert feed.status.stopped
    local.exchange.tokens.restore(local.client_id)


def test_too_many_connects_are_answered_with_a_long_pause(
    ours: OurSide, feed: DhanFeed, local: LocalExchange
) -> None:
    local.fault("too-many", on="feed", times=1)
    local.market.show(CALL, 99_00, 100_00)
    feed.quotes([CALL])
    eventually(lambda: "429" in feed.status.failure or feed.status.connected)
    eventually(lambda: feed.status.connected)


def test_without_a_stream_every_look_asks(ours: OurSide, local: LocalExchange) -> None:
    feed = ours.feed(streaming=False)
    local.market.show(CALL, 99_00, 100_00)
    assert feed.quotes([CALL])[CALL.key].bid == 99_00
    local.clock.wait(6)
    local.market.show(CALL, 97_00, 100_00)
    assert feed.quotes([CALL])[CALL.key].bid == 97_00
    assert feed.status is None


def test_a_price_that_was_seen_outlives_an_outage_with_its_age(
    ours: OurSide, local: LocalExchange
) -> None:
    feed = ours.feed(streaming=False)
    local.market.show(CALL, 99_00, 100_00)
    seen = feed.quotes([CALL])[CALL.key]
    local.clock.wait(60)
    local.fault("bad-gateway", on="quotes")
    assert feed.quotes([CALL])[CALL.key] == seen
    with pytest.raises(BrokerError):
        feed.quotes([OTHER])


def test_spots_come_by_stream_and_by_question(feed: DhanFeed, local: LocalExchange) -> None:
    assert feed.spot("NIFTY")[0] == 25_000_00
    assert feed.spot("RELIANCE")[0] == 1_400_00
    with pytest.raises(NoQuote, match="NOSUCH"):
        feed.spot("NOSUCH")
    eventually(lambda: feed.status.connected)

    def moved() -> bool:
        local.market.spots["NIFTY"] = 25_123_45
        local.step(1)
        return feed.spot("NIFTY")[0] == 25_123_45

    eventually(moved, tries=60)


def test_a_settlement_is_the_close_of_its_day_and_unknown_before(tmp_path) -> None:
    with local_exchange(tmp_path, limits=False, at="2026-02-17 15:29") as local:
        ours = OurSide(local, tmp_path)
        feed = ours.feed(streaming=False)
        prices = [np.array([level]) for level in (25_000_00, 25_200_00, 24_900_00, 25_123_40)]
        none = np.array([0])
        local.market.candles["NIFTY", 60] = Candles((local.clock.now(),), *prices, none, none)
        assert feed.settlement("NIFTY", EXPIRY) is None
        assert feed.settlement("NIFTY", WEEKLY) is None
        local.step(120)
        assert feed.settlement("NIFTY", WEEKLY) is None  # not published yet
        local.step(30 * 60)
        assert feed.settlement("NIFTY", WEEKLY) == 25_123_40
        ours.close()


def test_a_last_trade_is_read_on_the_indian_clock() -> None:
    # 2025-02-11 10:00:00 in India, counted as if it were UTC
    moment = traded_moment(1_739_268_000)
    assert moment is not None
    assert moment.isoformat() == "2025-02-11T10:00:00+05:30"
    assert traded_moment(0) is None


def _tick(number: int, last: float) -> Ticker:
    return Ticker(2, 16, 2, number, last, 0)


def test_a_slow_user_loses_older_ticks_each_counted() -> None:
    queue = TickQueue()
    for price in range(5):
        queue.put([_tick(1, float(price)), _tick(2, float(price))])
    queue.put([_tick(3, 9.0)])
    taken = queue.take()
    assert [(t.security_id, t.last) for t in taken] == [(1, 4.0), (2, 4.0), (3, 9.0)]
    assert queue.dropped == {(2, 1): 4, (2, 2): 4}
    assert queue.put_in == len(taken) + sum(queue.dropped.values())
    assert queue.take() == []
    assert queue.put([_tick(1, 1.0)])  # nothing waited
    assert not queue.put([_tick(2, 1.0)])


def _full(number: int, bid: int) -> FullTick:
    depth = struct.pack("<IIHHff", 65, 65, 1, 1, bid / 100, (bid + 100) / 100) + bytes(80)
    return FullTick(
        8, 162, 2, number, bid / 100, 65, 0, 0.0, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 0.0, 0.0, depth
    )


def test_an_id_of_yesterday_does_not_tick_into_a_contract_of_today(
    ours: OurSide, local: LocalExchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = ours.feed(streaming=False)
    local.market.show(CALL, 99_00, 100_00)
    feed.quotes([CALL])
    number = int(local.id_of(CALL))
    feed._use([_full(number, 98_00)])
    assert _bid(feed) == 98_00
    local.clock.at += timedelta(days=1)
    monkeypatch.setattr(ours.instruments, "security_of", lambda *_: SecurityId("NSE_FNO", 99))
    feed.quotes([CALL])
    feed._use([_full(number, 7_00)])
    assert _bid(feed) == 98_00
    feed._use([_full(99, 97_00)])
    assert _bid(feed) == 97_00


def test_a_packet_that_shows_nothing_is_no_quote(ours: OurSide, local: LocalExchange) -> None:
    """The first packet of a contract that was never quoted or traded holds zeros."""
    feed = ours.feed(streaming=False)
    feed.quotes([OTHER])
    number = int(local.id_of(OTHER))
    feed._use([_full(number, 98_00)._replace(last=0.0, depth=bytes(100))])
    assert feed.cache.get([OTHER.key]) == {}
