"""Matching: what of an order trades against a quote. Pure functions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from strikeloom.domain.legs import Side
from strikeloom.domain.orders import OrderRequest
from strikeloom.domain.quotes import Quote
from strikeloom.nse.freeze import freeze_units


@dataclass(frozen=True, slots=True)
class Match:
    """Units that trade now, at a price in paise."""

    units: int
    price: int


def match(
    side: Side, remaining: int, limit: int, lot_size: int, quote: Quote, taken: int
) -> Match | None:
    """Trade a limit order against the visible side of a quote.

    A limit at or beyond the opposite side trades at that side's price, up to the size shown
    there less what was already taken from this very quote, in whole lots. No hidden size, no
    price improvement beyond the quote.
    """
    price, size = (quote.ask, quote.ask_size) if side is Side.BUY else (quote.bid, quote.bid_size)
    if price is None or (not quote.two_sided and quote.bid is not None and quote.ask is not None):
        return None  # no price on that side, or a crossed quote
    if (side is Side.BUY and limit < price) or (side is Side.SELL and limit > price):
        return None
    units = min(remaining, max(0, size - taken)) // lot_size * lot_size
    return Match(units, price) if units > 0 else None


def refusal(request: OrderRequest, day: date) -> str | None:
    """Reason for which the exchange refuses an order by its form; ``None`` when it is fine."""
    contract = request.contract
    if request.units <= 0 or request.units % contract.lot_size:
        return f"quantity {request.units} is not a multiple of the lot size {contract.lot_size}"
    if request.limit <= 0 or request.limit % contract.tick:
        return f"price {request.limit / 100:.2f} is not on the tick of {contract.tick / 100:.2f}"
    freeze = freeze_units(contract.symbol, day)
    if freeze is not None and request.units >= freeze:
        return f"quantity {request.units} reaches the freeze quantity {freeze}"
    return None
