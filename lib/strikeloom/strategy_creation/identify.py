"""Name of a bag of legs: the template whose legs relate to each other as these do.

Compared are sides, rights, ratios without their common factor, and the order of strikes and of
expiries; neither levels nor lots. Where several templates have all that in common, the one whose
distances between strikes are nearest is meant (a butterfly, or one with a broken wing); templates
that still cannot be distinguished are all named (a short put, cash-secured or not).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import cache
from math import gcd
from typing import NamedTuple

from strikeloom.domain.instruments import Instrument, OptionContract
from strikeloom.domain.legs import Leg
from strikeloom.domain.templates import StrategyTemplate
from strikeloom.strategy_creation.catalogue import TEMPLATES
from strikeloom.strategy_creation.model_chain import model_structure

_EQUAL = 1e-9  # difference of distances between strikes that counts as none
_UNDERLYING = "underlying"


class Pattern(NamedTuple):
    """What identifies a bag of legs.

    Attributes
    ----------
    legs : tuple of (str, int, int, int)
        Right, place of the strike, place of the expiry, signed units without their common factor;
        sorted. The underlying has no strike and no expiry: -1.
    places : tuple of float
        Distinct strikes, from 0 for the lowest to 1 for the highest.
    """

    legs: tuple[tuple[str, int, int, int], ...]
    places: tuple[float, ...]


def identify(legs: Sequence[Leg]) -> tuple[StrategyTemplate, ...]:
    """Templates that a bag of legs on one underlying may be, in the catalogue's order.

    Returns
    -------
    tuple of StrategyTemplate
        Empty where the catalogue has none.
    """
    pattern = pattern_of(legs)
    alike = _catalogue().get(pattern.legs, ())
    if not alike:
        return ()
    off = [
        max((abs(a - b) for a, b in zip(places, pattern.places, strict=True)), default=0.0)
        for places, _ in alike
    ]
    return tuple(
        template
        for (_, template), distance in zip(alike, off, strict=True)
        if distance <= min(off) + _EQUAL
    )


def pattern_of(legs: Sequence[Leg]) -> Pattern:
    """Pattern of a bag of legs: order, common factor and lots left out, equal contracts added."""
    units: dict[Instrument, int] = defaultdict(int)
    for leg in legs:
        units[leg.instrument] += leg.signed_units
    held = {instrument: net for instrument, net in units.items() if net}
    options = [it for it in held if isinstance(it, OptionContract)]
    strikes = sorted({option.strike for option in options})
    expiries = sorted({option.expiry for option in options})
    factor = gcd(*held.values())
    found: dict[tuple[str, int, int], int] = defaultdict(int)
    for instrument, net in held.items():
        if isinstance(instrument, OptionContract):
            strike, expiry = strikes.index(instrument.strike), expiries.index(instrument.expiry)
            found[instrument.right.value, strike, expiry] += net // factor
        else:
            found[_UNDERLYING, -1, -1] += net // factor
    span = strikes[-1] - strikes[0] if len(strikes) > 1 else 1
    places = tuple((strike - strikes[0]) / span for strike in strikes)
    return Pattern(tuple(sorted((*key, net) for key, net in found.items() if net)), places)


@cache
def _catalogue() -> dict[
    tuple[tuple[str, int, int, int], ...], list[tuple[tuple[float, ...], StrategyTemplate]]
]:
    found: dict[
        tuple[tuple[str, int, int, int], ...], list[tuple[tuple[float, ...], StrategyTemplate]]
    ] = {}
    for template in TEMPLATES.values():
        pattern = pattern_of(model_structure(template).legs)
        found.setdefault(pattern.legs, []).append((pattern.places, template))
    return found
