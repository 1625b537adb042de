"""The reconciler: when it reads the broker, what it compares, and what it alerts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from strikeloom.domain.instruments import Instrument, Right, Share
from strikeloom.domain.legs import Side
from strikeloom.domain.orders import Fill, IntentState, Order, OrderIntent, OrderState, Purpose
from strikeloom.errors import RateLimited
from strikeloom.trading.account_state import AccountState
from strikeloom.trading.reconcile import Reconciler, reconcile
from support.desk import ACCOUNT, START, MadeDesk
from support.fakes import EXPIRY, ist, option
from support.stated_broker import StatedBroker
from support.trading_records import PUT, intent, order_of

HEDGE = option(24_600, Right.PUT)
YESTERDAY = START - timedelta(days=1)


class Case:
    """A desk at a broker whose reports the test states. Nothing is sent."""

    def __init__(self, folder: Path) -> None:
        self.broker = StatedBroker()
        self.made = MadeDesk(folder, broker=self.broker)
        self.clock, self.store = self.made.clock, self.made.store
        self.reconciler = Reconciler(self.made.desk)

    def record(
        self, name: str = "IONE", state: IntentState = IntentState.WORKING, **changes: object
    ) -> OrderIntent:
        """Record an intent: buy two lots of the put, made now."""
        figures = {"created_at": self.clock.now(), **changes}
        item = intent(account=ACCOUNT, intent_id=name, state=state, **figures)
        self.store.record_intents([item])
        return item

    def known(
        self, of: OrderIntent, state: OrderState, filled: int = 0, at: datetime = START
    ) -> Order:
        """Record an order as an earlier reading has, with the fills it reported."""
        order = order_of(of, state, filled, updated_at=at)
        self.store.record_order(order)
        if filled:
            self.store.record_fills([fill_of(order, filled, at=at)])
        return order

    def hold(self, instrument: Instrument, units: int, position_id: str = "P1") -> None:
        """Record a bought or sold position whose orders are over."""
        side = Side.BUY if units > 0 else Side.SELL
        item = self.record(
            f"I{position_id}", IntentState.FILLED, position_id=position_id, instrument=instrument,
            side=side, units=abs(units),
        )  # fmt: skip
        self.known(item, OrderState.TRADED, abs(units))

    def refresh(self, seconds: float = 0, *, acted: bool = False) -> AccountState:
        self.clock.wait(seconds)
        return self.reconciler.refresh(acted=acted)

    def reads(self, seconds: float = 0, *, acted: bool = False) -> int:
        """Readings of the broker by one refresh after some time."""
        before = self.broker.readings
        self.refresh(seconds, acted=acted)
        return self.broker.readings - before

    def texts(self, level: str) -> list[str]:
        return [text for kind, text in self.made.alerts.texts if kind == level]


def fill_of(order: Order, units: int, number: int = 1, at: datetime = START) -> Fill:
    """Write a fill of an order at its limit."""
    return Fill(
        f"{order.order_id}-{number}", order.order_id, order.correlation_id, order.instrument_key,
        order.side, units, order.limit, 0, at,
    )  # fmt: skip


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Case]:
    case = Case(tmp_path)
    yield case
    case.made.close()


# when the broker is read


def test_without_a_change_the_broker_is_read_once_a_minute(case: Case) -> None:
    assert [case.reads(), case.reads(), case.reads(59.5), case.reads(0.5)] == [1, 0, 0, 1]
    assert [case.reads(59.9), case.reads(0.1)] == [0, 1]


def test_a_reported_change_is_read_at_once(case: Case) -> None:
    case.refresh()
    case.broker.changes = 2
    assert [case.reads(), case.reads()] == [1, 0]


def test_a_broker_that_reports_no_changes_is_read_once_a_second(case: Case) -> None:
    case.broker.changes = None
    assert [case.reads(seconds) for seconds in (0, 0.9, 0.1, 0.9, 0.1)] == [1, 0, 1, 0, 1]
    case.broker.changes = 1
    assert [case.reads(), case.reads()] == [1, 0]
    case.broker.changes = None
    assert [case.reads(), case.reads(1)] == [0, 1]


def test_what_we_did_ourselves_is_read_at_once(case: Case) -> None:
    case.refresh()
    assert [case.reads(acted=True), case.reads()] == [1, 0]


def test_the_first_refresh_reads_also_after_the_store_was_read(case: Case) -> None:
    case.reconciler.reload()
    assert case.broker.readings == 0
    assert case.reads() == 1


@pytest.mark.parametrize("state", [IntentState.SENDING, IntentState.UNKNOWN])
def test_an_order_without_an_answer_is_looked_for_once_a_second(
    case: Case, state: IntentState
) -> None:
    case.record(state=state)
    case.refresh()
    assert [case.reads(0.5), case.reads(0.5)] == [0, 1]


def test_an_order_that_rests_is_not_looked_for(case: Case) -> None:
    case.broker.book = [order_of(case.record())]
    case.refresh()
    assert [case.reads(59.9), case.reads(0.1)] == [0, 1]


def test_a_desk_whose_clock_runs_fast_reads_as_often_in_real_time(case: Case) -> None:
    case.clock.speed = 60.0
    case.refresh()
    assert [case.reads(3599), case.reads(1)] == [0, 1]
    case.record(state=IntentState.UNKNOWN)
    case.refresh(acted=True)
    assert [case.reads(59), case.reads(1)] == [0, 1]


def test_a_slow_clock_does_not_make_the_minute_shorter(case: Case) -> None:
    case.clock.speed = 0.5
    case.refresh()
    assert [case.reads(59), case.reads(1)] == [0, 1]


def test_the_store_is_read_only_when_it_has_changed(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    case.refresh()
    reads: list[int] = []
    open_record = case.store.open_record
    monkeypatch.setattr(case.store, "open_record", lambda: (reads.append(1), open_record())[1])
    assert case.refresh(2).at == case.clock.now()
    assert reads == []
    case.record(state=IntentState.NEW)
    assert [i.state for i in case.refresh().intents()] == [IntentState.NEW]
    assert reads == [1]


# a reading that fails


def test_a_reading_that_failed_is_repeated_at_once(case: Case) -> None:
    """What it saw is not recorded: nothing may be decided for a minute without it."""
    case.known(case.record("IOLD", created_at=YESTERDAY), OrderState.PENDING, at=YESTERDAY)
    case.refresh()
    order = order_of(case.record(), OrderState.TRADED, 130)
    case.broker.changes = 2
    case.broker.book, case.broker.trades = [order], [fill_of(order, 130)]
    case.broker.held = {PUT.key: 130}
    case.broker.fails = [RateLimited("slow down")]
    with pytest.raises(RateLimited):
        case.refresh()
    assert case.store.fills() == []
    state = case.refresh()
    assert state.new_fills == 1
    assert state.net_units() == {PUT.key: 130}


def test_a_reading_that_failed_after_we_acted_is_repeated_at_once(case: Case) -> None:
    case.known(case.record("IOLD", created_at=YESTERDAY), OrderState.PENDING, at=YESTERDAY)
    case.refresh()
    case.broker.fails = [RateLimited("slow down")]
    with pytest.raises(RateLimited):
        case.refresh(acted=True)
    case.reconciler.reload()  # reads the store only
    assert [case.reads(), case.reads()] == [1, 0]


# fills and outcomes


def test_new_fills_are_counted_once(case: Case) -> None:
    order = order_of(case.record(), OrderState.PART_TRADED, 65)
    case.broker.book, case.broker.trades = [order], [fill_of(order, 65)]
    case.broker.held = {PUT.key: 65}
    first = case.refresh()
    assert (first.new_fills, first.net_units()) == (1, {PUT.key: 65})
    assert case.refresh().new_fills == 0
    assert case.refresh(acted=True).new_fills == 0
    assert len(case.store.fills()) == 1


def test_one_order_that_ended_is_seen_beside_one_that_rests(case: Case) -> None:
    """An outcome is in the state that is returned: the next decision is made on it."""
    resting, cancelled = case.record("IONE"), case.record("ITWO")
    case.broker.book = [
        order_of(resting),
        order_of(cancelled, OrderState.CANCELLED, reason="by the user"),
    ]
    states = {i.intent_id: (i.state, i.note) for i in case.refresh().intents()}
    assert states["IONE"] == (IntentState.WORKING, "")
    assert states["ITWO"] == (IntentState.ENDED, "by the user")


def test_a_group_with_nothing_left_is_closed(case: Case) -> None:
    order = order_of(case.record(), OrderState.TRADED, 130)
    case.record("INEW", IntentState.NEW)
    case.broker.book, case.broker.trades = [order], [fill_of(order, 130)]
    case.broker.held = {PUT.key: 130}
    assert list(case.refresh().groups) == ["INEW"]
    assert [i.intent_id for i in case.store.open_record().intents] == ["INEW"]


def test_groups_that_may_not_be_closed_now_stay_in_the_state(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process changed the store: whether they are over is judged again."""
    case.hold(PUT, 130)
    case.broker.held = {PUT.key: 130}
    monkeypatch.setattr(case.store, "close_groups", lambda *_: False)
    assert list(case.refresh().groups) == ["IP1"]


