"""Desks in real time: opened without a connection; what each does with an order."""

from __future__ import annotations

import asyncio
import socket
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest

from strikeloom.adapters.dhan.broker import DhanBroker
from strikeloom.adapters.dhan.client import DhanClient
from strikeloom.adapters.dhan.clock import ExchangeClock, WakefulClock
from strikeloom.adapters.dhan.day_list import SecurityId
from strikeloom.adapters.dhan.rate_limiter import CallClass
from strikeloom.adapters.refusing import RefusingBroker
from strikeloom.adapters.sim import SimBroker
from strikeloom.adapters.system_clock import SystemClock
from strikeloom.desk import keys, open_desk, to_day_end, to_next_session
from strikeloom.desk.dhan import wire
from strikeloom.errors import Rejected, StageError, Unreachable
from strikeloom.ports.desk import Desk, Mode
from support.dhan_client import OurSide, eventually
from support.fakes import ManualClock, ist, option, order
from support.local_exchange import local_exchange

LAST = date(2026, 6, 10)


@pytest.fixture
def nse(drawn_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A synthetic market in place of the exchange's, keys of a broker, and no connections."""
    (drawn_home / "history" / "nse").symlink_to((drawn_home / "history" / "synthetic-7").resolve())
    monkeypatch.setattr(keys, "env_file", lambda: tmp_path / ".env")
    monkeypatch.setenv("DHAN_CLIENT_ID", "1000000042")
    monkeypatch.setenv("DHAN_ACCESS_TOKEN", "marked-token")

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("opening a desk makes no connection")

    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)


def _open(mode: str) -> Desk:
    desk = open_desk("nse", mode=mode)
    assert desk.mode == mode
    assert desk.day == LAST  # the last stored day before today
    assert isinstance(desk.clock, WakefulClock)
    assert desk.chains is not None
    return desk


def test_simulate_trades_in_the_engine_on_this_machine(nse: None) -> None:
    desk = _open("simulate")
    assert desk.account == "sim"
    assert isinstance(desk.broker, SimBroker)


def test_alert_refuses_every_order_before_it_could_leave(nse: None) -> None:
    desk = _open("alert")
    assert desk.account.startswith("dhan:")
    assert isinstance(desk.broker, RefusingBroker)
    with pytest.raises(Rejected, match=r"alert sends no order.*buy 65 NIFTY 24 Feb 25000 CE"):
        desk.broker.submit(order("tag-1", option(25_000), "BUY", 1, 100_00))
    with pytest.raises(Rejected, match="alert cancels no order"):
        desk.broker.cancel("100000000001")


def test_the_adapter_itself_sends_no_order_to_dhan(nse: None) -> None:
    """Below the mode and its broker: the adapter alone cannot reach the real order book."""
    found = wire()
    assert found.credentials is not None
    assert not found.is_local
    client = DhanClient(found.credentials, found.addresses)
    for method in ("place_order", "modify_order", "cancel_order"):
        with pytest.raises(Rejected, match=f"{method} was not sent: orders go only to a local"):
            client.call(CallClass.ORDER, method, "100000000001")
    listed = SimpleNamespace(security_of=lambda *_: SecurityId("NSE_FNO", 40_001))
    broker = DhanBroker(client, listed, SystemClock())  # type: ignore[arg-type]
    with pytest.raises(Rejected, match="place_order was not sent"):
        broker.submit(order("tag-1", option(25_000), "BUY", 1, 100_00))


def test_a_desk_in_real_time_cannot_pick_its_day(nse: None) -> None:
    desk = _open("simulate")
    with pytest.raises(StageError, match="runs in real time"):
        to_day_end(desk, LAST)
    with pytest.raises(StageError, match="trade on 2026-06-11, and today is"):
        to_next_session(desk)


def test_a_refusing_broker_shows_what_is_there(tmp_path: Path) -> None:
    with local_exchange(tmp_path, limits=False) as local:
        ours = OurSide(local, tmp_path)
        local.market.show(option(25_000), 99_00, 100_00)
        ours.broker.submit(order("tag-1", option(25_000), "BUY", 1, 100_00))
        local.step(1)
        looking = RefusingBroker(ours.broker)
        assert looking.orders() == ours.broker.orders()
        assert looking.fills() == ours.broker.fills() != []
        assert looking.positions() == ours.broker.positions() != []
        assert looking.funds() == ours.broker.funds()
        assert (looking.book_is_complete, looking.reports_settlements) == (False, False)
        ours.close()


def test_the_exchange_s_clock_is_kept_and_never_goes_back(tmp_path: Path) -> None:
    with local_exchange(tmp_path, limits=False) as local:
        url = f"{local.auth}/control/clock"
        clock = ExchangeClock(url)
        assert clock.now() == local.clock.now()
        local.clock.wait(90)
        assert clock.now() == ist("2026-02-11 10:01:30")
        local.clock.at = ist("2026-02-11 09:59")  # a restarted exchange may begin earlier
        assert clock.now() == ist("2026-02-11 10:01:30")
    with pytest.raises(Unreachable, match="does not report its time"):
        clock.now()
    with pytest.raises(Unreachable, match="does not report its time"):
        ExchangeClock("http://127.0.0.1:9/control/clock").now()


def test_a_waiting_desk_is_woken_by_an_order_update() -> None:
    begun = []
    clock = WakefulClock(SystemClock())
    clock.begin_with(lambda: begun.append(1))
    clock.wake()
    assert clock.wait(60.0)  # a minute would be noticed
    assert begun == [1]
    assert clock.now().utcoffset() == ManualClock(ist("2026-02-11 10:00")).now().utcoffset()


def test_a_feed_runs_below_a_loop_that_runs_already(tmp_path: Path) -> None:
    """As in a notebook's kernel, whose cells block the kernel's own loop."""

    async def cell() -> int | None:
        with local_exchange(tmp_path, limits=False) as local:
            ours = OurSide(local, tmp_path)
            feed = ours.feed()
            instrument = option(25_000)
            local.market.show(instrument, 99_00, 100_00)
            feed.quotes([instrument])
            eventually(lambda: feed.status.connected)

            def seen() -> bool:
                local.market.show(instrument, 98_00, 100_00)
                local.push()
                return feed.cache.get([instrument.key])[instrument.key].bid == 98_00

            eventually(seen)
            bid = feed.quotes([instrument])[instrument.key].bid
            feed.close()
            ours.close()
            return bid

    assert asyncio.run(cell()) == 98_00


def test_modes_that_trade_are_all_here() -> None:
    assert {mode.value for mode in Mode} == {"replay", "simulate", "paper", "alert", "live"}
