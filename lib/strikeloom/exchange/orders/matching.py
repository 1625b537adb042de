"""Matching: what of an order trades against the depth that is shown. Pure functions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from strikeloom.domain.depth import Depth, Level
from strikeloom.domain.legs import Side
from strikeloom.exchange.orders.order import BookOrder


@dataclass(frozen=True, slots=True)
class Match:
    """Units that trade now, at a price in paise."""

    units: int
    price: int


def match(order: BookOrder, depth: Depth, taken: int) -> list[Match]:
    """Trade a limit order against the visible side of a contract's depth.

    A limit at or beyond the opposite side trades level by level, best first, up to the size
    shown there, less what was already taken from this very depth, in whole lots. An order that
    meets the depth on arrival trades at the levels' prices. One that the market came to trades
    at its own limit: the resting order makes the price.

    Parameters
    ----------
    taken : int
        Units already taken from that side of this depth, from its best level on.
    """
    if depth.crossed:
        return []
    lot_size, wanted = order.instrument.lot_size, order.left
    found: list[Match] = []
    for level in _within(order, depth):
        shown = level.units // lot_size * lot_size
        gone = min(shown, taken)
        taken -= gone
        units = min(wanted, shown - gone) // lot_size * lot_size
        if units > 0:
            found.append(Match(units, level.price))
            wanted -= units
    if found and order.entered_at < depth.at:
        return [Match(sum(part.units for part in found), order.limit)]
    return found


def _within(order: BookOrder, depth: Depth) -> Iterator[Level]:
    """Levels of the opposite side that the limit reaches, best first."""
    buying = order.side is Side.BUY
    for level in depth.asks if buying else depth.bids:
        if (level.price > order.limit) if buying else (level.price < order.limit):
            return
        yield level