@pytest.mark.parametrize("speed", [0.5, 1.0, 60.0])
def test_an_absent_order_is_given_up_after_a_wait_in_real_time(case: Case, speed: float) -> None:
    """A request travels in real time, however fast the desk's clock runs."""
    wait = case.made.desk.settings.execution.unknown_wait_seconds * max(1.0, speed)
    case.clock.speed = speed
    name = case.record(state=IntentState.UNKNOWN).correlation_id
    early = case.refresh(wait - 1, acted=True)
    assert (early.unresolved, early.lost) == ([name], [])
    late = case.refresh(1, acted=True)
    assert (late.unresolved, late.lost) == ([], [name])
    assert case.store.intents()[0].state is IntentState.ENDED


def test_a_lost_order_is_reported_by_one_refresh_only(case: Case) -> None:
    case.record(state=IntentState.UNKNOWN)
    assert len(case.refresh(60).lost) == 1
    assert case.refresh().lost == []


def test_a_booked_settlement_is_in_the_state_and_counted(case: Case) -> None:
    case.hold(PUT, 130)
    case.hold(HEDGE, -130, "P2")
    case.broker.reports_settlements = True
    case.clock.at = ist(f"{EXPIRY} 15:35")
    order = order_of(intent(account=ACCOUNT, instrument=HEDGE, correlation_id=""))
    ended = replace(
        fill_of(order, 130, at=ist(f"{EXPIRY} 15:30")), fill_id="S1", kind="settlement", price=0
    )
    case.broker.trades, case.broker.held = [ended], {PUT.key: 130}
    state = case.refresh()
    assert list(state.positions) == ["P1"]
    assert state.new_fills == 1
    assert state.differences == []


