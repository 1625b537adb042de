"""A watcher that ended with an order at work, and the next one on another day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from strikeloom.adapters.dhan.account_rows import past_fill_of
from strikeloom.adapters.dhan.master_store import fetch_master
from strikeloom.domain.legs import Leg, Side
from strikeloom.domain.orders import IntentState
from strikeloom.errors import BrokerError
from strikeloom.monitor import CycleReport, run_cycle
from strikeloom.ports.desk import Desk
from strikeloom.trading.lease import Lease
from strikeloom.trading.prepare import prepare_entry
from strikeloom.trading.send import OrderRateLimiter
from support.desk import MadeDesk
from support.dhan_client import OurSide
from support.fakes import ist, option, order
from support.local_exchange import LocalExchange

CALL = option(25_000)


@pytest.fixture
def made(tmp_path: Path) -> Iterator[MadeDesk]:
    desk = MadeDesk(tmp_path / "desk")
    yield desk
    desk.close()


def _round(desk: Desk) -> CycleReport:
    with Lease(desk.home, desk.store) as lease:
        return run_cycle(desk, lease, OrderRateLimiter(1e6), desk.clock)


def _next_day(ours: OurSide, local: LocalExchange) -> None:
    local.clock.at = ist("2026-02-12 10:00")
    ours.instruments._store.keep(fetch_master(local.instruments), local.clock.now().date())
    local.market.show(CALL, 99_00, 100_00)
    local.push()


@pytest.mark.parametrize("size", [650, 65], ids=["all of it", "half of it"])
def test_what_filled_after_the_last_look_is_found_the_next_day(
    ours: OurSide, local: LocalExchange, made: MadeDesk, size: int
) -> None:
    desk = replace(
        made.desk,
        clock=local.clock,
        feed=ours.feed(streaming=False),
        broker=ours.broker,
        instruments=ours.instruments,
    )
    local.market.show(CALL, 99_00, 100_00)
    proposal = made.propose([Leg(CALL, Side.BUY, 1, 100_00)], "long_call")
    desk.store.record_intents(prepare_entry(desk, proposal, 2))
    local.market.show(CALL, 99_00, 110_00)
    _round(desk)
    local.market.show(CALL, 99_00, 102_00, size=size)  # the entry's limit: one level of the book
    local.step(60)
    truth = local.engine.trades()
    assert sum(trade.units for trade in truth) == min(size, 130)
    _next_day(ours, local)
    assert _round(desk).failure == ""
    (fill, *_) = found = desk.store.fills(position_id=proposal.strategy_id)
    assert (fill.units, fill.price, fill.at) == (truth[0].units, truth[0].price, truth[0].at)
    assert sum(f.charges for f in found) == sum(trade.charges for trade in truth)
    assert not any("positions differ" in text for _, text in made.alerts.texts)
    for _ in range(5):
        local.step(31)
        local.market.show(CALL, 99_00, 100_00)
        assert _round(desk).failure == ""
    assert desk.store.intents(states={IntentState.UNKNOWN}) == []
    held = {p.instrument_key: p.net_units for p in ours.broker.positions()}
    # all of it is a position; half of an entry is unwound, its day is over
    assert held == ({CALL.key: 130} if size == 650 else {})
    ours_held = {
        leg.instrument.key: leg.net_units for p in desk.store.positions() for leg in p.legs
    }
    assert ours_held == held


def test_a_past_trade_in_another_contract_is_an_error(ours: OurSide, local: LocalExchange) -> None:
    local.market.show(CALL, 99_00, 100_00)
    placed = ours.broker.submit(order("tag-1", CALL, "BUY", 1, 100_00))
    row = {"orderId": placed.order_id, "drvExpiryDate": "2026-02-24", "drvStrikePrice": 25_100.0}
    with pytest.raises(BrokerError, match=r"a past trade .* cannot be read: its order"):
        past_fill_of(row, placed, earlier=0)
