"""Reads the broker's account, and records what is new in it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from strikeloom.domain.instruments import Share, instrument_of
from strikeloom.domain.orders import Fill, Order, OrderIntent
from strikeloom.ports.broker import Broker
from strikeloom.ports.store import OpenRecord, TradingStore


@dataclass(frozen=True)
class BrokerReading:
    """One reading of the broker's account.

    Attributes
    ----------
    changes : object
        The broker's change count, read before the account.
    held, intraday : dict of str to int
        Net units by instrument: carried over nights, and of the day only. Our orders carry.
    """

    at: datetime
    changes: object | None
    orders: list[Order]
    fills: list[Fill]
    held: dict[str, int]
    intraday: dict[str, int]

    def of_the_day(self, missing: Collection[str]) -> list[str]:
        """Sentences on what is held for the day only, which our orders neither make nor close.

        Shares of the day are a person's own, unless some of ours are ``missing``.
        """
        return [
            f"{key}: {units} units at the broker are INTRADAY: it closes them today, our exits do "
            "not; if they were ours, convert them back there"
            for key, units in sorted(self.intraday.items())
            if key in missing or not isinstance(instrument_of(key), Share)
        ]


class BrokerBook:
    """Readings of one broker account; what an earlier reading recorded is not written again."""

    def __init__(self, broker: Broker, store: TradingStore) -> None:
        self._broker = broker
        self._store = store
        self._orders: dict[str, Order] = {}
        self._fills: set[str] = set()

    def read(self, changes: object | None, now: datetime) -> BrokerReading:
        """Read orders, fills and positions: three calls.

        Raises
        ------
        BrokerError
            When the broker cannot be read.
        """
        orders, fills = self._broker.orders(), self._broker.fills()
        positions = self._broker.positions()
        held, intraday = (
            {p.instrument_key: p.net_units for p in positions if p.intraday is of_the_day}
            for of_the_day in (False, True)
        )
        return BrokerReading(now, changes, orders, fills, held, intraday)

    def ours(
        self, record: OpenRecord, orders: Sequence[Order], fills: Sequence[Fill]
    ) -> dict[str, OrderIntent]:
        """Open intents by correlation id, and those of orders and fills that are newly reported."""
        known = {intent.correlation_id: intent for intent in record.intents}
        reported = {
            order.correlation_id
            for order in orders
            if not order.state.terminal or self._orders.get(order.order_id) != order
        }
        reported |= {fill.correlation_id for fill in fills if fill.fill_id not in self._fills}
        others = {name for name in reported - known.keys() if name}
        if others:
            intents = self._store.intents(correlation_ids=sorted(others))
            known |= {intent.correlation_id: intent for intent in intents}
        return known

    def record(
        self, ours: Mapping[str, OrderIntent], orders: Sequence[Order], fills: Sequence[Fill]
    ) -> int:
        """Record new orders and fills that are ours. Returns the number of new fills."""
        changed = [
            order
            for order in orders
            if order.correlation_id in ours and self._orders.get(order.order_id) != order
        ]
        if changed:
            self._store.record_orders(changed)
        unseen = [fill for fill in fills if fill.fill_id not in self._fills]
        mine = [fill for fill in unseen if fill.correlation_id in ours]
        new = self._store.record_fills(mine) if mine else 0
        self._orders = {order.order_id: order for order in orders}
        self._fills |= {fill.fill_id for fill in unseen}
        return new