# differences of positions


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [(0, 65), (0, -65), (65, 0), (-65, 0), (65, 130), (130, 65), (65, -65), (0, 1), (0, -1),
     (1, 0), (-1, 0)],
)  # fmt: skip
def test_a_gap_is_the_broker_s_units_less_ours(case: Case, ours: int, theirs: int) -> None:
    case.hold(HEDGE, 65, "P2")  # the same on both sides
    if ours:
        case.hold(PUT, ours)
    case.broker.held = {HEDGE.key: 65} | ({PUT.key: theirs} if theirs else {})
    state = case.refresh()
    text = f"{PUT.key}: {ours} units here, {theirs} at the broker"
    assert state.gaps == {PUT.key: theirs - ours}
    assert state.differences == [text]
    assert case.texts("critical") == [
        f"positions differ. {text}; no exit trades what only one side holds"
    ]


@pytest.mark.parametrize("units", [65, -130])
def test_positions_that_agree_have_no_gap(case: Case, units: int) -> None:
    case.hold(PUT, units)
    case.broker.held = {PUT.key: units}
    state = case.refresh()
    assert (state.gaps, state.differences, case.made.alerts.texts) == ({}, [], [])


@pytest.mark.parametrize(
    ("ours", "theirs", "gap"),
    [(0, 40, None), (500, 900, None), (500, 499, -1), (500, 0, -500), (0, -500, -500)],
)
def test_shares_that_a_person_holds_besides_are_no_difference(
    case: Case, ours: int, theirs: int, gap: int | None
) -> None:
    share = Share("RELIANCE")
    if ours:
        case.hold(share, ours)
    case.broker.held = {share.key: theirs} if theirs else {}
    state = case.refresh()
    assert state.gaps == ({} if gap is None else {share.key: gap})
    assert len(state.differences) == len(case.texts("critical")) == (gap is not None)


