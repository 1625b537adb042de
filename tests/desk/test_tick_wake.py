"""A desk in mode paper: the market feed over the wire ends the wait of its watcher."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from strikeloom.desk import open_desk, wake_on_ticks
from strikeloom.desk.exchange import ExchangeOptions, open_exchange
from strikeloom.domain.instruments import OptionContract, instrument_key
from strikeloom.ports.desk import Desk, Mode
from support.dhan_client import eventually

#: Seconds of the exchange's time, which runs 60 times as fast: ten minutes of real time.
LONG = 36_000.0


@pytest.fixture
def desk(drawn_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    options = ExchangeOptions(market="synthetic", speed=60, limits=False, ticks=200)
    with open_exchange(options, home=drawn_home) as server:
        for name, value in server.environment().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("DHAN_CLIENT_ID", "1000000001")
        monkeypatch.setenv("DHAN_ACCESS_TOKEN", "local")
        with open_desk("synthetic", mode="paper") as opened:
            yield opened


def _contracts(desk: Desk, count: int = 20) -> list[OptionContract]:
    today = desk.clock.now().date()
    rows = desk.history.contracts(desk.day, symbols=["SYNDEX"])
    rows = rows[(rows["expiry"].dt.date > today) & (rows["right"] != "XX")]
    rows = rows.nlargest(count, "open_interest")
    keys = [instrument_key(r.symbol, r.expiry.date(), r.strike, r.right) for r in rows.itertuples()]
    return [desk.instruments.instrument(key, today) for key in keys]


def _real_seconds(desk: Desk, seconds: float) -> float:
    began = time.monotonic()
    assert desk.clock.wait(seconds)
    return time.monotonic() - began


def test_ticks_end_the_wait_of_a_watcher(desk: Desk) -> None:
    assert desk.mode is Mode.PAPER
    wake_on_ticks(desk)
    contracts = _contracts(desk)
    first = desk.feed.quotes(contracts)
    assert first
    for _ in range(3):  # connecting wakes once; from then on it is the ticks
        assert _real_seconds(desk, LONG) < 60

    def moved() -> bool:
        assert _real_seconds(desk, LONG) < 60
        return desk.feed.quotes(contracts) != first

    eventually(moved)


def test_without_it_a_wait_lasts_as_long_as_asked(desk: Desk) -> None:
    desk.feed.quotes(_contracts(desk))
    desk.clock.wait(60)  # order updates connect, which wakes
    desk.clock.wait(60)
    assert _real_seconds(desk, 60) >= 0.9
