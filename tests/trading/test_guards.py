"""Each guard at its limit: the last order that passes and the first that does not."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from strikeloom.domain.instruments import InstrumentKind, Right
from strikeloom.domain.legs import Side
from strikeloom.domain.orders import IntentState, OrderState, Purpose
from strikeloom.errors import DataError, GuardError
from strikeloom.nse.freeze import freeze_units
from strikeloom.ports.desk import Mode
from strikeloom.ports.store import KillSwitch
from strikeloom.settings.desk import LiveSettings
from strikeloom.settings.execution import GuardSettings
from strikeloom.trading.guard_context import EntriesOfDay, GuardContext, guard_context
from strikeloom.trading.guards import check
from strikeloom.trading.reconcile import Reconciler
from support.desk import ACCOUNT, MadeDesk
from support.fakes import ist, option
from support.trading_records import (
    NOW,
    PUT,
    intent,
    order_of,
    position_of,
    quote_of,
    snapshot,
    state,
)

GUARDS = GuardSettings(
    max_lots_per_order=20, max_order_value=300_000, max_future_value=4_000_000,
    max_orders_per_day=400,
    max_open_positions=3, max_price_distance_percent=40, max_entry_spread_percent=25,
    max_entry_spread_ticks=4,
)  # fmt: skip
LIVE = LiveSettings(
    allowed=True, max_entry_orders=4, max_entry_value=50_000, max_entry_value_per_day=100_000,
    max_clock_seconds=3,
)  # fmt: skip


def context(
    account=None, quotes=None, *, at=NOW, live=None, orders=0, intents=(), accepted=(), listed=None,
    ends=None, banned=(), tick=5, **guards,
):  # fmt: skip
    quotes = [quote_of(PUT, 119_50, 120_50)] if quotes is None else quotes
    instrument = PUT if listed is None else listed

    def listing(key):
        if key != instrument.key:
            raise DataError(f"{key} is not listed")
        return instrument

    return GuardContext(
        state=account or state(at=at),
        snapshot=snapshot(*quotes, at=at),
        guards=GUARDS.model_copy(update=guards),
        live=live,
        listed=listing,
        order_limit=lambda instrument: freeze_units(instrument.symbol, at.date()),
        tick=lambda _: tick,
        series_end=lambda _, expiry: ends or expiry,
        entries=lambda: EntriesOfDay(orders, intents, frozenset(accepted)),
        banned=lambda symbol: symbol in banned,
    )


def refusal(of, given=None):
    """Name of the guard that refuses, or an empty text."""
    try:
        check(of, given or context())
    except GuardError as error:
        return error.facts["guard"]
    return ""


def test_no_order_is_sent_on_a_day_without_known_hours() -> None:
    muhurat = context(at=ist("2026-11-08 18:30"))
    with pytest.raises(
        GuardError, match=r"^session: the hours of the special session on 2026-11-08.*sessions\.csv"
    ):
        check(intent(), muhurat)


def test_an_ordinary_entry_passes():
    assert refusal(intent()) == ""


@pytest.mark.parametrize("change", [{"account": "other"}, {"market": "nse"}])
def test_an_intent_of_another_account_or_market_is_refused(change):
    assert refusal(intent(**change)) == "account"


@pytest.mark.parametrize(
    ("time", "guard"),
    [
        ("2026-02-11 09:14:59", "session"),
        ("2026-02-11 09:15:00", ""),
        ("2026-02-11 15:30:00", ""),
        ("2026-02-11 15:30:01", "session"),
        ("2026-02-14 10:00:00", "session"),  # Saturday
        ("2026-01-26 10:00:00", "session"),  # Republic Day
    ],
)
def test_orders_go_in_the_session_of_a_trading_day(time, guard):
    at = ist(time)
    given = context(at=at, quotes=[quote_of(PUT, 119_50, 120_50, at=at)])
    assert refusal(intent(created_at=at), given) == guard


def test_an_expired_contract_is_refused_from_the_day_after():
    for time, guard in (("2026-02-24 15:00", ""), ("2026-02-25 10:00", "expiry")):
        at = ist(time)
        given = context(at=at, quotes=[quote_of(PUT, 119_50, 120_50, at=at)])
        assert refusal(intent(created_at=at), given) == guard


def test_an_entry_needs_a_listed_contract_with_its_lot():
    other = option(24_600, Right.PUT)
    assert refusal(intent(), context(listed=other)) == "listed"
    assert refusal(intent(), context(listed=replace(PUT, lot_size=75))) == "lot size"


def test_an_exit_may_go_for_a_contract_that_is_listed_no_more():
    held = state(positions=[position_of("P1", (PUT, -130))])
    given = context(held, listed=option(24_600, Right.PUT), ends=date(2026, 2, 11))
    assert refusal(intent(purpose=Purpose.EXIT), given) == ""


@pytest.mark.parametrize(
    ("ends", "guard"),
    [
        (date(2026, 2, 10), ""),  # before today: the end of an earlier series of the name
        (date(2026, 2, 11), "last day"),
        (date(2026, 2, 23), "last day"),
        (date(2026, 2, 24), ""),
    ],
)
def test_nothing_is_entered_in_a_series_that_ends_before_its_expiry(ends, guard):
    assert refusal(intent(), context(ends=ends)) == guard


@pytest.mark.parametrize(
    ("change", "guard"),
    [
        ({"units": 65}, ""),
        ({"units": 64}, "whole lots"),
        ({"units": 131}, "whole lots"),
        ({"units": 20 * 65}, ""),
        ({"units": 21 * 65}, "lots an order"),
        ({"limit": 120_05}, ""),
        ({"limit": 120_01}, "tick"),
        ({"limit": 120_04}, "tick"),
        ({"limit": 0}, "tick"),
        ({"limit": -5}, "tick"),
    ],
)
def test_the_form_of_an_order(change, guard):
    assert refusal(intent(**change)) == guard


def test_an_order_is_at_most_the_freeze_quantity():
    """NIFTY: 1,800 units since 2024-07-05. 27 lots of 65 are 1,755; 25 of 72 are 1,800."""
    big = replace(PUT, lot_size=72)
    for instrument, units, guard in (
        (PUT, 1_755, ""), (big, 1_800, ""), (big, 1_872, "freeze quantity"),
    ):  # fmt: skip
        given = context(
            quotes=[quote_of(instrument, 119_50, 120_50)], listed=instrument, max_lots_per_order=100
        )
        assert refusal(intent(instrument=instrument, units=units), given) == guard


@pytest.mark.parametrize(("most", "guard"), [(15_600, ""), (15_599, "order value")])
def test_the_value_of_an_order(most, guard):
    """130 units at Rs 120 are Rs 15,600."""
    assert refusal(intent(), context(max_order_value=most)) == guard


@pytest.mark.parametrize(
    ("bid", "ask", "guard"),
    [
        (None, None, "quote"),
        (120_05, 120_00, "quote"),  # crossed
        (120_00, 120_00, ""),
        (None, 120_00, "spread"),
        (120_00, None, "spread"),
        # 25 % of a mid of 120.00 is 30.00
        (105_00, 135_00, ""),
        (104_95, 135_00, "spread"),
    ],
)
def test_an_entry_needs_a_market_with_two_sides_and_a_narrow_spread(bid, ask, guard):
    assert refusal(intent(), context(quotes=[quote_of(PUT, bid, ask)])) == guard


@pytest.mark.parametrize(
    ("tick", "bid", "ask", "guard"),
    [
        (5, 10, 30, ""),  # four ticks, as wide as the mid
        (5, 10, 35, "spread"),
        (1, 11, 13, ""),
        (1, 10, 14, ""),
        (1, 10, 15, "spread"),
        (1, 5, 20, "spread"),  # fifteen paise around 0.12: no market to trade in
        (5, 1_00, 1_95, "spread"),  # less than a rupee
        (5, 4_00, 5_00, ""),  # 22 % of the mid
    ],
)
def test_a_spread_is_judged_in_percent_and_in_ticks(tick, bid, ask, guard):
    cheap = replace(PUT, tick=tick)
    given = context(quotes=[quote_of(cheap, bid, ask)], listed=cheap, tick=tick)
    assert refusal(intent(instrument=cheap, limit=ask), given) == guard


def test_an_exit_takes_the_market_as_it_is():
    held = state(positions=[position_of("P1", (PUT, -130))])
    leaving = intent(purpose=Purpose.EXIT)
    wide = context(held, quotes=[quote_of(PUT, 80_00, 160_00)])
    assert refusal(leaving, wide) == ""
    assert refusal(leaving, context(held, quotes=[quote_of(PUT, None, 120_00)])) == ""


@pytest.mark.parametrize(
    ("limit", "guard"),
    [
        (168_00, ""),  # 40 % above a mid of 120.00
        (168_05, "price distance"),
        (72_00, ""),
        (71_95, "price distance"),
    ],
)
def test_a_limit_far_from_the_market_is_refused(limit, guard):
    assert refusal(intent(limit=limit)) == guard


@pytest.mark.parametrize(
    ("bid", "limit", "guard"),
    [
        (95, 6_00, ""),  # from a mid of 1.00
        (95, 6_05, "price distance"),
        (94, 6_00, "price distance"),  # Rs 5.005 from a mid of 0.995
    ],
)
def test_a_cheap_option_may_move_by_five_rupees(bid, limit, guard):
    cheap = context(quotes=[quote_of(PUT, bid, 1_05)])
    assert refusal(intent(limit=limit), cheap) == guard


def test_a_limit_of_one_tick_is_a_price():
    for tick in (1, 5):
        cheap = replace(PUT, tick=tick)
        given = context(quotes=[quote_of(cheap, tick, 2 * tick)], listed=cheap, tick=tick)
        assert refusal(intent(instrument=cheap, limit=tick), given) == ""


@pytest.mark.parametrize(("now", "guard"), [(1, ""), (5, "tick")])
def test_a_limit_is_on_the_tick_in_force_not_on_that_of_the_opening(now, guard):
    opened = replace(PUT, tick=1)
    given = context(quotes=[quote_of(opened, 119_50, 120_50)], listed=opened, tick=now)
    assert refusal(intent(instrument=opened, limit=120_03), given) == guard


def test_the_distance_is_measured_from_the_only_side_there_is():
    held = state(positions=[position_of("P1", (PUT, -130))])
    given = context(held, quotes=[quote_of(PUT, None, 100_00)])
    assert refusal(intent(purpose=Purpose.EXIT, limit=140_00), given) == ""
    assert refusal(intent(purpose=Purpose.EXIT, limit=140_05), given) == "price distance"


@pytest.mark.parametrize(("seconds", "guard"), [(15, ""), (16, "quote age")])
def test_an_old_quote_is_named_by_its_age(seconds, guard):
    old = quote_of(PUT, 119_50, 120_50, at=NOW - timedelta(seconds=seconds))
    assert refusal(intent(), context(quotes=[old])) == guard


def test_a_contract_without_a_quote_is_refused():
    assert refusal(intent(), context(quotes=[])) == "quote"


# entries only


def test_the_kill_switch_blocks_entries_and_lets_exits_pass():
    held = position_of("P1", (PUT, -130))
    account = state(positions=[held], switch=KillSwitch(True, False, "a test", None))
    assert refusal(intent(), context(account)) == "kill switch"
    for purpose in (Purpose.EXIT, Purpose.UNWIND):
        assert refusal(intent(purpose=purpose), context(account)) == ""


def test_an_entry_is_of_its_day():
    yesterday = NOW - timedelta(days=1)
    assert refusal(intent(created_at=yesterday)) == "entry day"
    held = state(positions=[position_of("P1", (PUT, -130))])
    leaving = intent(created_at=yesterday, purpose=Purpose.EXIT)
    assert refusal(leaving, context(held)) == ""


@pytest.mark.parametrize(("orders", "guard"), [(399, ""), (400, "orders a day")])
def test_entries_end_with_the_orders_of_a_day(orders, guard):
    assert refusal(intent(), context(orders=orders)) == guard
    held = state(positions=[position_of("P1", (PUT, -130))])
    assert refusal(intent(purpose=Purpose.EXIT), context(held, orders=orders)) == ""


def test_no_position_is_opened_beyond_the_most():
    two = [position_of(name, (PUT, -130)) for name in ("A", "B")]
    three = [*two, position_of("C", (PUT, -130))]
    assert refusal(intent(position_id="D"), context(state(positions=two))) == ""
    assert refusal(intent(position_id="D"), context(state(positions=three))) == "open positions"
    assert refusal(intent(position_id="C"), context(state(positions=three))) == ""


@pytest.mark.parametrize(
    ("found", "guard"),
    [
        (IntentState.NEW, ""),
        (IntentState.SENDING, "open positions"),
        (IntentState.WORKING, "open positions"),
        (IntentState.UNKNOWN, "open positions"),
        (IntentState.REFUSED, ""),
    ],
)
def test_an_entry_that_may_still_fill_counts_as_a_position(found, guard):
    two = [position_of(name, (PUT, -130)) for name in ("A", "B")]
    entry = intent(position_id="C", intent_id="ICCC", state=found)
    account = state([entry], positions=two)
    assert refusal(intent(position_id="D"), context(account)) == guard
    assert refusal(intent(position_id="C"), context(account)) == ""
    leaving = replace(entry, position_id="A", purpose=Purpose.EXIT)
    assert refusal(intent(position_id="D"), context(state([leaving], positions=two))) == ""


# caps of a live day: 4 entry orders, Rs 50,000 each, Rs 1,00,000 together


def sent(number, units=65, limit=100_00, **changes):
    return intent(
        **{"intent_id": f"I{number}", "units": units, "limit": limit, "state": IntentState.FILLED,
           **changes}
    )  # fmt: skip


def cap(of, intents=(), accepted=(), live=LIVE):
    return refusal(of, context(live=live, intents=intents, accepted=accepted))


def test_live_entries_are_counted():
    three = [sent(number) for number in range(3)]
    assert cap(intent(), three) == ""
    assert cap(intent(), [*three, sent(3)]) == "live orders a day"
    assert cap(intent(), [*three, sent(3)], live=None) == ""


def test_exits_do_not_count_and_are_not_capped():
    leaving = [sent(number, purpose=Purpose.EXIT) for number in range(9)]
    assert cap(intent(), leaving) == ""
    held = state(positions=[position_of("P1", (PUT, -130))])
    full = context(held, live=LIVE, intents=[sent(number) for number in range(9)])
    assert refusal(intent(purpose=Purpose.EXIT), full) == ""


@pytest.mark.parametrize(
    ("units", "limit", "guard"),
    [
        (8 * 65, 96_15, ""),  # 520 x 96.15 is Rs 49,998
        (8 * 65, 96_20, "live order value"),  # Rs 50,024
    ],
)
def test_the_value_of_a_live_entry(units, limit, guard):
    assert cap(intent(units=units, limit=limit)) == guard


def test_the_value_of_all_live_entries_of_a_day():
    """Rs 46,800 twice, and 65 units at Rs 98.45 are Rs 6,399.25 more; one at 98.50 is too much."""
    two = [sent(number, units=6 * 65, limit=120_00) for number in range(2)]
    assert cap(intent(units=65, limit=98_45), two) == ""
    assert cap(intent(units=65, limit=98_50), two) == "live value a day"


def test_a_live_entry_may_reach_its_caps():
    """130 units at Rs 120 are Rs 15,600; with as much before, Rs 31,200."""
    before = [sent(0, units=130, limit=120_00)]
    caps = LIVE.model_copy(update={"max_entry_value": 15_600, "max_entry_value_per_day": 31_200})
    assert cap(intent(), before, live=caps) == ""
    less = caps.model_copy(update={"max_entry_value": 15_599})
    assert cap(intent(), before, live=less) == "live order value"
    less = caps.model_copy(update={"max_entry_value_per_day": 31_199})
    assert cap(intent(), before, live=less) == "live value a day"


def test_what_of_a_live_day_counts():
    """Refused intents do not, unless the broker had accepted them; nor do those not sent yet."""
    full = [sent(number) for number in range(3)]
    refused = sent(8, state=IntentState.REFUSED)
    assert cap(intent(), [*full, refused]) == ""
    assert cap(intent(), [*full, refused], accepted=[refused.correlation_id]) == (
        "live orders a day"
    )
    waiting = sent(9, state=IntentState.NEW)
    assert cap(intent(), [*full, waiting]) == ""
    itself = intent()
    assert cap(itself, [*full, itself]) == ""


def test_the_other_legs_of_a_live_entry_count_before_they_are_sent():
    full = [sent(number) for number in range(3)]
    hedge = intent(leg=1)
    assert cap(intent(), [*full, hedge]) == "live orders a day"


# the context of a desk


@pytest.fixture
def made(tmp_path):
    """A desk with an order of today that the broker accepted, and an intent of yesterday."""
    made = MadeDesk(tmp_path)
    today = [
        intent(account=ACCOUNT, intent_id="IONE", state=IntentState.REFUSED),
        intent(account=ACCOUNT, intent_id="ITWO", state=IntentState.WORKING),
    ]
    old = intent(account=ACCOUNT, intent_id="IOLD", created_at=NOW - timedelta(days=1))
    made.store.record_intents([*today, old])
    made.store.record_orders(
        [order_of(today[0]), order_of(old, updated_at=NOW - timedelta(days=1))]
    )
    yield made
    made.close()


def of_desk(made, mode):
    desk = replace(made.desk, mode=mode)
    return guard_context(desk, Reconciler(desk).reload(), snapshot())


def test_with_real_money_the_entries_of_today_count(made):
    given = of_desk(made, Mode.LIVE)
    assert given.live == made.desk.settings.desk.live
    day = given.entries()
    assert day.orders == 1
    assert [item.intent_id for item in day.intents] == ["IONE", "ITWO"]
    assert day.accepted == {"IONE-0-0-1"}


@pytest.mark.parametrize("mode", [mode for mode in Mode if mode is not Mode.LIVE])
def test_without_real_money_only_the_orders_of_today_are_counted(made, mode):
    given = of_desk(made, mode)
    assert given.live is None
    assert given.entries() == EntriesOfDay(1, [], frozenset())


def test_the_context_has_the_desk_s_limits_contracts_and_last_days(made):
    made.show(PUT, 119_50, 120_50)
    made.feed.ends["NIFTY", PUT.expiry] = date(2026, 2, 12)
    given = of_desk(made, Mode.REPLAY)
    assert given.guards == made.desk.settings.execution.guards
    assert (given.now, given.listed(PUT.key)) == (NOW, PUT)
    assert given.series_end("NIFTY", PUT.expiry) == date(2026, 2, 12)
    with pytest.raises(DataError):
        given.listed("NIFTY:2026-02-24:1:PE")


# exits


@pytest.mark.parametrize(("units", "guard"), [(130, ""), (195, "exits only reduce")])
def test_an_exit_is_no_larger_than_what_is_held(units, guard):
    held = state(positions=[position_of("P1", (PUT, -130))])
    assert refusal(intent(purpose=Purpose.EXIT, units=units), context(held)) == guard


def test_an_exit_is_on_the_side_that_reduces():
    short, long = (state(positions=[position_of("P1", (PUT, n))]) for n in (-130, 130))
    buying, selling = (intent(purpose=Purpose.EXIT, side=side) for side in (Side.BUY, Side.SELL))
    found = [refusal(i, context(s)) for s in (short, long) for i in (buying, selling)]
    assert found == ["", "exits only reduce", "exits only reduce", ""]


def test_an_exit_leaves_room_for_orders_that_may_still_trade():
    working = intent(intent_id="IOLD", purpose=Purpose.EXIT, units=65, state=IntentState.WORKING)
    held = state(
        [working],
        positions=[position_of("P1", (PUT, -130))],
        orders=[order_of(working, OrderState.PENDING)],
    )
    leaving = intent(purpose=Purpose.EXIT)
    assert refusal(replace(leaving, units=65), context(held)) == ""
    assert refusal(leaving, context(held)) == "exits only reduce"


def test_a_stock_in_the_ban_period_is_only_reduced():
    """SEBI's rule above 95 % of the market-wide limit: positions decrease, by either side."""
    stock = replace(PUT, symbol="SAIL", kind=InstrumentKind.STOCK)
    entry = intent(instrument=stock)
    given = {"quotes": [quote_of(stock, 119_50, 120_50)], "listed": stock}
    assert refusal(entry, context(**given, banned=["KAYNES"])) == ""
    assert refusal(entry, context(**given, banned=["KAYNES", "SAIL"])) == "ban period"
    with pytest.raises(GuardError, match="SAIL is above the market-wide position limit"):
        check(entry, context(**given, banned=["SAIL"]))
    index = context(banned=["NIFTY"])  # an index has no such limit
    assert refusal(intent(), index) == ""
