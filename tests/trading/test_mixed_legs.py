"""Options, futures and shares of one position from entry to the end, with figures by hand.

RELIANCE at 1,400: bought at 1,400.10 and sold at 1,399.90. The broker charges nothing.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from strikeloom.domain.instruments import Right
from strikeloom.domain.legs import Leg, Side
from strikeloom.domain.orders import Purpose
from strikeloom.domain.positions import Position
from strikeloom.errors import GuardError
from strikeloom.monitor.mark import mark_position
from strikeloom.monitor.request import request_exit, target_after
from strikeloom.trading.lease import Lease
from strikeloom.trading.prepare import last_days, prepare_entry, prepare_exit, take_snapshot
from strikeloom.trading.reconcile import reconcile
from strikeloom.trading.send import OrderRateLimiter
from strikeloom.trading.work import work
from support.desk import check_now
from support.fakes import EXPIRY
from support.mixed_legs import (
    FUTURE,
    INDEX_FUTURE,
    LOT,
    NEXT_FUTURE,
    RELIANCE,
    SHARE,
    MixedDesk,
    stock_option,
)

CALL, PUT = stock_option(1_420), stock_option(1_380, Right.PUT)
CLOSE, MORNING = f"{EXPIRY} 15:30", "2026-02-25 10:00"


@pytest.fixture(params=[False, True], ids=["unreported", "reported"])
def made(request: pytest.FixtureRequest, tmp_path: Path) -> MixedDesk:
    """Its broker reports settlements, or leaves them to the desk."""
    desk = MixedDesk(tmp_path, reports=request.param)
    desk.show(CALL, 20_00, 20_50)
    desk.show(PUT, 15_00, 15_50)
    return desk


def covered_call(made: MixedDesk) -> str:
    return made.hold("covered_call", (SHARE, Side.BUY, LOT, 1_400_00), (CALL, Side.SELL, 1, 20_00))


def collar(made: MixedDesk, shares: int = LOT) -> str:
    return made.hold(
        "collar",
        (CALL, Side.SELL, 1, 20_00),
        (SHARE, Side.BUY, shares, 1_400_00),
        (PUT, Side.BUY, 1, 15_00),
    )


def end(made: MixedDesk, final: int, *ended: tuple[str, int, int]) -> None:
    """Close the last day: the broker's own bookings are (key, signed units, price)."""
    made.at(CLOSE)
    made.feed.settlements[RELIANCE, EXPIRY] = final
    for key, units, price in ended:
        kind = "delivery" if key == SHARE.key else "settlement"
        made.ledger.end(key, units, price, kind=kind)
    assert reconcile(made.desk).differences == []


def pnl(made: MixedDesk, name: str) -> int | None:
    position = made.store.position(name)
    legs = [leg.instrument for leg in position.legs]
    market = take_snapshot(made.desk, legs, [RELIANCE])
    ends = last_days(made.desk, position)
    return mark_position(position, market, last_days=ends, peak=None).pnl


def exit_to(made: MixedDesk, position: Position, target: list[int]) -> None:
    made.store.record_intents(prepare_exit(made.desk, position, target, "test"))
    with Lease(made.home, made.store) as lease:
        work(made.desk, lease, OrderRateLimiter(1e6))


def units(made: MixedDesk, name: str) -> list[int]:
    return [leg.net_units for leg in made.store.position(name).legs]


# entry and exit


def test_the_share_is_bought_before_the_call_that_it_covers_is_sold(made: MixedDesk) -> None:
    name = covered_call(made)
    assert [(f.instrument_key, f.side) for f in made.ledger.trades] == [
        (SHARE.key, Side.BUY),
        (CALL.key, Side.SELL),
    ]
    exit_to(made, made.store.position(name), [0, 0])
    assert [(f.instrument_key, f.side) for f in made.ledger.trades[2:]] == [
        (CALL.key, Side.BUY),
        (SHARE.key, Side.SELL),
    ]
    # 500 x (1,399.90 - 1,400.10 + 20.00 - 20.50)
    assert made.ledger.cash == -350_00
    assert sum(leg.realised for leg in made.store.position(name).legs) == -350_00


