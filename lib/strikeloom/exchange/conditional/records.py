"""Conditional orders: super orders, forever orders, alerts, exits at a profit or loss.

A conditional order never trades. It waits for a price, a level or a profit, then places orders
through the same intake as every client; those carry its number.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from strikeloom.domain.products import Product
from strikeloom.exchange.conditional.condition import Condition
from strikeloom.exchange.orders.request import Placement
from strikeloom.nse.edges import ending, is_expected


class ConditionalKind(StrEnum):
    """What it is at the broker."""

    SUPER = "super"  # an entry, and exits of what it fills
    FOREVER = "forever"  # one order, or one of two, when a price is reached; lasts over nights
    ALERT = "alert"  # orders when a condition on an underlying is met
    PROFIT = "profit"  # everything is closed when the day's profit or loss reaches a limit


class ConditionalState(StrEnum):
    """State of a conditional order; all but ``ACTIVE`` are final."""

    ACTIVE = "ACTIVE"
    TRIGGERED = "TRIGGERED"
    CLOSED = "CLOSED"  # a super order whose entry is filled and exited
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"
    REJECTED = "REJECTED"


class LegState(StrEnum):
    """State of a leg."""

    PENDING = "PENDING"
    TRIGGERED = "TRIGGERED"
    CANCELLED = "CANCELLED"  # for good: it cannot be added again


ENTRY, TARGET, STOP = "ENTRY_LEG", "TARGET_LEG", "STOP_LOSS_LEG"


@dataclass(frozen=True, slots=True)
class ConditionalLeg:
    """One order that waits for its price.

    Attributes
    ----------
    placement : Placement
        Goes out when the price is reached; 0 units: as many as the entry has filled.
    trigger : int
        Paise of the last trade: reached at or above it when ``rises``, else at or below.
    jump, base : int
        Paise by which the trigger follows the last trade, and from where the next jump counts
        (0 before the entry has filled). No jump: the trigger stays.
    """

    name: str
    placement: Placement
    trigger: int = 0
    rises: bool = True
    jump: int = 0
    base: int = 0
    state: LegState = LegState.PENDING

    def reached(self, last: int) -> bool:
        """Whether a last trade at this price triggers it."""
        return last >= self.trigger if self.rises else last <= self.trigger


@dataclass(frozen=True, slots=True)
class ProfitRule:
    """Profit and loss of the day (paise, 0 for none) at which products are closed."""

    profit: int
    loss: int
    products: tuple[Product, ...]
    kill: bool


@dataclass(frozen=True, slots=True)
class ConditionalOrder:
    """One conditional order as it is now.

    Attributes
    ----------
    entry : int
        Number of a super order's entry.
    last_day : datetime.date
        It expires with this day's session.
    last : float or None
        Rupees of the level that an alert last saw.
    """

    number: int
    kind: ConditionalKind
    tag: str
    legs: tuple[ConditionalLeg, ...]
    last_day: date
    created_at: datetime
    updated_at: datetime
    state: ConditionalState = ConditionalState.ACTIVE
    reason: str = ""
    triggered_at: datetime | None = None
    entry: int = 0
    watch: Condition | ProfitRule | None = None
    last: float | None = None

    @property
    def active(self) -> bool:
        """Whether anything may still happen."""
        return self.state is ConditionalState.ACTIVE

    def leg(self, name: str) -> ConditionalLeg | None:
        """ConditionalLeg by name."""
        return next((leg for leg in self.legs if leg.name == name), None)

    def lapsed(self, at: datetime) -> bool:
        """Whether its last session is over."""
        day = self.last_day
        return at.date() > day or (at.date() == day and is_expected(day) and at > ending(day))
