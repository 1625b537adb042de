"""Ticks and order updates end the wait of whoever decides on prices."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from strikeloom.adapters.dhan.clock import WakefulClock
from strikeloom.adapters.dhan.feed import DhanFeed
from strikeloom.adapters.system_clock import SystemClock
from strikeloom.errors import BrokerError
from support.dhan_client import OurSide, eventually
from support.fakes import option
from support.local_exchange import LocalExchange

CALL, OTHER = option(25_000), option(25_100)
LONG = 120.0  # a wait that ran to its end would be noticed


def _watching(*, on_ticks: bool = True) -> WakefulClock:
    clock = WakefulClock(SystemClock())
    clock.wakes_on_ticks = on_ticks
    return clock


def _seconds(clock: WakefulClock, longest: float) -> float:
    began = time.monotonic()
    assert clock.wait(longest)
    return time.monotonic() - began


def _subscribed(feed: DhanFeed, local: LocalExchange) -> None:
    local.market.show(CALL, 99_00, 100_00)
    feed.quotes([CALL])
    eventually(lambda: feed.status.connected)

    def ticks() -> bool:
        local.market.show(CALL, 98_00, 100_00)
        local.push()
        return feed.cache.get([CALL.key])[CALL.key].bid == 98_00

    eventually(ticks)


def test_a_tick_of_a_subscribed_contract_ends_the_wait(ours: OurSide, local: LocalExchange) -> None:
    clock = _watching()
    feed = ours.feed(on_tick=clock.on_tick)
    try:
        _subscribed(feed, local)
        clock.wait(0.05)  # what has ticked so far
        local.market.show(CALL, 101_00, 102_00)
        sender = threading.Timer(0.1, local.push)
        sender.start()
        assert _seconds(clock, LONG) < LONG / 2
        sender.join()
        assert feed.cache.get([CALL.key])[CALL.key].bid == 101_00  # stored before the wake
    finally:
        feed.close()


def test_a_level_of_an_underlying_ends_the_wait(ours: OurSide, local: LocalExchange) -> None:
    clock = _watching()
    feed = ours.feed(on_tick=clock.on_tick)
    try:
        feed.spot("NIFTY")
        eventually(lambda: feed.status.connected)
        clock.wait(0.05)
        local.market.spots["NIFTY"] = 25_123_45
        sender = threading.Timer(0.1, lambda: local.step(1))
        sender.start()
        assert _seconds(clock, LONG) < LONG / 2
        sender.join()
    finally:
        feed.close()


def test_a_quote_asked_for_by_rest_does_not_wake(ours: OurSide, local: LocalExchange) -> None:
    """The watcher asks by REST in its own cycle: that must not start the next one."""
    woken: list[int] = []
    feed = ours.feed(streaming=False, on_tick=lambda: woken.append(1))
    local.market.show(CALL, 99_00, 100_00)
    assert feed.quotes([CALL])
    assert feed.spot("NIFTY")
    assert woken == []


def test_a_packet_without_a_price_does_not_wake(ours: OurSide, local: LocalExchange) -> None:
    """The first packet of a contract that was never quoted or traded holds zeros."""
    woken: list[int] = []
    clock = _watching()
    feed = ours.feed(on_tick=lambda: woken.append(1))
    try:
        feed.quotes([OTHER])
        eventually(lambda: feed.status.connected)
        local.push()
        clock.wait(0.2)
        assert woken == []
    finally:
        feed.close()


def test_many_ticks_during_a_cycle_are_one_wake() -> None:
    clock = _watching()
    for _ in range(1000):
        clock.on_tick()
    assert _seconds(clock, LONG) < LONG / 2
    assert _seconds(clock, 0.05) >= 0.05  # nothing is left of them


def test_a_tick_between_reading_and_waiting_is_not_missed() -> None:
    clock = _watching()
    clock.wait(0.01)
    clock.on_tick()  # after the caller has read, before it waits
    assert _seconds(clock, LONG) < LONG / 2


def test_ticks_wake_only_where_that_was_switched_on() -> None:
    clock = _watching(on_ticks=False)
    clock.on_tick()
    assert _seconds(clock, 0.05) >= 0.05
    clock.wake()  # an order update always does
    assert _seconds(clock, LONG) < LONG / 2


def test_a_watcher_that_is_always_woken_leaves_time_to_others() -> None:
    clock = _watching()
    began = time.monotonic()
    for _ in range(20):
        clock.on_tick()
        clock.wait(LONG)
    assert time.monotonic() - began >= 20 * 0.002


def test_a_watcher_does_not_wait_for_a_quote_that_did_not_tick(
    ours: OurSide, local: LocalExchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is asked for in another thread, which wakes the watcher when it has come."""
    clock = _watching()
    feed = ours.feed(on_tick=clock.on_tick)
    feed.refreshes_in_background = True
    answered = threading.Event()
    for name in ("quotes", "level"):
        monkeypatch.setattr(feed._calls, name, _after(answered, getattr(feed._calls, name)))
    try:
        answered.set()
        _subscribed(feed, local)
        feed.spot("NIFTY")
        answered.clear()
        clock.wait(0.05)
        local.market.show(CALL, 97_00, 98_00)  # not pushed: only a question shows it
        local.market.spots["NIFTY"] = 25_200_00
        feed._seen = dict.fromkeys(feed._seen, time.monotonic() - 60.0)
        assert feed.quotes([CALL])[CALL.key].bid == 98_00
        assert feed.spot("NIFTY")[0] == 25_000_00
        answered.set()
        assert _seconds(clock, LONG) < LONG / 2
        eventually(lambda: feed.quotes([CALL])[CALL.key].bid == 97_00)
        eventually(lambda: feed.spot("NIFTY")[0] == 25_200_00)
    finally:
        feed.close()


def _after(answered: threading.Event, call: Callable[..., Any]) -> Callable[..., Any]:
    def waiting(*args: Any) -> Any:
        answered.wait(10)
        return call(*args)

    return waiting


def test_a_quote_that_was_never_seen_is_waited_for(ours: OurSide, local: LocalExchange) -> None:
    feed = ours.feed(streaming=False)
    feed.refreshes_in_background = True
    try:
        local.market.show(CALL, 97_00, 98_00)
        assert feed.quotes([CALL])[CALL.key].bid == 97_00
        local.fault("bad-gateway", on="quotes")
        with pytest.raises(BrokerError):
            feed.quotes([CALL, OTHER])
    finally:
        feed.close()
