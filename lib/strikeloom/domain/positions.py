"""Positions are computed from fills, and everything that asks for an exit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import IntEnum, StrEnum

from strikeloom.domain.instruments import OptionContract
from strikeloom.domain.quotes import Mark


@dataclass(frozen=True, slots=True)
class PositionLeg:
    """Net holding of one contract within one position.

    Attributes
    ----------
    leg : int
        Number of the leg in its strategy, from 0.
    net_units : int
        Units, negative when short.
    first_units : int
        Signed units first filled on entry: percentages of an exit are of these.
    open_value : int
        Paise of the units still open at their average entry price, signed like ``net_units``.
    realised : int
        Paise earned (+) on units already closed, before charges.
    charges : int
        Paise paid so far.
    entry_value : int
        Signed paise of the entry fills: side x units x price, whatever was closed since.
    """

    leg: int
    contract: OptionContract
    net_units: int
    first_units: int
    open_value: int
    realised: int
    charges: int
    entry_value: int = 0

    @property
    def net_lots(self) -> int:
        """Signed lots still open."""
        return int(self.net_units / self.contract.lot_size)

    @property
    def first_lots(self) -> int:
        """Signed lots first filled."""
        return int(self.first_units / self.contract.lot_size)


@dataclass(frozen=True, slots=True)
class Position:
    """One strategy held by one account.

    Attributes
    ----------
    revision : int
        Number of fills behind it: it grows with every change, so a request made against an
        older picture is recognised as stale.
    carry : float or None
        Annualised log of forward over level on the day that proposed it; ``None`` when unknown.
    """

    account: str
    market: str
    position_id: str
    symbol: str
    template: str
    exit_plan: str
    legs: tuple[PositionLeg, ...]
    revision: int
    opened_at: datetime
    carry: float | None = None

    @property
    def is_open(self) -> bool:
        """Some leg still holds units."""
        return any(leg.net_units for leg in self.legs)


@dataclass(frozen=True, slots=True)
class MarkedPosition:
    """A position with a mark for each open leg, or the reason why one is missing.

    ``pnl`` in paise after charges; ``None`` whenever any open leg has no usable mark.
    ``ends`` is the first last day among open legs, which may come before their expiry; ``None``
    when nothing is open.
    """

    position: Position
    marks: dict[str, Mark]
    missing: tuple[str, ...]
    pnl: int | None
    entry_premium: int
    max_profit: int | None
    max_loss: int | None
    at: datetime
    ends: date | None
    peak_pnl: int | None = None

    @property
    def oldest_age(self) -> float | None:
        """Seconds; age of the oldest mark used."""
        return max((m.age_seconds for m in self.marks.values()), default=None)


class Urgency(IntEnum):
    """The most urgent decision wins; the others are kept for the log."""

    HOLD = 0
    NORMAL = 1
    HIGH = 2
    IMMEDIATE = 3


class ExitReason(StrEnum):
    """Why a rule wants out."""

    PROFIT_TARGET = "profit target"
    STOP_LOSS = "stop loss"
    DAYS_TO_EXPIRY = "days to expiry"
    REQUEST = "request"
    EXPIRY = "expiry"


@dataclass(frozen=True, slots=True)
class ExitDecision:
    """What one rule says of one marked position.

    Attributes
    ----------
    closeness : float
        0 far away, 1 firing: how near the rule is, for the page.
    target_lots : tuple of int
        Signed lots each leg should be left with (position's leg order).
    sentence : str
        One sentence for people.
    """

    rule: str
    reason: ExitReason
    urgency: Urgency
    fires: bool
    closeness: float
    target_lots: tuple[int, ...]
    sentence: str


class RequestState(StrEnum):
    """Life of an exit request."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    DONE = "done"
    STALE = "stale"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class ExitRequest:
    """A person's wish to leave a position with ``target_lots``. A wish, never an order."""

    request_id: str
    account: str
    market: str
    position_id: str
    revision: int
    target_lots: tuple[int, ...]
    percent: int | None
    who: str
    at: datetime
    state: RequestState = RequestState.PENDING
    note: str = ""
