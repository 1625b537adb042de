"""Intents, orders and fills."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from strikeloom.domain.instruments import Instrument
from strikeloom.domain.legs import Side
from strikeloom.domain.products import Product


class Purpose(StrEnum):
    """Why an intent exists.

    Exits and unwinds reduce a position; the kill switch blocks entries only.
    """

    ENTRY = "entry"
    EXIT = "exit"
    UNWIND = "unwind"
    SETTLEMENT = "settlement"  # booked by an expiry, never sent


class IntentState(StrEnum):
    """State of an intent in our own record."""

    NEW = "new"  # recorded, not sent yet
    SENDING = "sending"  # committed before the request was sent; outcome not yet known
    WORKING = "working"  # the broker has it and it is not final
    UNKNOWN = "unknown"  # not confirmed by the broker; looked up, never sent again
    FILLED = "filled"  # completely
    ENDED = "ended"  # terminal at the broker with something unfilled (cancelled, expired)
    REFUSED = "refused"  # by a guard or by the broker; no effect


OPEN_INTENT_STATES = frozenset(
    {IntentState.NEW, IntentState.SENDING, IntentState.WORKING, IntentState.UNKNOWN}
)


class OrderState(StrEnum):
    """State of an order at the broker."""

    TRANSIT = "TRANSIT"
    PENDING = "PENDING"
    PART_TRADED = "PART_TRADED"
    TRADED = "TRADED"
    CANCELLED = "CANCELLED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    UNKNOWN = "UNKNOWN"  # a status of the broker that we do not know; never taken as final

    @property
    def terminal(self) -> bool:
        """Nothing more can happen to the order."""
        return self in _TERMINAL


_TERMINAL = {OrderState.TRADED, OrderState.CANCELLED, OrderState.REJECTED, OrderState.EXPIRED}


class Validity(StrEnum):
    """How long an order stays in the book."""

    DAY = "DAY"
    IOC = "IOC"


@dataclass(frozen=True, slots=True)
class OrderIntent:
    """One leg, one slice, one attempt of a planned trade. Without an intent there is no order.

    Attributes
    ----------
    correlation_id : str
        Key and tag at the broker: ``<intent>-<leg>-<slice>-<attempt>``, 30 safe characters
        at most; made by ``trading.intents``.
    intent_id : str
        Shared by all legs of one decision.
    position_id : str
        Its strategy id (one position per strategy and account).
    units : int
        Positive; a multiple of the instrument's lot size.
    limit : int
        Paise; every order is a limit order.
    priority : int
        Stage in its group: lower ones are complete before higher ones go (hedges before shorts
        on entry; shorts before hedges on exit).
    why : str
        Reason, one sentence for the log.
    """

    account: str
    market: str
    correlation_id: str
    intent_id: str
    position_id: str
    purpose: Purpose
    leg: int
    slice: int
    attempt: int
    instrument: Instrument
    side: Side
    units: int
    limit: int
    priority: int
    why: str
    created_at: datetime
    state: IntentState = IntentState.NEW
    note: str = ""


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """What is sent to a broker: the intent without our own record keeping.

    ``product`` is how what it opens is held, or as what it is held that it closes: a position of
    one product is not closed by an order of another.
    """

    correlation_id: str
    instrument: Instrument
    side: Side
    units: int
    limit: int
    product: Product
    validity: Validity = Validity.DAY


@dataclass(frozen=True, slots=True)
class Order:
    """An order as the broker reports it."""

    order_id: str
    correlation_id: str
    instrument_key: str
    side: Side
    units: int
    filled_units: int
    limit: int
    state: OrderState
    reason: str
    updated_at: datetime


class FillKind(StrEnum):
    """What made a fill. Only a trade belongs to an order."""

    TRADE = "trade"
    SETTLEMENT = "settlement"  # a contract ended
    DELIVERY = "delivery"  # shares that it brought or took
    BUY_IN = "buy-in"  # shares that were lacking for it, bought in by the exchange


@dataclass(frozen=True, slots=True)
class Fill:
    """A trade as the broker reports it. ``price`` in paise, ``units`` positive."""

    fill_id: str
    order_id: str
    correlation_id: str
    instrument_key: str
    side: Side
    units: int
    price: int
    charges: int
    at: datetime
    kind: FillKind = FillKind.TRADE


@dataclass(frozen=True, slots=True)
class BrokerPosition:
    """Net units of one instrument at the broker (negative when short).

    ``intraday``: held for the day only, and closed by the broker at its end. One instrument may be
    held both ways.
    """

    instrument_key: str
    net_units: int
    intraday: bool = False


@dataclass(frozen=True, slots=True)
class Funds:
    """Money at the broker in paise."""

    cash: int
    margin_used: int
    available: int