def test_what_the_broker_closes_today_is_none_of_ours(case: Case) -> None:
    """A position that a person converted: an exit would open a second one beside it."""
    case.hold(PUT, 65)
    case.broker.of_the_day = {PUT.key: 65}
    state = case.refresh()
    assert state.gaps == {PUT.key: -65}
    missing, converted = state.differences
    assert missing == f"{PUT.key}: 65 units here, 0 at the broker"
    assert converted.startswith(f"{PUT.key}: 65 units at the broker are INTRADAY: it closes them")
    case.broker.held = {PUT.key: 65}  # both: ours, and a person's own beside them
    case.broker.changes = 2
    state = case.refresh()
    assert (state.gaps, len(state.differences)) == ({}, 1)


@pytest.mark.parametrize(("held", "named"), [(500, 0), (400, 2)])
def test_shares_of_the_day_are_named_only_where_ours_are_missing(
    case: Case, held: int, named: int
) -> None:
    share = Share("RELIANCE")
    case.hold(share, 500)
    case.broker.held, case.broker.of_the_day = {share.key: held}, {share.key: 100}
    assert len(case.refresh().differences) == named


def test_each_difference_is_alerted_and_reported_between_readings(case: Case) -> None:
    case.broker.held = {PUT.key: 65, HEDGE.key: -65}
    case.refresh()
    assert len(case.texts("critical")) == 2
    state = case.refresh(1)
    assert state.gaps == {PUT.key: 65, HEDGE.key: -65}
    case.record(state=IntentState.NEW)
    assert case.refresh(1).gaps == {PUT.key: 65, HEDGE.key: -65}


def test_only_a_reading_of_the_broker_shows_differences(case: Case) -> None:
    case.hold(PUT, 65)
    state = case.reconciler.reload()
    assert (state.gaps, state.differences) == ({}, [])


def test_expired_contracts_are_not_compared_where_the_broker_reports_no_settlements(
    case: Case,
) -> None:
    """They leave the broker's list and ours at different times."""
    case.hold(PUT, 65)
    case.clock.at = ist(f"{EXPIRY} 15:29:59")
    assert case.refresh(acted=True).gaps == {PUT.key: -65}
    assert case.refresh(1, acted=True).gaps == {}
    case.broker.reports_settlements = True
    assert case.refresh(acted=True).gaps == {PUT.key: -65}


def test_a_series_that_ended_early_has_expired(case: Case) -> None:
    case.made.feed.ends["NIFTY", EXPIRY] = START.date()
    case.broker.held = {PUT.key: 65}
    case.clock.at = ist(f"{START.date()} 15:29")
    assert case.refresh(acted=True).gaps == {PUT.key: 65}
    case.clock.at = ist(f"{START.date()} 15:30")
    assert case.refresh(acted=True).gaps == {}


# orders of earlier days


def test_fills_of_an_earlier_day_are_asked_for_orders_that_were_not_seen_to_end(case: Case) -> None:
    old = case.known(case.record(created_at=YESTERDAY), OrderState.PENDING, at=YESTERDAY)
    case.broker.past = [fill_of(old, 130, at=YESTERDAY)]
    case.broker.held = {PUT.key: 130}
    state = case.refresh()
    assert case.broker.asked == [[old.order_id]]
    assert (state.new_fills, state.net_units(), state.gaps) == (1, {PUT.key: 130}, {})
    case.refresh(acted=True)  # it is filled: nothing is left to ask
    assert case.broker.asked == [[old.order_id]]


def test_nothing_is_asked_of_an_order_of_today(case: Case) -> None:
    case.known(case.record("IONE"), OrderState.PENDING)
    case.known(case.record("ITWO", IntentState.ENDED), OrderState.CANCELLED, 65)
    case.broker.held = {PUT.key: 130}  # also where positions differ
    assert case.refresh().gaps == {PUT.key: 65}
    assert case.broker.asked == []


def test_a_complete_book_is_asked_for_nothing_more(case: Case) -> None:
    case.known(case.record(created_at=YESTERDAY), OrderState.PENDING, at=YESTERDAY)
    case.broker.book_is_complete = True
    case.broker.held = {PUT.key: 130}
    case.refresh()
    assert case.broker.asked == []


class Ended:
    """Orders of earlier days that ended partly filled, and others that cannot have more fills."""

    def __init__(self, case: Case, at: datetime = YESTERDAY) -> None:
        self.case, self.at, self.names = case, at, []
        self.partly = self.order("IPARTLY")
        self.full = self.order("IFULL", OrderState.TRADED, 130)
        self.other = self.order("IOTHER", instrument=HEDGE, position_id="P2")
        case.broker.held = {PUT.key: 195, HEDGE.key: 65}  # as the fills add up to

    def order(
        self,
        name: str,
        state: OrderState = OrderState.CANCELLED,
        filled: int = 65,
        **changes: object,
    ) -> Order:
        over = IntentState.FILLED if filled == 130 else IntentState.ENDED
        item = self.case.record(name, over, created_at=self.at, **changes)
        return self.case.known(item, state, filled, at=self.at)


