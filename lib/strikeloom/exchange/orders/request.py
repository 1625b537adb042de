"""What a client requests of the exchange: a new order, or a change of one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Protocol, runtime_checkable

from strikeloom.domain.instruments import Instrument
from strikeloom.domain.legs import Side
from strikeloom.domain.orders import Validity
from strikeloom.domain.products import Product
from strikeloom.nse.products import carried_product


class OrderType(StrEnum):
    """How an order finds its price."""

    LIMIT = "LIMIT"
    MARKET = "MARKET"  # becomes a limit with market price protection
    STOP_LOSS = "STOP_LOSS"  # a limit that waits for its trigger
    STOP_LOSS_MARKET = "STOP_LOSS_MARKET"  # does not wait: becomes a limit near its trigger

    @property
    def waits(self) -> bool:
        """Waits for a trigger."""
        return self is OrderType.STOP_LOSS

    @property
    def needs_trigger(self) -> bool:
        """Has no meaning without a trigger."""
        return self in (OrderType.STOP_LOSS, OrderType.STOP_LOSS_MARKET)


class AmoTime(StrEnum):
    """When an order given after the market goes to the exchange."""

    PRE_OPEN = "PRE_OPEN"
    OPEN = "OPEN"
    OPEN_30 = "OPEN_30"
    OPEN_60 = "OPEN_60"

    @property
    def minutes(self) -> int:
        """Minutes after the open; no pre-open session is played."""
        return {AmoTime.OPEN_30: 30, AmoTime.OPEN_60: 60}.get(self, 0)


@dataclass(frozen=True, slots=True)
class Placement:
    """A new order.

    Attributes
    ----------
    units : int
        Positive; a multiple of the lot size.
    product : Product
        Default: the one that carries the instrument over nights (``nse.products``).
    limit, trigger : int
        Paise; 0 where the order type has none.
    disclosed : int
        Units shown to others; 0 shows all.
    """

    instrument: Instrument
    side: Side
    units: int
    order_type: OrderType = OrderType.LIMIT
    limit: int = 0
    trigger: int = 0
    validity: Validity = Validity.DAY
    product: Product = None  # type: ignore[assignment]
    disclosed: int = 0
    after_market: bool = False
    amo_time: AmoTime = AmoTime.OPEN
    correlation_id: str = ""

    def __post_init__(self) -> None:
        if self.product is None:  # not given
            object.__setattr__(  # type: ignore[unreachable]
                self, "product", carried_product(self.instrument)
            )


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be different about an order; ``None`` keeps what is.

    ``units`` is the total placed, filled ones included.
    """

    units: int | None = None
    limit: int | None = None
    trigger: int | None = None
    disclosed: int | None = None
    order_type: OrderType | None = None
    validity: Validity | None = None


@runtime_checkable
class OrderLimits(Protocol):
    """A list of contracts that prints the largest order of each."""

    def order_limit(self, instrument: Instrument, day: date) -> int | None:
        """Largest order in units; ``None`` where none is known."""
        ...


class ContractList(Protocol):
    """The exchange's own list of contracts."""

    def instrument(self, key: str, day: date) -> Instrument:
        """Contract as listed; raises ``DataError`` when it is not."""
        ...
