"""A desk that is closed leaves nothing behind: no thread, no socket, no file of its own."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from strikeloom.adapters.dhan.client import DhanClient
from strikeloom.adapters.dhan.feed import DhanFeed
from strikeloom.adapters.dhan.rate_limiter import CallClass
from strikeloom.adapters.dhan.updates import OrderUpdates
from strikeloom.desk import keys, open_desk
from strikeloom.errors import StoreError
from strikeloom.ports.desk import Desk, Mode
from support.dhan_client import QUICK, OurSide, eventually
from support.fakes import option
from support.local_exchange import LocalExchange, local_exchange

CALL = option(25_000)


def _ours() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("dhan-")]


@pytest.fixture
def paper(
    tmp_path: Path, drawn_home: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[LocalExchange]:
    monkeypatch.setattr(keys, "env_file", lambda: tmp_path / ".env")
    with local_exchange(tmp_path / "exchange", limits=False) as served:
        for name, value in served.environment().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("STRIKELOOM_MARKET", "synthetic-7")
        monkeypatch.setenv("DHAN_CLIENT_ID", served.client_id)
        monkeypatch.setenv("DHAN_ACCESS_TOKEN", served.token)
        served.market.show(CALL, 99_00, 100_00)
        yield served


def test_a_closed_desk_leaves_no_thread(paper: LocalExchange) -> None:
    assert _ours() == []
    with open_desk("synthetic-7", mode="paper", day="2026-02-10") as desk:
        assert desk.feed.quotes([CALL])[CALL.key].bid == 99_00
        desk.clock.wait(0.01)  # whoever waits wants to be woken: order updates begin
        eventually(lambda: len(_ours()) == 2)
        assert isinstance(desk.feed, DhanFeed)
        eventually(lambda: desk.feed.status.connected)  # type: ignore[attr-defined]
        desk.feed.repair_gap()
    assert _ours() == []
    desk.clock.wait(0.01)
    desk.feed.repair_gap()
    assert _ours() == []  # and nothing begins again
    with pytest.raises(StoreError):
        desk.store.positions()
    desk.close()  # twice is no mistake


def test_an_error_in_the_block_closes_it_too(paper: LocalExchange) -> None:

    def cell() -> None:
        with open_desk("synthetic-7", mode="paper", day="2026-02-10") as desk:
            desk.feed.quotes([CALL])
            raise RuntimeError("in a cell")

    with pytest.raises(RuntimeError, match="in a cell"):
        cell()
    assert _ours() == []


def test_a_replay_is_closed_as_well(drawn_home: Path) -> None:
    with open_desk("synthetic-7") as desk:
        assert desk.mode is Mode.REPLAY
        assert desk.store.positions() == []
    with pytest.raises(StoreError):
        desk.store.positions()


def test_all_is_closed_before_a_failure_is_raised(drawn_home: Path) -> None:
    ended: list[str] = []

    def fails() -> None:
        raise OSError("busy")

    with open_desk("synthetic-7") as opened:
        desk: Desk = replace(
            opened, closers=(lambda: ended.append("feed"), fails, lambda: ended.append("store"))
        )
        with pytest.raises(OSError, match="busy"):
            desk.close()
    assert ended == ["feed", "store"]


def test_a_socket_that_is_still_connecting_ends(tmp_path: Path) -> None:
    with local_exchange(tmp_path, limits=False) as local, socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        ours = OurSide(local, tmp_path)
        silent = f"ws://127.0.0.1:{deaf.getsockname()[1]}/"
        addresses = replace(ours.addresses, feed=silent, orders=silent)
        patient = replace(QUICK, open=600.0)
        updates = OrderUpdates(ours.credentials, addresses, lambda _: None, pauses=patient)
        updates.start()
        eventually(lambda: _ours() == ["dhan-order update"])
        deaf.accept()
        updates.close()
        assert _ours() == []
        ours.close()


def test_a_closed_client_sends_nothing(tmp_path: Path) -> None:
    with local_exchange(tmp_path, limits=False) as local:
        ours = OurSide(local, tmp_path)
        client: DhanClient = ours.client
        ours.close()
        answer = client.call(CallClass.OTHER, "get_order_list")
        assert (answer.status, answer.sent, answer.failure) == (None, False, "the desk was closed")
