"""State of an account at one moment, on which all functions of ``trading`` decide."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from strikeloom.domain.instruments import Share
from strikeloom.domain.orders import Order, OrderIntent
from strikeloom.domain.positions import ExitRequest, Position
from strikeloom.nse.edges import expected_after
from strikeloom.ports.store import KillSwitch, OpenRecord


@dataclass(frozen=True, slots=True)
class AccountState:
    """All that is open in the account, compared with the broker's reports.

    Attributes
    ----------
    at : datetime
        Present time of the desk.
    positions : mapping of str to Position
        Open positions by id, oldest first.
    groups : mapping of str to tuple of OrderIntent
        All attempts of every group of intents that is not closed, in send order.
    changed_at : mapping of str to datetime
        When the state of an intent last changed, by correlation id.
    orders : mapping of str to tuple of Order
        Known orders of these intents, by correlation id.
    filled : mapping of str to int
        Units filled, by correlation id.
    last_days : mapping of tuple to date
        Day on which the contract of an open leg ends, by position id and leg.
    requests : tuple of ExitRequest
        Pending and accepted ones, oldest first.
    peaks : mapping of str to int
        Highest P&L seen (paise) by position.
    gaps : mapping of str to int
        By contract, the broker's net units less ours, where they differ.
    differences : sequence of str
        The same as sentences.
    unresolved : sequence of str
        Correlation ids of orders whose status the broker does not report.
    lost : sequence of str
        Correlation ids of orders that never reached the broker, or ended with their day.
    late_orders : sequence of str
        Ids of orders that are open at the broker although their intent has ended.
    new_fills : int
        Fills recorded when the broker was read for this state.
    """

    account: str
    market: str
    at: datetime
    positions: Mapping[str, Position]
    groups: Mapping[str, tuple[OrderIntent, ...]]
    changed_at: Mapping[str, datetime]
    orders: Mapping[str, tuple[Order, ...]]
    filled: Mapping[str, int]
    last_days: Mapping[tuple[str, int], date]
    requests: tuple[ExitRequest, ...]
    kill_switch: KillSwitch
    peaks: Mapping[str, int]
    gaps: Mapping[str, int] = field(default_factory=dict)
    differences: Sequence[str] = field(default_factory=list)
    unresolved: Sequence[str] = field(default_factory=list)
    lost: Sequence[str] = field(default_factory=list)
    late_orders: Sequence[str] = field(default_factory=list)
    new_fills: int = 0

    def intents(self) -> Iterable[OrderIntent]:
        """Intents of all groups."""
        for group in self.groups.values():
            yield from group

    def intents_of(self, position_id: str) -> Iterable[OrderIntent]:
        """Intents of one position."""
        return (intent for intent in self.intents() if intent.position_id == position_id)

    def intent(self, correlation_id: str) -> OrderIntent | None:
        """One intent in its present state; ``None`` when its group is closed."""
        name = correlation_id.split("-", maxsplit=1)[0]
        group = self.groups.get(name, ())
        return next((i for i in group if i.correlation_id == correlation_id), None)

    def orders_of(self, correlation_id: str) -> tuple[Order, ...]:
        """Known orders of one intent."""
        return self.orders.get(correlation_id, ())

    def held_units(self, position_id: str, leg: int) -> int:
        """Signed units that a leg holds; 0 when the position is closed."""
        position = self.positions.get(position_id)
        if position is None:
            return 0
        return sum(item.net_units for item in position.legs if item.leg == leg)

    def held_for(self, intent: OrderIntent) -> int:
        """Signed units that an intent's leg holds of the intent's own contract.

        0 where the exchange adjusted the contract since: the leg holds another one then, or the
        same with another lot.
        """
        return 0 if self.is_adjusted(intent) else self.held_units(intent.position_id, intent.leg)

    def is_adjusted(self, intent: OrderIntent) -> bool:
        """Whether the exchange changed what the leg of an intent holds since the intent was made.

        The leg holds another contract then, or another lot, or more shares of the same name.
        """
        position = self.positions.get(intent.position_id)
        legs = position.legs if position else ()
        return any(
            leg.leg == intent.leg
            and not leg.is_held_as(intent.instrument, intent.created_at.date())
            for leg in legs
        )

    def ends_of(self, position_id: str) -> dict[int, date]:
        """Last day of each open contract of a position, by leg; empty when nothing is open."""
        position = self.positions.get(position_id)
        places = ((position_id, leg.leg) for leg in position.legs) if position else ()
        return {place[1]: self.last_days[place] for place in places if place in self.last_days}

    def net_units(self) -> dict[str, int]:
        """Net units by instrument over all positions; flat ones are absent.

        Without the shares that were lacking for a delivery: these are ``owed_units``.
        """
        net: dict[str, int] = {}
        for position in self.positions.values():
            for leg in position.legs:
                key = leg.instrument.key
                net[key] = net.get(key, 0) + (0 if leg.is_owed else leg.net_units)
        return {key: units for key, units in net.items() if units}

    def arriving_units(self, key: str) -> int:
        """Shares that a delivery brought and that come in by the next session at the latest."""
        today = self.at.date()
        return sum(
            leg.net_units
            for position in self.positions.values()
            for leg in position.legs
            if leg.instrument.key == key
            and leg.delivered
            and leg.since is not None
            and today <= expected_after(leg.since)
        )

    def owed_units(self) -> dict[str, int]:
        """Shares lacking for a delivery by key, negative; a broker may list them as held short."""
        owed: dict[str, int] = {}
        for position in self.positions.values():
            for leg in position.legs:
                if leg.is_owed:
                    key = leg.instrument.key
                    owed[key] = owed.get(key, 0) + leg.net_units
        return owed


def state_of(
    account: str,
    market: str,
    record: OpenRecord,
    now: datetime,
    last_day: Callable[[str, date, date], date],
) -> AccountState:
    """State of an account from the open records of its store.

    Parameters
    ----------
    last_day : callable
        Last day of a series, by symbol, expiry and the day since which it is held.
    """
    groups: dict[str, list[OrderIntent]] = defaultdict(list)
    for intent in record.intents:
        groups[intent.intent_id].append(intent)
    orders: dict[str, list[Order]] = defaultdict(list)
    for order in record.orders:
        orders[order.correlation_id].append(order)
    return AccountState(
        account=account,
        market=market,
        at=now,
        positions={position.position_id: position for position in record.positions},
        groups={name: tuple(intents) for name, intents in groups.items()},
        changed_at=record.changed_at,
        orders={name: tuple(known) for name, known in orders.items()},
        filled=record.filled,
        last_days={
            (position.position_id, leg.leg): last_day(
                leg.instrument.symbol, leg.instrument.expiry, position.opened_at.date()
            )
            for position in record.positions
            for leg in position.legs
            if leg.net_units and not isinstance(leg.instrument, Share)
        },
        requests=record.requests,
        kill_switch=record.kill_switch,
        peaks=record.peaks,
    )
