"""Reads the broker's account, and records what is new in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

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
    held : dict of str to int
        Net units by contract.
    """

    at: datetime
    changes: object | None
    orders: list[Order]
    fills: list[Fill]
    held: dict[str, int]


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
        held = {p.instrument_key: p.net_units for p in self._broker.positions()}
        return BrokerReading(now, changes, orders, fills, held)

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
