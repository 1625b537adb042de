"""Strikes and expiries of a template on a chain: what is wanted, what is in reach, what is taken.

Choosing is apart from building: ``reachable`` gives every tradable strike that a selector lets
through, nearest first; ``choose`` takes the nearest of each leg that keeps the template's order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from strikeloom.domain.instruments import Right
from strikeloom.domain.outcomes import Rule
from strikeloom.domain.selectors import (
    FRONT,
    Delta,
    Moves,
    Reflection,
    Same,
    SameExpiry,
    Steps,
    StrikeSelector,
    Width,
)
from strikeloom.domain.templates import LegTemplate, StrategyTemplate
from strikeloom.errors import NotBuildable
from strikeloom.quant.smile.delta import strike_to_delta
from strikeloom.strategy_creation.chain import Chain, ChainExpiry
from strikeloom.strategy_creation.tradable import TradableStrikes

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Strikes may be this share of the forward off whatever the reach: expected moves near expiry are
#: smaller than the distance of listed strikes.
_LEAST_REACH = 0.01
_EQUAL = 1e-9  # relative; wanted strikes nearer than this are one


class StrikeChoice(NamedTuple):
    """Strike of one leg.

    Attributes
    ----------
    expiry : ChainExpiry
    wanted : float
        Rupees, by the selector; NaN of the underlying.
    place : int
        Row in ``Tradable`` of its right and expiry; -1 of the underlying.
    """

    expiry: ChainExpiry
    wanted: float
    place: int


@dataclass(frozen=True)
class LegSearch:
    """One option leg while its strike is searched."""

    leg: LegTemplate
    right: Right
    selector: StrikeSelector
    expiry: ChainExpiry
    strikes: TradableStrikes

    @property
    def listed(self) -> Floats:
        """Strikes that steps count."""
        return self.strikes.listed(self.expiry)

    def wanted(self, earlier: Sequence[float]) -> float:
        """Strike in rupees that the selector states, given those of the earlier legs."""
        forward, deviation = self.expiry.forward, self.expiry.deviation
        match self.selector:
            case Moves(moves=moves):
                strike = forward * (1 + moves * deviation)
            case Delta(delta=size):
                strike = self.strikes.of_delta(self.expiry, self.right, size)
            case Steps(steps=steps):
                listed = self.listed
                place = int(np.argmin(np.abs(listed - forward))) + steps
                strike = listed[min(max(place, 0), len(listed) - 1)]
            case Width(leg=other, moves=moves):
                strike = earlier[other] + moves * deviation * forward
            case Same(leg=other):
                strike = earlier[other]
            case Reflection(leg=other, about=None):
                strike = 2 * forward - earlier[other]
            case Reflection(leg=other, about=centre):
                strike = 2 * earlier[int(centre or 0)] - earlier[other]
        return float(strike)

    def off(self, strikes: Floats, wanted: float) -> tuple[Floats, float, str]:
        """How far strikes are from the wanted one, the most that is allowed, and the unit."""
        match self.selector:
            case Delta(delta=size, tolerance=most):
                k = np.log(strikes / self.expiry.forward)
                call = self.right is Right.CALL
                deltas = np.abs(strike_to_delta(self.expiry.smile.curves, k, call))
                return np.abs(deltas - size), most, "of delta"
            case Steps(reach=reach):
                places = np.searchsorted(self.listed, strikes)
                there = np.searchsorted(self.listed, wanted)
                return np.abs(places - there).astype(np.float64), reach, "listed strikes"
            case Same():
                return np.abs(strikes / wanted - 1), _EQUAL, "of itself"
            case Moves(reach=reach) | Width(reach=reach) | Reflection(reach=reach):
                away = np.abs(strikes - wanted) / (self.expiry.forward * self.expiry.deviation)
                return away, self.least_reach(reach), "expected moves"

    def least_reach(self, reach: float) -> float:
        """Expected moves that a strike may be off, at least some listed strikes."""
        return max(reach, _LEAST_REACH / self.expiry.deviation)


def reachable(search: LegSearch, strikes: Floats, wanted: float) -> Ints:
    """Rows of the strikes that a selector lets through, nearest to the wanted first."""
    off, most, _ = search.off(strikes, wanted)
    order = np.argsort(off, kind="stable")
    return np.asarray(order[off[order] <= most + _EQUAL])


def leg_expiries(template: StrategyTemplate, chain: Chain) -> tuple[ChainExpiry, ...]:
    """Expiry of each leg.

    Raises
    ------
    NotBuildable
        When one is not listed or has no smile, or two that must differ are one.
    """
    found: list[ChainExpiry] = []
    places: dict[date, str] = {}
    for number, leg in enumerate(template.legs):
        if isinstance(leg.expiry, SameExpiry):
            itself = leg.expiry.leg == number
            found.append(chain.listed(FRONT) if itself else found[leg.expiry.leg])
            continue
        expiry = chain.listed(leg.expiry)
        other = places.setdefault(expiry.expiry, leg.expiry.value)
        if other != leg.expiry.value:
            raise NotBuildable(
                f"its {other} and {leg.expiry} expiry are both {expiry.expiry}", rule=Rule.EXPIRY
            )
        found.append(expiry)
    return tuple(found)


def choose(template: StrategyTemplate, strikes: TradableStrikes) -> tuple[StrikeChoice, ...]:
    """Nearest tradable strike of each leg, in the order of their wanted strikes.

    Raises
    ------
    NotBuildable
        When a leg has none: which leg, what was wanted, the nearest and how far it may be.
    """
    expiries = leg_expiries(template, strikes.chain)
    chosen: list[StrikeChoice] = []
    ideal: list[float] = []  # wanted from wanted, which gives the order of the strikes
    taken: list[float] = []
    for number, (leg, expiry) in enumerate(zip(template.legs, expiries, strict=True)):
        if leg.right is None or leg.strike is None:
            chosen.append(StrikeChoice(expiry, float("nan"), -1))
            ideal.append(float("nan"))
            taken.append(float("nan"))
            continue
        search = LegSearch(leg, leg.right, leg.strike, expiry, strikes)
        shown = strikes.of(expiry, leg.right).strike
        if not len(shown):
            raise NotBuildable(
                f"no {leg.right} of {expiry.expiry} with {strikes.fewest} lots or more traded in "
                "the closing half hour",
                rule=Rule.STRIKES,
            )
        wanted = search.wanted(taken)
        ideal.append(search.wanted(ideal))
        places = reachable(search, shown, wanted)
        fit = _in_order(shown[places], ideal, taken)
        fit &= _unlike(leg.strike, shown[places], taken)
        fit &= _shared(template, number, shown[places], expiries, strikes)
        if not fit.any():
            gone = left_out_text(template, expiries, strikes) if len(places) else ""
            reason = _why_none(search, number, shown, wanted, len(places))
            raise NotBuildable(f"{reason}{gone}", rule=Rule.STRIKES)
        place = int(places[int(np.argmax(fit))])
        chosen.append(StrikeChoice(expiry, wanted, place))
        taken.append(float(shown[place]))
    return tuple(chosen)


def _in_order(shown: Floats, ideal: Sequence[float], taken: Sequence[float]) -> NDArray[np.bool_]:
    """Whether each strike is above, at or below the earlier ones as its ideal is."""
    fit = np.ones(len(shown), dtype=bool)
    for other, strike in zip(ideal, taken, strict=False):
        if not np.isnan(other):
            apart = ideal[-1] / other - 1
            side = 0.0 if abs(apart) < _EQUAL else np.sign(apart)
            fit &= np.sign(shown - strike) == side
    return fit


def _unlike(selector: StrikeSelector, shown: Floats, taken: Sequence[float]) -> NDArray[np.bool_]:
    """Whether each strike is as far from another leg's as a width must be, beside two legs'."""
    if not isinstance(selector, Width) or selector.unlike is None:
        return np.ones(len(shown), dtype=bool)
    sign, (one, two) = selector.unlike
    more = np.abs(shown - taken[selector.leg]) - abs(taken[one] - taken[two])
    return np.asarray(sign * more > _EQUAL * taken[one])


def _shared(
    template: StrategyTemplate,
    number: int,
    shown: Floats,
    expiries: Sequence[ChainExpiry],
    strikes: TradableStrikes,
) -> NDArray[np.bool_]:
    """Whether each strike is tradable also for the later legs that are to have the same."""
    fit = np.ones(len(shown), dtype=bool)
    for leg, expiry in zip(template.legs, expiries, strict=True):
        if leg.right is not None and leg.strike == Same(number):
            fit &= np.isin(shown, strikes.of(expiry, leg.right).strike)
    return fit


def missing_text(search: LegSearch, wanted: float) -> str:
    """Strikes within reach that are left out for their closes; empty where there are none."""
    gone = search.strikes.left_out(search.expiry, search.right)
    if not gone:
        return ""
    off, most, _ = search.off(np.array([it.strike for it in gone]), wanted)
    near = [str(it) for it, away in zip(gone, off.tolist(), strict=True) if away <= most + _EQUAL]
    return f"; left out: {', '.join(near)}" if near else ""


def left_out_text(
    template: StrategyTemplate, expiries: Sequence[ChainExpiry], strikes: TradableStrikes
) -> str:
    """All that is left out of the lists of a template's legs; empty where nothing is."""
    gone = {
        str(it): None
        for leg, expiry in zip(template.legs, expiries, strict=True)
        if leg.right is not None
        for it in strikes.left_out(expiry, leg.right)
    }
    return f"; left out: {', '.join(gone)}" if gone else ""


def _why_none(search: LegSearch, number: int, shown: Floats, wanted: float, in_reach: int) -> str:
    side = search.leg.side.word.lower()
    name = f"leg {number + 1}, {side} {search.right} of {search.expiry.expiry}: wanted {wanted:.2f}"
    if in_reach:
        return (
            f"{name}; of {in_reach} tradable strikes in reach none keeps the order of the legs and "
            "their widths and is tradable for all that share it"
        )
    off, most, unit = search.off(shown, wanted)
    place = int(np.argmin(off))
    if isinstance(search.selector, Same):
        return f"{name}, which is not tradable there{missing_text(search, wanted)}"
    return (
        f"{name}; the nearest tradable strike {shown[place]:g} is {off[place]:.2f} {unit} off, "
        f"and at most {most:.2f} is allowed{missing_text(search, wanted)}"
    )
