"""Margin that a set of orders would need, as the broker's margin calculators answer it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from strikeloom.domain.instruments import FutureContract
from strikeloom.domain.legs import Side
from strikeloom.errors import NoQuote
from strikeloom.exchange.account.account import Account
from strikeloom.exchange.account.margin_check import (
    book_margin,
    bound_as,
    bound_books,
    claims,
    tied_premium,
)
from strikeloom.exchange.orders.request import Placement
from strikeloom.exchange.orders.validation import reference_price
from strikeloom.nse.charges import Segment, brokerage, order_brokerage
from strikeloom.nse.products import charged_as
from strikeloom.ports.feed import MarketFeed
from strikeloom.risk.book import Item


@dataclass(frozen=True, slots=True)
class MarginQuote:
    """Paise; an estimate, see ``strikeloom.risk.margin`` for its error.

    Attributes
    ----------
    span : int
        Scan margin and charge for spreads over months.
    exposure : int
        Exposure, with the extra of an expiry day.
    premium : int
        To be paid in full for what is bought: options and shares.
    delivery : int
        For stock options that near their delivery in the money.
    hedge_benefit : int
        What the orders would need more one by one.
    brokerage : int
        Of all the orders.
    available : int
        Cash that is not blocked.
    """

    span: int
    exposure: int
    premium: int
    delivery: int
    hedge_benefit: int
    brokerage: int
    available: int

    @property
    def total(self) -> int:
        """Required in all."""
        return self.span + self.exposure + self.premium + self.delivery

    @property
    def shortfall(self) -> int:
        """How much of it is missing."""
        return max(0, self.total - self.available)


def margin_quote(
    placements: Sequence[Placement],
    account: Account,
    feed: MarketFeed,
    now: datetime,
    *,
    with_holdings: bool = False,
    charges_day: date | None = None,
) -> MarginQuote:
    """Margin of some orders together, alone or on top of positions and resting orders.

    Raises
    ------
    NoQuote
        When the level of an underlying with a sold leg is not known, or the price of a buy.
    """
    books = bound_books(account)
    bound = books[1]
    base: Counter[Item] = bound.copy() if with_holdings else Counter()
    together = base.copy()
    singles = []
    for placement in placements:
        signed = int(placement.side) * placement.units
        item = bound_as(placement.instrument, placement.product)
        together[item] += signed
        singles.append(Counter({item: signed}))
    found = book_margin([base, together, *books, *singles], feed, now)
    before, after, apart = found[0], found[1], found[2 + len(books) :]
    now_bound = max(book.total for book in found[2 : 2 + len(books)])
    paid = [p for p in placements if not isinstance(p.instrument, FutureContract)]
    premium = sum(p.units * _price(p, feed) for p in paid if p.side is Side.BUY)
    day = charges_day or now.date()
    return MarginQuote(
        span=max(0, after.scan + after.calendar - before.scan - before.calendar),
        exposure=max(
            0, after.exposure + after.expiry_extra - before.exposure - before.expiry_extra
        ),
        premium=premium,
        delivery=max(0, after.delivery - before.delivery),
        hedge_benefit=max(0, sum(m.total for m in apart) - (after.total - before.total)),
        brokerage=sum(_brokerage(placement, feed, day) for placement in placements),
        available=account.money.cash - now_bound - tied_premium(account) - claims(account, feed),
    )


def _brokerage(placement: Placement, feed: MarketFeed, day: date) -> int:
    """Paise; a percent of the value in some segments, at most their flat fee."""
    segment = charged_as(placement.instrument, placement.product, day)
    if segment is Segment.OPTION:
        return brokerage(day)
    return order_brokerage(placement.units * _price(placement, feed), day, segment)


def _price(placement: Placement, feed: MarketFeed) -> int:
    """Paise at which a buy is counted: its limit, else what the contract trades at."""
    if placement.limit:
        return placement.limit
    quote = feed.quotes([placement.instrument]).get(placement.instrument.key)
    price = reference_price(quote)
    if price is None:
        raise NoQuote(f"no price of {placement.instrument.label} to count it by")
    return price