def test_a_collar_opens_with_its_put_and_closes_with_its_call(made: MixedDesk) -> None:
    name = collar(made)
    assert [f.instrument_key for f in made.ledger.trades] == [PUT.key, SHARE.key, CALL.key]
    exit_to(made, made.store.position(name), [0, 0, 0])
    assert [f.instrument_key for f in made.ledger.trades[3:]] == [CALL.key, SHARE.key, PUT.key]


def test_no_call_is_sold_while_its_shares_are_not_bought(made: MixedDesk) -> None:
    made.ledger.refuse = {SHARE.key}
    proposal = made.propose([*_legs((SHARE, Side.BUY, LOT), (CALL, Side.SELL, 1))])
    made.store.record_intents(prepare_entry(made.desk, proposal, 1))
    with Lease(made.home, made.store) as lease:
        work(made.desk, lease, OrderRateLimiter(1e6))
    assert [order.instrument_key for order in made.ledger.book] == [SHARE.key]


def test_a_future_sold_for_a_put_goes_before_it_and_is_bought_back_after_it(made) -> None:
    name = made.hold("covered_put", (PUT, Side.SELL, 1, 15_00), (FUTURE, Side.SELL, 1, 1_405_00))
    exit_to(made, made.store.position(name), [0, 0])
    sent = [(f.instrument_key, f.side) for f in made.ledger.trades]
    assert sent == [
        (FUTURE.key, Side.SELL), (PUT.key, Side.SELL), (PUT.key, Side.BUY), (FUTURE.key, Side.BUY),
    ]  # fmt: skip


# covered call


def test_a_covered_call_is_assigned_and_its_shares_are_delivered(made: MixedDesk) -> None:
    """500 x (1,420 - 1,400.10 + 20.00) = 19,950, whatever the final value above the strike."""
    name = covered_call(made)
    end(made, 1_450_35, (CALL.key, LOT, 30_35), (SHARE.key, -LOT, 1_450_35))
    shares, call = made.store.position(name).legs
    assert (shares.net_units, call.net_units) == (0, 0)
    assert (shares.realised, call.realised) == (25_125_00, -5_175_00)
    assert made.ledger.cash == 19_950_00
    assert made.store.positions() == []
    ((level, text),) = [it for it in made.alerts.texts if "delivery" in it[1]]
    assert level == "warning"
    assert "500 shares are delivered for ₹7,10,000.00" in text  # 500 x 1,420
    assert f"They leave the shares held: 500 RELIANCE shares of {name}" in text
    assert "auction" not in text


def test_a_covered_call_that_ends_valueless_keeps_its_shares(made: MixedDesk) -> None:
    name = covered_call(made)
    end(made, 1_410_00, (CALL.key, LOT, 0))
    assert units(made, name) == [LOT, 0]
    made.at(MORNING)
    made.show(SHARE, 1_411_00, 1_411_40)
    assert pnl(made, name) == 500 * (1_411_20 - 1_400_10 + 20_00)
    exit_to(made, made.store.position(name), [0, 0])
    # 500 x (1,411.00 - 1,400.10 + 20.00)
    assert made.ledger.cash == 15_450_00
    assert made.store.positions() == []


def test_what_a_delivery_costs_where_it_is_not_reported(made: MixedDesk) -> None:
    """0.1 % of 500 x 1,420 for the shares; 12.50 and 18 % of it for the depository (Dhan)."""
    name = covered_call(made)
    end(made, 1_450_35, (CALL.key, LOT, 30_35), (SHARE.key, -LOT, 1_450_35))
    charges = [leg.charges for leg in made.store.position(name).legs]
    assert charges == ([0, 0] if made.ledger.reports_settlements else [14_75, 710_00])


def test_delivered_shares_that_the_broker_does_not_list_yet_are_no_difference(made) -> None:
    """They come in by the next session; until the broker lists them no exit sells them."""
    name = made.hold("short_put", (PUT, Side.SELL, 1, 15_00))
    made.show(SHARE, 1_350_00, 1_350_20)
    end(made, 1_350_00, (PUT.key, LOT, 30_00))
    made.at("2026-02-25 10:00")
    assert reconcile(made.desk).differences == []
    exit_to(made, made.store.position(name), [0, 0])
    assert units(made, name) == [0, LOT]
    assert [f for f in made.ledger.trades if f.instrument_key == SHARE.key] == []
    made.at("2026-02-26 10:00")
    (text,) = reconcile(made.desk).differences
    assert text == "RELIANCE:SHARE: 500 units here, 0 at the broker"
    made.ledger.end(SHARE.key, LOT, 1_350_00, kind="delivery")
    assert reconcile(made.desk).differences == []
    with Lease(made.home, made.store) as lease:
        work(made.desk, lease, OrderRateLimiter(1e6))
    assert units(made, name) == [0, 0]


