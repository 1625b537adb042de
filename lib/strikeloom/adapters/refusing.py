"""A broker that is looked at and never ordered from."""

from __future__ import annotations

from strikeloom.adapters.read_through import ReadThrough
from strikeloom.domain.orders import Order, OrderRequest
from strikeloom.errors import Rejected
from strikeloom.ports.broker import Broker


class RefusingBroker(ReadThrough):
    """``ports.broker.Broker`` around another one: reads pass, every order is refused."""

    def __init__(self, broker: Broker) -> None:
        super().__init__(broker)
        self.name = f"{broker.name}, looked at only"

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
