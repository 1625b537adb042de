"""A broker whose every order is written down before it leaves, with what came of it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from strikeloom.domain.orders import BrokerPosition, Fill, Funds, Order, OrderRequest
from strikeloom.errors import BrokerError, Rejected
from strikeloom.ports.broker import Broker


class LoggedBroker:
    """``ports.broker.Broker`` around another one.

    Parameters
    ----------
    folder : pathlib.Path
        One file a day, a JSON object a line: what was asked for, then what came of it. An order
        that cannot be written down is not sent.
    """

    def __init__(self, broker: Broker, folder: Path, now: Callable[[], datetime]) -> None:
        self._broker = broker
        self._folder = folder
        self._now = now
        self.name = broker.name
        self.book_is_complete = broker.book_is_complete
        self.tells_settlements = broker.tells_settlements

    def submit(self, request: OrderRequest) -> Order:
        """Place a limit order.

        Raises
        ------
        Rejected
            Also when it cannot be written down; nothing was sent.
        BrokerError
            As the broker behind.
        """
        about: dict[str, object] = {
            "order": request.correlation_id,
            "contract": request.contract.key,
            "units": int(request.side) * request.units,
            "limit": request.limit,
        }
        return self._through("place", about, lambda: self._broker.submit(request))

    def cancel(self, order_id: str) -> Order:
        """Ask for a cancellation.

        Raises
        ------
        BrokerError
            As the broker behind.
        """
        about: dict[str, object] = {"order_id": order_id}
        return self._through("cancel", about, lambda: self._broker.cancel(order_id))

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

    def _through(self, what: str, about: dict[str, object], call: Callable[[], Order]) -> Order:
        try:
            self._write(what, about)
        except OSError as error:
            raise Rejected(
                f"{what} was not sent: it cannot be written down in {self._folder} ({error})"
            ) from None
        try:
            order = call()
        except BrokerError as error:
            self._after(f"{what}: {type(error).__name__}", about, str(error))
            raise
        self._after(f"{what}: {order.state}", about, order.reason, order.order_id)
        return order

    def _after(self, what: str, about: dict[str, object], text: str, number: str = "") -> None:
        """Write down what came of a call; the call was made, so a full disk changes nothing."""
        try:
            self._write(
                what, {**about, "order_id": number or about.get("order_id", ""), "text": text}
            )
        except OSError:
            return

    def _write(self, what: str, about: dict[str, object]) -> None:
        now = self._now()
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self._folder / f"{now:%Y-%m-%d}.jsonl"
        handle = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
        with os.fdopen(handle, "a", encoding="utf-8") as file:
            file.write(json.dumps({"at": now.isoformat(), "what": what, **about}) + "\n")
