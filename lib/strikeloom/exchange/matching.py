"""Matching: what of an order trades against a quote. Pure functions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from strikeloom.domain.legs import Side
from strikeloom.domain.orders import OrderRequest
from strikeloom.domain.quotes import Quote
from strikeloom.exchange.resting import Resting
from strikeloom.nse.freeze import freeze_units


@dataclass(frozen=True, slots=True)
class Match:
    """Units that trade now, at a price in paise."""

    units: int
    price: int


def match(order: Resting, quote: Quote, taken: int) -> Match | None:
    """Trade a limit order against the visible side of a quote.

    A limit at or beyond the opposite side trades up to the size shown there, less what was
    already taken from this very quote, in whole lots. An order that meets the quote on arrival
    trades at the quote's price. One that the market came to trades at its own limit: whoever
    rests makes the price.
    """
    buying = order.side is Side.BUY
    price, size = (quote.ask, quote.ask_size) if buying else (quote.bid, quote.bid_size)
    if price is None or (not quote.two_sided and quote.bid is not None and quote.ask is not None):
        return None  # no price on that side, or a crossed quote
    if (order.limit < price) if buying else (order.limit > price):
        return None
    lot_size = order.contract.lot_size
    units = min(order.remaining, max(0, size - taken)) // lot_size * lot_size
    if units <= 0:
        return None
    return Match(units, order.limit if order.placed_at < quote.at else price)


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
