"""Which sold legs of a position lose bought units that hedge them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date

from strikeloom.domain.instruments import FutureContract, Instrument, OptionContract, Right
from strikeloom.domain.positions import Position


def left_unhedged(position: Position, target: Sequence[int]) -> list[str]:
    """Sold legs that lose units of their hedge when the position is brought to ``target``.

    A sold option is hedged by bought ones of the same right that expire with it or later.

    Parameters
    ----------
    target : sequence of int
        Signed lots of each leg.

    Returns
    -------
    list of str
        ``the sold NIFTY 24 Feb 25000 CE (leg 0)`` for each; empty when no hedge is lost.
    """
    before = _without_hedge(position, [leg.net_units for leg in position.legs])
    units = _units(position, target)
    after = _without_hedge(position, units)
    return [
        f"the sold {leg.instrument.label} (leg {leg.leg})"
        for leg, left in zip(position.legs, units, strict=True)
        if any(
            signed < 0 and after[place] > before[place]
            for place, signed in _exposures(leg.instrument, left)
        )
    ]


def is_hedged(position: Position, target: Sequence[int]) -> bool:
    """Whether every sold option or future has its hedge at ``target`` lots of each leg."""
    units = _units(position, target)
    lacking = _without_hedge(position, units)
    return not any(
        signed < 0 and lacking[place]
        for leg, left in zip(position.legs, units, strict=True)
        if left < 0 and not leg.is_owed
        for place, signed in _exposures(leg.instrument, left)
    )


def _units(position: Position, target: Sequence[int]) -> list[int]:
    """Signed units of each leg at a target of lots; what makes no whole lot stays."""
    return [
        lots * leg.instrument.lot_size + leg.odd_units
        for leg, lots in zip(position.legs, target, strict=True)
    ]


def _without_hedge(position: Position, units: list[int]) -> Counter[tuple[Right, date]]:
    """Units sold by right and expiry that no bought unit of that expiry or a later one hedges."""
    sold: Counter[tuple[Right, date]] = Counter()
    bought: Counter[tuple[Right, date]] = Counter()
    for leg, held in zip(position.legs, units, strict=True):
        for place, signed in _exposures(leg.instrument, held):
            (bought if signed > 0 else sold)[place] += abs(signed)
    lacking: Counter[tuple[Right, date]] = Counter()
    for right in Right:
        free = 0
        for expiry in sorted({day for kind, day in sold | bought if kind is right}, reverse=True):
            free += bought[right, expiry] - sold[right, expiry]
            lacking[right, expiry] = max(0, -free)
            free = max(0, free)
    return lacking


def _exposures(instrument: Instrument, held: int) -> list[tuple[tuple[Right, date], int]]:
    """What a holding is as calls and puts, by right and expiry, in signed units.

    A future is a call bought and a put sold; a share hedges sold calls of every expiry.
    """
    if isinstance(instrument, OptionContract):
        return [((instrument.right, instrument.expiry), held)]
    if isinstance(instrument, FutureContract):
        expiry = instrument.expiry
        return [((Right.CALL, expiry), held), ((Right.PUT, expiry), -held)]
    return [((Right.CALL, date.max), held)]
