"""Positions in stock options that would deliver shares are named before they do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from strikeloom.domain.instruments import InstrumentKind, OptionContract, Right
from strikeloom.domain.legs import Leg, Side
from strikeloom.errors import DataError
from strikeloom.monitor import kill, run_cycle
from strikeloom.monitor.deliveries import DeliveryWarnings
from strikeloom.trading.lease import Lease
from strikeloom.trading.prepare import take_snapshot
from strikeloom.trading.reconcile import reconcile
from strikeloom.trading.send import OrderRateLimiter
from support.desk import MadeDesk
from support.fakes import ManualClock, ist, option

REAL = ManualClock(ist("2026-11-01 12:00"))


def _stock(strike: int) -> OptionContract:
    return replace(option(strike, Right.CALL), kind=InstrumentKind.STOCK)


def _enter(made: MadeDesk, strike: int, side: Side, lots: int = 1) -> None:
    instrument = made.show(_stock(strike), 150_00, 151_00)
    made.enter(made.propose([Leg(instrument, side, 1, 150_00)], f"leg_{strike}"), lots)


def _warned(made: MadeDesk, moment: str, times: int = 1) -> list[str]:
    before = len(made.alerts.texts)
    made.clock.at = ist(moment)
    made.step(0)
    for _ in range(times):
        with Lease(made.home, made.store) as lease:
            run_cycle(made.desk, lease, OrderRateLimiter(1e6), REAL)
    return [text for _, text in made.alerts.texts[before:] if "delivery" in text]


@pytest.mark.parametrize(
    ("moment", "steps"),
    [
        ("2026-02-18 10:00", "10%, 25%, 45%, 70%"),  # four trading days before Tuesday 24th
        ("2026-02-20 10:00", "45%, 70%"),
        ("2026-02-23 10:00", "70%"),
    ],
)
def test_a_bought_call_in_the_money_is_named_with_the_cash_it_needs(made, moment, steps):
    _enter(made, 24_800, Side.BUY)
    (text,) = _warned(made, moment)
    assert "65 shares are received; ₹16,12,000.00 in cash is needed" in text  # 65 x 24,800
    assert f": {steps} of the share" in text
    assert ("warning", text) in made.alerts.texts
    assert text in [stored.text for stored in made.store.alerts()]  # the board shows these


def test_no_warning_earlier_than_four_trading_days(made):
    _enter(made, 24_800, Side.BUY)
    assert _warned(made, "2026-02-17 10:00") == []


def test_nothing_is_named_where_the_legs_net_off_or_end_worthless(made):
    _enter(made, 24_800, Side.BUY)
    _enter(made, 24_900, Side.SELL)
    _enter(made, 25_200, Side.BUY)
    assert _warned(made, "2026-02-20 10:00") == []


def test_a_sold_call_in_the_money_is_named_with_the_shares_it_needs(made):
    _enter(made, 24_800, Side.SELL)
    (text,) = _warned(made, "2026-02-20 10:00")
    assert "65 shares are delivered for ₹16,12,000.00; they must be in the account" in text
    assert "Delivery margin" not in text


def test_a_warning_that_cannot_be_computed_stops_no_exit(made, monkeypatch):
    _enter(made, 24_800, Side.BUY)

    def unknown(*_):
        raise DataError("no calendar of that year")

    monkeypatch.setattr("strikeloom.monitor.deliveries.delivery_percent", unknown)
    kill(made.desk, "leave", flatten=True, at=made.clock.now())
    _warned(made, "2026-02-18 10:00")
    assert made.store.positions() == []
    assert ("warning", "deliveries to be expected are not known: no calendar of that year") in (
        made.alerts.texts
    )


def test_an_underlying_without_a_level_is_named_once_a_day(made):
    """Without it nothing is known of its deliveries, and that is an alert."""
    _enter(made, 24_800, Side.BUY)
    del made.feed.spots["NIFTY"]
    made.clock.at = ist("2026-02-20 09:10")  # before the open no level is expected
    watcher = DeliveryWarnings(made.desk)
    for seconds, texts in ((0, 0), (240, 0), (60, 0), (59, 0), (1, 1), (60, 1)):
        made.step(seconds)
        state = reconcile(made.desk)
        contracts = [leg.instrument for p in state.positions.values() for leg in p.legs]
        watcher.check(state, take_snapshot(made.desk, contracts, ["NIFTY"]))
        named = [text for _, text in made.alerts.texts if "whether NIFTY would end" in text]
        assert len(named) == texts
