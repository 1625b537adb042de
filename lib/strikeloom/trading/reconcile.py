"""Compare our records with the broker's, and update ours. Sends nothing."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta

from strikeloom.domain.instruments import Share, instrument_of
from strikeloom.domain.orders import IntentState, Order, OrderIntent
from strikeloom.errors import DataError
from strikeloom.nse.edges import ending
from strikeloom.ports.desk import Desk
from strikeloom.ports.store import OpenRecord
from strikeloom.trading.account_state import AccountState, state_of
from strikeloom.trading.adjust import AdjustmentCheck
from strikeloom.trading.alert import alert
from strikeloom.trading.broker_book import BrokerBook, BrokerReading
from strikeloom.trading.order_status import (
    WATCHED,
    AbsenceCheck,
    OrderOutcome,
    awaits_report,
    outcome,
)
from strikeloom.trading.remaining import has_nothing_left
from strikeloom.trading.settle import book_settlements

_LOOK_BACK = timedelta(days=7)
#: Real seconds after which the broker is read again although it reported no change.
_FULL_SECONDS = 60.0
#: The same while the broker still has to report something of a sent order, or reports no changes.
#: Ticks may bring many cycles a second, and each reading is three calls.
_PENDING_SECONDS = 1.0


def reconcile(desk: Desk) -> AccountState:
    """Read the broker's orders, fills and positions, record them, and return the account.

    Raises
    ------
    BrokerError
        When the broker cannot be read; nothing was changed.
    """
    return Reconciler(desk).refresh()


class Reconciler:
    """Keeps the state of one account; a refresh reads only what has changed since the last one.

    The broker is read when it reported a change, once a second while it still has to report
    something of a sent order or reports no changes at all, once a minute otherwise, and after the
    caller has acted. The store is read when it has changed.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._book = BrokerBook(desk.broker, desk.store)
        self._reading: BrokerReading | None = None
        self._counted: tuple[int, int] | None = None
        self._state: AccountState | None = None
        self._unresolved: list[str] = []
        self._late_orders: list[str] = []
        self._last_days: dict[tuple[str, date, date], date] = {}
        self._adjustments = AdjustmentCheck(desk)

    def refresh(self, *, acted: bool = False) -> AccountState:
        """Update the state from the store, and from the broker if it may have changed.

        Parameters
        ----------
        acted : bool
            The caller has sent or cancelled something: the broker is read in any case.

        Raises
        ------
        BrokerError
            When the broker cannot be read; nothing was changed.
        """
        desk, now = self._desk, self._desk.clock.now()
        changes = desk.broker.change_count()
        if not acted and not self._must_read(changes, now):
            return self.reload()
        reading = self._book.read(changes, now)
        self._last_days.clear()
        self._reading = reading
        try:
            return self._reconciled(reading)
        except BaseException:
            # not taken in completely: it is read again, and no state made before it is used
            self._reading = self._state = None
            raise

    def reload(self) -> AccountState:
        """Update the state from the store alone."""
        now, counted = self._desk.clock.now(), self._desk.store.change_count()
        if self._state is not None and counted == self._counted:
            self._state = replace(self._state, at=now, new_fills=0, lost=[])
            return self._state
        self._state = self._with_differences(self._load(now))
        return self._state

    def _must_read(self, changes: object | None, now: datetime) -> bool:
        if self._reading is None or self._state is None:
            return True
        if changes is not None and changes != self._reading.changes:
            return True
        pending = changes is None or any(
            awaits_report(self._state, intent) for intent in self._state.intents()
        )
        limit = _PENDING_SECONDS if pending else _FULL_SECONDS
        elapsed = (now - self._reading.at).total_seconds()
        return elapsed >= limit * max(1.0, self._desk.clock.speed)

    def _reconciled(self, reading: BrokerReading) -> AccountState:
        """Record what the broker reports, book settlements, and update every sent intent."""
        desk = self._desk
        record = desk.store.open_record()
        fills = reading.fills
        state = self._state_from(record, reading.at)
        if self._adjustments.record(state):
            record = desk.store.open_record()
            state = self._state_from(record, reading.at)
        overdue = self._overdue(state, reading.held)
        if overdue:
            fills = fills + desk.broker.earlier_fills(overdue)
        ours = self._book.ours(record, reading.orders, fills)
        new = self._book.record(ours, reading.orders, fills)
        state = self._load(reading.at)
        # also the contract of a position of which nothing was known before these fills
        if self._adjustments.record(state) + self._adjustments.end_intents(state):
            state = self._load(reading.at)
        booked = book_settlements(desk, state, fills)
        state = self._load(reading.at) if booked else state
        state = self._with_outcomes(state, reading, ours)
        finished = [n for n, group in state.groups.items() if has_nothing_left(state, group)]
        if finished and self._counted and desk.store.close_groups(finished, self._counted):
            left = {n: group for n, group in state.groups.items() if n not in set(finished)}
            state = replace(state, groups=left)
        self._state = self._with_differences(replace(state, new_fills=new + booked))
        for text in self._state.differences:
            alert(
                desk,
                "critical",
                f"positions differ. {text}; no exit trades what only one side holds",
            )
        return self._state

    def _with_outcomes(
        self, state: AccountState, reading: BrokerReading, ours: Mapping[str, OrderIntent]
    ) -> AccountState:
        """State after every sent intent was updated from the order book."""
        desk = self._desk
        book: dict[str, list[Order]] = defaultdict(list)
        for order in reading.orders:
            book[order.correlation_id].append(order)
        outcomes: dict[str, OrderOutcome] = {}
        for intent in state.intents():
            if intent.state in WATCHED:
                name = intent.correlation_id
                outcomes[name] = outcome(
                    intent, book[name], state, self._absence_check(state, intent)
                )
        for name, result in outcomes.items():
            if result.to is not None:
                desk.store.move_intent(
                    name, expected=WATCHED, to=result.to, note=result.note, at=state.at
                )
            if result.alert:
                alert(desk, *result.alert)
        if any(result.to is not None for result in outcomes.values()):
            state = self._load(state.at)
        states = {i.correlation_id: i.state for i in (*ours.values(), *state.intents())}
        self._unresolved = [name for name, result in outcomes.items() if result.unresolved]
        self._late_orders = _late_orders(reading, states, outcomes)
        return replace(state, lost=[name for name, result in outcomes.items() if result.lost])

    def _absence_check(self, state: AccountState, intent: OrderIntent) -> AbsenceCheck:
        desk = self._desk
        waited = (state.at - state.changed_at[intent.correlation_id]).total_seconds()
        # a request travels in real time, however fast the desk's clock runs
        wait = desk.settings.execution.unknown_wait_seconds * max(1.0, desk.clock.speed)
        assert self._reading is not None  # noqa: S101 (read before)
        return AbsenceCheck(desk.broker.book_is_complete, waited, wait, self._reading.held)

    def _overdue(self, state: AccountState, held: Mapping[str, int]) -> list[Order]:
        """Orders of earlier days that were not seen to end: the order book lists only today's.

        Where positions differ, also orders that ended partly filled: some of their trades may
        have been reported after the last reading.
        """
        desk = self._desk
        if desk.broker.book_is_complete:
            return []
        today = state.at.date()
        watched = [
            order
            for intent in state.intents()
            if intent.state in WATCHED
            for order in state.orders_of(intent.correlation_id)
            if order.updated_at.date() < today
        ]
        differ = self._gaps(state, held)
        if not differ:
            return watched
        named = {order.order_id for order in watched}
        return watched + [
            order
            for order in desk.store.orders(since=today - _LOOK_BACK)
            if order.order_id not in named
            and order.updated_at.date() < today
            and order.instrument_key in differ
            and order.filled_units < order.units
        ]

    def _load(self, now: datetime) -> AccountState:
        self._counted = self._desk.store.change_count()
        return self._state_from(self._desk.store.open_record(), now)

    def _state_from(self, record: OpenRecord, now: datetime) -> AccountState:
        return state_of(self._desk.account, self._desk.market, record, now, self._last_day)

    def _last_day(self, symbol: str, expiry: date, since: date) -> date:
        """Last day of a series; read from the feed once between two readings of the broker."""
        key = (symbol, expiry, since)
        if key not in self._last_days:
            try:
                self._last_days[key] = self._desk.feed.last_day(symbol, expiry, since)
            except DataError as error:
                # one unreadable file must not stop the exits of every position
                text = f"the last day of {symbol} {expiry} is taken to be its expiry: {error}"
                alert(self._desk, "critical", text)
                self._last_days[key] = expiry
        return self._last_days[key]

    def _with_differences(self, state: AccountState) -> AccountState:
        """State with its differences from the last reading of the broker."""
        if self._reading is None:
            return state
        gaps = self._gaps(state, self._reading.held)
        return replace(
            state,
            gaps={key: theirs - ours for key, (ours, theirs) in gaps.items()},
            differences=[
                f"{key}: {ours} units here, {theirs} at the broker"
                for key, (ours, theirs) in gaps.items()
                # a broker lists delivered shares once they have come in; no exit sells them before
                if not 0 < ours - theirs <= state.arriving_units(key)
            ]
            + self._reading.of_the_day(gaps),
            unresolved=self._unresolved,
            late_orders=self._late_orders,
        )

    def _gaps(self, state: AccountState, held: Mapping[str, int]) -> dict[str, tuple[int, int]]:
        """Instruments whose net units differ: ours and the broker's."""
        ours, owed = state.net_units(), state.owed_units()
        return {
            key: (ours.get(key, 0), held.get(key, 0))
            for key in sorted(set(ours) | set(held))
            if held.get(key, 0) - ours.get(key, 0) not in (0, owed.get(key, 0))
            # expired contracts leave the broker's list and ours at different times
            and (self._desk.broker.reports_settlements or not self._expired(key, state.at))
            and not _owned_besides(key, ours.get(key, 0), held.get(key, 0))
        }

    def _expired(self, key: str, now: datetime) -> bool:
        """Whether it is a contract past the close of its last day."""
        held = instrument_of(key)
        if isinstance(held, Share):
            return False
        return now >= ending(self._last_day(held.symbol, held.expiry, now.date()))


def _owned_besides(key: str, ours: int, theirs: int) -> bool:
    """Whether the broker holds more shares than our positions: those are a person's own.

    Nor are delivered shares a difference that the broker has yet to debit.
    """
    return theirs > ours >= 0 and isinstance(instrument_of(key), Share)


def _late_orders(
    reading: BrokerReading, states: Mapping[str, IntentState], outcomes: Mapping[str, OrderOutcome]
) -> list[str]:
    """Ids of open orders whose intent is over: abandoned, or filled by another order."""
    traded: Counter[str] = Counter()
    for fill in reading.fills:
        traded[fill.order_id] += fill.units
    late = []
    for order in reading.orders:
        name, state = order.correlation_id, states.get(order.correlation_id)
        abandoned = state in (IntentState.ENDED, IntentState.REFUSED) and name not in outcomes
        # the trades may be ahead of the order book: this order may be the one that filled it
        surplus = state is IntentState.FILLED and traded[order.order_id] < order.units
        if not order.state.terminal and (abandoned or surplus):
            late.append(order.order_id)
    return late
