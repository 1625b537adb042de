"""Guards of shares and futures: the last order that passes and the first that does not."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from strikeloom.domain.instruments import Instrument
from strikeloom.domain.legs import Side
from strikeloom.domain.orders import OrderIntent, Purpose
from strikeloom.errors import GuardError
from strikeloom.settings.all import load_settings
from strikeloom.trading.guard_context import EntriesOfDay, GuardContext
from strikeloom.trading.guards import check
from strikeloom.trading.intents import Pricing, exit_intents
from support.fakes import EXPIRY, ist
from support.mixed_legs import FUTURE, INDEX_FUTURE, LOT, RELIANCE, SHARE, MixedDesk, stock_option
from support.trading_records import NOW, intent, position_of, quote_of, snapshot, state

SETTINGS = load_settings().execution
CALL = stock_option(1_420)
PRICES = {
    SHARE: (1_399_90, 1_400_10), FUTURE: (1_405_00, 1_405_50), INDEX_FUTURE: (25_100_00, 25_101_00),
    CALL: (20_00, 20_50),
}  # fmt: skip


def order(of: Instrument, units: int, limit: int, **changes: object) -> OrderIntent:
    return intent(instrument=of, units=units, limit=limit, **changes)


def refusal(of: OrderIntent, *, account=None, at=NOW, ends=None, banned=(), **changes) -> str:
    """Name of the guard that refuses an order, or an empty text."""
    account = account or state(at=at)
    of = replace(of, created_at=at)
    given = GuardContext(
        state=replace(account, at=at),
        snapshot=snapshot(*(quote_of(it, *price, at=at) for it, price in PRICES.items()), at=at),
        guards=SETTINGS.guards.model_copy(update=changes),
        live=None,
        listed=lambda _: of.instrument,
        order_limit=lambda _: None,
        tick=lambda it: it.tick,
        series_end=lambda _, expiry: ends or expiry,
        entries=lambda: EntriesOfDay(0, (), frozenset()),
        banned=lambda symbol: symbol in banned,
    )
    try:
        check(of, given)
    except GuardError as error:
        return str(error.facts["guard"])
    return ""


@pytest.mark.parametrize(
    ("of", "units", "limit"),
    [(SHARE, 1, 1_401_00), (SHARE, 1_750, 1_401_00), (FUTURE, 500, 1_406_00),
     (INDEX_FUTURE, 65, 25_110_00)],
)  # fmt: skip
def test_ordinary_entries_pass(of, units, limit) -> None:
    """1,750 shares are more than 100 lots of one share: their value counts."""
    assert refusal(order(of, units, limit)) == ""


@pytest.mark.parametrize(
    ("of", "units", "limit", "guard"),
    [
        (SHARE, 1_784, 1_401_00, ""),  # Rs 24,99,384
        (SHARE, 1_785, 1_401_00, "order value"),  # Rs 25,00,785
        (INDEX_FUTURE, 65 * 15, 25_110_00, ""),  # Rs 2,44,82,250
        (INDEX_FUTURE, 65 * 16, 25_110_00, "order value"),  # Rs 2,61,14,400
        (FUTURE, 501, 1_406_00, "whole lots"),
        (FUTURE, 500, 1_406_02, "tick"),
        (SHARE, 10, 1_401_02, "tick"),
        (SHARE, 10, 1_961_00, "price distance"),  # 40 % of 1,400 is 560
        (SHARE, 10, 1_960_00, ""),
    ],
)
def test_value_lots_tick_and_distance(of, units, limit, guard) -> None:
    assert refusal(order(of, units, limit)) == guard


@pytest.mark.parametrize(
    ("time", "of", "guard"),
    [
        ("2026-02-11 15:30:00", SHARE, ""),
        ("2026-08-04 15:15:00", SHARE, ""),
        ("2026-08-04 15:15:01", SHARE, "session"),  # the closing auction, NSE/CMTR/74466
        ("2026-08-04 15:29:00", replace(FUTURE, expiry=date(2026, 8, 25)), ""),
        ("2026-08-04 15:40:00", replace(FUTURE, expiry=date(2026, 8, 25)), ""),
    ],
)
def test_shares_trade_until_their_own_hour(time, of, guard) -> None:
    PRICES[of] = PRICES[SHARE]
    assert refusal(order(of, 500, 1_401_00), at=ist(time)) == guard


@pytest.mark.parametrize(
    ("of", "guard"), [(CALL, "expiry day"), (FUTURE, "expiry day"), (INDEX_FUTURE, ""), (SHARE, "")]
)
def test_stock_contracts_are_not_entered_on_their_last_day(of, guard) -> None:
    limit = PRICES[of][1]
    at = ist(f"{EXPIRY} 10:00")
    assert refusal(order(of, of.lot_size, limit), at=at) == guard
    held = state(positions=[position_of("P1", (of, -of.lot_size))], at=at)
    closing = order(of, of.lot_size, limit, purpose=Purpose.EXIT)
    if of != SHARE:  # an exit is not refused
        assert refusal(closing, account=held, at=at) == ""


def test_a_stock_in_the_ban_period_is_still_bought_as_a_share() -> None:
    assert refusal(order(SHARE, 10, 1_401_00), banned=(RELIANCE,)) == ""
    assert refusal(order(FUTURE, 500, 1_406_00), banned=(RELIANCE,)) == "ban period"


def test_shares_are_sold_only_where_the_account_and_the_broker_hold_them() -> None:
    sale = order(SHARE, LOT, 1_399_00, side=Side.SELL)
    assert refusal(sale) == "shares held"  # no entry begins with a sale
    closing = replace(sale, purpose=Purpose.EXIT)
    held = state(positions=[position_of("P1", (SHARE, LOT))])
    assert refusal(closing, account=held) == ""
    assert refusal(closing, account=replace(held, gaps={SHARE.key: -1})) == "shares held"
    assert refusal(closing, account=replace(held, gaps={SHARE.key: 5})) == ""
    assert refusal(replace(closing, units=LOT + 1), account=held) == "exits only reduce"


def test_no_order_buys_shares_that_the_exchange_buys_in() -> None:
    owed = position_of("P1", (SHARE, -200))
    buy = order(SHARE, 200, 1_401_00, purpose=Purpose.EXIT)
    assert refusal(buy, account=state(positions=[owed])) == "short delivery"
    assert state(positions=[owed]).net_units() == {}
    market = snapshot(quote_of(SHARE, *PRICES[SHARE]))
    pricing = Pricing("test", "made", market, SETTINGS, lambda _: None, lambda it: it.tick)
    assert exit_intents(pricing, owed, [0], "test") == []


def test_an_exit_of_shares_is_cut_at_the_value_of_an_order_not_at_lots() -> None:
    """5 % below 1,399.90 is 1,329.90: 1,879 shares are Rs 24,98,882; one more is Rs 25,00,212."""
    market = snapshot(quote_of(SHARE, *PRICES[SHARE]))
    pricing = Pricing("test", "made", market, SETTINGS, lambda _: None, lambda it: it.tick)
    held = position_of("P1", (SHARE, 4_000))
    found = exit_intents(pricing, held, [0], "test")
    assert [it.limit for it in found] == [1_329_90] * 3
    assert [it.units for it in found] == [1_879, 1_879, 242]


def test_a_share_and_a_future_have_steps_of_their_own(tmp_path: Path) -> None:
    made = MixedDesk(tmp_path)
    made.listed.steps = {"EQ": 10, "XX": 20}
    name = made.hold(
        "hedge", (SHARE, Side.BUY, 3, 1_400_00), (FUTURE, Side.SELL, 1, 1_405_00)
    )  # fmt: skip
    share, future = made.store.intents(position_id=name)
    assert (share.instrument.tick, share.limit % 10) == (10, 0)
    assert (future.instrument.tick, future.limit % 20) == (20, 0)
