"""The whole path over the simulated broker: what the desk books is what the engine booked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from strikeloom.adapters.sim import SimBroker
from strikeloom.domain.instruments import Right
from strikeloom.domain.legs import Side
from strikeloom.domain.products import Product
from strikeloom.trading.lease import Lease
from strikeloom.trading.prepare import prepare_exit
from strikeloom.trading.reconcile import reconcile
from strikeloom.trading.send import OrderRateLimiter
from strikeloom.trading.work import work
from support.fakes import CASH, EXPIRY
from support.mixed_legs import FUTURE, LOT, RELIANCE, SHARE, MixedDesk, stock_option

CALL, PUT = stock_option(1_420), stock_option(1_380, Right.PUT)


@pytest.fixture
def made(tmp_path: Path) -> Iterator[MixedDesk]:
    desk = MixedDesk(tmp_path)
    desk.broker = SimBroker(tmp_path / "accounts" / "mixed.db", desk.feed, desk.clock, CASH)
    desk.desk = replace(desk.desk, broker=desk.broker)
    desk.show(CALL, 20_00, 20_50)
    desk.show(PUT, 15_00, 15_50)
    yield desk
    desk.close()


def end(made: MixedDesk, final: int, day: object = EXPIRY) -> None:
    made.at(f"{day} 15:30")
    made.feed.settlements[RELIANCE, day] = final  # type: ignore[index]
    made.feed.spots[RELIANCE] = final
    assert reconcile(made.desk).differences == []


def leave(made: MixedDesk, name: str, target: list[int]) -> None:
    position = made.store.position(name)
    made.store.record_intents(prepare_exit(made.desk, position, target, "test"))
    with Lease(made.home, made.store) as lease:
        work(made.desk, lease, OrderRateLimiter(1e6))


def agrees(made: MixedDesk, name: str, before_charges: int) -> None:
    """P&L by hand, and cash of the engine equal to it less the charges, to the paisa."""
    legs = made.store.position(name).legs
    assert [leg.net_units for leg in legs] == [0] * len(legs)
    assert sum(leg.realised for leg in legs) == before_charges
    charges = sum(leg.charges for leg in legs)
    assert charges > 0
    assert made.broker.funds().cash - CASH == before_charges - charges
    assert reconcile(made.desk).differences == []
    assert made.store.audit_positions() == []


def test_a_covered_call_through_assignment(made: MixedDesk) -> None:
    """500 x (1,420 - 1,400.10 + 20.00)."""
    name = made.hold("covered_call", (SHARE, Side.BUY, LOT, 1_400_00), (CALL, Side.SELL, 1, 20_00))
    end(made, 1_450_35)
    agrees(made, name, 19_950_00)


def test_a_collar(made: MixedDesk) -> None:
    """500 x (1,380 - 1,400.10 - 15.50 + 20.00)."""
    name = made.hold(
        "collar",
        (SHARE, Side.BUY, LOT, 1_400_00), (PUT, Side.BUY, 1, 15_00), (CALL, Side.SELL, 1, 20_00),
    )  # fmt: skip
    end(made, 1_350_00)
    agrees(made, name, -7_800_00)


def test_a_sold_put_and_the_shares_that_it_brings(made: MixedDesk) -> None:
    """500 x (15.00 - 1,380.00 + 1,352.00), sold on the next day."""
    name = made.hold("short_put", (PUT, Side.SELL, 1, 15_00))
    made.show(SHARE, 1_350_00, 1_350_20)
    end(made, 1_350_00)
    assert [leg.net_units for leg in made.store.position(name).legs] == [0, LOT]
    made.show(SHARE, 1_352_00, 1_352_20)
    made.at("2026-02-25 10:00")
    leave(made, name, [0, 0])
    agrees(made, name, -6_500_00)


def test_no_exit_sells_a_future_that_was_converted_for_the_day(made: MixedDesk) -> None:
    """It would be sold short beside the position that the broker closes itself."""
    name = made.hold("future", (FUTURE, Side.BUY, 1, 1_405_00))
    made.broker.engine.convert(FUTURE, Product.MARGIN, Product.INTRADAY, LOT)
    made.show(FUTURE, 1_405_00, 1_405_10)
    missing, converted = reconcile(made.desk).differences
    assert f"{LOT} units here, 0 at the broker" in missing
    assert f"{LOT} units at the broker are INTRADAY" in converted
    leave(made, name, [0])
    assert {p.instrument_key: p.net_units for p in made.broker.positions()} == {FUTURE.key: LOT}
    made.broker.engine.convert(FUTURE, Product.INTRADAY, Product.MARGIN, LOT)
    assert reconcile(made.desk).differences == []
    leave(made, name, [0])
    assert made.broker.positions() == []


def test_shares_lacking_for_a_put_are_bought_in(made: MixedDesk) -> None:
    """300 x (1,350 - 1,400.10) + 500 x (30.00 - 15.50) + 200 x (1,350 - 1.2 x 1,360)."""
    name = made.hold("protective_put", (SHARE, Side.BUY, 300, 1_400_00), (PUT, Side.BUY, 1, 15_00))
    end(made, 1_350_00)
    assert [leg.net_units for leg in made.store.position(name).legs] == [0, 0, -200]
    end(made, 1_360_00, (made.clock.at.date().replace(day=25)))
    agrees(made, name, 300 * -50_10 + 500 * 14_50 + 200 * (1_350_00 - 1_632_00))


def test_shares_hedged_by_a_future_settled_every_day(made: MixedDesk) -> None:
    """500 x (1,405.00 - 1,395.50) for the future, 500 x (1,390.00 - 1,400.10) for the shares."""
    name = made.hold("hedge", (SHARE, Side.BUY, LOT, 1_400_00), (FUTURE, Side.SELL, 1, 1_405_00))
    for day, price in (
        ("2026-02-11", 1_411_25),
        ("2026-02-12", 1_398_40),
        ("2026-02-13", 1_400_05),
    ):
        made.at(f"{day} 10:00")
        made.feed.settlements[FUTURE.key, made.clock.at.date()] = price
        made.at(f"{day} 15:31")
        assert reconcile(made.desk).differences == []
    made.show(FUTURE, 1_395_00, 1_395_50)
    made.show(SHARE, 1_390_00, 1_390_20)
    made.at("2026-02-16 10:00")
    leave(made, name, [LOT, 0])
    leave(made, name, [0, 0])
    made.feed.settlements[FUTURE.key, made.clock.at.date()] = 1_396_00
    made.at("2026-02-16 15:31")
    agrees(made, name, 4_750_00 - 5_050_00)
