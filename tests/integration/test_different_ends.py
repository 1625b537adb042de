"""Legs that end on different days, and shares, from a marked strategy to the end, in replay.

The synthetic market of seed 7, proposed at the close of 20 May 2026. SYNDEX opens at 27,325.42 on
the 21st; AVANTIKA ends at 1,457.71 on the 26th.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from strikeloom.desk import open_desk, to_day_end, to_day_start, to_next_session
from strikeloom.domain.legs import Side
from strikeloom.domain.orders import Purpose
from strikeloom.domain.positions import RequestState
from strikeloom.monitor import load_board, request_exit, watch
from strikeloom.nse.sessions import trading_days
from strikeloom.ports.desk import Desk
from strikeloom.views.terminal.board import board_view
from support.fakes import ManualClock, ist
from support.marked_strategy import enter_marked, mark_strategy

DAY, NEAR, FAR = date(2026, 5, 20), date(2026, 6, 2), date(2026, 6, 9)
SHORT, LONG = f"SYNDEX:{NEAR}:2730000:CE", f"SYNDEX:{FAR}:2730000:CE"
MONTH, NEXT = date(2026, 5, 26), date(2026, 6, 30)
SHARE, CALL = "AVANTIKA:SHARE", f"AVANTIKA:{MONTH}:138000:CE"
REAL = ManualClock(ist("2026-11-30 12:00"))


@pytest.fixture
def desk(drawn_home: Path) -> Iterator[Desk]:
    """Give a desk at the close of the day that proposes."""
    with open_desk("synthetic", DAY, home=drawn_home) as found:
        to_day_end(found, DAY)
        yield found


def calendar(desk: Desk, plan: str) -> str:
    spot, _ = desk.feed.spot("SYNDEX")
    legs = [(SHORT, Side.SELL), (LONG, Side.BUY)]
    return mark_strategy(desk, "call_calendar", plan, legs, forward=spot / 100).strategy_id


def enter(desk: Desk, name: str) -> None:
    to_next_session(desk)
    enter_marked(desk, desk.store.proposal(name))


def pass_days(desk: Desk, until: date, *, act: bool = True) -> None:
    """Watch the close of every day up to one, with a watcher that is started for each."""
    today = desk.clock.now().date()
    for day in trading_days(today, until):
        if day == today and desk.clock.now().hour > 9:
            continue  # it was watched before
        to_day_end(desk, day)
        for _ in range(2):
            report = watch(desk, REAL, once=True, alert_only=not act)
            assert (report.failure, report.blocked) == ("", [])
    assert not [it.text for it in desk.store.alerts() if "differ" in it.text]
    assert desk.store.audit_positions() == []


def traded(desk: Desk, name: str, purpose: Purpose) -> list[tuple[str, Side]]:
    """Contracts and sides in the order in which they traded."""
    intents = {it.correlation_id: it for it in desk.store.intents(position_id=name)}
    fills = [f for f in desk.store.fills(position_id=name) if f.kind == "trade"]
    ours = [f for f in fills if intents[f.correlation_id].purpose is purpose]
    return [
        (f.instrument_key, f.side)
        for f in sorted(ours, key=lambda it: (it.at, int(it.order_id.lstrip("E") or 0)))
    ]


def test_a_calendar_is_entered_hedge_first_and_left_before_its_short_ends(desk: Desk) -> None:
    name = calendar(desk, "calendar")
    enter(desk, name)
    assert traded(desk, name, Purpose.ENTRY) == [(LONG, Side.BUY), (SHORT, Side.SELL)]
    pass_days(desk, date(2026, 5, 29))
    (position,) = desk.store.positions()
    assert [leg.net_units for leg in position.legs] == [-65, 65]
    pass_days(desk, date(2026, 6, 1))
    assert desk.store.positions() == []
    assert traded(desk, name, Purpose.EXIT) == [(SHORT, Side.BUY), (LONG, Side.SELL)]
    exits = [it for it in desk.store.intents(position_id=name) if it.purpose is Purpose.EXIT]
    assert {it.why for it in exits} == {"days to expiry: 1 day left, exits at 2"}
    legs = desk.store.position(name).legs
    total = sum(leg.realised - leg.charges for leg in legs)
    cash = desk.settings.desk.starting_cash * 100
    assert desk.broker.funds().cash - cash == total


def test_the_long_leg_of_a_diagonal_goes_on_when_its_short_is_bought_back(desk: Desk) -> None:
    name = calendar(desk, "diagonal")
    enter(desk, name)
    pass_days(desk, date(2026, 5, 29))
    (row,) = load_board(desk).rows
    assert (row.marked.days_left, row.marked.days_to_first_end) == (4, 4)
    text = board_view(load_board(desk), detailed=True).plain
    assert "4 and 11 days left; by 02 Jun, estimated at present volatility: can earn" in text
    assert "exits at 2 from SYNDEX 02 Jun 27300 CE and keeps the rest" in text
    pass_days(desk, date(2026, 6, 1))
    position = desk.store.position(name)
    assert [leg.net_units for leg in position.legs] == [0, 65]
    assert traded(desk, name, Purpose.EXIT) == [(SHORT, Side.BUY)]
    (row,) = load_board(desk).rows
    assert (row.marked.days_left, row.marked.limits_on) == (8, FAR)
    # bought, it cannot lose more than what it cost less what the short leg brought
    short, long = position.legs
    assert (row.marked.max_profit, row.marked.max_loss) == (None, long.open_value - short.realised)
    request_exit(desk, name, who="test")
    pass_days(desk, NEAR)
    assert desk.store.positions() == []
    (request,) = desk.store.requests()
    assert request.state is RequestState.DONE


def test_a_short_leg_that_ended_is_settled_and_the_rest_is_left_next_day(desk: Desk) -> None:
    """The watcher only looks on until the first leg has ended."""
    name = calendar(desk, "calendar")
    enter(desk, name)
    pass_days(desk, NEAR, act=False)
    (position,) = desk.store.positions()
    short, long = position.legs
    assert (short.net_units, long.net_units) == (0, 65)
    final, _ = desk.feed.spot("SYNDEX")
    assert short.realised == -65 * max(0, final - 27_300_00) - short.entry_value
    (row,) = load_board(desk).rows
    assert (row.marked.days_left, row.marked.missing) == (7, ())
    pass_days(desk, date(2026, 6, 3))
    assert desk.store.positions() == []
    exits = [it for it in desk.store.intents(position_id=name) if it.purpose is Purpose.EXIT]
    assert {it.why for it in exits} == {
        "leg ended: 1 day after the first expiry, exits the rest 1 day after it"
    }


def test_a_covered_call_is_assigned_and_its_shares_leave_without_an_auction(desk: Desk) -> None:
    """500 x (1,380 less what a share cost, plus the price of the call)."""
    spot, _ = desk.feed.spot("AVANTIKA")
    legs = [(CALL, Side.SELL), (SHARE, Side.BUY)]
    name = mark_strategy(desk, "covered_call", "covered", legs, forward=spot / 100).strategy_id
    enter(desk, name)
    assert traded(desk, name, Purpose.ENTRY) == [(SHARE, Side.BUY), (CALL, Side.SELL)]
    pass_days(desk, date(2026, 5, 25))
    paid = {f.instrument_key: f.price for f in desk.store.fills() if f.kind == "trade"}
    pass_days(desk, MONTH)
    position = desk.store.position(name)
    assert [leg.net_units for leg in position.legs] == [0, 0]
    assert sum(leg.realised for leg in position.legs) == 500 * (1_380_00 - paid[SHARE] + paid[CALL])
    texts = [it.text for it in desk.store.alerts()]
    assert any("They leave the shares held: 500 AVANTIKA shares" in text for text in texts)
    assert not [text for text in texts if "auction" in text or "lacking" in text]


def test_a_stock_calendar_whose_short_ends_in_the_money_lacks_the_shares(desk: Desk) -> None:
    """The later call does not deliver: 500 shares are bought in, and the rest is left."""
    short, long = (f"AVANTIKA:{day}:138000:CE" for day in (MONTH, NEXT))
    spot, _ = desk.feed.spot("AVANTIKA")
    name = mark_strategy(
        desk, "call_calendar", "calendar", [(short, Side.SELL), (long, Side.BUY)],
        forward=spot / 100,
    ).strategy_id  # fmt: skip
    enter(desk, name)
    pass_days(desk, MONTH, act=False)
    position = desk.store.position(name)
    assert [leg.net_units for leg in position.legs] == [0, 500, -500]
    assert any("500 shares are lacking" in it.text for it in desk.store.alerts())
    pass_days(desk, date(2026, 5, 29))
    position = desk.store.position(name)
    assert [leg.net_units for leg in position.legs] == [0, 0, 0]
    total = sum(leg.realised - leg.charges for leg in position.legs)
    cash = desk.settings.desk.starting_cash * 100
    assert desk.broker.funds().cash - cash == total


def test_a_future_goes_on_when_the_index_call_over_it_ends_in_cash(desk: Desk) -> None:
    future = f"SYNDEX:{NEXT}:FUT"
    spot, _ = desk.feed.spot("SYNDEX")
    name = mark_strategy(
        desk, "covered_call", "covered", [(SHORT, Side.SELL), (future, Side.BUY)],
        forward=spot / 100,
    ).strategy_id  # fmt: skip
    enter(desk, name)
    assert traded(desk, name, Purpose.ENTRY) == [(future, Side.BUY), (SHORT, Side.SELL)]
    (row,) = load_board(desk).rows  # no watcher has shown a price yet
    assert row.marked.pnl is None
    pass_days(desk, date(2026, 5, 21))
    (row,) = load_board(desk).rows
    call, bought = desk.store.position(name).legs
    cost = bought.entry_value // 65
    # at the call's end the future is worth the level and a small basis
    best = 65 * (27_300_00 - cost) - call.entry_value
    assert row.marked.limits_on == NEAR
    assert abs(row.marked.max_profit - best) < 65 * 150_00
    pass_days(desk, NEAR, act=False)  # the target is near, and would be taken
    assert [leg.net_units for leg in desk.store.position(name).legs] == [0, 65]
    (row,) = load_board(desk).rows
    assert (row.marked.last_day, row.marked.limits_on, row.marked.max_profit) == (NEXT, NEXT, None)
    request_exit(desk, name, who="test")
    to_day_start(desk, date(2026, 6, 3))
    watch(desk, REAL, once=True)
    pass_days(desk, date(2026, 6, 3))  # what a future made comes in after its session
    assert desk.store.positions() == []
    total = sum(leg.realised - leg.charges for leg in desk.store.position(name).legs)
    cash = desk.settings.desk.starting_cash * 100
    assert desk.broker.funds().cash - cash == total
