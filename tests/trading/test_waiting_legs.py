"""A leg that has ended and waits for its settlement: what is left of its position goes on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from strikeloom.domain.instruments import Right
from strikeloom.domain.legs import Side
from strikeloom.domain.orders import OrderState, Purpose
from strikeloom.domain.positions import RequestState
from strikeloom.monitor import request_exit, run_cycle
from strikeloom.trading.lease import Lease
from strikeloom.trading.prepare import prepare_exit
from strikeloom.trading.reconcile import reconcile
from strikeloom.trading.send import OrderRateLimiter
from support.fakes import EXPIRY, ManualClock, ist
from support.mixed_legs import LOT, NEXT, RELIANCE, SHARE, MixedDesk, stock_option

REAL = ManualClock(ist("2026-11-01 12:00"))
NEAR, FAR = stock_option(1_420), stock_option(1_420, expiry=NEXT)
PUT, LATER_PUT = stock_option(1_380, Right.PUT), stock_option(1_380, Right.PUT, NEXT)


@pytest.fixture
def made(tmp_path: Path) -> Iterator[MixedDesk]:
    desk = MixedDesk(tmp_path)
    desk.show(NEAR, 20_00, 20_50)
    desk.show(FAR, 45_00, 45_50)
    desk.show(PUT, 15_00, 15_50)
    desk.show(LATER_PUT, 40_00, 40_50)
    yield desk
    desk.store.close()


def calendar(made: MixedDesk, plan: str = "calendar") -> str:
    """Sold at 20.00 and bought at 45.50: 25.50 a share are paid."""
    legs = ((NEAR, Side.SELL, 1, 20_00), (FAR, Side.BUY, 1, 45_00))
    return hold(made, plan, *legs)


def hold(made: MixedDesk, plan: str, *legs: object) -> str:
    return made.hold("any", *legs, plan=plan)  # type: ignore[arg-type]


def cycle(made: MixedDesk, moment: str) -> list[str]:
    before = len(made.alerts.texts)
    made.at(moment)
    with Lease(made.home, made.store) as lease:
        run_cycle(made.desk, lease, OrderRateLimiter(1e6), REAL)
    return [text for _, text in made.alerts.texts[before:]]


def units(made: MixedDesk, name: str) -> list[int]:
    return [leg.net_units for leg in made.store.position(name).legs]


def end(made: MixedDesk, final: int, *ended: tuple[str, int, int]) -> None:
    """Close the last day: the broker's own bookings are (key, signed units, price)."""
    made.at(f"{EXPIRY} 15:30")
    made.feed.settlements[RELIANCE, EXPIRY] = final
    made.feed.spots[RELIANCE] = final
    for key, net, price in ended:
        kind = "delivery" if key == SHARE.key else "settlement"
        made.ledger.end(key, net, price, kind=kind)
    assert reconcile(made.desk).differences == []


def test_the_later_leg_is_left_although_the_first_waits_for_its_settlement(made: MixedDesk) -> None:
    name = calendar(made)
    made.feed.shown.pop(NEAR.key)
    texts = cycle(made, "2026-02-25 10:00")
    assert units(made, name) == [-LOT, 0]
    assert any("is not settled: RELIANCE 24 Feb 1420 CE expired on" in text for text in texts)
    assert not [text for text in texts if "cannot exit" in text]
    assert cycle(made, "2026-02-25 10:05") == []  # nothing is left that an order could do
    made.feed.settlements[RELIANCE, EXPIRY] = 1_410_00
    made.ledger.end(NEAR.key, LOT, 0)
    cycle(made, "2026-02-25 18:00")
    assert units(made, name) == [0, 0]
    # 500 x (20.00 - 45.50 + 45.00)
    assert sum(leg.realised for leg in made.store.position(name).legs) == 9_750_00


def test_a_request_is_done_when_only_a_settlement_is_left(made: MixedDesk) -> None:
    name = calendar(made, "covered")
    made.feed.shown.pop(NEAR.key)
    made.at("2026-02-25 10:00")
    request_exit(made.desk, name, who="test")
    cycle(made, "2026-02-25 10:01")
    assert units(made, name) == [-LOT, 0]
    (request,) = made.store.requests()
    assert (request.state, request.note) == (
        RequestState.DONE,
        "reduced as asked; RELIANCE 24 Feb 1420 CE ended and waits for its settlement",
    )
    made.step()
    request_exit(made.desk, name, who="test")
    cycle(made, "2026-02-25 10:05")
    assert made.store.requests()[-1].note == (
        "RELIANCE 24 Feb 1420 CE ended and waits for its settlement"
    )


def test_an_exit_that_its_first_leg_did_not_survive_goes_on_with_the_rest(made: MixedDesk) -> None:
    """The short leg was not bought back on its last day, so the long one was not sold."""
    name = calendar(made)
    made.at(f"{EXPIRY} 15:00")
    made.ledger.refuse = {NEAR.key}
    made.store.record_intents(prepare_exit(made.desk, made.store.position(name), [0, 0], "test"))
    cycle(made, f"{EXPIRY} 15:01")
    assert units(made, name) == [-LOT, LOT]
    made.ledger.book = [replace(o, state=OrderState.EXPIRED) for o in made.ledger.book]
    made.feed.shown.pop(NEAR.key)
    cycle(made, "2026-02-25 10:00")
    cycle(made, "2026-02-25 10:01")
    assert units(made, name) == [-LOT, 0]


