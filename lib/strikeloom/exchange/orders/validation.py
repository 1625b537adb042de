"""Validation of an order: what the broker and the exchange refuse before they check money.

Each rule answers with a code and a sentence, or ``None`` when the order is fine.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from strikeloom.domain.instruments import Instrument, InstrumentKind, OptionContract, Share
from strikeloom.domain.legs import Side
from strikeloom.domain.products import Product
from strikeloom.domain.quotes import Quote
from strikeloom.exchange.orders.broker_rules import broker_rule
from strikeloom.exchange.orders.order import BookOrder
from strikeloom.exchange.orders.request import Placement
from strikeloom.nse.price_protection import protected_range
from strikeloom.nse.products import product_rules

INPUT, ORDER = "DH-905", "DH-906"  # the broker's own codes
DESK, EXCHANGE = "RMS", "EXCH"
#: The broker's own text, as recorded.
MARKET_CLOSED = "Market is Closed! You cannot modify/cancel an order now."
_TAG = re.compile(r"[A-Za-z0-9 _.\-]*")


@dataclass(frozen=True, slots=True)
class OrderRefusal:
    """Who refuses (``DH-905``, ``DH-906``, ``RMS``, ``EXCH``) and why."""

    code: str
    reason: str


def input_refusal(placement: Placement, day: date) -> OrderRefusal | None:
    """Why a request is no order at all: a field that is missing or impossible."""
    p = placement
    if p.units <= 0:
        return OrderRefusal(INPUT, f"quantity {p.units} must be positive")
    wrong = product_refusal(p.instrument, p.product, day)
    if wrong:
        return wrong
    if min(p.limit, p.trigger, p.disclosed) < 0:
        return OrderRefusal(
            INPUT, "price, trigger price and disclosed quantity must not be negative"
        )
    if len(p.correlation_id) > broker_rule("tag_length", day) or not _TAG.fullmatch(
        p.correlation_id
    ):
        return OrderRefusal(
            INPUT,
            f"correlation id {p.correlation_id!r} must be at most "
            f"{broker_rule('tag_length', day)} of letters, digits, space, _, - and .",
        )
    if p.order_type.needs_trigger and not p.trigger:
        return OrderRefusal(INPUT, f"{p.order_type} needs a trigger price")
    return disclosed_refusal(p.disclosed, p.units, day)


def product_refusal(instrument: Instrument, product: Product, day: date) -> OrderRefusal | None:
    """Products by kind and day: shares are paid in full (CNC), contracts carried (MARGIN)."""
    offered = [rule.name for rule in product_rules(instrument, day) if rule.name in set(Product)]
    if product in offered:
        return None
    allowed = " or ".join(offered)
    return OrderRefusal(INPUT, f"productType of {instrument.label} is {allowed}, not {product}")


def holdings_refusal(order: BookOrder, sellable: int) -> OrderRefusal | None:
    """Sale of shares for delivery: only what is held, or was bought today, may be sold.

    Parameters
    ----------
    sellable : int
        Shares that no other order offers.
    """
    if order.product is not Product.CNC or order.side is Side.BUY or order.left <= sellable:
        return None
    return OrderRefusal(
        DESK,
        f"Rule: Check holdings: {order.left} {order.instrument.symbol} shares are to be sold, "
        f"{sellable} are held and not offered yet",
    )


def disclosed_refusal(disclosed: int, units: int, day: date) -> OrderRefusal | None:
    """Disclosed quantity: none, or more than a share of the quantity."""
    percent = broker_rule("disclosed_percent", day)
    if disclosed and not units * percent < disclosed * 100 <= units * 100:
        return OrderRefusal(
            INPUT,
            f"disclosed quantity {disclosed} must be 0, or above {percent} % of the quantity "
            f"{units} and not above it",
        )
    return None


def form_refusal(order: BookOrder, day: date, freeze: int | None) -> OrderRefusal | None:
    """Lot, tick, freeze quantity, and a stop's limit against its trigger."""
    instrument = order.instrument
    if order.units <= 0 or order.units % instrument.lot_size:
        return OrderRefusal(
            DESK,
            f"quantity {order.units} is not a multiple of the lot size {instrument.lot_size}",
        )
    for name, price in (("price", order.limit), ("trigger price", order.trigger)):
        wanted = name == "price" or order.order_type.waits
        if wanted and (price <= 0 or price % instrument.tick):
            return OrderRefusal(
                EXCHANGE,
                f"{name} {price / 100:.2f} is not on the tick of {instrument.tick / 100:.2f}",
            )
    if freeze is not None and order.units > freeze:
        return OrderRefusal(
            EXCHANGE, f"quantity {order.units} is above the freeze quantity {freeze}"
        )
    return _stop_refusal(order, day) if order.waits_for_trigger else None


