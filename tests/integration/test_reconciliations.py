"""How often the watcher reads the broker: not at all while order updates report no change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from strikeloom.adapters.dhan.broker import DhanBroker
from strikeloom.adapters.dhan.updates import OrderUpdates
from strikeloom.monitor.cycle import Watcher
from strikeloom.trading.lease import Lease
from strikeloom.trading.send import OrderRateLimiter
from support.desk import MadeDesk
from support.dhan_client import QUICK, OurSide, eventually
from support.fakes import option, order
from support.local_exchange import LocalExchange, local_exchange

ONCE_EACH = {"orders": 1, "fills": 1, "positions": 1}


class Counted:
    """A broker whose readings are counted."""

    def __init__(self, broker: DhanBroker) -> None:
        self._broker = broker
        self.reads: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        if name in ("orders", "fills", "positions", "earlier_fills"):
            self.reads[name] += 1
        return getattr(self._broker, name)


class Desk:
    """A watcher over a local exchange whose order updates are connected."""

    def __init__(self, local: LocalExchange, folder: Path) -> None:
        self.local = local
        self.ours = OurSide(local, folder)
        self.updates = OrderUpdates(
            self.ours.credentials, self.ours.addresses, lambda _: None, pauses=QUICK
        )
        broker = DhanBroker(
            self.ours.client, self.ours.instruments, local.clock, self.updates.change_count
        )
        self.counted = Counted(broker)
        self.made = MadeDesk(folder / "home", clock=local.clock, broker=self.counted)
        self.lease = Lease(self.made.home, self.made.store)
        self.lease.__enter__()
        self.watcher = Watcher(self.made.desk, self.lease, OrderRateLimiter(1e6), local.clock)

    def connect(self) -> None:
        self.updates.start()
        eventually(lambda: self.updates.change_count() is not None)

    def reads(self) -> dict[str, int]:
        """Readings of one cycle."""
        self.counted.reads.clear()
        report = self.watcher.cycle()
        assert report.failure == ""
        return dict(self.counted.reads)

    def close(self) -> None:
        self.lease.__exit__(None, None, None)
        self.updates.close()
        self.made.close()
        self.ours.close()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with local_exchange(tmp_path / "exchange", limits=False) as local:
        made = Desk(local, tmp_path)
        yield made
        made.close()


def test_without_updates_the_broker_is_read_once_a_second(desk: Desk) -> None:
    found = []
    for _ in range(5):
        found.append(desk.reads())
        desk.local.clock.wait(0.5)
    assert found == [ONCE_EACH, {}, ONCE_EACH, {}, ONCE_EACH]


def test_with_updates_the_broker_is_read_when_it_reports_and_every_minute(desk: Desk) -> None:
    desk.connect()
    assert desk.reads() == ONCE_EACH
    assert [desk.reads() for _ in range(20)] == [{}] * 20

    before = desk.updates.change_count()
    call = option(25_000)
    desk.local.market.show(call, 99_00, 100_00)
    desk.ours.broker.submit(order("tag-1", call, "BUY", 1, 100_00))  # from another program
    desk.local.push()
    eventually(lambda: desk.updates.change_count() != before)
    eventually(lambda: desk.reads() == {})  # its updates are read, then all is quiet again
    assert [desk.reads() for _ in range(5)] == [{}] * 5

    desk.local.clock.wait(59)
    assert desk.reads() == {}
    desk.local.clock.wait(2)
    assert desk.reads() == ONCE_EACH
    assert desk.reads() == {}


def test_a_reconnect_is_followed_by_a_reading(desk: Desk) -> None:
    desk.connect()
    desk.reads()
    before = desk.updates.change_count()
    assert desk.reads() == {}
    desk.local.fault("stream-reset", on="orders-ws", times=1)
    desk.local.server.check_connections()
    eventually(lambda: desk.updates.change_count() not in (None, before))
    assert desk.reads() == ONCE_EACH
    assert desk.reads() == {}
