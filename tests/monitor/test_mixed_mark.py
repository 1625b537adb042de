"""Marks, extremes, greeks, rules, warnings and what is shown of options, futures and shares."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strikeloom.cli.exits import kept
from strikeloom.domain.hedges import left_unhedged
from strikeloom.domain.instruments import (
    Instrument,
    OptionContract,
    Right,
)
from strikeloom.domain.legs import Leg, Side
from strikeloom.domain.position_leg import PositionLeg
from strikeloom.domain.positions import MarkedPosition, Position
from strikeloom.errors import GuardError
from strikeloom.execution.load import MarkedStrategies, MarkedStrategy
from strikeloom.execution.plan import plan_entries
from strikeloom.monitor import request_exit, run_cycle
from strikeloom.monitor.board import load_board
from strikeloom.monitor.mark import mark_position
from strikeloom.risk.book import book_margins
from strikeloom.settings.exit_rules.profit_target import ProfitTarget
from strikeloom.settings.exit_rules.stop_loss import StopLoss
from strikeloom.trading.lease import Lease
from strikeloom.trading.prepare import last_days, take_snapshot
from strikeloom.trading.send import OrderRateLimiter
from strikeloom.views.monitor.text import card
from strikeloom.views.terminal.board import board_view
from support.fakes import EXPIRY, ManualClock, ist
from support.mixed_legs import (
    FUTURE,
    INDEX_FUTURE,
    LOT,
    NEXT,
    RELIANCE,
    SHARE,
    MixedDesk,
    stock_option,
)
from support.trading_records import open_ends, quote_of, snapshot

CALL, PUT = stock_option(1_420), stock_option(1_380, Right.PUT)
REAL = ManualClock(ist("2026-11-01 12:00"))


@pytest.fixture
def made(tmp_path: Path) -> MixedDesk:
    desk = MixedDesk(tmp_path)
    desk.show(CALL, 20_00, 20_50)
    desk.show(PUT, 15_00, 15_50)
    return desk


def marked(made: MixedDesk, name: str) -> MarkedPosition:
    position = made.store.position(name)
    market = take_snapshot(made.desk, [leg.instrument for leg in position.legs], [position.symbol])
    return mark_position(position, market, last_days=last_days(made.desk, position), peak=None)


def covered_call(made: MixedDesk) -> str:
    return made.hold("covered_call", (SHARE, Side.BUY, LOT, 1_400_00), (CALL, Side.SELL, 1, 20_00))


def cycle(made: MixedDesk, moment: str | None = None) -> list[str]:
    before = len(made.alerts.texts)
    if moment:
        made.clock.at = ist(moment)
    made.step(0)
    with Lease(made.home, made.store) as lease:
        run_cycle(made.desk, lease, OrderRateLimiter(1e6), REAL)
    return [text for _, text in made.alerts.texts[before:]]


# extremes


def test_a_covered_call_earns_up_to_its_strike_and_loses_its_cost(made: MixedDesk) -> None:
    """500 x (1,420 - 1,400.10 + 20.00), and 500 x (1,400.10 - 20.00)."""
    found = marked(made, covered_call(made))
    assert (found.max_profit, found.max_loss) == (19_950_00, 6_90_050_00)
    assert found.entry_premium == -6_90_050_00
    # mids: 500 x (1,400.00 - 1,400.10) and 500 x (20.00 - 20.25)
    assert found.pnl == -50_00 - 125_00


def test_a_collar_of_a_future_moves_only_its_premiums(made: MixedDesk) -> None:
    """Bought at 1,405.50: 500 x (1,420 - 1,405.50 + 4.50), and 500 x (1,405.50 - 1,380 - 4.50)."""
    name = made.hold(
        "collar",
        (FUTURE, Side.BUY, 1, 1_405_00), (CALL, Side.SELL, 1, 20_00), (PUT, Side.BUY, 1, 15_00),
    )  # fmt: skip
    found = marked(made, name)
    assert found.entry_premium == 500 * (20_00 - 15_50)
    assert (found.max_profit, found.max_loss) == (500 * 19_00, 500 * 21_00)
    assert made.ledger.cash == 500 * 4_50


def test_a_future_alone_has_no_premium_and_no_limit(made: MixedDesk) -> None:
    found = marked(made, made.hold("future", (FUTURE, Side.BUY, 1, 1_405_00)))
    assert (found.entry_premium, found.max_profit, found.max_loss) == (0, None, 500 * 1_405_50)
    assert not ProfitTarget(percent=50).decide(found).fires
    sold = marked(made, made.hold("sold_future", (FUTURE, Side.SELL, 1, 1_405_00)))
    assert (sold.max_profit, sold.max_loss) == (500 * 1_405_00, None)


LEGS = st.lists(
    st.tuples(
        st.sampled_from([SHARE, FUTURE, *(stock_option(k, r) for k in (1, 1_380, 1_420, 2_000)
                                          for r in Right)]),
        st.integers(-3, 3).filter(bool),
        st.integers(0, 3_000_00),
    ),
    min_size=1,
    max_size=5,
)  # fmt: skip


def value(of: Instrument, level: int) -> int:
    """Paise a unit at the end."""
    if isinstance(of, OptionContract):
        gain = level - of.strike if of.right is Right.CALL else of.strike - level
        return max(0, gain)
    return level


@given(LEGS)
def test_extremes_are_those_of_every_level(rows) -> None:
    """Brute force over levels; between strikes a payoff is straight, so these are all it has."""
    legs = tuple(
        PositionLeg(n, of, units * 100, units * 100, units * price * 100, 0, 0,
                    entry_value=units * price * 100)
        for n, (of, units, price) in enumerate(rows)
    )  # fmt: skip
    position = Position("test", "made", "P1", RELIANCE, "any", "credit", legs, 1, ist("2026-02-11"))
    found = mark_position(position, snapshot(), last_days=open_ends(position), peak=None)

    def profit(level: int) -> int:
        return sum(100 * units * (value(of, level) - price) for of, units, price in rows)

    levels = [0, *(of.strike for of, *_ in rows if isinstance(of, OptionContract)), 10_000_00]
    profits = [profit(level) for level in levels]
    slope = profit(20_000_00) - profit(10_000_00)
    best = None if slope > 0 else max(profits)
    worst = None if slope < 0 else max(0, -min(profits))
    assert (found.max_profit, found.max_loss) == (best, worst)


def test_delivered_shares_are_no_part_of_what_was_entered(made: MixedDesk) -> None:
    """Sold at 15.00: 500 x 15.00 is the most, and the strike less it what it can lose."""
    name = made.hold("short_put", (PUT, Side.SELL, 1, 15_00))
    before = marked(made, name)
    made.at(f"{EXPIRY} 15:30")
    made.feed.settlements[RELIANCE, EXPIRY] = 1_350_00
    cycle(made)
    made.at("2026-02-25 10:00")
    after = marked(made, name)
    assert (before.max_profit, before.max_loss) == (7_500_00, 6_82_500_00)
    assert (after.max_profit, after.max_loss, after.entry_premium) == (
        before.max_profit, before.max_loss, before.entry_premium,
    )  # fmt: skip
    assert (after.days_left, after.unknown["sessions_left"]) == (None, "shares have no last day")
    assert (after.greeks.delta, after.greeks.theta) == (500.0, 0.0)


# marks and greeks


def test_a_share_and_a_future_have_no_mark_once_their_quotes_are_stale(made: MixedDesk) -> None:
    name = made.hold("hedge", (SHARE, Side.BUY, LOT, 1_400_00), (FUTURE, Side.SELL, 1, 1_405_00))
    market = take_snapshot(made.desk, [SHARE, FUTURE], [RELIANCE])
    position = made.store.position(name)
    old = replace(market, at=ist("2026-02-11 10:20"), max_age_seconds=900)
    found = mark_position(position, old, last_days=open_ends(position), peak=None)
    assert found.pnl is None
    assert found.missing == (
        "RELIANCE share (older than 900 s)", "RELIANCE 24 Feb future (older than 900 s)",
    )  # fmt: skip
    fresh = mark_position(
        position, replace(old, at=market.at), last_days=open_ends(position), peak=None
    )
    # 500 x (1,400.00 - 1,400.10) and 500 x (1,405.00 - 1,405.25)
    assert fresh.pnl == -50_00 - 125_00
    thin = snapshot(
        quote_of(SHARE, None, None), replace(quote_of(FUTURE, None, 1_404_00), last=1_405_00)
    )
    marks = mark_position(position, thin, last_days=open_ends(position), peak=None).marks
    assert [(key, it.price) for key, it in marks.items()] == [(FUTURE.key, 1_404_00)]


def test_shares_hedged_by_their_future_have_little_delta_left(made: MixedDesk) -> None:
    name = made.hold("hedge", (SHARE, Side.BUY, LOT, 1_400_00), (FUTURE, Side.SELL, 1, 1_405_00))
    found = marked(made, name)
    with_carry = replace(found.position, carry=0.065)
    market = take_snapshot(made.desk, [SHARE, FUTURE], [RELIANCE])
    greeks = mark_position(with_carry, market, last_days=open_ends(with_carry), peak=None).greeks
    # 13 days and some hours at 6.5 %: a future moves by about a quarter of a percent more
    assert greeks.delta == pytest.approx(-500 * 0.0024, rel=0.1)
    assert (greeks.gamma, greeks.vega) == (0.0, 0.0)


# rules and requests


def test_a_stop_loss_of_a_covered_call_sells_its_shares_last(made: MixedDesk) -> None:
    name = covered_call(made)
    found = marked(made, name)
    rule = StopLoss(percent=1)  # Rs 6,900.50
    assert not rule.decide(found).fires
    made.show(SHARE, 1_380_00, 1_380_20)
    made.show(CALL, 12_00, 12_50)
    decision = rule.decide(marked(made, name))  # 500 x (-20.00 + 7.75)
    assert not decision.fires
    made.show(SHARE, 1_370_00, 1_370_20)
    assert rule.decide(marked(made, name)).fires


def test_the_shares_of_a_sold_call_are_not_sold_alone(made: MixedDesk) -> None:
    name = covered_call(made)
    assert left_unhedged(made.store.position(name), (0, -1)) == [
        "the sold RELIANCE 24 Feb 1420 CE (leg 1)"
    ]
    with pytest.raises(GuardError, match="without its hedge"):
        request_exit(made.desk, name, who="test", leg=0)
    request, _ = request_exit(made.desk, name, who="test", leg=1)
    assert kept(made.store.position(name), request) == "to keep: 500 RELIANCE shares bought"
    cycle(made)
    assert [leg.net_units for leg in made.store.position(name).legs] == [LOT, 0]


def test_delivered_shares_are_sold_by_a_button_in_parts(made: MixedDesk) -> None:
    name = made.hold("short_put", (PUT, Side.SELL, 1, 15_00))
    made.at(f"{EXPIRY} 15:30")
    made.feed.settlements[RELIANCE, EXPIRY] = 1_350_00
    made.ledger.end(PUT.key, LOT, 30_00)
    made.ledger.end(SHARE.key, LOT, 1_350_00)
    made.show(SHARE, 1_350_00, 1_350_20)
    cycle(made)
    assert made.store.position(name).legs[1].net_units == LOT
    made.show(SHARE, 1_352_00, 1_352_20)
    made.at("2026-02-25 10:00")
    request, _ = request_exit(made.desk, name, who="test", percent=25)
    assert kept(made.store.position(name), request) == "to keep: 375 RELIANCE shares bought"
    cycle(made, "2026-02-25 10:01")
    assert made.store.position(name).legs[1].net_units == 375
    request_exit(made.desk, name, who="test")
    request_exit(made.desk, name, who="test")
    cycle(made, "2026-02-25 10:02")
    assert not made.store.position(name).is_open
    assert made.ledger.cash == 500 * (15_00 - 1_380_00 + 1_352_00)


def test_delivered_shares_are_not_sold_before_they_have_come_in(made: MixedDesk) -> None:
    name = made.hold("short_put", (PUT, Side.SELL, 1, 15_00))
    made.at(f"{EXPIRY} 15:30")
    made.feed.settlements[RELIANCE, EXPIRY] = 1_350_00
    made.ledger.end(PUT.key, LOT, 30_00)
    made.ledger.end(SHARE.key, LOT, 1_350_00)
    cycle(made)  # at the last quote of 1,400 the target of profit is met, at the very close
    assert made.store.position(name).legs[1].net_units == LOT
    notes = [it.note for it in made.store.intents(position_id=name)]
    assert any("500 were delivered today and come in later" in note for note in notes)


# warnings


def test_a_covered_call_is_warned_of_as_a_delivery_of_what_is_held(made: MixedDesk) -> None:
    covered_call(made)
    made.feed.spots[RELIANCE] = 1_450_00
    (text,) = [it for it in cycle(made, "2026-02-20 10:00") if "delivery" in it]
    assert text.endswith(
        "500 RELIANCE shares are delivered for ₹7,10,000.00, out of the 500 RELIANCE shares held"
    )


def test_what_lacks_for_a_delivery_is_named_beforehand(made: MixedDesk) -> None:
    made.hold("covered_call", (SHARE, Side.BUY, 300, 1_400_00), (CALL, Side.SELL, 1, 20_00))
    made.feed.spots[RELIANCE] = 1_450_00
    (text,) = [it for it in cycle(made, "2026-02-20 10:00") if "delivery" in it]
    assert "but only 300 are held; the other 200 are a short delivery" in text


def test_a_stock_future_is_warned_of_as_a_delivery(made: MixedDesk) -> None:
    made.hold("future", (FUTURE, Side.BUY, 1, 1_405_00))
    (text,) = [it for it in cycle(made, "2026-02-20 10:00") if "delivery" in it]
    assert "500 shares are received; ₹7,00,000.00 in cash is needed" in text


# what is shown


def test_legs_are_shown_in_plain_words(made: MixedDesk) -> None:
    name = covered_call(made)
    made.show(INDEX_FUTURE, 25_100_00, 25_101_00)
    made.hold("future", (INDEX_FUTURE, Side.SELL, 1, 25_100_00), symbol="NIFTY")
    cycle(made)
    board = load_board(made.desk)
    lines = board_view(board, detailed=True).plain.splitlines()
    assert "    leg 0: +500 RELIANCE shares" in lines
    assert "    leg 1: -1 lot of 500 RELIANCE 24 Feb 1420 CE" in lines
    assert "    leg 0: -1 lot of NIFTY 24 Feb future" in lines
    first, second = (card(row) for row in board.rows)
    assert f'data-position="{name}"' in first
    assert '<span class="side buy">BUY</span></td><td>500 RELIANCE shares</td>' in first
    assert "<td>24 Feb future</td>" in second


def test_lacking_shares_are_shown_as_owed(made: MixedDesk) -> None:
    made.hold("short_call", (CALL, Side.SELL, 1, 20_00))
    made.at(f"{EXPIRY} 15:30")
    made.feed.settlements[RELIANCE, EXPIRY] = 1_450_00
    cycle(made)
    board = load_board(made.desk)
    assert (
        "leg 1: -500 RELIANCE shares, lacking for a delivery"
        in board_view(board, detailed=True).plain
    )
    (row,) = board.rows
    assert ">OWED</span>" in card(row)
    assert {text.split(" (")[0] for text in row.exits.values()} == {
        "the exchange buys in the 500 RELIANCE shares that were lacking for a delivery"
    }


# plans


def test_a_plan_prices_shares_and_futures(made: MixedDesk) -> None:
    """Limits 2 % beyond the market, on the tick; charges by the rates of each segment."""
    legs = [
        Leg(SHARE, Side.BUY, LOT, 1_400_00),
        Leg(CALL, Side.SELL, 1, 20_00),
        Leg(FUTURE, Side.SELL, 1, 1_405_00),
    ]
    proposal = made.propose(legs, "plan")
    plan = plan_entries(made.desk, MarkedStrategies([MarkedStrategy(proposal, 1, False)], "R1"))
    assert plan.refused == []
    (entry,) = plan.entries
    assert [it.limit for it in entry.intents] == [1_428_10, 19_60, 1_376_90]
    assert [it.priority for it in entry.intents] == [0, 2, 1]
    assert entry.premium == 500 * (19_60 - 1_428_10)  # a future moves no money
    assert list(plan.table["contract"]) == [
        "RELIANCE share", "RELIANCE 24 Feb 1420 CE", "RELIANCE 24 Feb future",
    ]  # fmt: skip
    # STT of the shares is 0.1 % of Rs 7,14,050: Rs 714.05; stamps 0.015 %: Rs 107.11
    assert entry.charges > 714_05 + 107_11


def test_a_plan_has_the_margin_of_all_its_legs_together(made: MixedDesk) -> None:
    """As the book of the account would have it; shares give no relief to a call."""
    later = stock_option(1_420, expiry=NEXT)
    made.show(later, 45_00, 45_50)
    books = {
        "calendar": [Leg(CALL, Side.SELL, 1, 20_00), Leg(later, Side.BUY, 1, 45_00)],
        "covered": [Leg(CALL, Side.SELL, 1, 20_00), Leg(SHARE, Side.BUY, LOT, 1_400_00)],
        "short": [Leg(CALL, Side.SELL, 1, 20_00)],
    }
    marks = {CALL.key: 20_25, later.key: 45_25, SHARE.key: 1_400_00}
    found = {}
    for name, legs in books.items():
        marked = MarkedStrategies([MarkedStrategy(made.propose(legs, name), 2, False)], "R1")
        plan = plan_entries(made.desk, marked)
        assert plan.refused == []
        found[name] = plan.entries[0].margin
        held = {leg.instrument: 2 * leg.signed_units for leg in legs}
        level = {RELIANCE: 1_400_00}
        (expected,) = book_margins([held], level, marks, made.clock.now())
        assert found[name] == expected.total > 0
    assert found["covered"] == found["short"] > found["calendar"]
