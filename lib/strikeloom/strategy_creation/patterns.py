"""Templates as patterns of strikes on a chain, for a search over all that is tradable."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from strikeloom.domain.outcomes import Rule
from strikeloom.domain.selectors import Delta, Moves, Reflection, Same, Steps, Width
from strikeloom.domain.templates import StrategyTemplate
from strikeloom.errors import NotBuildable
from strikeloom.quant.candidates.combinations import Choice, LegPattern, StrikeList
from strikeloom.strategy_creation.chain import ChainExpiry
from strikeloom.strategy_creation.contract_rows import ChainRows
from strikeloom.strategy_creation.strikes import LegSearch, TradableStrikes, leg_expiries

Floats = NDArray[np.float64]

_NONE = -1
_EQUAL = 1e-9  # relative; wanted strikes nearer than this are one


class ChainPattern(NamedTuple):
    """A template on a chain.

    Attributes
    ----------
    legs : LegPattern
    lists : list of StrikeList
    expiries : tuple of ChainExpiry
        Of each leg.
    sessions : int
        Until the nearest expiry of its options.
    centres : dict of int to tuple of int
        Legs that mirror another about a third, in rupees: which, and about which. The pattern
        lets any strike through; the search keeps the even ones.
    """

    legs: LegPattern
    lists: list[StrikeList]
    expiries: tuple[ChainExpiry, ...]
    sessions: int
    centres: dict[int, tuple[int, int]]


def pattern_of(
    template: StrategyTemplate, strikes: TradableStrikes, rows: ChainRows
) -> ChainPattern:
    """ChainPattern of a template on a chain.

    Raises
    ------
    NotBuildable
        When an expiry, the underlying or every strike of a leg is missing; states which.
    """
    expiries = leg_expiries(template, strikes.chain)
    options = [e for leg, e in zip(template.legs, expiries, strict=True) if leg.right is not None]
    horizon = min(options, key=lambda expiry: expiry.expiry)
    lists: list[StrikeList] = []
    columns: list[tuple[int, int, float, float, int, int]] = []
    ideal: list[float] = []
    centres: dict[int, tuple[int, int]] = {}
    for number, (leg, expiry) in enumerate(zip(template.legs, expiries, strict=True)):
        last = horizon.expiry if leg.right is None else expiry.expiry
        here = rows.lists.get((horizon.expiry, last, leg.right))
        if leg.right is None or leg.strike is None:
            if here is None:
                raise NotBuildable(
                    f"no future traded that lives until {horizon.expiry}", rule=Rule.UNDERLYING
                )
            lists.append(here)
            columns.append((Choice.RANGE, _NONE, -np.inf, np.inf, _NONE, _NONE))
            ideal.append(np.nan)
            continue
        if here is None or not len(here.rows):
            raise NotBuildable(
                f"no {leg.right} of {expiry.expiry} with {strikes.fewest} lots or more traded in "
                "the closing half hour",
                rule=Rule.STRIKES,
            )
        search = LegSearch(leg, leg.right, leg.strike, expiry, strikes)
        wanted = search.wanted(ideal)
        lists.append(here)
        above, below = _neighbours(ideal, wanted)
        how, other, low, high = _choice(search, here, wanted)
        if isinstance(leg.strike, Reflection) and leg.strike.about is not None:
            centres[number] = (leg.strike.leg, leg.strike.about)
        columns.append((how, other, low, high, above, below))
        ideal.append(wanted)
    table = np.array(columns, dtype=np.float64).T
    whole = table[[0, 1, 4, 5]].astype(np.int64)
    legs = LegPattern(
        np.arange(len(lists)), whole[0], whole[1], table[2], table[3], whole[2], whole[3]
    )
    return ChainPattern(legs, lists, expiries, horizon.past.horizon, centres)


def _choice(search: LegSearch, here: StrikeList, wanted: float) -> tuple[int, int, float, float]:
    """How the leg is chosen, the leg it refers to, and its limits in expected moves."""
    off, most, _ = search.off(here.strike, wanted)
    match search.selector:
        case Same(leg=other):
            return Choice.SAME, other, -1e-6, 1e-6
        case Width(leg=other, moves=moves):
            least = max(search.selector.reach, 0.01 / search.expiry.deviation)
            return Choice.WIDTH, other, moves - least, moves + least
        case Reflection(leg=other, about=None):
            return Choice.MIRROR, other, -most, most
        case Moves() | Delta() | Steps() | Reflection():
            places = here.place(here.strike)
            inside = (
                places[off <= most + _EQUAL]
                if not isinstance(search.selector, Reflection)
                else places
            )
            if not len(inside):
                place = int(np.argmin(off))
                raise NotBuildable(
                    f"leg {search.leg.side.word.lower()} {search.right} of "
                    f"{search.expiry.expiry}: wanted {wanted:.2f}; the nearest tradable strike "
                    f"{here.strike[place]:g} is {off[place]:.2f} off, and at most {most:.2f} "
                    "is allowed",
                    rule=Rule.STRIKES,
                    value=float(off[place]),
                    threshold=most,
                    remedy=f"passes if a strike within {most:.2f} of {wanted:.2f} trades",
                )
            return Choice.RANGE, _NONE, float(inside.min()), float(inside.max())


def _neighbours(ideal: list[float], wanted: float) -> tuple[int, int]:
    """Earlier legs whose ideal strikes are next below and next above; -1 for none."""
    above = below = _NONE
    for number, other in enumerate(ideal):
        if np.isnan(other) or abs(wanted / other - 1) < _EQUAL:
            continue
        if other < wanted and (above == _NONE or other > ideal[above]):
            above = number
        if other > wanted and (below == _NONE or other < ideal[below]):
            below = number
    return above, below