def test_where_positions_differ_orders_that_ended_partly_filled_are_asked_too(case: Case) -> None:
    """Trades of them may have been reported after the last reading."""
    ended = Ended(case)
    case.refresh()
    assert case.broker.asked == []  # positions agree
    case.broker.held[PUT.key] += 65
    case.broker.past = [fill_of(ended.partly, 65, 2, at=YESTERDAY)]
    state = case.refresh(acted=True)
    assert case.broker.asked == [[ended.partly.order_id]]
    assert (state.new_fills, state.gaps) == (1, {})


def test_an_order_is_asked_once_even_where_positions_differ(case: Case) -> None:
    ended = Ended(case)
    working = case.known(case.record(created_at=YESTERDAY), OrderState.PENDING, at=YESTERDAY)
    case.broker.held[PUT.key] += 65
    case.refresh()
    assert case.broker.asked == [[working.order_id, ended.partly.order_id]]


@pytest.mark.parametrize(("days", "asked"), [(7, True), (8, False)])
def test_orders_of_the_last_week_are_asked(case: Case, days: int, asked: bool) -> None:
    day = START.date() - timedelta(days=days)
    ended = Ended(case, at=ist(f"{day} 10:00"))
    case.broker.held[PUT.key] += 65
    case.refresh()
    assert case.broker.asked == ([[ended.partly.order_id]] if asked else [])


# orders that reached the broker after all


def test_an_open_order_of_an_ended_intent_is_late(case: Case) -> None:
    late = order_of(case.record(state=IntentState.ENDED))
    resting = order_of(case.record("ITWO"))
    other = replace(late, order_id="O-9", correlation_id="another program")
    case.broker.book = [late, resting, other]
    assert case.refresh().late_orders == [late.order_id]
    assert case.refresh(1).late_orders == [late.order_id]
    case.broker.book[0] = replace(late, state=OrderState.CANCELLED)
    assert case.refresh(acted=True).late_orders == []


def test_a_second_order_of_a_filled_intent_is_late(case: Case) -> None:
    """It would trade the same units again: it is cancelled like any order that nothing needs."""
    filled = order_of(case.record(), OrderState.TRADED, 130)
    second = replace(filled, order_id="O-2", state=OrderState.PENDING, filled_units=0)
    case.broker.book, case.broker.trades = [filled, second], [fill_of(filled, 130)]
    case.broker.held = {PUT.key: 130}
    for _ in range(2):
        assert case.refresh(acted=True).late_orders == ["O-2"]
    assert case.store.intents()[0].state is IntentState.FILLED
    assert case.texts("critical") == [f"{filled.correlation_id} is 2 times in the order book"]


def test_an_order_that_the_trades_are_ahead_of_is_not_late(case: Case) -> None:
    order = order_of(case.record(), OrderState.PENDING)
    case.broker.book = [order]
    case.broker.trades = [fill_of(order, 65), fill_of(order, 65, 2)]
    case.broker.held = {PUT.key: 130}
    for _ in range(2):
        assert case.refresh(acted=True).late_orders == []
    assert case.store.intents()[0].state is IntentState.FILLED


def test_reconcile_reads_and_records_once(case: Case) -> None:
    order = order_of(case.record(purpose=Purpose.ENTRY), OrderState.PART_TRADED, 65)
    case.broker.book, case.broker.trades = [order], [fill_of(order, 65)]
    state = reconcile(case.made.desk)
    assert (state.new_fills, case.broker.readings) == (1, 1)
    assert case.store.orders() == [order]


def test_the_last_day_of_a_series_is_read_once_between_two_readings(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    case.hold(PUT, 65)
    case.broker.held = {PUT.key: 65}
    reads: list[str] = []

    def last_day(symbol: str, expiry: date, since: date) -> date:
        reads.append(symbol)
        return expiry

    monkeypatch.setattr(case.made.feed, "last_day", last_day)
    case.refresh()
    case.record(state=IntentState.NEW)
    case.refresh()
    assert len(reads) == 1
    case.refresh(acted=True)
    assert len(reads) == 2
