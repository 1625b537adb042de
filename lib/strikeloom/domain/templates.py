"""Structures as data: legs with selectors of strike and expiry, and what they are for.

A template has no prices and no chain. ``strategy_creation.strikes`` finds the listed strikes that
its selectors reach, and ``strategy_creation.build`` makes legs of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from strikeloom.domain.instruments import Right
from strikeloom.domain.legs import Side
from strikeloom.domain.market import Outlook
from strikeloom.domain.selectors import (
    ExpirySelector,
    Moves,
    SameExpiry,
    Steps,
    StrikeSelector,
    Width,
)
from strikeloom.domain.volatility import Regime
from strikeloom.errors import DataError


class Tier(StrEnum):
    """Source of a strategy's profit; allocation budgets are per tier."""

    INCOME = "income"
    MOMENTUM = "momentum"
    VOLATILITY = "volatility"


class Stance(StrEnum):
    """Whether a strategy profits from a rise, a fall or neither."""

    LONG = "LONG"
    SHORT = "SHORT"
    FLAT = "FLAT"

    @property
    def opposite(self) -> Stance:
        """Stance of the structure whose sides are turned."""
        return {Stance.LONG: Stance.SHORT, Stance.SHORT: Stance.LONG}.get(self, self)


class Family(StrEnum):
    """Chapter of the catalogue."""

    DIRECTIONAL = "directional"
    NEUTRAL = "neutral"
    VOLATILITY = "volatility"
    INCOME = "income"
    ADVANCED = "advanced"


class VolatilityUse(StrEnum):
    """What a structure does with volatility: it gains where it sells dear or buys cheap."""

    SELL = "sell"
    BUY = "buy"
    EITHER = "either"

    @property
    def opposite(self) -> VolatilityUse:
        """Use of the structure whose sides are turned."""
        turned = {VolatilityUse.SELL: VolatilityUse.BUY, VolatilityUse.BUY: VolatilityUse.SELL}
        return turned.get(self, self)

    def suits(self, regime: Regime | None) -> bool:
        """Whether a regime is favourable; an unknown one (too little history) is not."""
        match self:
            case VolatilityUse.SELL:
                return regime in (Regime.NORMAL, Regime.ELEVATED, Regime.HIGH)
            case VolatilityUse.BUY:
                return regime in (Regime.LOW, Regime.NORMAL)
            case _:
                return regime is not None


class StructurePurpose(StrEnum):
    """Why a structure is held; only ``EARN`` competes by what it earns."""

    EARN = "earn"
    PROTECT = "protect"
    FINANCE = "finance"


@dataclass(frozen=True, slots=True)
class LegTemplate:
    """One leg: side, what it trades, and how its strike and expiry are found.

    Attributes
    ----------
    right : Right or None
        ``None`` is the underlying itself: the share of a stock, the future of an index.
    strike : StrikeSelector or None
        ``None`` for the underlying only.
    expiry : ExpirySelector
        Of the underlying: the future that ends then, or first after it.
    ratio : int
        Lots for one unit of the strategy; of a share as many units as lots of the options have.
    """

    side: Side
    right: Right | None
    strike: StrikeSelector | None
    expiry: ExpirySelector = field(default_factory=SameExpiry)
    ratio: int = 1


def underlying_leg(side: Side, expiry: ExpirySelector) -> LegTemplate:
    """Leg that is the underlying itself, one lot of it."""
    return LegTemplate(side, None, None, expiry)


@dataclass(frozen=True, slots=True)
class StrategyTemplate:
    """A structure as data: legs, the views it fits, what it does with volatility, its exit plan.

    Attributes
    ----------
    name : str
        Lower-case words joined by ``_``; its identity in every table.
    title : str
        Name for display.
    outlooks : frozenset of Outlook
        Views that it fits.
    exit_plan : str
        Name of a plan in ``config/exits.yaml``.
    cash_secured : bool
        The price of every sold put's delivery is set aside, beside the broker's margin.
    """

    name: str
    title: str
    family: Family
    legs: tuple[LegTemplate, ...]
    outlooks: frozenset[Outlook]
    volatility: VolatilityUse
    stance: Stance
    tier: Tier
    exit_plan: str
    purpose: StructurePurpose = StructurePurpose.EARN
    cash_secured: bool = False

    @property
    def is_naked(self) -> bool:
        """Only sells, without cash set aside for what it may have to buy."""
        return not self.cash_secured and all(leg.side is Side.SELL for leg in self.legs)

    def net_sold(self, right: Right) -> int:
        """Lots of a right sold beyond those bought and beyond their cover; at least 0.

        The underlying covers calls while it is held and puts while it is owed; cash that is set
        aside covers every put.
        """
        if right is Right.PUT and self.cash_secured:
            return 0
        sold = -sum(leg.side * leg.ratio for leg in self.legs if leg.right is right)
        held = sum(leg.side * leg.ratio for leg in self.legs if leg.right is None)
        return max(0, sold - (held if right is Right.CALL else max(0, -held)))

    @property
    def has_underlying(self) -> bool:
        """One of the legs is the underlying itself."""
        return any(leg.right is None for leg in self.legs)

    @property
    def complexity(self) -> int:
        """What a person has to watch: legs, and one more where they end on different days."""
        first = self.legs[0].expiry
        other = any(leg.expiry not in (first, SameExpiry(0)) for leg in self.legs[1:])
        return len(self.legs) + int(other)


def inverse(template: StrategyTemplate, **changes: Any) -> StrategyTemplate:
    """The structure with every side turned, and with it stance, outlooks and use of volatility.

    Parameters
    ----------
    **changes
        Fields of the new record; ``name`` and ``title`` are needed, others win over what is
        derived.
    """
    derived = {
        "legs": tuple(replace(leg, side=leg.side.opposite) for leg in template.legs),
        "stance": template.stance.opposite,
        "outlooks": _turned(template.outlooks),
        "volatility": template.volatility.opposite,
    }
    return replace(template, **{**derived, **changes})


def mirrored(template: StrategyTemplate, **changes: Any) -> StrategyTemplate:
    """The twin on the other side of the forward: calls for puts, above for below.

    Parameters
    ----------
    **changes
        As of ``inverse``.

    Raises
    ------
    DataError
        When a leg is the underlying: its twin would be short of it.
    """
    derived = {
        "legs": tuple(_mirrored_leg(template.name, leg) for leg in template.legs),
        "stance": template.stance.opposite,
        "outlooks": _turned(template.outlooks),
    }
    return replace(template, **{**derived, **changes})


def _turned(outlooks: frozenset[Outlook]) -> frozenset[Outlook]:
    other = {Outlook.BULLISH: Outlook.BEARISH, Outlook.BEARISH: Outlook.BULLISH}
    return frozenset(other.get(outlook, outlook) for outlook in outlooks)


def _mirrored_leg(name: str, leg: LegTemplate) -> LegTemplate:
    if leg.right is None:
        raise DataError(f"{name} holds the underlying: it has no twin on the other side")
    right = Right.PUT if leg.right is Right.CALL else Right.CALL
    match leg.strike:
        case Moves() | Width():
            strike: StrikeSelector | None = replace(leg.strike, moves=-leg.strike.moves)
        case Steps():
            strike = replace(leg.strike, steps=-leg.strike.steps)
        case _:
            strike = leg.strike
    return replace(leg, right=right, strike=strike)
