"""A broker that can be read but refuses every order."""

from __future__ import annotations

from strikeloom.adapters.read_through import ReadThrough
from strikeloom.domain.orders import Order, OrderRequest
from strikeloom.errors import Rejected
from strikeloom.ports.broker import Broker


class RefusingBroker(ReadThrough):
    """``ports.broker.Broker`` around another one: reading passes, every order is refused."""

    def __init__(self, broker: Broker) -> None:
        super().__init__(broker)
        self.name = f"{broker.name}, read only"

    def submit(self, request: OrderRequest) -> Order:
        """Refuse the order.

        Raises
        ------
        Rejected
            Always; nothing was sent.
        """
        raise Rejected(
            "mode alert sends no order; place it yourself: "
            f"{request.side.word.lower()} {request.units} {request.instrument.label} "
            f"at {request.limit / 100:.2f}"
        )

    def cancel(self, order_id: str) -> Order:
        """Refuse the cancellation.

        Raises
        ------
        Rejected
            Always; nothing was sent.
        """
        raise Rejected(f"mode alert cancels no order; cancel {order_id} yourself")