# collar and protective put


def test_the_put_of_a_collar_sells_its_shares_at_the_strike(made: MixedDesk) -> None:
    """500 x (1,380 - 1,400.10 - 15.50 + 20.00) = -7,800."""
    name = collar(made)
    end(
        made, 1_350_00,
        (CALL.key, LOT, 0), (PUT.key, -LOT, 30_00), (SHARE.key, -LOT, 1_350_00),
    )  # fmt: skip
    assert units(made, name) == [0, 0, 0]
    assert made.ledger.cash == -7_800_00
    assert sum(leg.realised for leg in made.store.position(name).legs) == -7_800_00


def test_a_protective_put_is_exercised(made: MixedDesk) -> None:
    """500 x (1,380 - 1,400.10 - 15.50) = -17,800."""
    name = made.hold("protective_put", (SHARE, Side.BUY, LOT, 1_400_00), (PUT, Side.BUY, 1, 15_00))
    end(made, 1_200_05, (PUT.key, -LOT, 179_95), (SHARE.key, -LOT, 1_200_05))
    assert units(made, name) == [0, 0]
    assert made.ledger.cash == -17_800_00
    assert sum(leg.realised for leg in made.store.position(name).legs) == -17_800_00


def test_shares_lacking_for_a_delivery_are_named_and_bought_in(made: MixedDesk) -> None:
    """300 of 500 are there. The other 200 are sold at 1,350 and bought in at 1,620 (20 % above)."""
    name = made.hold("protective_put", (SHARE, Side.BUY, 300, 1_400_00), (PUT, Side.BUY, 1, 15_00))
    end(made, 1_350_00, (PUT.key, -LOT, 30_00), (SHARE.key, -300, 1_350_00))
    made.ledger.cash += 200 * 1_350_00
    shares, put, lacking = made.store.position(name).legs
    assert (shares.net_units, put.net_units, lacking.net_units) == (0, 0, -200)
    ((level, text),) = [it for it in made.alerts.texts if "delivery" in it[1]]
    assert (level, "200 shares are lacking" in text, "auction" in text) == ("critical", True, True)
    position = made.store.position(name)
    assert "buys in the 200 RELIANCE shares" in str(target_after(position, 100))
    with pytest.raises(GuardError, match="200 RELIANCE shares"):
        request_exit(made.desk, name, who="test")
    assert prepare_exit(made.desk, position, [0, 0, 0], "no order can close it") == []
    made.at("2026-02-25 15:00")
    made.ledger.end(SHARE.key, 200, 1_620_00, kind="buy-in")
    made.ledger.held.clear()
    for _ in range(2):
        reconcile(made.desk)
    if not made.ledger.reports_settlements:
        assert units(made, name) == [0, 0, -200]  # only a broker that reports it can close it
        return
    assert units(made, name) == [0, 0, 0]
    # 300 x (1,350 - 1,400.10) + 500 x (30.00 - 15.50) + 200 x (1,350 - 1,620)
    assert sum(leg.realised for leg in made.store.position(name).legs) == -61_780_00
    assert made.ledger.cash == -61_780_00


# received shares


