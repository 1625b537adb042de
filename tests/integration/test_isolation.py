"""Market and account keep apart: nothing of one desk is visible to another."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from strikeloom import execution
from strikeloom.adapters.sqlite.store import open_store
from strikeloom.adapters.system_clock import SystemClock
from strikeloom.desk import open_desk, to_next_session
from strikeloom.domain.orders import BrokerPosition, Fill, Funds, Order, OrderRequest
from strikeloom.monitor import watch
from strikeloom.ports.desk import Desk, Mode


class RecordingBroker:
    """A live broker's double that remembers whatever it is asked to do."""

    name = "double"
    book_is_complete = False
    reports_settlements = False

    def __init__(self) -> None:
        self.sent: list[object] = []

    def submit(self, request: OrderRequest) -> Order:
        self.sent.append(request)
        raise AssertionError(f"sent {request}")

    def cancel(self, order_id: str) -> Order:
        self.sent.append(order_id)
        raise AssertionError(f"cancelled {order_id}")

    def change_count(self) -> None:
        return None

    def orders(self) -> list[Order]:
        return []

    def fills(self) -> list[Fill]:
        return []

    def positions(self) -> list[BrokerPosition]:
        return []

    def funds(self) -> Funds:
        return Funds(0, 0, 0)


@pytest.fixture(scope="module")
def traded(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A synthetic desk with open positions."""
    with pytest.MonkeyPatch.context() as patch:
        home = tmp_path_factory.mktemp("home")
        patch.setenv("STRIKELOOM_HOME", str(home))
        desk = open_desk("synthetic", stage="execution")
        to_next_session(desk)
        plan = execution.plan_entries(desk, execution.load_marked(desk))
        assert execution.place(desk, plan).filled
        return desk


def test_a_live_desk_over_simulated_positions_sees_none_and_sends_nothing(traded: Desk) -> None:
    account = "dhan:0000000000"
    broker = RecordingBroker()
    live = replace(
        traded,
        account=account,
        mode=Mode.LIVE,
        broker=broker,
        store=open_store(traded.home / "store.db", traded.market, account),
    )
    assert traded.store.positions()
    report = watch(live, SystemClock(), once=True)
    assert live.store.positions(open_only=False) == []
    assert live.store.intents() == []
    assert report.marked == []
    assert broker.sent == []


def test_no_synthetic_row_is_visible_on_the_exchange_s_market(traded: Desk) -> None:
    day = traded.day
    real = open_store(traded.home / "store.db", "nse", "replay:nse")
    assert len(traded.store.iv_history(day)) > 0
    assert real.iv_history(date(2030, 1, 1)).empty
    assert real.ranks(day) == {}
    assert real.proposals(day) == []
    assert real.allocation(day) is None
    assert real.marks(day) == []
    assert real.positions(open_only=False) == []
    assert real.runs() == []


def test_the_same_market_of_another_account_has_its_own_trades(traded: Desk) -> None:
    other = open_store(traded.home / "store.db", traded.market, "paper:second")
    assert len(other.iv_history(traded.day)) == len(traded.store.iv_history(traded.day))
    assert other.positions(open_only=False) == []
    assert other.fills() == []


def test_the_broker_s_own_record_agrees_with_ours(traded: Desk) -> None:
    ours: dict[str, int] = {}
    for position in traded.store.positions():
        for leg in position.legs:
            ours[leg.instrument.key] = ours.get(leg.instrument.key, 0) + leg.net_units
    theirs = {p.instrument_key: p.net_units for p in traded.broker.positions()}
    assert {k: v for k, v in ours.items() if v} == theirs


def test_store_files_are_private(traded: Desk) -> None:
    for path in [traded.home / "store.db", *Path(traded.home / "accounts").glob("*.db")]:
        assert path.stat().st_mode & 0o077 == 0, path.name
