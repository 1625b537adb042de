"""The order-update socket: a hint that the order book has changed, never its content.

Updates may be lost, doubled or out of order, and carry no trade ids: whoever receives one reads
the order book again, as after every connect.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from strikeloom.adapters.dhan.credentials import Addresses, Credentials
from strikeloom.adapters.dhan.socket import Pauses, Socket, SocketConnection, Status
from strikeloom.domain.orders import OrderState

_LOGIN = 42
_STATES = {state.value: state for state in OrderState}


@dataclass(frozen=True, slots=True)
class OrderUpdate:
    """State of an order in one message. A partial fill has no state of its own on the wire."""

    order_id: str
    correlation_id: str
    state: OrderState
    units: int
    filled_units: int


class OrderUpdates:
    """Orders of the account as they change, whichever program placed them.

    Parameters
    ----------
    on_update : callable
        Called in the socket's thread with each update, and with ``None`` on every connect:
        earlier changes are not reported again.

    Attributes
    ----------
    counts : Counter
        ``updates``, and messages that are not about an order (``other``).
    """

    def __init__(
        self,
        credentials: Credentials,
        addresses: Addresses,
        on_update: Callable[[OrderUpdate | None], None],
        *,
        pauses: Pauses = Pauses(),  # noqa: B008 (frozen)
    ) -> None:
        self._credentials = credentials
        self._on_update = on_update
        self.counts: Counter[str] = Counter()
        self._changes = 0
        self._ended = False
        self._token_mark = ""
        self._socket = Socket(
            "order update",
            lambda: addresses.orders,
            greet=self._greet,
            on_message=self._on_message,
            expects_messages=lambda: False,  # nothing is sent while nothing is ordered
            pauses=pauses,
        )

    @property
    def status(self) -> Status:
        """State of the socket."""
        return self._socket.status

    def change_count(self) -> int | None:
        """Number that grows with each update and each connect; ``None`` while not connected."""
        return self._changes if self.status.connected else None

    def start(self) -> None:
        """Connect and stay connected; after rejected credentials only with a new token."""
        mark = self._credentials.token_mark()
        if self._ended or (self.status.stopped and mark == self._token_mark):
            return
        self._token_mark = mark
        self._socket.start()

    def close(self) -> None:
        """End the connection for good."""
        self._ended = True
        self._socket.stop()

    async def _greet(self, connection: SocketConnection, new: bool) -> None:
        if not new:
            return
        login = {
            "LoginReq": {
                "MsgCode": _LOGIN,
                "ClientId": self._credentials.client_id.reveal(),
                "Token": self._credentials.token().reveal(),
            },
            "UserType": "SELF",
        }
        await connection.send(json.dumps(login))
        self._changes += 1
        self._on_update(None)

    def _on_message(self, message: str | bytes) -> None:
        update = parse_update(message)
        if update is None:
            self.counts["other"] += 1
            return
        self.counts["updates"] += 1
        self._changes += 1
        self._on_update(update)


def parse_update(message: str | bytes) -> OrderUpdate | None:
    """Order of a message, its names in any case; ``None`` for anything else. Never raises."""
    try:
        body = json.loads(message)
        data = _lower(_lower(body)["data"])
        units, filled = int(data["quantity"]), int(data["tradedqty"])
        state = _STATES.get(str(data["status"]).upper(), OrderState.UNKNOWN)
        if state is OrderState.PENDING and 0 < filled < units:
            state = OrderState.PART_TRADED
        tag = str(data.get("correlationid") or "")
        return OrderUpdate(str(data["orderno"]), tag, state, units, filled)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _lower(body: Mapping[str, Any]) -> dict[str, Any]:
    return {name.lower(): value for name, value in body.items()}