def test_a_sold_put_brings_shares_that_are_sold_afterwards(made: MixedDesk) -> None:
    """Sold at 15.00; shares at 1,380 less it: 500 x (15.00 - 30.00) is lost at 1,350."""
    name = made.hold("short_put", (PUT, Side.SELL, 1, 15_00))
    end(made, 1_350_00, (PUT.key, LOT, 30_00), (SHARE.key, LOT, 1_350_00))
    put, shares = made.store.position(name).legs
    assert (put.net_units, put.realised) == (0, -7_500_00)
    assert (shares.leg, shares.instrument, shares.net_units) == (1, SHARE, LOT)
    assert (shares.first_units, shares.entry_value, shares.since) == (LOT, 0, EXPIRY)
    # taxes of a delivery that is not reported: 0.1 % and 0.015 % of 500 x 1,380
    charges = 0 if made.ledger.reports_settlements else 793_50
    made.show(SHARE, 1_350_00, 1_350_00)
    assert pnl(made, name) == -7_500_00 - charges  # the same before and after
    made.at(MORNING)
    made.show(SHARE, 1_352_00, 1_352_20)
    assert pnl(made, name) == -7_500_00 - charges + 500 * 2_10
    position = made.store.position(name)
    assert target_after(position, 40) == (0, 300)
    exit_to(made, position, [0, 300])
    exit_to(made, made.store.position(name), [0, 0])
    assert [f.units for f in made.ledger.trades if f.kind == "trade"][1:] == [200, 300]
    # 500 x (1,352.00 - 1,380.00 + 15.00)
    assert made.ledger.cash == -6_500_00
    assert sum(leg.realised for leg in made.store.position(name).legs) == -6_500_00
    assert made.store.positions() == []


def test_a_delivery_is_booked_once_however_often_it_is_read(made: MixedDesk) -> None:
    name = made.hold("short_put", (PUT, Side.SELL, 1, 15_00))
    end(made, 1_350_00, (PUT.key, LOT, 30_00), (SHARE.key, LOT, 1_350_00))
    before = made.store.position(name)
    for _ in range(3):
        assert reconcile(made.desk).differences == []
    assert made.store.position(name) == before
    assert made.store.audit_positions() == []
    assert before.revision == 3


def test_positions_share_a_netted_delivery_in_proportion(made: MixedDesk) -> None:
    """Three puts sold in one position and one in another, one bought in a third: 1,500 shares.

    The two that receive alone would receive 1,500 and 500: of 1,500 that is 1,125 and 375.
    """
    big = made.hold("short_put", (PUT, Side.SELL, 3, 15_00))
    small = made.hold("naked_put", (PUT, Side.SELL, 1, 15_00))
    other = stock_option(1_400, Right.PUT)
    made.show(other, 25_00, 25_50)
    long = made.hold("long_put", (other, Side.BUY, 1, 25_00))
    end(
        made, 1_350_00,
        (PUT.key, 4 * LOT, 30_00), (other.key, -LOT, 50_00), (SHARE.key, 3 * LOT, 1_350_00),
    )  # fmt: skip
    assert (units(made, big), units(made, small), units(made, long)) == ([0, 1125], [0, 375], [0])


def test_a_future_covers_the_call_of_its_own_position(made: MixedDesk) -> None:
    """They net off: no share moves, and both end in cash."""
    name = made.hold(
        "covered_by_future", (FUTURE, Side.BUY, 1, 1_405_00), (CALL, Side.SELL, 1, 20_00)
    )
    made.ledger.vary(LOT, 1_450_00 - 1_405_50)
    end(made, 1_450_00, (FUTURE.key, -LOT, 1_450_00), (CALL.key, LOT, 30_00))
    assert units(made, name) == [0, 0]
    # 500 x (1,450 - 1,405.50 + 20.00 - 30.00)
    assert sum(leg.realised for leg in made.store.position(name).legs) == 17_250_00
    assert made.ledger.cash == 17_250_00
    assert not [text for _, text in made.alerts.texts if "delivery" in text]


def test_shares_of_another_position_are_delivered_where_the_own_are_lacking(made) -> None:
    """The account has 500 and delivers them, whatever position they are in."""
    shares = made.hold("shares", (SHARE, Side.BUY, LOT, 1_400_00))
    call = made.hold("short_call", (CALL, Side.SELL, 1, 20_00))
    end(made, 1_450_00, (CALL.key, LOT, 30_00), (SHARE.key, -LOT, 1_450_00))
    assert (units(made, shares), units(made, call)) == ([0], [0])
    assert made.store.position(shares).legs[0].realised == 500 * (1_450_00 - 1_400_10)
    ((level, text),) = [it for it in made.alerts.texts if "delivery" in it[1]]
    assert level == "critical"
    assert f"{shares} had no part in it" in text


