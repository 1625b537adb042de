"""An extraordinary dividend of 20 rupees on a future, its options and the shares, by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from strikeloom.adapters.sqlite.store import open_store
from strikeloom.domain.adjustments import ContractAdjustment
from strikeloom.domain.instruments import Right
from strikeloom.domain.legs import Side
from strikeloom.monitor.mark import mark_position
from strikeloom.trading.lease import Lease
from strikeloom.trading.prepare import last_days, prepare_exit, take_snapshot
from strikeloom.trading.reconcile import reconcile
from strikeloom.trading.send import OrderRateLimiter
from strikeloom.trading.work import work
from support.fakes import EXPIRY, ist
from support.mixed_legs import FUTURE, LOT, RELIANCE, SHARE, MixedDesk, stock_option

DAY = date(2026, 2, 12)
PUT = stock_option(1_380, Right.PUT)
NEW_PUT = replace(PUT, strike=1_360_00)
WHY = "RELIANCE had a dividend of 20 rupees a share on 2026-02-12"
CHANGES = {
    SHARE.key: [ContractAdjustment(SHARE.key, SHARE, 1, 1, DAY, WHY, 20_00)],
    FUTURE.key: [ContractAdjustment(FUTURE.key, FUTURE, 1, 1, DAY, WHY, 20_00)],
    PUT.key: [ContractAdjustment(PUT.key, NEW_PUT, 1, 1, DAY, WHY)],
}


@pytest.fixture
def made(tmp_path: Path) -> MixedDesk:
    desk = MixedDesk(tmp_path)
    desk.show(PUT, 15_00, 15_50)
    desk.listed.changes = CHANGES
    return desk


def next_day(made: MixedDesk) -> None:
    """Everything is 20 rupees lower, and nothing else has moved."""
    held = {NEW_PUT.key if key == PUT.key else key: n for key, n in made.ledger.held.items()}
    made.ledger.held = held
    made.clock.at = ist("2026-02-12 09:20")
    made.feed.spots[RELIANCE] = 1_380_00
    made.show(SHARE, 1_379_90, 1_380_10)
    made.show(FUTURE, 1_385_00, 1_385_50)
    made.show(NEW_PUT, 15_00, 15_50)
    for _ in range(2):
        assert reconcile(made.desk).differences == []


def marked(made: MixedDesk, name: str):
    position = made.store.position(name)
    legs = [leg.instrument for leg in position.legs]
    market = take_snapshot(made.desk, legs, [RELIANCE])
    return mark_position(position, market, last_days=last_days(made.desk, position), peak=None)


def test_a_future_with_its_put_makes_and_loses_nothing(made: MixedDesk) -> None:
    name = made.hold(
        "protected", (FUTURE, Side.BUY, 1, 1_405_50), (PUT, Side.BUY, 1, 15_00)
    )  # fmt: skip
    before = marked(made, name)
    next_day(made)
    after = marked(made, name)
    assert after.pnl == before.pnl == 500 * (-25 - 25)  # half of both spreads
    # at most the put's 15.50 and the 25.50 from 1,405.50 to 1,380 are lost, as before
    assert after.max_loss == before.max_loss == 500 * 41_00
    future = next(it for it in made.store.position(name).legs if it.instrument == FUTURE)
    assert (future.open_value, future.since, future.dividends) == (500 * 1_385_50, DAY, 0)
    ((level, text),) = [it for it in made.alerts.texts if "dividend" in it[1]]
    assert level == "warning"
    lot = "1 lot of RELIANCE 24 Feb future"
    assert f"{name}: {lot} are carried forward at a price lower by ₹20.00" in text
    assert made.store.audit_positions() == []


@pytest.mark.parametrize("side", [Side.BUY, Side.SELL])
def test_a_future_left_to_its_end_has_what_it_moved_besides(made: MixedDesk, side: Side) -> None:
    """Entered at 1,405.00 or 1,405.50, ended at 1,390 after 20 rupees: 4.50 up, or 5.00 down."""
    price = 1_405_50 if side is Side.BUY else 1_405_00
    name = made.hold("future", (FUTURE, side, 1, price))
    next_day(made)
    made.at(f"{EXPIRY} 15:30")
    made.feed.settlements[RELIANCE, EXPIRY] = 1_390_00
    reconcile(made.desk)
    future = made.store.position(name).legs[0]
    assert future.realised == int(side) * 500 * (1_390_00 - (price - 20_00))


def test_what_shares_pay_is_stated_beside_their_profit_and_in_no_cash(made: MixedDesk) -> None:
    name = made.hold("shares", (SHARE, Side.BUY, LOT, 1_400_00))
    next_day(made)
    (leg,) = made.store.position(name).legs
    assert (leg.open_value, leg.dividends) == (500 * 1_400_10, 10_000_00)
    assert marked(made, name).pnl == 500 * -20_10  # the price fell by what was paid
    ((_, text),) = [it for it in made.alerts.texts if "dividend" in it[1]]
    assert f"{name}: 500 RELIANCE shares pay ₹10,000.00 to the holder's bank account" in text
    position = made.store.position(name)
    made.store.record_intents(prepare_exit(made.desk, position, [0], "test"))
    with Lease(made.home, made.store) as lease:
        work(made.desk, lease, OrderRateLimiter(1e6))
    (leg,) = made.store.position(name).legs
    assert (leg.realised, leg.dividends) == (500 * -20_20, 10_000_00)
    assert made.ledger.cash == 500 * -20_20
    again = open_store(made.home / "store.db", made.store.market, made.store.account)
    assert again.position(name).legs == (leg,)
    assert again.audit_positions() == []
    again.close()


def test_shares_that_are_owed_pay_nothing(made: MixedDesk) -> None:
    made.listed.changes = {}
    name = made.hold("long_put", (PUT, Side.BUY, 1, 15_00))
    made.at(f"{EXPIRY} 15:30")
    made.feed.settlements[RELIANCE, EXPIRY] = 1_350_00
    reconcile(made.desk)
    day = date(2026, 2, 25)
    made.listed.changes = {
        SHARE.key: [ContractAdjustment(SHARE.key, SHARE, 1, 1, day, WHY, 20_00)]
    }  # fmt: skip
    made.at("2026-02-25 10:00")
    reconcile(made.desk)
    owed = made.store.position(name).legs[-1]
    assert (owed.net_units, owed.dividends, owed.since) == (-LOT, 0, EXPIRY)
