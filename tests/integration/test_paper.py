"""Paper trading, the whole walk: orders over the wire, exits, a restart of either side."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from strikeloom import execution
from strikeloom.adapters.system_clock import SystemClock
from strikeloom.desk import open_desk, to_next_session
from strikeloom.desk.exchange import ExchangeOptions, open_exchange
from strikeloom.domain.orders import IntentState
from strikeloom.errors import BrokerError
from strikeloom.exchange.server.serve import ExchangeServer
from strikeloom.monitor import request_exit
from strikeloom.monitor import watch as watch_desk
from strikeloom.ports.desk import Desk, Mode
from support.held_port import held_port

DAY = date(2026, 6, 10)


@pytest.fixture
def port() -> Iterator[int]:
    with held_port() as port:
        yield port


@contextmanager
def _exchange(home: Path, port: int, monkeypatch: Any) -> Iterator[ExchangeServer]:
    options = ExchangeOptions(market="synthetic", port=port, speed=60, limits=False)
    with open_exchange(options, home=home) as server:
        for name, value in server.environment().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("DHAN_CLIENT_ID", "1000000001")
        monkeypatch.setenv("DHAN_ACCESS_TOKEN", "local")
        yield server


def _close(desk: Desk) -> None:
    desk.close()


def _held(desk: Desk) -> dict[str, int]:
    net: dict[str, int] = {}
    for position in desk.store.positions():
        for leg in position.legs:
            key = leg.instrument.key
            net[key] = net.get(key, 0) + leg.net_units
    return {key: units for key, units in net.items() if units}


def _truth(server: ExchangeServer) -> dict[str, int]:
    (engine,) = server.exchange.engines.values()
    return {p.instrument.key: p.net for p in engine.positions() if p.net}


def _until_flat(desk: Desk, tries: int = 20) -> None:
    for _ in range(tries):
        watch_desk(desk, SystemClock(), once=True)
        if not desk.store.positions():
            return
        time.sleep(0.1)
    raise AssertionError(desk.store.positions())


@pytest.mark.slow
def test_the_whole_walk_with_a_restart_of_either_side(
    drawn_home: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with _exchange(drawn_home, port, monkeypatch) as server:
        desk = open_desk("synthetic", mode="paper", stage="execution")
        assert (desk.mode, desk.account, desk.day) == (Mode.PAPER, "paper:local", DAY)
        assert to_next_session(desk).date() == date(2026, 6, 11)
        marked = execution.load_marked(desk)
        marked = replace(marked, rows=marked.rows[:2])
        placed = execution.place(desk, execution.plan_entries(desk, marked))
        assert placed.filled
        watch_desk(desk, SystemClock(), once=True)
        assert _held(desk) == _truth(server) != {}
        _close(desk)  # our side ends without a word

        again = open_desk("synthetic", mode="paper")
        watch_desk(again, SystemClock(), once=True)
        assert _held(again) == _truth(server)
        alerts = [a.text for a in again.store.alerts() if "differ" in a.text]
        assert alerts == []

    with pytest.raises(BrokerError):  # theirs is gone
        again.broker.orders()
    _close(again)

    with _exchange(drawn_home, port, monkeypatch) as server:
        desk = open_desk("synthetic", mode="paper")
        assert _held(desk) == _truth(server) != {}
        for position in desk.store.positions():
            request_exit(desk, position.position_id, who="the test")
        _until_flat(desk)
        assert _truth(server) == {}
        assert not desk.store.intents(states={IntentState.UNKNOWN, IntentState.SENDING})
        (engine,) = server.exchange.engines.values()
        ours = sum(fill.charges for fill in desk.store.fills())
        assert ours == sum(trade.charges for trade in engine.trades())
        _close(desk)