# futures


def test_shares_hedged_by_a_future_that_is_closed_and_rolled(made: MixedDesk) -> None:
    name = made.hold("hedge", (SHARE, Side.BUY, LOT, 1_400_00), (FUTURE, Side.SELL, 1, 1_405_00))
    assert made.ledger.cash == -500 * 1_400_10  # a future moves no money at its entry
    made.at("2026-02-20 11:00")
    made.show(FUTURE, 1_395_00, 1_395_50)
    made.show(NEXT_FUTURE, 1_401_00, 1_401_50)
    exit_to(made, made.store.position(name), [LOT, 0])
    # 500 x (1,405.00 - 1,395.50)
    assert made.store.position(name).legs[1].realised == 4_750_00
    made.ledger.vary(-LOT, 1_395_50 - 1_405_00)
    rolled = made.hold("hedge_next", (NEXT_FUTURE, Side.SELL, 1, 1_401_00))
    made.at("2026-02-26 11:00")
    made.show(SHARE, 1_390_00, 1_390_20)
    made.show(NEXT_FUTURE, 1_392_00, 1_392_50)
    for each in (rolled, name):
        position = made.store.position(each)
        exit_to(made, position, [0] * len(position.legs))
    made.ledger.vary(-LOT, 1_392_50 - 1_401_00)
    # 4,750 + 500 x (1,401.00 - 1,392.50) + 500 x (1,390.00 - 1,400.10)
    assert made.ledger.cash == 4_750_00 + 4_250_00 - 5_050_00
    realised = [leg.realised for each in (name, rolled) for leg in made.store.position(each).legs]
    assert sum(realised) == made.ledger.cash
    assert made.store.positions() == []


def test_an_index_future_ends_at_the_final_value_in_cash(made: MixedDesk) -> None:
    made.show(INDEX_FUTURE, 25_100_00, 25_101_00)
    name = made.hold("future", (INDEX_FUTURE, Side.BUY, 1, 25_100_00), symbol="NIFTY")
    made.at(CLOSE)
    made.feed.settlements["NIFTY", EXPIRY] = 25_175_40
    made.ledger.end(INDEX_FUTURE.key, -65, 25_175_40)
    assert reconcile(made.desk).differences == []
    (leg,) = made.store.position(name).legs
    assert (leg.net_units, leg.realised) == (0, 65 * (25_175_40 - 25_101_00))
    assert made.store.positions() == []


def test_a_stock_future_ends_in_shares_at_the_final_value(made: MixedDesk) -> None:
    name = made.hold("future", (FUTURE, Side.BUY, 1, 1_405_00))
    end(made, 1_420_00, (FUTURE.key, -LOT, 1_420_00), (SHARE.key, LOT, 1_420_00))
    future, shares = made.store.position(name).legs
    assert future.realised == 500 * (1_420_00 - 1_405_50)
    assert (shares.net_units, shares.open_value) == (LOT, 500 * 1_420_00)


# guards


def test_no_share_is_sold_that_is_not_held(made: MixedDesk) -> None:
    name = made.hold("shares", (SHARE, Side.BUY, LOT, 1_400_00))
    position = made.store.position(name)
    (sale,) = prepare_exit(made.desk, position, [0], "test")
    check_now(made.desk, sale)
    made.ledger.held[SHARE.key] = 300  # the broker has delivered 200 elsewhere
    reconcile(made.desk)
    entry = replace(sale, purpose=Purpose.ENTRY, position_id="P9")
    with pytest.raises(GuardError, match="sold only out of those held"):
        check_now(made.desk, entry)


@pytest.mark.parametrize("instrument", [CALL, FUTURE], ids=lambda it: it.label)
def test_no_stock_contract_is_entered_on_its_last_day(made: MixedDesk, instrument) -> None:
    made.at(f"{EXPIRY} 10:00")
    proposal = made.propose(list(_legs((instrument, Side.BUY, 1))))
    (intent,) = prepare_entry(made.desk, proposal, 1)
    with pytest.raises(GuardError, match="expiry day"):
        check_now(made.desk, intent)


def _legs(*legs):
    return [Leg(instrument, side, lots, 1_00) for instrument, side, lots in legs]