def _stop_refusal(order: BookOrder, day: date) -> OrderRefusal | None:
    gap = (order.limit - order.trigger) * int(order.side)
    if gap < 0:
        side_text = "less" if order.side is Side.BUY else "greater"
        return OrderRefusal(ORDER, f"Trigger Price should be {side_text} than Price")
    percent = broker_rule("stop_gap_percent", day)
    if gap * 100 > order.trigger * percent:
        return OrderRefusal(
            DESK,
            f"price {order.limit / 100:.2f} is more than {percent} % away from the trigger price "
            f"{order.trigger / 100:.2f}",
        )
    return None


def reference_price(quote: Quote | None) -> int | None:
    """Paise by which prices are judged: the last trade, else the middle of the quote."""
    if quote is None:
        return None
    if quote.last is not None:
        return quote.last
    if quote.bid is not None and quote.ask is not None and quote.two_sided:
        return (quote.bid + quote.ask) // 2
    return quote.ask if quote.bid is None else quote.bid if quote.ask is None else None


def _market_price(quote: Quote | None) -> int | None:
    """Paise of the last trade within the quote: a last trade may be old, a quote is newer.

    The exchange takes the trades of half a minute, and the value of a contract where there were
    none.
    """
    reference = reference_price(quote)
    if reference is None or quote is None or not quote.two_sided:
        return reference
    return min(max(reference, quote.bid or 0), quote.ask or reference)


def price_refusal(
    order: BookOrder, quote: Quote | None, band: tuple[int, int] | None, day: date
) -> OrderRefusal | None:
    """Price band of the day, and limit price protection of orders that can trade.

    Once the market is outside the band it does not apply: the exchange widens it within the day.
    """
    reference = _market_price(quote)
    left = band and reference is not None and not band[0] <= reference <= band[1]
    if band and not left and not band[0] <= order.limit <= band[1]:
        return OrderRefusal(
            EXCHANGE,
            f"price {order.limit / 100:.2f} is outside the day's range "
            f"{band[0] / 100:.2f} to {band[1] / 100:.2f}",
        )
    if reference is None or order.waits_for_trigger:
        return None
    if not isinstance(order.instrument, OptionContract):
        return None  # the exchange protects the limits of options
    limits = protected_range(order.instrument.kind, reference, day)
    if limits is None:
        return None
    beyond = order.limit > limits[1] if order.side is Side.BUY else order.limit < limits[0]
    if not beyond:
        return None
    return OrderRefusal(
        EXCHANGE,
        f"price {order.limit / 100:.2f} is beyond the limit price protection "
        f"{limits[0] / 100:.2f} to {limits[1] / 100:.2f} around {reference / 100:.2f}",
    )


def expiry_refusal(order: BookOrder, held: int, day: date) -> OrderRefusal | None:
    """Contracts that have expired, and entries into stock contracts on their last day.

    Parameters
    ----------
    held : int
        Net units of the contract, open orders of the same side counted in.
    """
    instrument = order.instrument
    if isinstance(instrument, Share):
        return None
    if instrument.expiry < day:
        return OrderRefusal(EXCHANGE, f"the contract expired on {instrument.expiry}")
    if instrument.kind is not InstrumentKind.STOCK or instrument.expiry != day:
        return None
    reduces = held * int(order.side) < 0 and order.left <= abs(held)
    if reduces or broker_rule("stock_entry_on_expiry_day", day):
        return None
    return OrderRefusal(
        DESK,
        f"no fresh position in {instrument.label} on its last day; only what is held may be closed",
    )