def test_a_call_that_ends_in_the_money_lacks_its_shares_and_the_later_one_goes_on(
    made: MixedDesk,
) -> None:
    """Final 1,450: the later call delivers nothing. 500 shares are owed and bought in at 1,560.

    500 x (20.00 - 30.00) for the near call, 500 x (1,450 - 1,560) for the shares, and the far
    call is sold at 60.00: 500 x (60.00 - 45.50).
    """
    name = calendar(made)
    made.ledger.reports_settlements = True
    end(made, 1_450_00, (NEAR.key, LOT, 30_00))
    made.ledger.cash += 500 * 1_450_00  # the shares that it delivers are paid for
    assert units(made, name) == [0, LOT, -LOT]
    texts = [text for _, text in made.alerts.texts]
    assert any("500 shares are lacking" in text for text in texts)
    made.show(FAR, 60_00, 60_50)
    cycle(made, "2026-02-25 10:00")
    assert units(made, name) == [0, 0, -LOT]
    made.at("2026-02-25 15:00")
    made.ledger.end(SHARE.key, LOT, 1_560_00, kind="buy-in")
    made.ledger.held.clear()
    reconcile(made.desk)
    assert units(made, name) == [0, 0, 0]
    total = 500 * (20_00 - 30_00) + 500 * (1_450_00 - 1_560_00) + 500 * (60_00 - 45_50)
    assert sum(leg.realised for leg in made.store.position(name).legs) == total
    assert made.ledger.cash == total


def test_a_request_to_exit_everything_holds_when_owed_shares_are_bought_in_meanwhile(
    made: MixedDesk,
) -> None:
    """It waits for a price of the far call; by then the purchase has changed the position."""
    name = calendar(made, "covered")
    made.ledger.reports_settlements = True
    end(made, 1_450_00, (NEAR.key, LOT, 30_00))
    shown = made.feed.shown.pop(FAR.key)
    made.at("2026-02-25 14:59")
    request, _ = request_exit(made.desk, name, who="test")
    assert request.target_lots == (0, 0, 0)
    cycle(made, "2026-02-25 15:00")
    assert made.store.requests()[-1].state is RequestState.PENDING
    made.ledger.end(SHARE.key, LOT, 1_560_00, kind="buy-in")
    made.ledger.held = {FAR.key: LOT}
    made.at("2026-02-25 15:01")
    made.show(FAR, shown.bid, shown.ask)
    for minute in (1, 2):
        cycle(made, f"2026-02-25 15:0{minute}")
    assert units(made, name) == [0, 0, 0]
    assert made.store.requests()[-1].state is RequestState.DONE


def test_a_put_that_ends_in_the_money_brings_shares_that_the_later_one_protects(
    made: MixedDesk,
) -> None:
    """Final 1,350: shares at 1,380 less 15. Both are left on the day after that of the delivery.

    500 x (15.00 - 1,380 + 1,352.00 + 50.00 - 40.50)
    """
    legs = ((PUT, Side.SELL, 1, 15_00), (LATER_PUT, Side.BUY, 1, 40_00))
    name = hold(made, "calendar", *legs)
    made.ledger.reports_settlements = True
    end(made, 1_350_00, (PUT.key, LOT, 30_00), (SHARE.key, LOT, 1_350_00))
    assert units(made, name) == [0, LOT, LOT]
    made.show(SHARE, 1_352_00, 1_352_20)
    made.show(LATER_PUT, 50_00, 50_50)
    for minute in range(3):
        cycle(made, f"2026-02-25 10:0{minute}")
    assert units(made, name) == [0, 0, 0]
    assert made.ledger.cash == 500 * (15_00 - 1_380_00 + 1_352_00 + 50_00 - 40_50)
    exits = [it for it in made.store.intents(position_id=name) if it.purpose is Purpose.EXIT]
    assert {it.why.split(":")[0] for it in exits} == {"leg ended"}


def test_shares_of_a_covered_call_that_ended_valueless_stay(made: MixedDesk) -> None:
    name = hold(made, "covered", (SHARE, Side.BUY, LOT, 1_400_00), (NEAR, Side.SELL, 1, 20_00))
    end(made, 1_400_00, (NEAR.key, LOT, 0))
    cycle(made, "2026-02-25 10:00")
    cycle(made, f"{date(2026, 3, 2)} 10:00")
    assert units(made, name) == [LOT, 0]
    made.show(SHARE, 1_440_00, 1_440_20)  # 80 % of 500 x (1,420 - 1,400.10 + 20.00) are made
    cycle(made, "2026-03-02 10:05")
    assert units(made, name) == [0, 0]


def test_a_protective_put_is_left_with_its_shares(made: MixedDesk) -> None:
    name = hold(made, "protective", (SHARE, Side.BUY, LOT, 1_400_00), (PUT, Side.BUY, 1, 15_00))
    cycle(made, "2026-02-20 10:00")
    assert units(made, name) == [LOT, LOT]
    for minute in range(3):
        cycle(made, f"2026-02-23 10:0{minute}")
    assert units(made, name) == [0, 0]
    sold = [fill.instrument_key for fill in made.ledger.trades if fill.side is Side.SELL]
    assert sold == [SHARE.key, PUT.key]
