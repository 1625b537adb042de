"""A broker that logs every order before it is sent, and its outcome."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from strikeloom.adapters.read_through import ReadThrough
from strikeloom.domain.orders import Order, OrderRequest
from strikeloom.errors import BrokerError, Rejected
from strikeloom.ports.broker import Broker

_LOG = logging.getLogger("strikeloom.orders")


class LoggedBroker(ReadThrough):
    """``ports.broker.Broker`` that passes to another broker and logs orders.

    Parameters
    ----------
    folder : pathlib.Path
        One file per day, one JSON object per line: the request, then its outcome. An order
        that cannot be logged is not sent.
    """

    def __init__(self, broker: Broker, folder: Path, now: Callable[[], datetime]) -> None:
        super().__init__(broker)
        self._folder = folder
        self._now = now

    def submit(self, request: OrderRequest) -> Order:
        """Place a limit order.

        Raises
        ------
        Rejected
            Also when it cannot be logged; nothing was sent.
        BrokerError
            As the wrapped broker.
        """
        about: dict[str, object] = {
            "order": request.correlation_id,
            "contract": request.instrument.key,
            "units": int(request.side) * request.units,
            "limit": request.limit,
        }
        return self._send_logged("place", about, lambda: self._broker.submit(request))

    def cancel(self, order_id: str) -> Order:
        """Request a cancellation.

        Raises
        ------
        BrokerError
            As the wrapped broker.
        """
        about: dict[str, object] = {"order_id": order_id}
        return self._send_logged("cancel", about, lambda: self._broker.cancel(order_id))

    def _send_logged(self, what: str, about: dict[str, object], call: Callable[[], Order]) -> Order:
        try:
            self._write(what, about)
        except OSError as error:
            raise Rejected(
                f"{what} was not sent: it cannot be logged in {self._folder} ({error})"
            ) from None
        try:
            order = call()
        except BrokerError as error:
            self._log_outcome(f"{what}: {type(error).__name__}", about, str(error))
            raise
        self._log_outcome(f"{what}: {order.state}", about, order.reason, order.order_id)
        return order

    def _log_outcome(
        self, what: str, about: dict[str, object], text: str, number: str = ""
    ) -> None:
        """Log the outcome of a call. The call was made, so a full disk is only reported."""
        try:
            self._write(
                what, {**about, "order_id": number or about.get("order_id", ""), "text": text}
            )
        except OSError as error:
            _LOG.error("%s could not be logged in %s: %s", what, self._folder, error)

    def _write(self, what: str, about: dict[str, object]) -> None:
        now = self._now()
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self._folder / f"{now:%Y-%m-%d}.jsonl"
        handle = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
        with os.fdopen(handle, "a", encoding="utf-8") as file:
            file.write(json.dumps({"at": now.isoformat(), "what": what, **about}) + "\n")
