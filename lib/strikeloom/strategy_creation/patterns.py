"""Templates as patterns of strikes on a chain, for a search over all that is tradable."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from strikeloom.domain.outcomes import Rule
from strikeloom.domain.selectors import (
    Delta,
    Moves,
    Reflection,
    Same,
    Steps,
    StrikeSelector,
    Width,
)
from strikeloom.domain.templates import StrategyTemplate
from strikeloom.errors import NotBuildable
from strikeloom.quant.candidates.combinations import Choice
from strikeloom.quant.candidates.strike_table import LegPattern, StrikeTable, strike_table
from strikeloom.strategy_creation.chain import ChainExpiry
from strikeloom.strategy_creation.contract_rows import ChainRows, ListName
from strikeloom.strategy_creation.strikes import LegSearch, leg_expiries, missing_text
from strikeloom.strategy_creation.tradable import TradableStrikes

Floats = NDArray[np.float64]

_NONE = -1
_EQUAL = 1e-9  # relative; wanted strikes nearer than this are one


class ChainLists(NamedTuple):
    """Strike lists of a chain.

    Attributes
    ----------
    table : StrikeTable
    number : dict
        Of each list in it.
    reached : dict
        By selector and beginning of a list: how far its strikes are off, and the most allowed.
    """

    table: StrikeTable
    number: dict[ListName, int]
    reached: dict[tuple[StrikeSelector, int], tuple[Floats, float]]

    def strikes(self, name: ListName) -> slice:
        """Of a list in the table's columns."""
        at = self.number[name]
        return slice(int(self.table.first[at]), int(self.table.first[at + 1]))


def chain_lists(rows: ChainRows) -> ChainLists:
    """Lists of a chain's rows."""
    number = {name: at for at, name in enumerate(rows.lists)}
    return ChainLists(strike_table(list(rows.lists.values())), number, {})


class ChainPattern(NamedTuple):
    """A template on a chain.

    Attributes
    ----------
    legs : LegPattern
        Its lists are those of the chain.
    expiries : tuple of ChainExpiry
        Of each leg.
    horizon : ChainExpiry
        The nearest expiry of its options.
    """

    legs: LegPattern
    expiries: tuple[ChainExpiry, ...]
    horizon: ChainExpiry

    @property
    def sessions(self) -> int:
        """Until the horizon."""
        return self.horizon.past.horizon


class _Chosen(NamedTuple):
    """How one leg is chosen: columns of ``LegPattern``."""

    choice: Choice
    leg: int
    low: float
    high: float
    centre: int = _NONE
    unlike: int = 0
    one: int = _NONE
    two: int = _NONE


_FREE = _Chosen(Choice.RANGE, _NONE, -np.inf, np.inf)


def pattern_of(
    template: StrategyTemplate, strikes: TradableStrikes, lists: ChainLists
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
    numbers: list[int] = []
    chosen: list[_Chosen] = []
    order: list[tuple[int, int]] = []
    ideal: list[float] = []
    for leg, expiry in zip(template.legs, expiries, strict=True):
        last = horizon.expiry if leg.right is None else expiry.expiry
        name = (horizon.expiry, last, leg.right)
        if leg.right is None or leg.strike is None:
            if name not in lists.number:
                raise NotBuildable(
                    f"no future traded that lives until {horizon.expiry}", rule=Rule.UNDERLYING
                )
            numbers.append(lists.number[name])
            chosen.append(_FREE)
            order.append((_NONE, _NONE))
            ideal.append(np.nan)
            continue
        here = lists.strikes(name)
        if here.start == here.stop:
            raise NotBuildable(
                f"no {leg.right} of {expiry.expiry} with {strikes.fewest} lots or more traded in "
                "the closing half hour",
                rule=Rule.STRIKES,
            )
        search = LegSearch(leg, leg.right, leg.strike, expiry, strikes)
        wanted = search.wanted(ideal)
        numbers.append(lists.number[name])
        order.append(_neighbours(ideal, wanted))
        chosen.append(_choice(search, lists, here, wanted))
        ideal.append(wanted)
    choice, other, low, high, *others = zip(*chosen, strict=True)
    above, below = zip(*order, strict=True)
    whole = np.array((numbers, choice, other, above, below, *others), dtype=np.int64)
    limits = np.array((low, high), dtype=np.float64)
    legs = LegPattern(whole[0], whole[1], whole[2], limits[0], limits[1], *whole[3:])
    return ChainPattern(legs, expiries, horizon)


def _choice(search: LegSearch, lists: ChainLists, here: slice, wanted: float) -> _Chosen:
    """How a leg is chosen: which leg it refers to, and its limits in expected moves."""
    match search.selector:
        case Same(leg=other):
            return _Chosen(Choice.SAME, other, -1e-6, 1e-6)
        case Width(leg=other, moves=moves):
            least = search.least_reach(search.selector.reach)
            unlike, (one, two) = search.selector.unlike or (0, (_NONE, _NONE))
            low, high = moves - least, moves + least
            return _Chosen(Choice.WIDTH, other, low, high, _NONE, unlike, one, two)
        case Reflection(leg=other, about=None):
            most = search.least_reach(search.selector.reach)
            return _Chosen(Choice.MIRROR, other, -most, most)
        case Reflection(leg=other, about=centre):
            return _Chosen(Choice.EVEN, other, -np.inf, np.inf, int(centre or 0))
        case Moves() | Delta() | Steps():
            strike, places = lists.table.strike[here], lists.table.place[here]
            key = (search.selector, here.start)
            if key not in lists.reached:
                lists.reached[key] = search.off(strike, wanted)[:2]
            off, most = lists.reached[key]
            inside = places[off <= most + _EQUAL]
            if not len(inside):
                place = int(np.argmin(off))
                raise NotBuildable(
                    f"leg {search.leg.side.word.lower()} {search.right} of "
                    f"{search.expiry.expiry}: wanted {wanted:.2f}; the nearest tradable strike "
                    f"{strike[place]:g} is {off[place]:.2f} off, and at most {most:.2f} "
                    f"is allowed{missing_text(search, wanted)}",
                    rule=Rule.STRIKES,
                    value=float(off[place]),
                    threshold=most,
                    remedy=f"passes if a strike within {most:.2f} of {wanted:.2f} trades",
                )
            return _Chosen(Choice.RANGE, _NONE, float(inside[0]), float(inside[-1]))


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
