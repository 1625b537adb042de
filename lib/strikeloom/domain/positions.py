"""Positions are computed from fills, and everything that asks for an exit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import IntEnum, StrEnum
from functools import cached_property

from strikeloom.domain.instruments import OptionContract, Right, Share
from strikeloom.domain.position_greeks import PositionGreeks, not_computed
from strikeloom.domain.position_leg import PositionLeg
from strikeloom.domain.quotes import Mark


@dataclass(frozen=True, slots=True)
class Position:
    """One strategy held by one account.

    Attributes
    ----------
    revision : int
        Number of fills and adjustments behind it: it grows with every change, so a request made
        against an older picture is recognised as stale.
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

    @property
    def holds_shares(self) -> bool:
        """Some leg holds shares."""
        return any(leg.net_units and isinstance(leg.instrument, Share) for leg in self.legs)


@dataclass(frozen=True)
class MarkedPosition:
    """A position with a mark for each open leg, or the reason why one is missing.

    What is unknown is ``None``, never 0, and ``unknown`` has the reason.

    Attributes
    ----------
    missing : tuple of str
        Labels of open legs without a usable mark.
    pnl : int or None
        Paise after charges; ``None`` when any open leg has no usable mark.
    entry_premium : int
        Paise received (+) or paid (-) for the options and shares first filled; a future
        moves no money at its entry.
    max_profit, max_loss : int or None
        Paise at expiry for the quantity first filled, ``None`` is unlimited. Where legs end on
        different days an estimate for ``limits_on``; then also ``None`` where it is unknown.
    at : datetime.datetime
        Moment of the marks.
    last_day : datetime.date or None
        First last day among open legs whose last session is not over, which may come before
        their expiry; that of legs that wait for their settlement where no other is open.
        ``None`` when no contract is open.
    peak_pnl : int or None
        Highest P&L so far in paise.
    level : int or None
        Fresh level of the underlying in paise.
    sessions_held, sessions_left : int or None
        Exchange sessions after the opening day up to today, and after today up to the last
        day; both are 0 on the day itself.
    unknown : mapping of str to str
        Reason by the name of a field that is ``None`` for want of data.
    last_days : mapping of int to date
        Last day of each open contract, by leg.
    limits_on : datetime.date or None
        Day for which ``max_profit`` and ``max_loss`` are estimated where legs end on different
        days; ``None`` where they hold at the expiry of all.
    days_to_first_end : int or None
        Calendar days to the first expiry of the strategy's contracts, held or closed by now,
        negative after it; ``None`` where nothing is held that goes on after it.
    unsettled : tuple of str
        Open contracts whose last day is over, which wait for their settlement.
    compute_greeks : callable
        Computes ``greeks`` when they are first read.
    """

    position: Position
    marks: dict[str, Mark]
    missing: tuple[str, ...]
    pnl: int | None
    entry_premium: int
    max_profit: int | None
    max_loss: int | None
    at: datetime
    last_day: date | None
    peak_pnl: int | None = None
    level: int | None = None
    sessions_held: int | None = None
    sessions_left: int | None = None
    unknown: Mapping[str, str] = field(default_factory=dict)
    last_days: Mapping[int, date] = field(default_factory=dict)
    limits_on: date | None = None
    days_to_first_end: int | None = None
    unsettled: tuple[str, ...] = ()
    compute_greeks: Callable[[], PositionGreeks] = field(
        default=not_computed, repr=False, compare=False
    )

    @property
    def oldest_age(self) -> float | None:
        """Seconds; age of the oldest mark used."""
        return max((m.age_seconds for m in self.marks.values()), default=None)

    @property
    def days_left(self) -> int | None:
        """Calendar days to the last day; ``None`` when nothing is open."""
        return None if self.last_day is None else (self.last_day - self.at.date()).days

    @property
    def ending_legs(self) -> frozenset[int]:
        """Numbers of the open legs that end on ``last_day``."""
        return frozenset(leg for leg, day in self.last_days.items() if day == self.last_day)

    @property
    def short_call_strike(self) -> int | None:
        """Lowest strike of the open short calls in paise; ``None`` when there is none."""
        return min(self._short_strikes(Right.CALL), default=None)

    @property
    def short_put_strike(self) -> int | None:
        """Highest strike of the open short puts in paise; ``None`` when there is none."""
        return max(self._short_strikes(Right.PUT), default=None)

    def _short_strikes(self, right: Right) -> list[int]:
        sold = (leg.instrument for leg in self.position.legs if leg.net_units < 0)
        return [
            instrument.strike
            for instrument in sold
            if isinstance(instrument, OptionContract) and instrument.right is right
        ]

    @cached_property
    def greeks(self) -> PositionGreeks:
        """Greeks of the position, computed when they are first read."""
        return self.compute_greeks()

    @property
    def delta(self) -> float | None:
        """As in ``PositionGreeks``."""
        return self.greeks.delta

    @property
    def gamma(self) -> float | None:
        """As in ``PositionGreeks``."""
        return self.greeks.gamma

    @property
    def vega(self) -> float | None:
        """As in ``PositionGreeks``."""
        return self.greeks.vega

    @property
    def theta(self) -> float | None:
        """As in ``PositionGreeks``."""
        return self.greeks.theta


class Urgency(IntEnum):
    """The most urgent decision wins; the others are kept for the log."""

    HOLD = 0
    NORMAL = 1
    HIGH = 2
    IMMEDIATE = 3


@dataclass(frozen=True, slots=True)
class ExitDecision:
    """What one rule decides about one marked position.

    Attributes
    ----------
    rule : str
        Name of the rule for people: ``profit target``.
    closeness : float
        0 far away, 1 firing: how near the rule is, for the page.
    target_lots : tuple of int
        Signed lots each leg should be left with (position's leg order).
    sentence : str
        One sentence for people.
    """

    rule: str
    urgency: Urgency
    fires: bool
    closeness: float
    target_lots: tuple[int, ...]
    sentence: str


def hold(rule: str, position: Position, closeness: float, sentence: str) -> ExitDecision:
    """Decision of a rule that does not fire; ``closeness`` is below 1."""
    flat = (0,) * len(position.legs)
    return ExitDecision(rule, Urgency.HOLD, False, closeness, flat, sentence)


def exit_now(
    rule: str,
    position: Position,
    urgency: Urgency,
    sentence: str,
    target_lots: tuple[int, ...] | None = None,
) -> ExitDecision:
    """Decision to close a position now: all of it, or down to a target."""
    flat = (0,) * len(position.legs)
    target = flat if target_lots is None else target_lots
    return ExitDecision(rule, urgency, True, 1.0, target, sentence)


class RequestState(StrEnum):
    """Life of an exit request."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    DONE = "done"
    STALE = "stale"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class ExitRequest:
    """A person's request to bring a position down to ``target_lots``. It is no order."""

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
