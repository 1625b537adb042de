"""The reading calls of a broker that wraps another one; all pass unchanged."""

from __future__ import annotations

from collections.abc import Sequence

from strikeloom.domain.orders import BrokerPosition, Fill, Funds, Order
from strikeloom.ports.broker import Broker


class ReadThrough:
    """The reading calls of ``ports.broker.Broker``, passed to the wrapped broker."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self.name = broker.name
        self.book_is_complete = broker.book_is_complete
        self.reports_settlements = broker.reports_settlements

    def change_count(self) -> object | None:
        """Change count of the wrapped broker."""
        return self._broker.change_count()

    def orders(self) -> list[Order]:
        """Orders of the wrapped broker."""
        return self._broker.orders()

    def fills(self) -> list[Fill]:
        """Fills of the wrapped broker."""
        return self._broker.fills()

    def earlier_fills(self, orders: Sequence[Order]) -> list[Fill]:
        """Fills of earlier days of the wrapped broker."""
        return self._broker.earlier_fills(orders)

    def positions(self) -> list[BrokerPosition]:
        """Positions of the wrapped broker."""
        return self._broker.positions()

    def funds(self) -> Funds:
        """Funds at the wrapped broker."""
        return self._broker.funds()
