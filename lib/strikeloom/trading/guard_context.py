"""What the guards read: the account, the market, and what is looked up when it is needed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from strikeloom.domain.instruments import Instrument
from strikeloom.domain.orders import OrderIntent
from strikeloom.domain.snapshot import MarketSnapshot
from strikeloom.errors import GuardError, StoreError
from strikeloom.ports.desk import Desk, Mode
from strikeloom.settings.desk import LiveSettings
from strikeloom.settings.execution import GuardSettings
from strikeloom.trading.account_state import AccountState
from strikeloom.trading.alert import alert
from strikeloom.trading.prepare import tick_of


@dataclass(frozen=True, slots=True)
class EntriesOfDay:
    """What was sent today, as counted for the limits on entries.

    Attributes
    ----------
    orders : int
        Orders of the account that changed today.
    intents : sequence of OrderIntent
        All intents created today.
    accepted : collection of str
        Correlation ids of these that the broker accepted as orders.
    """

    orders: int
    intents: Sequence[OrderIntent]
    accepted: frozenset[str]


@dataclass(frozen=True, slots=True)
class GuardContext:
    """All that a guard may read.

    Attributes
    ----------
    live : LiveSettings or None
        Caps on entries with real money; ``None`` outside mode live.
    listed : callable
        Contract as the exchange lists it today, by key; raises ``DataError``.
    order_limit : callable
        Largest order in units of a contract; ``None`` where none is known.
    tick : callable
        Price step of a contract today, in paise.
    series_end : callable
        Last day of a series, by symbol and expiry.
    entries : callable
        What was sent today; called only for an entry.
    adjusted : callable
        What the exchange made of a contract since the desk's day, as text; empty for nothing.
    banned : callable
        Whether a stock is in the ban period today; called only for an entry. Raises ``GuardError``
        where the list cannot be read.
    """

    state: AccountState
    snapshot: MarketSnapshot
    guards: GuardSettings
    live: LiveSettings | None
    listed: Callable[[str], Instrument]
    order_limit: Callable[[Instrument], int | None]
    tick: Callable[[Instrument], int]
    series_end: Callable[[str, date], date]
    entries: Callable[[], EntriesOfDay]
    banned: Callable[[str], bool]
    adjusted: Callable[[Instrument], str] = lambda _: ""

    @property
    def now(self) -> datetime:
        """Present time of the desk."""
        return self.snapshot.at


def guard_context(desk: Desk, state: AccountState, snapshot: MarketSnapshot) -> GuardContext:
    """Context of a desk. What only entries need is read when an entry is checked."""
    today = snapshot.at.date()

    def entries() -> EntriesOfDay:
        live = desk.mode is Mode.LIVE
        taken = desk.store.orders(since=today) if live else []
        return EntriesOfDay(
            desk.store.count_orders(today),
            desk.store.intents(day=today) if live else [],
            frozenset(order.correlation_id for order in taken),
        )

    def adjusted(instrument: Instrument) -> str:
        changes = desk.instruments.adjustments(instrument, desk.day, today)
        return "; ".join(f"it is {c.new.label} since {c.day}: {c.cause}" for c in changes)

    def banned(symbol: str) -> bool:
        try:
            listed = desk.history.banned(today)
        except StoreError as error:  # it must refuse this entry, not end the round of all exits
            raise GuardError(f"ban period: {error}", guard="ban period") from error
        if listed is None:
            text = (
                f"no ban list of {today} is stored: entries in stocks are not checked against it "
                "(strikeloom data fetch, or strikeloom data ban)"
            )
            # once a day, not once an hour as other alerts
            if all(known.text != text for known in desk.store.alerts()):
                alert(desk, "warning", text)
        return symbol in (listed or ())

    return GuardContext(
        state=state,
        snapshot=snapshot,
        guards=desk.settings.execution.guards,
        live=desk.settings.desk.live if desk.mode is Mode.LIVE else None,
        listed=lambda key: desk.instruments.instrument(key, today),
        order_limit=lambda instrument: desk.instruments.order_limit(instrument, today),
        tick=lambda instrument: tick_of(desk.instruments, instrument, today),
        series_end=lambda symbol, expiry: desk.feed.last_day(symbol, expiry, desk.day),
        entries=entries,
        adjusted=adjusted,
        banned=banned,
    )
