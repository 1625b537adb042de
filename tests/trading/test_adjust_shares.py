"""Shares and futures through a split, a bonus and a change of name, with their calls."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from strikeloom.domain.adjustments import ContractAdjustment
from strikeloom.domain.instruments import Share
from strikeloom.domain.legs import Side
from strikeloom.domain.orders import IntentState
from strikeloom.domain.positions import RequestState
from strikeloom.monitor import request_exit, run_cycle
from strikeloom.trading.lease import Lease
from strikeloom.trading.prepare import prepare_exit
from strikeloom.trading.reconcile import reconcile
from strikeloom.trading.send import OrderRateLimiter
from support.fakes import EXPIRY, ManualClock, ist
from support.mixed_legs import FUTURE, LOT, RELIANCE, SHARE, MixedDesk, stock_option

DAY = date(2026, 2, 12)
CALL = stock_option(1_420)
NEW_CALL = replace(CALL, strike=284_00, lot_size=2_500)
NEW_FUTURE = replace(FUTURE, lot_size=2_500)
SPLIT = {
    of.key: [ContractAdjustment(of.key, new, 5, 1, DAY, "RELIANCE had a split on 2026-02-12")]
    for of, new in ((SHARE, SHARE), (FUTURE, NEW_FUTURE), (CALL, NEW_CALL))
}
REAL = ManualClock(ist("2026-11-01 12:00"))


@pytest.fixture
def made(tmp_path: Path) -> MixedDesk:
    desk = MixedDesk(tmp_path)
    desk.show(CALL, 20_00, 20_50)
    desk.listed.changes = SPLIT
    return desk


def next_day(made: MixedDesk) -> None:
    held = {NEW_CALL.key if key == CALL.key else key: 5 * n for key, n in made.ledger.held.items()}
    made.ledger.held = held
    made.clock.at = ist("2026-02-12 09:20")
    made.show(SHARE, 280_00, 280_10)
    made.show(NEW_FUTURE, 281_00, 281_10)
    made.show(NEW_CALL, 4_00, 4_10)


def cycle(made: MixedDesk) -> None:
    with Lease(made.home, made.store) as lease:
        run_cycle(made.desk, lease, OrderRateLimiter(1e6), REAL)


def test_a_covered_call_follows_a_split_of_five_to_one(made: MixedDesk) -> None:
    """Shares and units times five, the total paid as it was."""
    name = made.hold("covered_call", (SHARE, Side.BUY, LOT, 1_400_00), (CALL, Side.SELL, 1, 20_00))
    next_day(made)
    assert reconcile(made.desk).differences == []
    shares, call = made.store.position(name).legs
    assert (shares.instrument, shares.net_units, shares.first_units) == (SHARE, 2_500, 2_500)
    assert (shares.open_value, shares.since) == (500 * 1_400_10, DAY)
    assert (call.instrument, call.net_units, call.net_lots) == (NEW_CALL, -2_500, -1)
    ((_, text),) = [it for it in made.alerts.texts if "split" in it[1]]
    assert f"{name}: 500 RELIANCE shares are 2,500 RELIANCE shares since 2026-02-12" in text
    reconcile(made.desk)
    assert made.store.position(name).legs[0].net_units == 2_500
    assert made.store.audit_positions() == []


def test_a_request_of_the_eve_sells_the_shares_there_are_now(made: MixedDesk) -> None:
    name = made.hold("hedge", (SHARE, Side.BUY, LOT, 1_400_00), (FUTURE, Side.SELL, 1, 1_405_00))
    made.clock.at = ist("2026-02-11 15:29:59")
    request_exit(made.desk, name, who="test")
    made.feed.shown.clear()  # no price: the request waits overnight
    cycle(made)
    assert made.store.requests()[0].state is RequestState.PENDING
    next_day(made)
    for _ in range(3):
        cycle(made)
        made.step()
    assert [leg.net_units for leg in made.store.position(name).legs] == [0, 0]
    assert made.store.requests()[0].state is RequestState.DONE
    # 2,500 x 280.00 - 500 x 1,400.10
    assert made.store.position(name).legs[0].realised == -50_00


def test_an_unsent_sale_of_the_eve_ends_and_is_made_again(made: MixedDesk) -> None:
    """Two of the later orders together sell 2,500 shares, never 500 and 2,500."""
    name = made.hold("shares", (SHARE, Side.BUY, LOT, 1_400_00))
    old = prepare_exit(made.desk, made.store.position(name), [0], "test")
    made.store.record_intents(old)
    next_day(made)
    cycle(made)
    (ended,) = made.store.intents(correlation_ids=[old[0].correlation_id])
    assert ended.state is IntentState.ENDED
    assert made.store.position(name).legs[0].net_units == 2_500
    request_exit(made.desk, name, who="test")
    cycle(made)
    assert made.store.position(name).legs[0].net_units == 0
    assert [f.units for f in made.ledger.trades] == [500, 2_500]


def test_shares_that_a_delivery_brought_are_not_split_again(made: MixedDesk) -> None:
    """A split of the days before the delivery is not theirs."""
    made.listed.changes = {}
    put = replace(stock_option(1_440), right=stock_option(1).right.PUT)
    made.show(put, 45_00, 45_50)
    name = made.hold("short_put", (put, Side.SELL, 1, 45_00))
    made.listed.changes = {
        SHARE.key: [ContractAdjustment(SHARE.key, SHARE, 5, 1, DAY, "RELIANCE had a split")]
    }
    made.at(f"{EXPIRY} 15:30")
    made.feed.settlements[RELIANCE, EXPIRY] = 1_400_00
    reconcile(made.desk)
    made.at("2026-02-25 10:00")
    reconcile(made.desk)
    assert [leg.net_units for leg in made.store.position(name).legs] == [0, LOT]
    assert not [text for _, text in made.alerts.texts if "split" in text]


def test_a_share_takes_the_new_name_of_its_company(made: MixedDesk) -> None:
    new = Share("JIOREL")
    made.listed.changes = {
        SHARE.key: [ContractAdjustment(SHARE.key, new, 1, 1, DAY, "RELIANCE was renamed")]
    }
    name = made.hold("shares", (SHARE, Side.BUY, LOT, 1_400_00))
    made.ledger.held = {new.key: LOT}
    made.clock.at = ist("2026-02-12 09:20")
    made.show(new, 1_410_00, 1_410_20)
    assert reconcile(made.desk).differences == []
    position = made.store.position(name)
    assert (position.symbol, position.legs[0].instrument) == ("JIOREL", new)
    cycle(made)
    request_exit(made.desk, name, who="test")
    cycle(made)
    assert not made.store.position(name).is_open
