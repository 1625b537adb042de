"""A broker that is looked at and never ordered from."""

from __future__ import annotations

from collections.abc import Sequence

from strikeloom.domain.orders import BrokerPosition, Fill, Funds, Order, OrderRequest
from strikeloom.errors import Rejected
from strikeloom.ports.broker import Broker


class RefusingBroker:
    """``ports.broker.Broker`` around another one: reads pass, every order is refused."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self.name = f"{broker.name}, looked at only"
        self.book_is_complete = broker.book_is_complete
        self.tells_settlements = broker.tells_settlements

    def submit(self, request: OrderRequest) -> Order:
        """Refuse.

        Raises
        ------
        Rejected
            Always; nothing was sent.
        """
        raise Rejected(
            f"mode alert sends no order; {request.side.word.lower()} {request.units} "
            f"{request.contract.label} at {request.limit / 100:.2f} is for a person to do"
        )

    def cancel(self, order_id: str) -> Order:
        """Refuse.

        Raises
        ------
        Rejected
            Always; nothing was sent.
        """
        raise Rejected(f"mode alert cancels no order; {order_id} is for a person to cancel")

    def orders(self) -> list[Order]:
        """Orders of the broker behind."""
        return self._broker.orders()

    def fills(self) -> list[Fill]:
        """Fills of the broker behind."""
        return self._broker.fills()

    def earlier_fills(self, orders: Sequence[Order]) -> list[Fill]:
        """Fills of earlier days of the broker behind."""
        return self._broker.earlier_fills(orders)

    def positions(self) -> list[BrokerPosition]:
        """Positions of the broker behind."""
        return self._broker.positions()

    def funds(self) -> Funds:
        """Money at the broker behind."""
        return self._broker.funds()
