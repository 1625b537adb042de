"""Orders go out through this port, and only from ``trading/``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from strikeloom.domain.orders import BrokerPosition, Fill, Funds, Order, OrderRequest


class Broker(Protocol):
    """A broker account.

    Attributes
    ----------
    name : str
        For messages: ``simulated``, ``dhan``.
    book_is_complete : bool
        The order book always lists every accepted order (an in-process engine). Where it is
        ``False``, an order that is absent stays unresolved for the stated wait.
    reports_settlements : bool
        The broker reports a settlement at expiry as a fill. Where it is ``False``, the desk
        books the settlement itself, at the settlement value.
    """

    name: str
    book_is_complete: bool
    reports_settlements: bool

    def submit(self, request: OrderRequest) -> Order:
        """Place a limit order.

        Raises
        ------
        Rejected
            The broker refused the order; it had no effect.
        RateLimited, Unreachable
            The broker never accepted the order.
        UnknownOutcome
            The broker may or may not have accepted the order.
        """
        ...

    def cancel(self, order_id: str) -> Order:
        """Request a cancellation; the order returned may be terminal (it may have filled first)."""
        ...

    def change_count(self) -> object | None:
        """Value that differs after something in the account may have changed.

        Reading it sends no request to the broker. ``None`` while changes are not reported (no
        connection for order updates): the caller then has to read the account.
        """
        ...

    def orders(self) -> list[Order]:
        """All orders of the trading day."""
        ...

    def fills(self) -> list[Fill]:
        """All fills of the trading day, settlements included."""
        ...

    def earlier_fills(self, orders: Sequence[Order]) -> list[Fill]:
        """Fills of these orders on earlier days, where ``fills`` returns only today's."""
        ...

    def positions(self) -> list[BrokerPosition]:
        """Net units by contract; flat contracts are absent."""
        ...

    def funds(self) -> Funds:
        """Money of the account."""
        ...
