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
        The order book names every accepted order the moment it is asked (an in-process
        engine). Where it is ``False`` an absent order stays in doubt for the stated wait.
    reports_settlements : bool
        An expiry shows as a fill. Where it does not, it is booked at the settlement value.
    """

    name: str
    book_is_complete: bool
    reports_settlements: bool

    def submit(self, request: OrderRequest) -> Order:
        """Place a limit order.

        Raises
        ------
        Rejected
            Refused, no effect.
        RateLimited, Unreachable
            Never accepted.
        UnknownOutcome
            It may or may not have been accepted.
        """
        ...

    def cancel(self, order_id: str) -> Order:
        """Ask for a cancellation; the answer may already be terminal (it filled first)."""
        ...

    def change_count(self) -> object | None:
        """Value that differs when something of the account may have changed.

        Reading it asks the broker nothing. ``None`` where changes are not reported just now (no
        connection for updates): then whoever needs to know has to read.
        """
        ...

    def orders(self) -> list[Order]:
        """All orders of the trading day."""
        ...

    def fills(self) -> list[Fill]:
        """All fills of the trading day, settlements included."""
        ...

    def earlier_fills(self, orders: Sequence[Order]) -> list[Fill]:
        """Fills of earlier days in these orders, where ``fills`` has only the day's."""
        ...

    def positions(self) -> list[BrokerPosition]:
        """Net units by contract; flat contracts are absent."""
        ...

    def funds(self) -> Funds:
        """Money of the account."""
        ...
