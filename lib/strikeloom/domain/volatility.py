"""Implied volatility of an underlying on a day, and where it stands in its own history."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Regime(StrEnum):
    """Where today's volatility stands in its history; thresholds are in ``config/iv.yaml``."""

    LOW = "LOW"
    NORMAL = "NORMAL"
    ELEVATED = "ELEVATED"
    HIGH = "HIGH"


class ForwardSource(StrEnum):
    """How a forward was obtained, best first."""

    PARITY = "parity"
    FUTURE = "future"
    CARRIED = "carried"
    SPOT = "spot"


@dataclass(frozen=True, slots=True)
class IvSnapshot:
    """At-the-money implied volatility of one underlying on one day.

    Attributes
    ----------
    atm_iv : float or None
        Per year as a fraction (0.18 is 18 %). ``None`` with a ``reason`` when not solvable.
    expiry : datetime.date or None
        The expiry it was read from.
    years : float or None
        Calendar time to that expiry.
    forward : float or None
        Rupees.
    strikes_used : int
        Traded strikes that entered the estimate.
    reason : str
        Empty when solved; otherwise why not, for people.
    """

    symbol: str
    day: date
    atm_iv: float | None
    expiry: date | None
    years: float | None
    spot: float | None
    forward: float | None
    forward_source: ForwardSource | None
    strikes_used: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class IvRank:
    """Where an IV stands in the longest permitted window of its own past.

    With too few days ``percentile``, ``rank`` and ``regime`` are ``None`` and ``reason`` says
    how many days are missing. Never a made-up 50 %.
    """

    symbol: str
    day: date
    atm_iv: float | None
    percentile: float | None
    rank: float | None
    regime: Regime | None
    window_months: int | None
    sample: int
    needed: int
    reason: str = ""
