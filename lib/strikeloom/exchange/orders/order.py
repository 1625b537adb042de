"""An order as the exchange keeps it, and the events of its life."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from strikeloom.domain.instruments import Instrument
from strikeloom.domain.legs import Side
from strikeloom.domain.orders import OrderState, Validity
from strikeloom.domain.products import Product
from strikeloom.exchange.orders.request import OrderType
from strikeloom.exchange.orders.trade import Trade

_PREFIX = "E"


@dataclass(frozen=True, slots=True)
class BookOrder:
    """One order with everything known of it.

    Attributes
    ----------
    number : int
        Of the account, ascending.
    filled, filled_value : int
        Units traded, and paise they traded for.
    order_type, asked_type : OrderType
        As it is now and as it was sent: a market order becomes a protected limit.
    triggered : bool
        A stop whose trigger was reached: a limit order since.
    release_at : datetime or None
        When an order given after the market goes to the exchange.
    code, reason : str
        Of a refusal or an end. Code ``RMS`` is the broker's risk desk, ``EXCH`` the exchange,
        ``DH-9xx`` the broker's own.
    entered_at, rank : datetime, int
        Since when it has its place in the queue, and its rank in time there.
    exchange_at : datetime or None
        When the exchange last confirmed it; ``None`` when it never had it.
    conditional, leg : int, str
        The conditional order that placed it, and for which of its legs; 0 and empty: none.
    """

    number: int
    correlation_id: str
    instrument: Instrument
    side: Side
    units: int
    filled: int
    filled_value: int
    order_type: OrderType
    asked_type: OrderType
    limit: int
    trigger: int
    triggered: bool
    validity: Validity
    product: Product
    disclosed: int
    after_market: bool
    release_at: datetime | None
    modifications: int
    state: OrderState
    code: str
    reason: str
    placed_at: datetime
    updated_at: datetime
    entered_at: datetime
    exchange_at: datetime | None
    rank: int
    conditional: int = 0
    leg: str = ""

    @property
    def order_id(self) -> str:
        """Name of the order."""
        return f"{_PREFIX}{self.number}"

    @property
    def left(self) -> int:
        """Units not traded."""
        return self.units - self.filled

    @property
    def remaining(self) -> int:
        """Units that can still trade."""
        return 0 if self.state.terminal else self.left

    @property
    def average(self) -> float:
        """Mean traded price in paise; 0 before the first trade."""
        return self.filled_value / self.filled if self.filled else 0.0

    @property
    def waits_for_release(self) -> bool:
        """Given after the market and not at the exchange yet."""
        return self.release_at is not None and self.exchange_at is None

    @property
    def waits_for_trigger(self) -> bool:
        """A stop that the market has not reached."""
        return self.order_type.waits and not self.triggered

    @property
    def session_day(self) -> date:
        """Day whose session it is for."""
        return (self.release_at or self.placed_at).date()


@dataclass(frozen=True, slots=True)
class OrderEvent:
    """One change of an order: the order as it was then, and the trade that changed it, if any."""

    seq: int
    order: BookOrder
    trade: Trade | None


def order_number(order_id: str) -> int | None:
    """Number in the name of an order; ``None`` for a text that is no name."""
    digits = order_id.removeprefix(_PREFIX)
    return int(digits) if digits.isascii() and digits.isdecimal() else None
