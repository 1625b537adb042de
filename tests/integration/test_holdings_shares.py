"""Shares with options and futures in replay over the exchange's own files, to the delivery.

RELIANCE in lots of 500, expiry 24 February 2026. The cash files print closes of 1,419.40 on the
20th, 1,428.00 on the 23rd, 1,428.80 on the 24th (the final value) and 1,398.50 on the 25th.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest

from strikeloom.adapters.bhavcopy import import_paths
from strikeloom.desk import open_desk, to_day_end
from strikeloom.domain.legs import Side
from strikeloom.monitor import request_exit, watch
from strikeloom.ports.desk import Desk
from support.fakes import ManualClock, ist
from support.few_symbols import enter, history_of

REAL = ManualClock(ist("2026-11-30 12:00"))
DAYS = [date(2026, 2, day) for day in (20, 23, 24, 25)]
SHARE, FINAL = "RELIANCE:SHARE", 1_428_80
pytestmark = pytest.mark.realdata


@contextmanager
def desk_of(shared: Path, home: Path) -> Iterator[Desk]:
    """Desk at the close of the 20th."""
    history = history_of(shared, home, ["RELIANCE"], DAYS)
    cash = [shared / "cm_bhavcopy" / "daily" / f"{day}.csv.gz" for day in DAYS]
    assert not import_paths(cash, history).refused
    desk = open_desk("nse", DAYS[0], home=home)
    to_day_end(desk, DAYS[0])
    yield desk
    desk.close()


def look(desk: Desk, *, act: bool = False) -> None:
    report = watch(desk, REAL, once=True, alert_only=not act)
    assert not report.failure
    assert not [alert.text for alert in desk.store.alerts() if "differ" in alert.text]
    assert desk.store.audit_positions() == []


def paid(desk: Desk) -> dict[str, int]:
    """Price of each trade by key, in paise."""
    return {f.instrument_key: f.price for f in desk.store.fills() if f.kind == "trade"}


def agrees(desk: Desk, name: str, before_charges: int, start: int) -> None:
    legs = desk.store.position(name).legs
    assert [leg.net_units for leg in legs] == [0] * len(legs)
    assert sum(leg.realised for leg in legs) == before_charges
    charges = sum(leg.charges for leg in legs)
    assert desk.broker.funds().cash - start == before_charges - charges


def test_a_covered_call_delivers_its_shares(shared_data: Path, home: Path) -> None:
    call = "RELIANCE:2026-02-24:142000:CE"
    with desk_of(shared_data, home) as desk:
        start = desk.broker.funds().cash
        legs = [(SHARE, Side.BUY), (call, Side.SELL)]
        name = enter(desk, legs, DAYS[0], shares=500).position_id
        price = paid(desk)
        assert 1_406_10 <= price[SHARE] <= 1_427_40  # the day's range
        to_day_end(desk, DAYS[1])
        look(desk)
        assert any("out of the 500 RELIANCE shares held" in it.text for it in desk.store.alerts())
        to_day_end(desk, DAYS[2])
        look(desk)
        # 500 x (1,420 less what was paid for a share, and the price of the call)
        agrees(desk, name, 500 * (1_420_00 - price[SHARE] + price[call]), start)
        assert not [it.text for it in desk.store.alerts() if "lacking" in it.text]


def test_a_sold_put_brings_shares_that_are_sold_on_the_next_day(
    shared_data: Path, home: Path
) -> None:
    put = "RELIANCE:2026-02-24:144000:PE"
    with desk_of(shared_data, home) as desk:
        start = desk.broker.funds().cash
        name = enter(desk, [(put, Side.SELL)], DAYS[0]).position_id
        price = paid(desk)
        to_day_end(desk, DAYS[2])
        look(desk)
        _, shares = desk.store.position(name).legs
        assert (shares.net_units, shares.open_value) == (500, 500 * FINAL)
        to_day_end(desk, DAYS[3])
        request_exit(desk, name, who="test")
        look(desk, act=True)
        look(desk, act=True)
        sold = paid(desk)[SHARE]
        assert 1_393_50 <= sold <= 1_440_50
        agrees(desk, name, 500 * (price[put] - 1_440_00 + sold), start)


def test_shares_hedged_by_a_future_are_delivered_at_its_final_value(
    shared_data: Path, home: Path
) -> None:
    """A future sold delivers the shares: what it was sold at is what they bring."""
    future = "RELIANCE:2026-02-24:FUT"
    with desk_of(shared_data, home) as desk:
        start = desk.broker.funds().cash
        legs = [(SHARE, Side.BUY), (future, Side.SELL)]
        name = enter(desk, legs, DAYS[0], shares=500).position_id
        price = paid(desk)
        for day in DAYS[1:3]:
            to_day_end(desk, day)
            look(desk)
        agrees(desk, name, 500 * (price[future] - price[SHARE]), start)
